import { absolute } from './addresses.js';
import { Engine } from './engine.js';
import { STALL_MS } from './fetching.js';
import { Model } from './model.js';
import type { LoadOptions } from './options.js';
import type { LoadRequest } from './protocol.js';

/** Loads a model in a worker that `spawn` starts. */
export async function startModel(url: string | URL, options: LoadOptions, spawn: () => Worker): Promise<Model> {
  const { signal, onProgress, verify = false } = options;
  signal?.throwIfAborted();
  const base = folder(url);
  const engine = await Engine.start(spawn, toRequest(base, options), { signal, onProgress });
  return new Model(engine, base, verify);
}

/** Starts a worker that is a module. */
export function moduleWorker(url: string | URL): Worker {
  return new Worker(absolute(url), { type: 'module', name: 'medley' });
}

function toRequest(base: string, options: LoadOptions): LoadRequest {
  const { device = 'auto', acceptFallbackAdapter = false, cache = true, stallTimeout = STALL_MS, urls = {} } = options;
  const { threads = Number.POSITIVE_INFINITY } = options;
  return {
    base,
    device,
    acceptFallbackAdapter,
    cache,
    stallMs: stallTimeout,
    threads,
    failures: [],
    threadUrl: urls.thread === undefined ? null : absolute(urls.thread),
    wasmUrls: {
      ...(urls.wasm === undefined ? {} : { wasm: absolute(urls.wasm) }),
      ...(urls.wasmRelaxed === undefined ? {} : { wasmRelaxed: absolute(urls.wasmRelaxed) }),
      ...(urls.wasmThreads === undefined ? {} : { wasmThreads: absolute(urls.wasmThreads) }),
      ...(urls.webgpu === undefined ? {} : { webgpu: absolute(urls.webgpu) }),
    },
  };
}

/** A model's folder, with the slash that makes `manifest.json` lie in it. */
function folder(url: string | URL): string {
  const base = new URL(absolute(url));
  base.search = '';
  base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base.href;
}
