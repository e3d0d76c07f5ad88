import { said } from './detail.js';
import type { Engine } from './engine.js';
import { MedleyError } from './errors.js';
import { type ImageInput, toPayload } from './images.js';
import type { CallOptions } from './model.js';
import type { ClassProbability, Estimate, Mask, Presentation } from './types.js';
import type { HeadDescription, WasmLesson } from './wasm.js';

/** What a head has learned. */
export interface Lesson {
  /** Of each class, in their order: images, or pixels under strokes. */
  examples: readonly number[];
  /** How often it is right on examples that it has not learned; `null` where no class had two. */
  estimate: Estimate | null;
  /**
   * For each example, by its number, the class that it would be answered with had it not been learned; `null`
   * where it is the only one of its class. What is not its own class may be labelled wrongly.
   */
  heldOut: ReadonlyMap<number, string | null>;
}

/** What is kept of an example: never the image, only its features. */
interface Example {
  label: number;
  rows: Float32Array;
  count: number;
}

/**
 * What heads for images and for pixels share. Examples, and the head once it is taught, are kept on the
 * page's side as features and as a file: they outlive a worker or a GPU that is lost.
 */
abstract class TaughtHead {
  /** What it is called. */
  readonly name: string;
  /** The classes, in the order of the answers. */
  readonly classes: readonly string[];
  protected readonly engine: Engine;
  readonly #examples = new Map<number, Example>();
  #nextId = 1;
  #file: Uint8Array<ArrayBuffer> | null;
  #lesson: Lesson | null;

  /** @internal */
  constructor(
    engine: Engine,
    name: string,
    classes: readonly string[],
    taught: { file: Uint8Array<ArrayBuffer>; lesson: Lesson } | null,
  ) {
    this.engine = engine;
    this.name = name;
    this.classes = [...classes];
    this.#file = taught?.file ?? null;
    this.#lesson = taught?.lesson ?? null;
  }

