import * as medley from '@medley/web';
import type { ImageInput, Model, Preview } from '@medley/web';

/** What newer versions of the package can and older ones cannot; the one place where the page asks. */
interface Newer {
  preview(image: ImageInput, options: { maxSide: number; signal?: AbortSignal }): Promise<Preview>;
  report(): object;
  on(event: 'backendchange', handler: () => void): () => void;
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
