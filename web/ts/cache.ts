/** Versioned with the way files are kept, not with the models. */
const CACHE_NAME = 'medley-weights-1';

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

/** Keeps verified bytes; a full quota is no error, the bytes are fetched again next time. */
export async function keepBytes(url: string, sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const cache = await open();
  try {
    await cache?.put(keyOf(url, sha256), new Response(bytes));
  } catch {
    await forgetBytes(url, sha256);
  }
}

export async function forgetBytes(url: string, sha256: string): Promise<void> {
  const cache = await open();
  await cache?.delete(keyOf(url, sha256));
}

/** Removes every weight file that this package has kept on this origin. */
export async function clearCache(): Promise<void> {
  try {
    await caches.delete(CACHE_NAME);
  } catch {
    // Nothing was kept where there is no cache.
  }
}
