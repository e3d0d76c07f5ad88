/// <reference lib="webworker" />
/**
 * Keeps the page's own files, so that the second visit needs no network, and tells the page of every
 * request, its own workers' included: method, address and how many bytes it carries.
 *
 * Nothing is imported here: browsers that know no module service workers must run it.
 */

import type { Traffic, ToWorker } from './protocol.js';

/** The page's files; their names carry a digest of their content. Written in by the build. */
declare const __FILES__: readonly string[];
/** Those without which there is no visit: all but the large code for WebGPU. Written in by the build. */
declare const __CORE__: readonly string[];
/** Changes with the files. Written in by the build. */
declare const __VERSION__: string;

const scope = globalThis as unknown as ServiceWorkerGlobalScope;
const FILES = new Set(__FILES__);
const PREFIX = 'medley-page-';
const CACHE = PREFIX + __VERSION__;

/** Files without a digest in their names: fetched anew where there is a network. The package keeps the model's. */
const CHANGING = ['', 'index.html', 'favicon.svg'];

// Nothing is fetched in advance: what the page fetches anyway is kept as it passes.
scope.addEventListener('install', () => void scope.skipWaiting());

scope.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
      }
      await scope.clients.claim();
    })(),
  );
});

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  event.waitUntil(tell(request.clone()));
  const path = pathOf(request.url);
  if (request.method !== 'GET' || path === null) return;
  if (FILES.has(path)) event.respondWith(keptFirst(request, event));
  else if (CHANGING.includes(path)) event.respondWith(networkFirst(request, event));
});

scope.addEventListener('message', (event: ExtendableMessageEvent) => {
  const message = event.data as ToWorker;
  if (message.type === 'keep') event.waitUntil(keepAll().then((whole) => event.source?.postMessage({ type: 'kept', whole })));
});

/** The path below the page's folder; `null` for other hosts and folders. */
function pathOf(url: string): string | null {
  const base = scope.registration.scope;
  return url.startsWith(base) ? (new URL(url).pathname.slice(new URL(base).pathname.length)) : null;
}

async function keptFirst(request: Request, event: FetchEvent): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.url);
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.status === 200) event.waitUntil(keep(cache, request.url, response.clone()));
  return response;
}

async function networkFirst(request: Request, event: FetchEvent): Promise<Response> {
  const cache = await caches.open(CACHE);
  const key = keyOf(request.url);
  try {
    const response = await fetch(request);
    if (response.status === 200) event.waitUntil(keep(cache, key, response.clone()));
    return response;
  } catch (error) {
    const kept = await cache.match(key);
    if (kept !== undefined) return kept;
    throw error;
  }
}

/** `?device=wasm` and the like choose how the page behaves, not which file it is; the folder is its index. */
function keyOf(url: string): string {
  const key = new URL(url);
  key.search = '';
  key.hash = '';
  key.pathname = key.pathname.replace(/index\.html$/, '');
  return key.href;
}

/** A full disk is no failure of the page: it works, only not without a network. */
async function keep(cache: Cache, key: string, response: Response): Promise<boolean> {
  try {
    await cache.put(key, response);
    return true;
  } catch {
    return false;
  }
}

/** Fetches what is needed for a visit without a network and is not kept yet. */
async function keepAll(): Promise<boolean> {
  const cache = await caches.open(CACHE);
  const paths = [...__CORE__, ...CHANGING.filter((path) => path !== 'index.html')];
  const kept = await Promise.all(
    paths.map(async (path) => {
      const url = new URL(path, scope.registration.scope).href;
      if ((await cache.match(url)) !== undefined) return true;
      try {
        const response = await fetch(url);
        return response.ok && (await keep(cache, url, response));
      } catch {
        return false;
      }
    }),
  );
  return kept.every(Boolean);
}

async function tell(request: Request): Promise<void> {
  const { method, url, mode } = request;
  const body = method === 'GET' || method === 'HEAD' ? 0 : (await request.arrayBuffer()).byteLength;
  // An address can carry data as well as a body can; only the reader's own address of the page is its own.
  const search = mode === 'navigate' ? 0 : new URL(url).search.length;
  const traffic: Traffic = { type: 'traffic', method, url, bytes: body + search };
  for (const client of await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })) client.postMessage(traffic);
}
