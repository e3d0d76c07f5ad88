import { cachedBytes, forgetBytes, keepBytes } from './cache.js';
import { MedleyError } from './errors.js';
import { get, readBytes } from './fetching.js';
import { checkIntegrity, type Expected } from './integrity.js';
import type { ProgressMeter } from './progress.js';

/** The bytes of a model as they lie on the server, each shard checked. */
export interface Weights {
  /** `manifest.json`, unchanged: the model's own code reads and checks it again. */
  manifest: Uint8Array<ArrayBuffer>;
  /** In the manifest's order. */
  shards: Uint8Array<ArrayBuffer>[];
}

/** No manifest is nearly this long; a web page served in its place may be. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Fetches `manifest.json` and every shard that it names, all of them at once, from the cache where it has them. */
export async function fetchWeights(base: string, useCache: boolean, meter: ProgressMeter): Promise<Weights> {
  const manifestUrl = new URL('manifest.json', base).href;
  const response = await get(manifestUrl, { cache: 'no-cache' });
  const manifest = new Uint8Array(await response.arrayBuffer());
  const expected = readManifest(manifest, manifestUrl);
  for (const shard of expected) meter.expect(shard.path, shard.length);
  const shards = await Promise.all(expected.map((shard) => fetchShard(base, shard, useCache, meter)));
  return { manifest, shards };
}

async function fetchShard(
  base: string,
  shard: Expected,
  useCache: boolean,
  meter: ProgressMeter,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(shard.path, base).href;
  if (useCache) {
    const cached = await cachedBytes(url, shard.sha256);
    if (cached !== null) {
      try {
        await checkIntegrity(cached, shard);
        meter.advance(shard.path, cached.byteLength);
        return cached;
      } catch {
        // What the disk gives back may be damaged; the server's copy decides.
        await forgetBytes(url, shard.sha256);
      }
    }
  }
  // The Cache API keeps the bytes; the browser's own cache would keep them a second time.
  const bytes = await readBytes(await get(url, { cache: 'no-store' }), shard, meter);
  await checkIntegrity(bytes, shard);
  if (useCache) await keepBytes(url, shard.sha256, bytes);
  return bytes;
}

/** The shards that a manifest names: only what fetching needs, the rest is checked in Rust. */
export function readManifest(bytes: Uint8Array, url: string): Expected[] {
  const invalid = (what: string): MedleyError =>
    new MedleyError('package', `${url}: ${what}; check that the address is that of a Medley model's folder`);
  if (bytes.byteLength > MAX_MANIFEST_BYTES) throw invalid(`expected a manifest, found ${bytes.byteLength} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw invalid('expected a manifest in JSON, found something else');
  }
  const shards = (json as { shards?: unknown } | null)?.shards;
  if (!Array.isArray(shards) || shards.length === 0) throw invalid('expected a list of shards, found none');
  return shards.map((shard: unknown, index) => {
    const { path, length, sha256 } = (shard ?? {}) as Partial<Expected>;
    const valid =
      typeof path === 'string' &&
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(path) &&
      Number.isSafeInteger(length) &&
      typeof sha256 === 'string' &&
      /^[0-9a-fA-F]{64}$/.test(sha256);
    if (!valid) throw invalid(`expected path, length and SHA-256 of shard ${index + 1}, found something else`);
    return { path, length: length as number, sha256 };
  });
}
