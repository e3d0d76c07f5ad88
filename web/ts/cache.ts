/** Versioned with the way files are kept, not with the models. */
const CACHE_NAME = 'medley-weights-1';

/** What marks an entry as a manifest, which has no digest of its own. */
const MANIFEST = 'manifest';

/** The Cache API where there is one: insecure contexts and some private modes have none. */
async function open(): Promise<Cache | null> {
  try {
    return await caches.open(CACHE_NAME);
  } catch {
    return null;
  }
}

/** A shard's address in the cache carries its digest: another version is another entry. */
function keyOf(url: string, sha256: string): string {
  const key = new URL(url);
  key.searchParams.set('sha256', sha256);
  return key.href;
}

export async function cachedBytes(url: string, sha256: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const cache = await open();
  const response = await cache?.match(keyOf(url, sha256));
  return response === undefined ? null : new Uint8Array(await response.arrayBuffer());
}

/**
 * Keeps verified bytes in place of those of other versions; a full quota is no error, the bytes
 * are fetched again next time.
 */
export async function keepBytes(url: string, sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const cache = await open();
  if (cache === null) return;
  const key = keyOf(url, sha256);
  try {
    for (const old of await cache.keys(url, { ignoreSearch: true })) {
      if (old.url !== key) await cache.delete(old);
    }
    await cache.put(key, new Response(bytes, { headers: { 'Content-Length': String(bytes.byteLength) } }));
  } catch {
    await forgetBytes(url, sha256);
  }
}

export async function forgetBytes(url: string, sha256: string): Promise<void> {
  const cache = await open();
  await cache?.delete(keyOf(url, sha256));
}

/** The manifest as it was when its model last loaded, for the time without a network. */
export function cachedManifest(url: string): Promise<Uint8Array<ArrayBuffer> | null> {
  return cachedBytes(url, MANIFEST);
}

export function keepManifest(url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  return keepBytes(url, MANIFEST, bytes);
}

/** How many bytes of models this package has kept on this origin. */
export async function cacheSize(): Promise<number> {
  const cache = await open();
  if (cache === null) return 0;
  let size = 0;
  for (const request of await cache.keys()) {
    const length = Number((await cache.match(request))?.headers.get('Content-Length'));
    if (Number.isFinite(length)) size += length;
  }
  return size;
}

/** Removes every file of a model that this package has kept on this origin. */
export async function clearCache(): Promise<void> {
  try {
    await caches.delete(CACHE_NAME);
  } catch {
    // Nothing was kept where there is no cache.
  }
}
