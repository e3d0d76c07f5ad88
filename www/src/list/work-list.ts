import type { Sample } from '../samples/index.js';
import type { ItemSeries } from '../dicom/item-series.js';
import type { Item } from './item.js';

/** An image that is to be added. */
export interface Addition {
  file: File;
  sample: Sample | null;
  series?: ItemSeries;
  /** The kind of image, where it is known. */
  kind?: string | null;
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
      ({ file, sample, series = null, kind: known = null }): Item => ({
        id: this.#nextId++,
        file,
        sample,
        series,
        kind: sample?.modality ?? known ?? kind,
        state: 'waiting',
        size: null,
        thumbnail: null,
        report: null,
        early: null,
        taught: null,
        asked: null,
        error: null,
        mark: 'none',
      }),
    );
    this.#items.push(...added);
    this.#onChange();
    return added;
  }

  update(items: readonly Item[], change: Partial<Omit<Item, 'id' | 'file' | 'sample' | 'series'>>): void {
    for (const item of items) Object.assign(item, change);
    this.#onChange();
  }

  remove(items: readonly Item[]): void {
    const gone = new Set(items);
    for (const item of gone) {
      if (item.thumbnail !== null) URL.revokeObjectURL(item.thumbnail);
      item.series?.release();
    }
    this.#items = this.#items.filter((item) => !gone.has(item));
    this.#onChange();
  }
}
