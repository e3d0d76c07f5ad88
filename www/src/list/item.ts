import type { ClassProbability, ImageInput, Report } from '@medley/web';
import type { ItemSeries } from '../dicom/item-series.js';
import type { Sample } from '../samples/index.js';

export type ItemState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** What the reader made of an image; the model's answer is never copied into it. */
export const MARKS = ['none', 'normal', 'finding', 'unsure'] as const;
export type Mark = (typeof MARKS)[number];

/** What the head that the reader taught says of an image: the probabilities of its classes, or how much of the image each covers. */
export type Taught = TaughtClasses | TaughtAreas;

export interface TaughtClasses {
  /** Name of the head. */
  task: string;
  kind: 'classification';
  classes: ClassProbability[];
}

export interface TaughtAreas {
  task: string;
  kind: 'segmentation';
  /** All of them, what lies around first; of a series over all its slices. */
  classes: TaughtArea[];
}

/** How much of an image one class covers. */
export interface TaughtArea {
  name: string;
  pixels: number;
  /** Where the size of a pixel is known; of several slices it would be no area. */
  mm2: number | null;
}

/** How far an image is that the reader's own head is asked about; what is answered is asked no more. */
export interface Asked {
  /** Name of the head. */
  head: string;
  state: 'waiting' | 'running' | 'failed' | 'cancelled';
  /** Of a series the slice that is being asked about, from 0. */
  slice: number;
}

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
  /** Of a picture: answers that are there while the other tasks are still computed. */
  early: Report | null;
  /** What the head that the reader taught says of it. */
  taught: Taught | null;
  /** What is to come of that head. */
  asked: Asked | null;
  /** Why it failed. */
  error: unknown;
  mark: Mark;
}

/** The image for the model: of a series a slice, the one on the stage where none is named. */
export async function imageOf({ file, series }: Item, options: { slice?: number } = {}): Promise<ImageInput> {
  return series === null ? file : series.image(options.slice);
}

/** How many slices it has; a picture is one. */
export function slicesOf({ series }: Item): number {
  return series?.length ?? 1;
}

/** The slice of a series that the reader looks at, from 0. */
export function sliceOf({ series }: Item): number {
  return series?.at ?? 0;
}

/** Whether the model or the reader's own head has yet to answer. */
export function isOpen({ state, asked }: Item): boolean {
  return state === 'waiting' || state === 'running' || asked?.state === 'waiting' || asked?.state === 'running';
}

/** The probability of one class of one of the model's tasks, where the image has an answer to it. */
export function probability(item: Item, task: string, name: string): number | null {
  // A series is answered as a whole once all of its slices are.
  const results = item.series === null ? item.report?.results : item.series.analysis?.classes;
  const result = results?.find((entry) => entry.task === task);
  return result?.kind === 'classification' ? probabilityIn(result.classes, name) : null;
}

/** What the reader's own head says of one of its classes: its probability, or its share of the image; 0..1. */
export function taughtShare({ taught }: Item, task: string, name: string): number | null {
  if (taught?.task !== task) return null;
  if (taught.kind === 'classification') return probabilityIn(taught.classes, name);
  const own = taught.classes.find((entry) => entry.name === name);
  return own === undefined ? null : own.pixels / taught.classes.reduce((sum, { pixels }) => sum + pixels, 0);
}

function probabilityIn(classes: readonly ClassProbability[], name: string): number | null {
  return classes.find((entry) => entry.name === name)?.probability ?? null;
}
