import type { Channel } from './channel.js';
import type { Backend } from './device.js';
import { MedleyError } from './errors.js';
import { type ImageInput, toPayload } from './images.js';
import type { Analysis, Metadata, TaskSpec } from './types.js';

/** What to ask of an image. */
export interface AnalyzeOptions {
  /** Names of the tasks to answer; default: all of {@link Model.tasks}. */
  tasks?: readonly string[];
  /** Cancels: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** An image as the model sees it, for the screen. */
export interface Preview {
  /** Size of the image itself, in pixels; masks and boxes are in these. */
  width: number;
  height: number;
  /** The image, scaled down where it is larger than asked for. */
  pixels: ImageData;
}

/** A loaded model. Made by `loadModel`; `dispose()` frees its memory. */
export class Model {
  readonly #channel: Channel;
  /** What the package says of itself. */
  readonly metadata: Metadata;
  /** What runs the model, and why. */
  readonly backend: Backend;

  /** @internal */
  constructor(channel: Channel, metadata: Metadata, backend: Backend) {
    this.#channel = channel;
    this.metadata = metadata;
    this.backend = backend;
  }

  /** The tasks that it answers. */
  get tasks(): readonly TaskSpec[] {
    return this.metadata.tasks;
  }

  /** Whether it can still be asked: not after `dispose()`, nor after its code has crashed. */
  get usable(): boolean {
    return this.#channel.closed === null;
  }

  /**
   * Answers the asked-for tasks of one image. The image stays on this device.
   *
   * A `File` or `Blob` must hold a PNG or a JPEG. An answer about another kind of image than the
   * task's `modality` means nothing.
   */
  async analyze(image: ImageInput, options: AnalyzeOptions = {}): Promise<Analysis> {
    const { tasks, signal } = options;
    signal?.throwIfAborted();
    this.#checkTasks(tasks);
    const payload = await toPayload(image);
    return this.#channel.call(
      'analyze',
      { image: payload, tasks: tasks === undefined ? null : [...tasks] },
      { signal, transfer: [payload.bytes.buffer] },
    );
  }

  /** Decodes an image the way the model does, for showing it; `maxSide` in pixels. */
  async preview(image: ImageInput, maxSide = 2048): Promise<Preview> {
    const payload = await toPayload(image);
    const preview = await this.#channel.call('preview', { image: payload, maxSide }, { transfer: [payload.bytes.buffer] });
    return {
      width: preview.sourceWidth,
      height: preview.sourceHeight,
      pixels: new ImageData(preview.rgba, preview.width, preview.height),
    };
  }

  /** Frees the worker and its memory; running calls reject. */
  dispose(): void {
    this.#channel.close(new MedleyError('disposed', 'the model was disposed of; load it again'));
  }

  /** The check is Rust's too; here it costs no transfer of the image. */
  #checkTasks(tasks: readonly string[] | undefined): void {
    const known = new Set(this.tasks.map((task) => task.name));
    const unknown = tasks?.find((task) => !known.has(task));
    if (unknown !== undefined) {
      throw new MedleyError('unknown-task', `unknown task "${unknown}"; the model has: ${[...known].join(', ')}`);
    }
  }
}
