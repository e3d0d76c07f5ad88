import { type Item, type Mark, probability } from './item.js';

/** A class of a classification task. */
export interface ClassChoice {
  task: string;
  name: string;
}

/** How the list is shown. */
export interface Order {
  /** Highest probability of it first; `null`: as the images came. */
  by: ClassChoice | null;
  /** Only images whose probability of that class is at least this, 0..1. */
  atLeast: number;
  /** Only images with this mark; `null`: all. */
  mark: Mark | null;
}

/** The images that are shown, in order. Those without an answer come last when sorted, and are not filtered away. */
export function arrange(items: readonly Item[], order: Order): Item[] {
  const { by } = order;
  const value = (item: Item): number | null => (by === null ? null : probability(item, by.task, by.name));
  return items
    .map((item) => ({ item, value: value(item) }))
    .filter(({ item, value }) => (order.mark === null || item.mark === order.mark) && (value === null || value >= order.atLeast))
    .sort((a, b) => (b.value ?? -1) - (a.value ?? -1) || a.item.id - b.item.id)
    .map(({ item }) => item);
}
