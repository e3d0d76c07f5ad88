import { Channel } from './channel.js';
import type { DeviceChoice } from './device.js';
import { Model } from './model.js';
import type { Progress } from './progress.js';

/** How a model is loaded. */
export interface LoadOptions {
  /** What runs it; default `auto`: WebGPU where a real adapter answers, else WebAssembly. */
  device?: DeviceChoice;
  /** Also use a software WebGPU adapter, which is slower than WebAssembly; for tests. Default `false`. */
  acceptFallbackAdapter?: boolean;
  /** Keep the weights on this device for the next time. Default `true`; see `clearCache`. */
  cache?: boolean;
  /** Called as loading goes on; `fraction` never falls. */
  onProgress?: (progress: Progress) => void;
  /** Cancels loading: the promise rejects with the signal's reason, nothing is left running. */
  signal?: AbortSignal;
}

/**
 * Loads a model: fetches and checks its files, starts the best backend that passes the model's
 * self-test, all in a worker.
 *
 * @param url - the model's folder, which holds `manifest.json`; relative to the page.
 * @throws {@link MedleyError}; a model is whole or is not there.
 */
export async function loadModel(url: string | URL, options: LoadOptions = {}): Promise<Model> {
  const { device = 'auto', acceptFallbackAdapter = false, cache = true, onProgress, signal } = options;
  signal?.throwIfAborted();
  const base = new URL(url, document.baseURI);
  base.search = '';
  base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'medley' });
  const channel = new Channel(worker);
  try {
    const request = { base: base.href, device, acceptFallbackAdapter, cache };
    const { metadata, backend } = await channel.call('load', request, { signal, onProgress });
    return new Model(channel, metadata, backend);
  } catch (error) {
    channel.close(error);
    throw error;
  }
}
