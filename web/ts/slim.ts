/**
 * The package without its worker and its wasm files: nothing here makes a bundler copy them. For
 * those who host these files themselves and say where.
 *
 * @packageDocumentation
 */

import type { Model } from './model.js';
import type { AssetUrls, LoadOptions } from './options.js';
import { moduleWorker, startModel } from './start.js';

export * from './exports.js';

/** How the slim entry loads a model: the worker's address has to be said. */
export interface SlimLoadOptions extends LoadOptions {
  /** Where the package's own files are; the worker's address is a must. */
  urls: AssetUrls & Required<Pick<AssetUrls, 'worker'>>;
}

/** As `loadModel` of the main entry, with the worker at `options.urls.worker`. */
export async function loadModel(url: string | URL, options: SlimLoadOptions): Promise<Model> {
  return startModel(url, options, () => moduleWorker(options.urls.worker));
}