  /** The numbers of the examples that are there to learn from, and their classes. */
  get examples(): { id: number; class: string }[] {
    return [...this.#examples].map(([id, { label }]) => ({ id, class: this.classes[label] ?? '' }));
  }

  /** What it has learned, or `null` before it was trained. */
  get lesson(): Lesson | null {
    return this.#lesson;
  }

  /** Takes an example back; it is forgotten with the next training. */
  removeExample(id: number): void {
    this.#examples.delete(id);
  }

  /**
   * Learns from all examples anew: milliseconds for a hundred of them.
   *
   * @throws {@link MedleyError} `head` where fewer than two classes have an example.
   */
  async train(options: Pick<CallOptions, 'signal'> = {}): Promise<Lesson> {
    const ids = [...this.#examples.keys()];
    const examples = [...this.#examples.values()];
    const { file, examples: counts, estimate, heldOut } = await this.teach(
      concat(examples.map(({ rows }) => rows)),
      Uint32Array.from(examples, ({ label }) => label),
      Uint32Array.from(examples, ({ count }) => count),
      options.signal,
    );
    this.#file = file;
    this.#lesson = {
      examples: counts,
      estimate,
      heldOut: new Map(ids.map((id, i) => [id, this.classes[heldOut[i] ?? -1] ?? null])),
    };
    return this.#lesson;
  }

  /**
   * The head as a small file (safetensors) for `model.importHead`: one linear layer, its classes and the
   * digest of the encoder. No image and no example is in it.
   *
   * @throws {@link MedleyError} `head` before it was trained.
   */
  export(): Uint8Array<ArrayBuffer> {
    return this.file.slice();
  }

  /** @internal */
  protected get file(): Uint8Array<ArrayBuffer> {
    if (this.#file !== null) return this.#file;
    const text = `the head "${this.name}" has learned nothing yet: train it first`;
    throw new MedleyError('head', said(text, 'head-untrained', { name: this.name }));
  }

  /** @internal */
  protected keep(label: number, rows: Float32Array, count: number): number {
    const id = this.#nextId++;
    this.#examples.set(id, { label, rows, count });
    return id;
  }

  /** @internal */
  protected labelOf(name: string): number {
    const label = this.classes.indexOf(name);
    if (label < 0) {
      throw new MedleyError('head', `unknown class "${name}"; the head "${this.name}" has: ${this.classes.join(', ')}`);
    }
    return label;
  }

  /** @internal */
  protected abstract teach(
    rows: Float32Array,
    labels: Uint32Array,
    counts: Uint32Array,
    signal: AbortSignal | undefined,
  ): Promise<WasmLesson>;
}

/** A classification of one's own, learned from a few images. Made by `model.head()`. */
export class ImageHead extends TaughtHead {
  readonly scope = 'image';

  /**
   * Adds an example of a class. The image itself is not kept.
   *
   * @returns its number.
   */
  async addExample(image: ImageInput, className: string, options: CallOptions = {}): Promise<number> {
    const label = this.labelOf(className);
    const rows = await this.engine.call('embed', { image: toPayload(image) }, options);
    return this.keep(label, rows, 1);
  }

  /** The probability of each class, in their order. */
  async predict(image: ImageInput, options: CallOptions = {}): Promise<ClassProbability[]> {
    const { file } = this;
    return this.engine.call('classify', { file, image: toPayload(image) }, options);
  }

  protected teach(
    rows: Float32Array,
    labels: Uint32Array,
    _counts: Uint32Array,
    signal: AbortSignal | undefined,
  ): Promise<WasmLesson> {
    return this.engine.call('teachImages', { name: this.name, classes: [...this.classes], rows, labels }, { signal });
  }
}

/** A segmentation of one's own, learned from strokes of a brush. Made by `model.pixelHead()`. */
export class PixelHead extends TaughtHead {
  readonly scope = 'pixel';
  /** How it looks at images, learning and answering; `null`: at whole ones. Its file keeps it. */
  readonly presentation: Presentation | null;

  /** @internal */
  constructor(
    engine: Engine,
    name: string,
    classes: readonly string[],
    presentation: Presentation | null,
    taught: ConstructorParameters<typeof TaughtHead>[3],
  ) {
    super(engine, name, classes, taught);
    this.presentation = presentation;
  }

  /**
   * Adds a stroke of a brush over an image as an example of a class.
   *
   * @param pixels - what the brush went over, `[x, y]` in pixels of the image; those outside count nothing.
   * @returns its number.
   * @throws {@link MedleyError} `head` where no pixel is inside the image.
   */
  async addStroke(
    image: ImageInput,
    pixels: readonly (readonly [x: number, y: number])[],
    className: string,
    options: CallOptions = {},
  ): Promise<number> {
    const label = this.labelOf(className);
    const flat = pixels.map(([x, y]) => [Math.floor(x), Math.floor(y)]).filter(([x = -1, y = -1]) => x >= 0 && y >= 0);
    const request = { image: toPayload(image), presentation: this.presentation, pixels: Uint32Array.from(flat.flat()) };
    const { rows, count } = await this.engine.call('strokeFeatures', request, options);
    if (count === 0) {
      throw new MedleyError('head', said('no pixel of the stroke is inside the image: draw it again', 'stroke-outside'));
    }
    return this.keep(label, rows, count);
  }

  /** The class of each pixel of an image. */
  async predict(image: ImageInput, options: CallOptions = {}): Promise<Mask> {
    const { file } = this;
    return this.engine.call('segment', { file, image: toPayload(image) }, options);
  }

  protected teach(
    rows: Float32Array,
    labels: Uint32Array,
    lengths: Uint32Array,
    signal: AbortSignal | undefined,
  ): Promise<WasmLesson> {
    const { name, classes, presentation } = this;
    const lesson = { name, classes: [...classes], presentation, rows, labels, lengths };
    return this.engine.call('teachStrokes', lesson, { signal });
  }
}

/** A head from its file; the model has checked that it is one of its own. */
export function importedHead(
  engine: Engine,
  file: Uint8Array<ArrayBuffer>,
  { scope, name, classes, presentation, examples, estimate }: HeadDescription,
): ImageHead | PixelHead {
  const taught = { file, lesson: { examples, estimate: estimate ?? null, heldOut: new Map() } };
  return scope === 'image'
    ? new ImageHead(engine, name, classes, taught)
    : new PixelHead(engine, name, classes, presentation, taught);
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
