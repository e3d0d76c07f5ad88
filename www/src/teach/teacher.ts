import { type ClassProbability, type ImageHead, MedleyError, type Model } from '@medley/web';
import { imageOf, type Item, sliceOf, slicesOf, type Taught } from '../list/item.js';
import type { WorkList } from '../list/work-list.js';
import { Asking } from './asking.js';
import { addPoint, type CurvePoint } from './curve.js';

/** An image that the head learns from. */
export interface Example {
  item: Item;
  /** Its number in the head. */
  id: number;
  class: string;
}

/** What the head says of one slice of a series. */
interface SliceAnswer {
  item: Item;
  slice: number;
  /** `null` where it could not be asked: asking again would only fail again. */
  classes: readonly ClassProbability[] | null;
}

export interface TeacherHooks {
  /** The image that the reader looks at. */
  shown: () => Item | null;
  onChange: () => void;
  onError: (error: unknown) => void;
}

/** A classification of the reader's own, taught with images of the work list. Images stay where they are. */
export class Teacher {
  readonly asking: Asking;
  readonly #hooks: TeacherHooks;
  #head: ImageHead | null = null;
  #examples = new Map<number, Example>();
  #curve: CurvePoint[] = [];
  #slice: SliceAnswer | null = null;
  #asksSlice = false;
  #busy = false;

  constructor(list: WorkList, hooks: TeacherHooks) {
    this.#hooks = hooks;
    this.asking = new Asking(list, {
      head: () => (this.#head === null ? null : { name: this.#head.name, taught: this.#head.lesson !== null }),
      preferred: hooks.shown,
      answer: (item, signal, onSlice) => this.#answer(item, signal, onSlice),
      onError: hooks.onError,
    });
  }

  get head(): ImageHead | null {
    return this.#head;
  }

  /** Whether something is being learnt. */
  get busy(): boolean {
    return this.#busy;
  }

  get examples(): readonly Example[] {
    return [...this.#examples.values()];
  }

  get curve(): readonly CurvePoint[] {
    return this.#curve;
  }

  /** The class that an image is an example of. */
  classOf(item: Item): string | null {
    return this.#examples.get(item.id)?.class ?? null;
  }

  /** Examples that the others speak against: perhaps their class is wrong. */
  get doubtful(): { item: Item; class: string; instead: string }[] {
    const heldOut = this.#head?.lesson?.heldOut;
    return this.examples.flatMap(({ item, id, class: own }) => {
      const instead = heldOut?.get(id) ?? null;
      return instead === null || instead === own ? [] : [{ item, class: own, instead }];
    });
  }

  /** What it says of the image that the reader looks at: of a series that of the slice on the stage. */
  answerOn(item: Item): readonly ClassProbability[] | null {
    if (slicesOf(item) > 1) return this.#sliceAnswer(item)?.classes ?? null;
    return item.taught?.kind === 'classification' ? item.taught.classes : null;
  }

  /** Asks about the image that the reader looks at, unless that was done. What failed or was cancelled was asked. */
  wake(): void {
    const [head, item] = [this.#head, this.#hooks.shown()];
    if (head?.lesson == null || item === null || item.state === 'failed' || this.#busy) return;
    if (slicesOf(item) === 1) {
      if (item.taught === null && item.asked === null) this.asking.ask([item]);
    } else if (!this.#asksSlice && this.#sliceAnswer(item) === null) {
      void this.#askSlice(head, item);
    }
  }

  begin(model: Model, name: string, classes: readonly string[]): void {
    this.#start(model.head(name, classes));
  }

  /** A head out of its file; it answers at once, and learns from new examples alone. */
  resume(head: ImageHead): void {
    this.#start(head);
  }

  /** Another model is there: what was learnt is taken over, the examples are with the old one. */
  async moveTo(model: Model): Promise<void> {
    const head = this.#head;
    if (head === null) return;
    const moved = head.lesson === null ? model.head(head.name, head.classes) : await model.importHead(new Blob([head.export()]));
    if (moved.scope === 'image') this.#start(moved, true);
  }

  end(): void {
    this.#start(null);
  }

  /** Makes images examples of a class (of none where it is `null`) and learns anew. */
  async teach(items: readonly Item[], name: string | null): Promise<void> {
    const head = this.#head;
    if (head === null) return;
    await this.#work(async () => {
      for (const item of items) {
        const before = this.#examples.get(item.id);
        if (before?.class === name) continue;
        if (name !== null) {
          const id = await head.addExample(await imageOf(item), name);
          this.#examples.set(item.id, { item, id, class: name });
        } else {
          this.#examples.delete(item.id);
        }
        if (before !== undefined) head.removeExample(before.id);
      }
      if (new Set(this.examples.map((example) => example.class)).size < 2) return;
      const { estimate } = await head.train();
      if (estimate !== null) this.#curve = addPoint(this.#curve, { examples: this.#examples.size, estimate });
      this.#slice = null;
      this.asking.again();
    });
  }

  /** An image left the list: the head keeps what it learnt from it until it learns anew. */
  forget(item: Item): void {
    this.asking.forget(item);
    const example = this.#examples.get(item.id);
    if (example === undefined) return;
    this.#head?.removeExample(example.id);
    this.#examples.delete(item.id);
    this.#hooks.onChange();
  }

  /** @param asksOn - what is being asked is asked of this head. */
  #start(head: ImageHead | null, asksOn = false): void {
    this.#head = head;
    this.#examples = new Map();
    this.#curve = [];
    this.#slice = null;
    this.#asksSlice = false;
    if (asksOn) this.asking.again();
    else this.asking.stop();
    this.#hooks.onChange();
  }

  /** The means over all slices, as the model's own answers to a series are. */
  async #answer(item: Item, signal: AbortSignal, onSlice: (slice: number) => void): Promise<Taught> {
    const head = this.#head;
    if (head === null) throw new Error('there is no head to ask');
    const sums = new Array<number>(head.classes.length).fill(0);
    for (let slice = 0; slice < slicesOf(item); slice++) {
      onSlice(slice);
      const classes = await head.predict(await imageOf(item, { slice }), { signal });
      classes.forEach(({ probability }, i) => (sums[i] = (sums[i] ?? 0) + probability));
    }
    const classes = head.classes.map((name, i) => ({ name, probability: (sums[i] ?? 0) / slicesOf(item) }));
    return { task: head.name, kind: 'classification', classes };
  }

  #sliceAnswer(item: Item): SliceAnswer | null {
    const answer = this.#slice;
    return answer !== null && answer.item === item && answer.slice === sliceOf(item) ? answer : null;
  }

  async #askSlice(head: ImageHead, item: Item): Promise<void> {
    const slice = sliceOf(item);
    const { lesson } = head;
    this.#asksSlice = true;
    let classes: readonly ClassProbability[] | null = null;
    try {
      classes = await head.predict(await imageOf(item, { slice }));
    } catch (error) {
      // What fails while the model is exchanged is begun anew with the next one.
      if (this.#head !== head || (error instanceof MedleyError && error.code === 'disposed')) return;
      this.#hooks.onError(error);
    }
    if (this.#head !== head) return;
    this.#asksSlice = false;
    // Of what it said before it learnt anew nothing is kept.
    if (head.lesson === lesson) this.#slice = { item, slice, classes };
    this.#hooks.onChange();
  }

  async #work(work: () => Promise<void>): Promise<void> {
    this.#busy = true;
    this.#hooks.onChange();
    try {
      await work();
    } finally {
      this.#busy = false;
      this.#hooks.onChange();
    }
  }
}
