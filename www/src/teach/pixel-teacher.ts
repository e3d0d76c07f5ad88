import { MedleyError, type Mask, type Model, type PixelHead } from '@medley/web';
import { imageOf, type Item } from '../list/item.js';
import { coveredPixels, type Stroke, touches } from '../viewer/stroke.js';
import { addPoint, type CurvePoint } from './curve.js';

/** A stroke that the head learns from. */
export interface TaughtStroke extends Stroke {
  item: Item;
  /** Of a series the slice, from 0; else 0. */
  slice: number;
  class: string;
  /** Counted from 1 as they were painted; a reader's name for it. */
  number: number;
}

/** A stroke, and how far it is learnt. */
interface Lesson extends TaughtStroke {
  /** Its number in the head; `null` before the head has seen it. */
  id: number | null;
}

/** The head's answer about one image. */
export interface Answer {
  item: Item;
  slice: number;
  mask: Mask;
  /** By the head as it is now. */
  current: boolean;
}

export interface PixelTeacherHooks {
  /** The image that the reader looks at: it is answered as soon as there is something to answer with. */
  shown: () => Item | null;
  onChange: () => void;
  onError: (error: unknown) => void;
}

/**
 * A segmentation of the reader's own, taught with strokes of a brush. The reader goes on painting while it learns: strokes wait,
 * and all that wait are learnt together.
 */
export class PixelTeacher {
  readonly #hooks: PixelTeacherHooks;
  #head: PixelHead | null = null;
  #like: string | undefined;
  #strokes: Lesson[] = [];
  #count = 0;
  #curve: CurvePoint[] = [];
  #answer: Answer | null = null;
  /** Strokes came or went since it last learnt. */
  #stale = false;
  /** It has learnt from strokes, not only come out of a file. */
  #trained = false;
  /** What it has learnt from is gone, and what is left is of one class. */
  #unlearnt = false;
  /** An image that could not be answered, with the slice: asking again would only fail again. */
  #refused = '';
  #running = false;

  constructor(hooks: PixelTeacherHooks) {
    this.#hooks = hooks;
  }

  get head(): PixelHead | null {
    return this.#head;
  }

  /** Whether it can answer: it has learnt, and what it has learnt from is still there. */
  get taught(): boolean {
    return this.#head?.lesson != null && !this.#unlearnt;
  }

  /** Whether something is being learnt or asked. */
  get busy(): boolean {
    return this.#running;
  }

  get strokes(): readonly TaughtStroke[] {
    return this.#strokes;
  }

  get curve(): readonly CurvePoint[] {
    return this.#curve;
  }

  /** Strokes over the image that the reader looks at. */
  strokesOn(item: Item): readonly TaughtStroke[] {
    return this.#strokes.filter((stroke) => stroke.item === item && stroke.slice === sliceOf(item));
  }

  /** What it says of the image that the reader looks at; `null` while it says nothing. */
  answerOn(item: Item): Answer | null {
    const answer = this.#answer;
    return answer !== null && this.taught && answer.item === item && answer.slice === sliceOf(item) ? answer : null;
  }

