import type { Sample } from '../samples/index.js';
import type { Item } from './item.js';

/** An image that is to be added. */
export interface Addition {
  file: File;
  sample: Sample | null;
}

/** All images of this visit, in the order in which they came. They live in this page's memory alone. */
export class WorkList {
  #items: Item[] = [];
  #nextId = 1;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  /** Adds images that wait; `kind` is that of those of which nothing is known. */
  add(additions: readonly Addition[], kind: string | null): Item[] {
    const added = additions.map(
      ({ file, sample }): Item => ({
        id: this.#nextId++,
        file,
        sample,
        kind: sample?.modality ?? kind,
        state: 'waiting',
        size: null,
        thumbnail: null,
        report: null,
        taught: null,
        error: null,
        mark: 'none',
      }),
    );
    this.#items.push(...added);
    this.#onChange();
    return added;
  }

  update(items: readonly Item[], change: Partial<Omit<Item, 'id' | 'file' | 'sample'>>): void {
    for (const item of items) Object.assign(item, change);
    this.#onChange();
  }

  remove(items: readonly Item[]): void {
    const gone = new Set(items);
    for (const item of gone) {
      if (item.thumbnail !== null) URL.revokeObjectURL(item.thumbnail);
    }
    this.#items = this.#items.filter((item) => !gone.has(item));
    this.#onChange();
  }
}
