import { abortable } from './cancel.js';
import { Channel } from './channel.js';
import { inner, passedOver, type Said, said } from './detail.js';
import type { Backend, DeviceChoice } from './device.js';
import { DeviceLost, MedleyError, ThreadBroke, toErrorData } from './errors.js';
import { Emitter } from './events.js';
import { transferable } from './images.js';
import type { Progress } from './progress.js';
import type { CallName, CallProgress, Calls, Loaded, LoadRequest, MemoryUse } from './protocol.js';
import { Turns } from './turns.js';

/** What runs the model was exchanged. */
export interface BackendChange {
  /** What ran it. */
  from: Backend;
  /** What runs it now. */
  to: Backend;
  /** What made the change necessary, in words. */
  cause: string;
}

/** What a model tells whoever listens. */
export interface ModelEvents {
  /** The model is being started anew after its worker or its GPU was lost. */
  progress: Progress;
  /** Another backend, or the same one anew, runs the model. */
  backendchange: BackendChange;
  /** The worker failed outside any call, or could not be started anew. */
  error: MedleyError;
}

/** A line of an engine's history, for a bug report. */
export interface HistoryEntry {
  /** Milliseconds since the page was opened. */
  at: number;
  what: string;
}

/** A second loss of the GPU within so long is no accident: then the CPU has to do. */
const LOSS_MEMORY_MS = 60_000;

/** A call is begun anew at most so often. */
const MAX_REPEATS = 2;

/** After so many losses in a row, without an answer in between, the model is given up. */
const MAX_LOSSES = 3;

/** The history keeps the last entries alone. */
const MAX_HISTORY = 50;

/**
 * A model in a worker, and what keeps it there.
 *
 * Calls go to the worker one at a time: what waits is still on this side when the worker is lost. A
 * worker that crashed or whose GPU went away is replaced. The call that it crashed on rejects, for it
 * would only crash again; a call that lost its GPU is begun anew.
 */
export class Engine {
  readonly #spawn: () => Worker;
  #request: LoadRequest;
  readonly #turns = new Turns();
  readonly events = new Emitter<ModelEvents>();
  readonly history: HistoryEntry[] = [];
  #channel: Channel | null = null;
  #ready: Promise<Channel>;
  #loaded: Loaded | null = null;
  #closed: MedleyError | null = null;
  #lostAt = Number.NEGATIVE_INFINITY;
  #losses = 0;
  #asking = false;

  private constructor(spawn: () => Worker, request: LoadRequest) {
    this.#spawn = spawn;
    this.#request = request;
    this.#ready = Promise.reject(new MedleyError('internal', 'the engine was not started'));
    this.#ready.catch(() => {});
  }

  /** Starts a worker and loads the model in it. Cancelled or failed, nothing is left running. */
  static async start(
    spawn: () => Worker,
    request: LoadRequest,
    options: { signal?: AbortSignal | undefined; onProgress?: ((progress: Progress) => void) | undefined } = {},
  ): Promise<Engine> {
    const engine = new Engine(spawn, request);
    await engine.#open(request.device, options);
    return engine;
  }

  get loaded(): Loaded {
    if (this.#loaded === null) throw new MedleyError('internal', 'the model is not loaded');
    return this.#loaded;
  }

  /** Why it answers no more, or `null`. */
  get closed(): MedleyError | null {
    return this.#closed;
  }

  get memory(): MemoryUse {
    return this.#channel?.memory ?? {};
  }

  /** Asks the worker as soon as it is this call's turn; an image's pixels are moved to it where they are not needed again. */
  async call<Name extends CallName>(
    name: Name,
    request: Calls[Name]['request'],
    options: {
      signal?: AbortSignal | undefined;
      onProgress?: ((progress: CallProgress) => void) | undefined;
    } = {},
  ): Promise<Calls[Name]['answer']> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    if (this.#closed !== null) throw this.#closed;
    return this.#turns.take(async () => {
      for (let repeats = 0; ; repeats++) {
        const channel = await abortable(this.#ready, signal);
        // A call that may have to be asked again keeps its pixels.
        const movable = 'image' in request && this.loaded.backend.kind !== 'webgpu';
        const transfer = movable ? transferable(request.image) : [];
        this.#asking = true;
        try {
          const answer = await channel.call(name, request, { transfer, signal, onProgress });
          this.#losses = 0;
          return answer;
        } catch (error) {
          if (!(error instanceof DeviceLost) || repeats >= MAX_REPEATS) throw error;
        } finally {
          this.#asking = false;
        }
      }
    }, signal);
  }

