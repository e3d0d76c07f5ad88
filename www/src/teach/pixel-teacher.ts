import { MedleyError, type Mask, type Model, type PixelHead } from '@medley/web';
import { imageOf, type Item, sliceOf, slicesOf, type Taught, type TaughtArea } from '../list/item.js';
import type { WorkList } from '../list/work-list.js';
import { coveredPixels, type Stroke, touches } from '../viewer/stroke.js';
import { countPixels } from './areas.js';
import { Asking } from './asking.js';
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
  /** Asks it about images that nobody looks at: how much of them each class covers. */
  readonly asking: Asking;
  readonly #list: WorkList;
  readonly #hooks: PixelTeacherHooks;
  #head: PixelHead | null = null;
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

  constructor(list: WorkList, hooks: PixelTeacherHooks) {
    this.#list = list;
    this.#hooks = hooks;
    this.asking = new Asking(list, {
      head: () => (this.#head === null ? null : { name: this.#head.name, taught: this.taught }),
      // What the reader looks at is answered before all others, with its mask.
      preferred: () => null,
      answer: (item, signal, onSlice) => this.#areasOf(item, signal, onSlice),
      onError: hooks.onError,
    });
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
    this.#start(model.pixelHead(name, classes, like === undefined ? {} : { like }));
  }

  /** A head out of its file; it answers at once, and learns from new strokes alone, looking at images as it did. */
  resume(head: PixelHead): void {
    this.#start(head);
  }

  /** Another model is there: strokes are learnt anew on it, a head without any is taken over. */
  async moveTo(model: Model): Promise<void> {
    const head = this.#head;
    if (head === null) return;
    const strokes = this.#strokes;
    if (strokes.length === 0 && head.lesson !== null) {
      const moved = await model.importHead(new Blob([head.export()]));
      if (moved.scope === 'pixel') this.#start(moved, true);
      return;
    }
    this.#start(model.pixelHead(head.name, head.classes, { like: head }), true);
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
    this.asking.forget(item);
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

  /** @param asksOn - what is being asked is asked of this head. */
  #start(head: PixelHead | null, asksOn = false): void {
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
    if (asksOn) this.asking.again();
    else this.asking.stop();
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
    if (this.#unlearnt) this.asking.again();
    if (!tellsApart) return;
    const { estimate } = await head.train();
    if (this.#head !== head) return;
    this.#trained = true;
    if (estimate !== null) this.#curve = addPoint(this.#curve, { examples: learnt.length, estimate });
    this.#refused = '';
    // The old mask stays until the new one is there: nothing flickers.
    if (this.#answer !== null) this.#answer = { ...this.#answer, current: false };
    this.asking.again();
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
    // Of a series one slice says too little.
    if (slicesOf(item) === 1) this.#list.update([item], { taught: areas(head, item, countPixels(mask, head.classes.length)), asked: null });
  }

  async #areasOf(item: Item, signal: AbortSignal, onSlice: (slice: number) => void): Promise<Taught> {
    const head = this.#head;
    if (head === null) throw new Error('there is no head to ask');
    const counts = new Array<number>(head.classes.length).fill(0);
    for (let slice = 0; slice < slicesOf(item); slice++) {
      onSlice(slice);
      const mask = await head.predict(await imageOf(item, { slice }), { signal });
      countPixels(mask, counts.length).forEach((n, i) => (counts[i] = (counts[i] ?? 0) + n));
    }
    return areas(head, item, counts);
  }
}

/** How much of an image each class covers, from the pixels of each. */
function areas({ name: task, classes }: PixelHead, item: Item, counts: readonly number[]): Taught {
  const ofPixel = slicesOf(item) === 1 ? (item.series?.series.slices[0]?.description.pixelArea ?? null) : null;
  const of = (name: string, i: number): TaughtArea => {
    const pixels = counts[i] ?? 0;
    return { name, pixels, mm2: ofPixel === null ? null : ofPixel * pixels };
  };
  return { task, kind: 'segmentation', classes: classes.map(of) };
}

/** The pixels of an image, or of a slice of it, that a stroke covers. */
function pixelsOf({ series, size }: Item, slice: number, stroke: Stroke): [number, number][] {
  const of = series === null ? size : series.series.slices[slice];
  return of == null ? [] : coveredPixels(stroke, of);
}

function nameOf(item: Item): string {
  return `${item.id}/${sliceOf(item)}`;
}
