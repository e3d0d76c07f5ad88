import type { Model } from './model.js';
import type { LoadOptions } from './options.js';
import { moduleWorker, startModel } from './start.js';

/**
 * Loads a model: fetches and checks its files, starts the best backend that passes the model's
 * self-test, all in a worker.
 *
 * @param url - the model's folder, which holds `manifest.json`; relative to the page.
 * @throws {@link MedleyError}; a model is whole or is not there.
 */
export async function loadModel(url: string | URL, options: LoadOptions = {}): Promise<Model> {
  const own = options.urls?.worker;
  return startModel(url, options, () =>
    own === undefined
      ? // Written out: this form is what bundlers look for.
        new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'medley' })
      : moduleWorker(own),
  );
}