  /** Ends the worker; whatever waits rejects with the reason. */
  close(reason: MedleyError): void {
    if (this.#closed !== null) return;
    this.#closed = reason;
    this.#ready = Promise.reject(reason);
    this.#ready.catch(() => {});
    this.#channel?.close(reason);
  }

  async #open(
    device: DeviceChoice,
    options: { signal?: AbortSignal | undefined; onProgress?: ((progress: Progress) => void) | undefined },
  ): Promise<Channel> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    let live = false;
    let reached = 0;
    const channel = new Channel(this.#spawn(), (reason) => {
      if (live) this.#replace(reason);
    });
    this.#channel = channel;
    try {
      const loaded = await channel.call(
        'load',
        { ...this.#request, device },
        {
          signal,
          onProgress: (progress) => {
            reached = Math.max(reached, progress.fraction);
            onProgress?.(progress as Progress);
          },
        },
      );
      // A worker that is not the engine's any more must not be kept.
      if (this.#closed !== null) throw this.#closed;
      live = true;
      this.#loaded = loaded;
      this.#ready = Promise.resolve(channel);
      this.#note(`loaded on ${loaded.backend.kind}: ${loaded.backend.reason}`);
      return channel;
    } catch (error) {
      this.#channel = null;
      channel.close(error);
      // While a thread computes, the worker that waits for it hears nothing: what it cannot step down from, this can.
      if (error instanceof ThreadBroke && this.#request.threads > 1 && this.#closed === null) {
        const failure = passedOver('threads-failed', { text: error.message, detail: error.detail });
        this.#request = { ...this.#request, threads: 1, failures: [...this.#request.failures, failure] };
        this.#note(`lost: ${failure.text}`);
        const onward = (progress: Progress): void => onProgress?.({ ...progress, fraction: Math.max(progress.fraction, reached) });
        return this.#open(device, { signal, onProgress: onward });
      }
      throw error;
    }
  }

  /** The worker is gone: starts another, on what is still to be trusted. */
  #replace(reason: unknown): void {
    if (this.#closed !== null) return;
    const from = this.loaded.backend;
    const { code, message: cause, detail } = toErrorData(reason);
    const lost: Said = { text: cause, detail };
    this.#note(`lost: ${code}: ${cause}`);
    if (!this.#asking && !(reason instanceof DeviceLost)) this.events.emit('error', new MedleyError(code, lost));
    this.#losses += 1;
    if (this.#losses > MAX_LOSSES) {
      const text = `the model was lost ${this.#losses} times in a row: ${cause}`;
      this.#giveUp(new MedleyError(code, said(text, 'lost-repeatedly', { n: this.#losses, why: inner(lost) })));
      return;
    }
    this.#ready = this.#open(this.#deviceAfter(reason), {
      onProgress: (progress) => this.events.emit('progress', progress),
    });
    this.#ready.then(
      () => this.events.emit('backendchange', { from, to: this.loaded.backend, cause }),
      (thrown: unknown) => {
        const { code, message, detail } = toErrorData(thrown);
        const values = { after: inner(lost), why: inner({ text: message, detail }) };
        const text = `the model could not be started anew after "${cause}": ${message}`;
        this.#giveUp(new MedleyError(code, said(text, 'not-restarted', values)));
      },
    );
  }

  /** A GPU that is lost twice in short order is not tried a third time where the choice is ours. */
  #deviceAfter(reason: unknown): DeviceChoice {
    const { device } = this.#request;
    if (!(reason instanceof DeviceLost)) return device;
    const again = performance.now() - this.#lostAt < LOSS_MEMORY_MS;
    this.#lostAt = performance.now();
    return again && device === 'auto' ? 'wasm' : device;
  }

  #giveUp(error: MedleyError): void {
    if (this.#closed !== null) return;
    this.#note(`given up: ${error.message}`);
    this.close(error);
    this.events.emit('error', error);
  }

  #note(what: string): void {
    this.history.push({ at: Math.round(performance.now()), what });
    if (this.history.length > MAX_HISTORY) this.history.shift();
  }
}
