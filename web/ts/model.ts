import { said } from './detail.js';
import type { Backend } from './device.js';
import type { Engine, ModelEvents } from './engine.js';
import { MedleyError } from './errors.js';
import { ImageHead, importedHead, PixelHead } from './head.js';
import { type ImageInput, toPayload } from './images.js';
import { DiagnosticReport } from './report.js';
import type { Analysis, Metadata, TaskSpec } from './types.js';
import { VERSION } from './version.js';

/** What can be said to every call. */
export interface CallOptions {
  /** Cancels: the promise rejects at once with the signal's reason, and the model goes on to the next call. */
  signal?: AbortSignal;
  /** How far the call has come. */
  onProgress?: (progress: { fraction: number }) => void;
}

/** What to ask of an image. */
export interface AnalyzeOptions extends CallOptions {
  /** Names of the tasks to answer; default: all of {@link Model.tasks}. */
  tasks?: readonly string[];
  /**
   * Answers on both backends, and adds to the analysis how far apart they are. The first time the other
   * backend is loaded, from the cache where it has the weights. Default: what `loadModel` was told.
   */
  verify?: boolean;
}

/** How an image is shown. */
export interface PreviewOptions {
  /** The longer side is at most so many pixels. Default 2048. */
  maxSide?: number;
  /** Cancels: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** An image as the model sees it, for the screen. */
export interface Preview {
  /** Width of the image itself, in pixels; masks and boxes are in these. */
  width: number;
  /** Height of the image itself, in pixels. */
  height: number;
  /** The image, scaled down where it is larger than asked for. */
  pixels: ImageData;
  /** The file's own values where they have 16 bits, for as many pixels as `pixels`; `null` where 8 bits say it all. */
  values: PreviewValues | null;
}

/** Values of a file with 16 bits (PNG), 0 to 65535. What is transparent lies over black. */
export interface PreviewValues {
  /** 1: grey; 3: RGB, interleaved. */
  channels: 1 | 3;
  /** Row by row. */
  data: Uint16Array<ArrayBuffer>;
}

/** See {@link Model.identity}. */
export interface ModelIdentity {
  /** As the package has it. */
  name: string;
  /** Of the code that trained it, else of this package. */
  version: string;
  /** In hexadecimal. */
  weightsSha256: string;
  /** On the backend that runs it. */
  selfTest: { passed: boolean; worst: number; tolerance: number };
}

/** A loaded model. Made by `loadModel`; `dispose()` frees its memory. */
export class Model {
  readonly #engine: Engine;
  readonly #url: string;
  readonly #verify: boolean;

  /** @internal */
  constructor(engine: Engine, url: string, verify: boolean) {
    this.#engine = engine;
    this.#url = url;
    this.#verify = verify;
  }

  /** What the package says of itself. */
  get metadata(): Metadata {
    return this.#engine.loaded.metadata;
  }

  /** What runs the model, and why. It may change: see the event `backendchange`. */
  get backend(): Backend {
    return this.#engine.loaded.backend;
  }

  /** What names the model in a result that outlives the page: version, digest of the weights, how the self-test went. */
  get identity(): ModelIdentity {
    const { metadata, facts } = this.#engine.loaded;
    const { passed, worst, tolerance } = facts.selfTest;
    return {
      name: metadata.name,
      version: metadata.provenance.code_version || VERSION,
      weightsSha256: facts.sha256,
      selfTest: { passed, worst, tolerance },
    };
  }

  /** The tasks that it answers. */
  get tasks(): readonly TaskSpec[] {
    return this.metadata.tasks;
  }

  /** Whether it can still be asked: not after `dispose()`, nor after it could not be started anew. */
  get usable(): boolean {
    return this.#engine.closed === null;
  }

  /**
   * Listens to what happens to the model between calls.
   *
   * @returns a function that ends the listening.
   */
  on<Name extends keyof ModelEvents>(event: Name, handler: (event: ModelEvents[Name]) => void): () => void {
    return this.#engine.events.on(event, handler);
  }

