import { said } from './detail.js';
import { DeviceLost, type ErrorData, fromErrorData, MedleyError, ThreadBroke } from './errors.js';
import type { CallMap, CallProgress, Calls, Cancel, MemoryUse, Reply, RequestOf } from './protocol.js';

interface Pending {
  resolve: (answer: never) => void;
  reject: (reason: unknown) => void;
  onProgress: ((progress: CallProgress) => void) | undefined;
}

/** Calls to one worker, each with its answer; after the worker is gone every call rejects. */
export class Channel<All extends CallMap<All> = Calls> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #onGone: (reason: unknown) => void;
  #nextId = 1;
  #closed: unknown = null;
  #memory: MemoryUse = {};

  /** @param onGone - called once when the worker is gone, before what waits rejects. */
  constructor(worker: Worker, onGone: (reason: unknown) => void = () => {}) {
    this.#worker = worker;
    this.#onGone = onGone;
    worker.addEventListener('message', (event: MessageEvent<Reply>) => this.#receive(event.data));
    worker.addEventListener('error', (event) => {
      // Without a message the script itself did not load.
      const message = event.message || 'its script could not be loaded or was blocked by the page’s policy';
      this.close(new MedleyError('crashed', said(`the worker failed: ${message}`, 'worker-failed', event.message ? { why: event.message } : {})));
    });
  }

  /** Why the worker is gone, or `null` while it is there. */
  get closed(): unknown {
    return this.#closed;
  }

  /** What the worker last said of its memory. */
  get memory(): MemoryUse {
    return this.#memory;
  }

  /**
   * Asks the worker. A cancelled call rejects at once with the signal's reason. The worker skips it
   * where it has not begun with it; what it is in the middle of it ends unheard at the next stage.
   */
  async call<Name extends keyof All>(
    call: Name,
    request: All[Name]['request'],
    options: { transfer?: Transferable[]; signal?: AbortSignal | undefined; onProgress?: Pending['onProgress'] } = {},
  ): Promise<All[Name]['answer']> {
    const { transfer = [], signal, onProgress } = options;
    signal?.throwIfAborted();
    if (this.#closed !== null) throw this.#closed;
    const id = this.#nextId++;
    const cancel = (): void => {
      this.#pending.get(id)?.reject(signal?.reason);
      this.#pending.delete(id);
      this.#worker.postMessage({ cancel: id } satisfies Cancel);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await new Promise<All[Name]['answer']>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onProgress });
        this.#worker.postMessage({ id, call, request } as RequestOf<All>, transfer);
      });
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Ends the worker; whatever waits rejects with the reason. */
  close(reason: unknown): void {
    if (this.#closed !== null) return;
    this.#closed = reason;
    this.#worker.terminate();
    this.#onGone(reason);
    for (const pending of this.#pending.values()) pending.reject(reason);
    this.#pending.clear();
  }

  #receive(reply: Reply): void {
    if (reply.type === 'crashed') {
      this.close(fromErrorData(reply.error));
      return;
    }
    if (reply.type === 'thread') {
      reply.crashes.onmessage = ({ data }: MessageEvent<ErrorData>) => this.close(new ThreadBroke(data.code, { text: data.message, detail: data.detail }));
      return;
    }
    if (reply.type === 'device-lost') {
      this.close(new DeviceLost(reply.reason));
      return;
    }
    if (reply.type === 'answer') this.#memory = reply.memory;
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    if (reply.type === 'progress') {
      pending.onProgress?.(reply.progress);
      return;
    }
    this.#pending.delete(reply.id);
    if (reply.type === 'answer') pending.resolve(reply.answer as never);
    else pending.reject(fromErrorData(reply.error));
  }
}
