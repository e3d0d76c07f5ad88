import type { ImageHead, Model } from '@medley/web';
import { imageOf, type Item, type Taught } from '../list/item.js';
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

export interface TeacherHooks {
  /** The image that the reader looks at. */
  shown: () => Item | null;
  onChange: () => void;
  onError: (error: unknown) => void;
}

/** A classification of the reader's own, taught with images of the work list. Images stay where they are. */
export class Teacher {
  readonly asking: Asking;
  readonly #onChange: () => void;
  #head: ImageHead | null = null;
  #examples = new Map<number, Example>();
  #curve: CurvePoint[] = [];
  #busy = false;

  constructor(list: WorkList, hooks: TeacherHooks) {
    this.#onChange = hooks.onChange;
    this.asking = new Asking(list, {
      head: () => (this.#head === null ? null : { name: this.#head.name, taught: this.#head.lesson !== null }),
      preferred: hooks.shown,
      answer: (item, signal) => this.#answer(item, signal),
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

  /** Whether there is a head that has not been asked about this image yet. What failed or was cancelled was asked. */
  canAsk(item: Item): boolean {
    return this.#head?.lesson != null && item.taught === null && item.asked === null && item.state !== 'failed';
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
    this.#onChange();
  }

  /** @param asksOn - what is being asked is asked of this head. */
  #start(head: ImageHead | null, asksOn = false): void {
    this.#head = head;
    this.#examples = new Map();
    this.#curve = [];
    if (asksOn) this.asking.again();
    else this.asking.stop();
    this.#onChange();
  }

  async #answer(item: Item, signal: AbortSignal): Promise<Taught> {
    const head = this.#head;
    if (head === null) throw new Error('there is no head to ask');
    return { task: head.name, kind: 'classification', classes: await head.predict(await imageOf(item), { signal }) };
  }

  async #work(work: () => Promise<void>): Promise<void> {
    this.#busy = true;
    this.#onChange();
    try {
      await work();
    } finally {
      this.#busy = false;
      this.#onChange();
    }
  }
}