  /** Strokes that the others speak against: perhaps their class is wrong. */
  get doubtful(): { stroke: TaughtStroke; instead: string }[] {
    const heldOut = this.#head?.lesson?.heldOut;
    return this.#strokes.flatMap((stroke) => {
      const instead = stroke.id === null ? null : (heldOut?.get(stroke.id) ?? null);
      return instead === null || instead === stroke.class ? [] : [{ stroke, instead }];
    });
  }

  /** @param like - a task that looks at images as this head shall; without one it sees them whole. */
  begin(model: Model, name: string, classes: readonly string[], like?: string): void {
    this.#like = like;
    this.#start(model.pixelHead(name, classes, like === undefined ? {} : { like }));
  }

  /** A head out of its file; it answers at once, and learns from new strokes alone. */
  resume(head: PixelHead): void {
    this.#like = undefined;
    this.#start(head);
  }

  /** Another model is there: strokes are learnt anew on it, a head without any is taken over. */
  async moveTo(model: Model): Promise<void> {
    const head = this.#head;
    if (head === null) return;
    const strokes = this.#strokes;
    if (strokes.length === 0 && head.lesson !== null) {
      const moved = await model.importHead(new Blob([head.export()]));
      if (moved.scope === 'pixel') this.resume(moved);
      return;
    }
    this.begin(model, head.name, head.classes, this.#like);
    this.#strokes = strokes.map((stroke) => ({ ...stroke, id: null }));
    this.#count = Math.max(0, ...strokes.map(({ number }) => number));
    this.#learn();
  }

  end(): void {
    this.#start(null);
  }

  /** A stroke over an image is an example of a class. One beside the image is none. */
  paint(item: Item, name: string, stroke: Stroke): void {
    if (this.#head === null || pixelsOf(item, sliceOf(item), stroke).length === 0) return;
    this.#strokes.push({ ...stroke, item, slice: sliceOf(item), class: name, number: ++this.#count, id: null });
    this.#learn();
  }

  /** Takes back what a stroke touches on an image. */
  erase(item: Item, along: Stroke): void {
    this.#drop(this.strokesOn(item).filter((stroke) => touches(along, stroke)));
  }

  /** Takes back the last stroke over an image. */
  undo(item: Item): void {
    this.#drop(this.strokesOn(item).slice(-1));
  }

  /** An image left the list, and its strokes with it. */
  forget(item: Item): void {
    if (this.#answer?.item === item) this.#answer = null;
    this.#drop(this.#strokes.filter((stroke) => stroke.item === item));
  }

  /** Answers the image that the reader looks at, unless it is answered. */
  wake(): void {
    if (this.#head === null || this.#running || !this.#waits()) return;
    this.#running = true;
    this.#hooks.onChange();
    void this.#run(this.#head);
  }

  #start(head: PixelHead | null): void {
    this.#head = head;
    this.#strokes = [];
    this.#count = 0;
    this.#curve = [];
    this.#answer = null;
    this.#stale = false;
    this.#trained = false;
    this.#unlearnt = false;
    this.#refused = '';
    this.#running = false;
    this.#hooks.onChange();
  }

  #drop(gone: readonly TaughtStroke[]): void {
    if (gone.length === 0) return;
    for (const stroke of this.#strokes) {
      if (gone.includes(stroke) && stroke.id !== null) this.#head?.removeExample(stroke.id);
    }
    this.#strokes = this.#strokes.filter((stroke) => !gone.includes(stroke));
    this.#learn();
  }

  #learn(): void {
    this.#stale = true;
    this.#hooks.onChange();
    this.wake();
  }

  /** Whether there is something to do. */
  #waits(): boolean {
    return this.#stale || this.#toAnswer() !== null;
  }

  /** The image that is to be answered. */
  #toAnswer(): Item | null {
    const item = this.#hooks.shown();
    if (item === null || !this.taught || item.state === 'failed' || this.answerOn(item)?.current === true) return null;
    return this.#refused === nameOf(item) ? null : item;
  }

  async #run(head: PixelHead): Promise<void> {
    try {
      while (this.#head === head && this.#waits()) {
        if (this.#stale) await this.#train(head);
        const item = this.#stale ? null : this.#toAnswer();
        if (this.#head === head && item !== null) await this.#ask(head, item);
      }
    } catch (error) {
      // What fails while the model is exchanged is begun anew with the next one.
      const exchanged = this.#head !== head || (error instanceof MedleyError && error.code === 'disposed');
      if (!exchanged) this.#hooks.onError(error);
    } finally {
      if (this.#head === head) {
        this.#running = false;
        this.#hooks.onChange();
      }
    }
  }

  async #train(head: PixelHead): Promise<void> {
    this.#stale = false;
    for (const stroke of this.#strokes) {
      if (stroke.id === null) await this.#show(head, stroke);
      if (this.#head !== head) return;
    }
    const learnt = this.#strokes.filter(({ id }) => id !== null);
    const tellsApart = new Set(learnt.map((stroke) => stroke.class)).size >= 2;
    this.#unlearnt = this.#trained && !tellsApart;
    if (!tellsApart) return;
    const { estimate } = await head.train();
    if (this.#head !== head) return;
    this.#trained = true;
    if (estimate !== null) this.#curve = addPoint(this.#curve, { examples: learnt.length, estimate });
    this.#refused = '';
    // The old mask stays until the new one is there: nothing flickers.
    if (this.#answer !== null) this.#answer = { ...this.#answer, current: false };
    this.#hooks.onChange();
  }

  /** Shows a stroke to the head. One that cannot be learnt goes: it must not keep the others from it. */
  async #show(head: PixelHead, stroke: Lesson): Promise<void> {
    const { item, slice } = stroke;
    try {
      const id = await head.addStroke(await imageOf(item, { slice }), pixelsOf(item, slice, stroke), stroke.class);
      stroke.id = id;
      // Taken back meanwhile.
      if (!this.#strokes.includes(stroke)) head.removeExample(id);
    } catch (error) {
      // With another model it may go.
      if (error instanceof MedleyError && error.code === 'disposed') throw error;
      this.#strokes = this.#strokes.filter((other) => other !== stroke);
      this.#hooks.onError(error);
    }
  }

  async #ask(head: PixelHead, item: Item): Promise<void> {
    const slice = sliceOf(item);
    // Struck off again when it was answered.
    this.#refused = nameOf(item);
    const mask = await head.predict(await imageOf(item, { slice }));
    if (this.#head !== head) return;
    this.#refused = '';
    this.#answer = { item, slice, mask, current: true };
  }
}

/** The slice of a series that the reader looks at. */
function sliceOf({ series }: Item): number {
  return series?.at ?? 0;
}

/** The pixels of an image, or of a slice of it, that a stroke covers. */
function pixelsOf({ series, size }: Item, slice: number, stroke: Stroke): [number, number][] {
  const of = series === null ? size : series.series.slices[slice];
  return of == null ? [] : coveredPixels(stroke, of);
}

function nameOf(item: Item): string {
  return `${item.id}/${sliceOf(item)}`;
}