  /**
   * Answers the asked-for tasks of one image. The image stays on this device.
   *
   * Calls wait for each other. An answer about another kind of image than the task's `modality` means
   * nothing. Where the GPU is lost meanwhile, the image is answered by a new one, or by the CPU.
   *
   * @throws {@link MedleyError} `image`, `unknown-task`, `memory`, `crashed`, `backend`, `disposed`.
   */
  async analyze(image: ImageInput, options: AnalyzeOptions = {}): Promise<Analysis> {
    const { tasks, signal, onProgress, verify = this.#verify } = options;
    signal?.throwIfAborted();
    this.#checkTasks(tasks);
    const request = { image: toPayload(image), tasks: tasks === undefined ? null : [...tasks], verify };
    return this.#engine.call('analyze', request, { signal, onProgress });
  }

  /**
   * One vector per image, in their order: what few-shot heads learn from, and what can be compared. The
   * length is the model's; see `Analysis.embedding` for what is in it.
   *
   * @throws {@link MedleyError}; the first image that fails ends the rest.
   */
  async embed(images: ImageInput | readonly ImageInput[], options: CallOptions = {}): Promise<Float32Array[]> {
    const { signal, onProgress } = options;
    const list = Array.isArray(images) ? (images as readonly ImageInput[]) : [images as ImageInput];
    const vectors: Float32Array[] = [];
    for (const image of list) {
      signal?.throwIfAborted();
      vectors.push(await this.#engine.call('embed', { image: toPayload(image) }, { signal }));
      onProgress?.({ fraction: vectors.length / list.length });
    }
    return vectors;
  }

  /** Decodes an image the way the model does, for showing it. */
  async preview(image: ImageInput, options: PreviewOptions = {}): Promise<Preview> {
    const { maxSide = 2048, signal } = options;
    signal?.throwIfAborted();
    const preview = await this.#engine.call('preview', { image: toPayload(image), maxSide }, { signal });
    return {
      width: preview.sourceWidth,
      height: preview.sourceHeight,
      pixels: new ImageData(preview.rgba, preview.width, preview.height),
      values: preview.values,
    };
  }

  /**
   * A classification of one's own, to be taught with a few images:
   *
   * ```ts
   * const head = model.head('kind of tumour', ['glioma', 'meningioma']);
   * for (const { file, kind } of examples) await head.addExample(file, kind);
   * const { estimate } = await head.train();
   * const probabilities = await head.predict(file);
   * ```
   */
  head(name: string, classes: readonly string[]): ImageHead {
    return new ImageHead(this.#engine, name, classes, null);
  }

  /**
   * A segmentation of one's own, to be taught with strokes of a brush.
   *
   * @param options - `like` is whose way of looking at images is taken: the name of a task of the model, or
   * another head for pixels. One with tiles shows finer structures. Default: the whole image.
   * @throws {@link MedleyError} `unknown-task`.
   */
  pixelHead(name: string, classes: readonly string[], options: { like?: string | PixelHead } = {}): PixelHead {
    const { like } = options;
    if (typeof like === 'string') this.#checkTasks([like]);
    const from = typeof like === 'string' ? this.tasks.find((task) => task.name === like) : like;
    return new PixelHead(this.#engine, name, classes, from?.presentation ?? null, null);
  }

  /**
   * A head that was exported. It answers at once, and a head for pixels goes on looking at images as it did. Examples
   * are not in its file: training it again learns from new ones alone, and forgets what it knew.
   *
   * @throws {@link MedleyError} `head` for another kind of file, and for a head of another encoder.
   */
  async importHead(file: Blob | Uint8Array, options: Pick<CallOptions, 'signal'> = {}): Promise<ImageHead | PixelHead> {
    const bytes = new Uint8Array(file instanceof Blob ? await file.arrayBuffer() : file);
    const description = await this.#engine.call('readHead', { file: bytes }, { signal: options.signal });
    return importedHead(this.#engine, bytes, description);
  }

  /** Everything that a bug report needs; no image and no answer is in it. */
  report(): DiagnosticReport {
    const { metadata, backend, facts } = this.#engine.loaded;
    return new DiagnosticReport({
      model: { name: metadata.name, variant: metadata.variant, sha256: facts.sha256, url: this.#url },
      backend,
      facts,
      memory: this.#engine.memory,
      history: this.#engine.history,
    });
  }

  /** Frees the worker and its memory; running calls reject. */
  dispose(): void {
    this.#engine.close(new MedleyError('disposed', 'the model was disposed of; load it again'));
  }

  /** The check is Rust's too; here it costs no transfer of the image. */
  #checkTasks(tasks: readonly string[] | undefined): void {
    const known = new Set(this.tasks.map((task) => task.name));
    const unknown = tasks?.find((task) => !known.has(task));
    if (unknown !== undefined) {
      const text = `unknown task "${unknown}"; the model has: ${[...known].join(', ')}`;
      throw new MedleyError('unknown-task', said(text, 'unknown-task', { task: unknown }));
    }
  }
}
