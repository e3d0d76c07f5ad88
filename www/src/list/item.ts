import type { ClassProbability, ImageInput, Report } from '@medley/web';
import type { ItemSeries } from '../dicom/item-series.js';
import type { Sample } from '../samples/index.js';

export type ItemState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** What the reader made of an image; the model's answer is never copied into it. */
export const MARKS = ['none', 'normal', 'finding', 'unsure'] as const;
export type Mark = (typeof MARKS)[number];

/** An image of the work list, with what is known of it. */
export interface Item {
  readonly id: number;
  /** Of a series only the name is in it: its files stay with the series. */
  readonly file: File;
  /** The DICOM series that it is, if it is one. */
  readonly series: ItemSeries | null;
  /** The sample that it is, if it is one. */
  readonly sample: Sample | null;
  /** The kind of image that the answers are narrowed down to; `null` is all. */
  kind: string | null;
  state: ItemState;
  /** Of the image itself, in pixels; known once it was decoded. */
  size: { width: number; height: number } | null;
  /** Address of a small picture; freed with the item. */
  thumbnail: string | null;
  /** Of a series that of the slice on the stage. Masks are in it as small PNGs: hundreds of images fit into memory. */
  report: Report | null;
  /** What the head that the reader taught says of it. */
  taught: { task: string; classes: ClassProbability[] } | null;
  /** Why it failed. */
  error: unknown;
  mark: Mark;
}

/** The image for the model: of a series a slice, the one on the stage where none is named. */
export async function imageOf({ file, series }: Item, options: { slice?: number } = {}): Promise<ImageInput> {
  return series === null ? file : series.image(options.slice);
}

/** The probability of one class of one task (the model's, or the head's that the reader taught), where the image has an answer to it. */
export function probability(item: Item, task: string, name: string): number | null {
  // A series is answered as a whole once all of its slices are.
  const results = item.series === null ? item.report?.results : item.series.analysis?.classes;
  const result = results?.find((entry) => entry.task === task);
  const own = item.taught?.task === task ? item.taught.classes : null;
  const classes = result?.kind === 'classification' ? result.classes : own;
  return classes?.find((entry) => entry.name === name)?.probability ?? null;
}
