import * as medley from '@medley/web';
import { type ClassProbability, type ImageInput, MedleyError, type Model, type Preview } from '@medley/web';

/** What newer versions of the package can and older ones cannot; the one place where the page asks. */
interface Newer {
  preview(image: ImageInput, options: { maxSide: number; signal?: AbortSignal }): Promise<Preview>;
  report(): object;
  on(event: 'backendchange', handler: () => void): () => void;
  head(name: string, classes: readonly string[]): ImageHead;
  importHead(file: Blob): Promise<ImageHead | { scope: 'pixel' }>;
}

/** The share of held-out examples that were answered rightly, with its 95 % interval; 0..1. */
export interface Estimate {
  accuracy: number;
  low: number;
  high: number;
  /** How many examples were held out. */
  heldOut: number;
}

/** What a head has learnt. */
export interface Lesson {
  estimate: Estimate | null;
  /** For each example, by its number, what it would be answered with had it not been learnt. */
  heldOut: ReadonlyMap<number, string | null>;
}

/** A classification of the reader's own. */
export interface ImageHead {
  readonly scope: 'image';
  readonly name: string;
  readonly classes: readonly string[];
  readonly lesson: Lesson | null;
  /** Gives the example's number; the image is not kept. */
  addExample(image: ImageInput, className: string): Promise<number>;
  removeExample(id: number): void;
  train(): Promise<Lesson>;
  predict(image: ImageInput): Promise<ClassProbability[]>;
  export(): Uint8Array<ArrayBuffer>;
}

/** The model as newer versions have it; `null` where it is an older one. */
function newer(model: Model): Newer | null {
  return 'report' in model ? (model as unknown as Newer) : null;
}

/** An image as the model sees it, its longer side at most `maxSide` pixels. */
export function preview(model: Model, image: ImageInput, maxSide: number, signal?: AbortSignal): Promise<Preview> {
  const options = signal === undefined ? { maxSide } : { maxSide, signal };
  const old = model as unknown as { preview(image: ImageInput, maxSide: number): Promise<Preview> };
  return newer(model)?.preview(image, options) ?? old.preview(image, maxSide);
}

/** Calls back when another backend runs the model, or the same one anew. */
export function onBackendChange(model: Model, handler: () => void): void {
  newer(model)?.on('backendchange', handler);
}

/** Whether the model can be taught a question of the reader's own. */
export function canTeach(model: Model): boolean {
  return 'head' in model;
}

/** A head that has learnt nothing yet. */
export function newHead(model: Model, name: string, classes: readonly string[]): ImageHead {
  return (model as unknown as Newer).head(name, classes);
}

/** A head out of its file. `MedleyError` for another file, another encoder, or a head for pixels. */
export async function openHead(model: Model, file: Blob, name: string): Promise<ImageHead> {
  const head = await (model as unknown as Newer).importHead(file);
  if (head.scope === 'image') return head;
  throw new MedleyError('image', `${name} is a head for pixels; expected one for whole images`);
}

/** Bytes of weights that are kept on this device; `null` where it cannot be said. */
export async function keptBytes(): Promise<number | null> {
  const { cacheSize } = medley as unknown as { cacheSize?: () => Promise<number> };
  return cacheSize === undefined ? null : cacheSize();
}

/** Everything that a bug report needs of the model. */
export function modelReport(model: Model): object {
  const report = newer(model)?.report();
  if (report !== undefined) return report;
  const { metadata, backend } = model;
  const { name, variant, format_version, provenance } = metadata;
  return { model: { name, variant, format_version, code: provenance.code_version, created: provenance.created }, backend };
}
