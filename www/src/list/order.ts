import type { Named } from '../format.js';
import { type Item, type Mark, probability, taughtShare } from './item.js';

/** A class that images are sorted by: of a classification, or of the head that the reader taught. */
export interface ClassChoice extends Named {
  task: string;
  /** The kind of image that the task is meant for; `null` where it is any. */
  modality: string | null;
}

/** How the list is shown. */
export interface Order {
  /** Highest value of it first; `null`: as the images came. */
  by: ClassChoice | null;
  /** Only images whose value of that class is at least this, 0..1. */
  atLeast: number;
  /** Only images with this mark; `null`: all. */
  mark: Mark | null;
}

/** The value that an image is sorted by, 0..1: none where the task was never meant for its kind. */
export function sortValue(item: Item, by: ClassChoice): number | null {
  if (by.own) return taughtShare(item, by.task, by.name);
  const meant = by.modality === null || item.kind === null || item.kind === by.modality;
  return meant ? probability(item, by.task, by.name) : null;
}

/** The images that are shown, in order. Those without an answer come last when sorted, and are not filtered away. */
export function arrange(items: readonly Item[], order: Order): Item[] {
  const { by } = order;
  const value = (item: Item): number | null => (by === null ? null : sortValue(item, by));
  return items
    .map((item) => ({ item, value: value(item) }))
    .filter(({ item, value }) => (order.mark === null || item.mark === order.mark) && (value === null || value >= order.atLeast))
    .sort((a, b) => (b.value ?? -1) - (a.value ?? -1) || a.item.id - b.item.id)
    .map(({ item }) => item);
}
