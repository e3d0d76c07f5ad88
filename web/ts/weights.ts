import { cachedBytes, cachedManifest, forgetBytes, keepBytes, keepManifest } from './cache.js';
import { said } from './detail.js';
import { MedleyError } from './errors.js';
import { download, getSmall, PAUSES_MS } from './fetching.js';
import { checkIntegrity, type Expected } from './integrity.js';
import type { ProgressMeter } from './progress.js';

/** The bytes of a model, each shard checked, and the whole. */
export interface Weights {
  /** `manifest.json`, unchanged: the model's own code reads and checks it again. */
  manifest: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the whole, as the manifest says. */
  sha256: string;
  /** The file that the shards make up. */
  file: Uint8Array<ArrayBuffer>;
  /** Bytes that came from this device's cache, and bytes that came over the network. */
  source: { cached: number; fetched: number };
}

/** How weights are fetched. */
export interface Fetching {
  /** The model's folder; ends in `/`. */
  base: string;
  /** Whether files are kept for the next time. */
  cache: boolean;
  /** How long a server may be silent, in milliseconds. */
  stallMs: number;
}

/** No manifest is nearly this long; a web page served in its place may be. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** No package is longer: `MAX_PACKAGE_BYTES` in Rust. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/**
 * Fetches `manifest.json` and every shard that it names, all of them at once, from the cache where it has them.
 *
 * @param allHere - called when the last byte has come; what then remains is checking.
 */
export async function fetchWeights(how: Fetching, meter: ProgressMeter, allHere: () => void): Promise<Weights> {
  const manifestUrl = new URL('manifest.json', how.base).href;
  const { bytes: manifest, offline } = await fetchManifest(manifestUrl, how);
  const { whole, shards: expected } = readManifest(manifest, manifestUrl);
  for (const shard of expected) meter.expect(shard.path, shard.length);
  const source = { cached: 0, fetched: 0 };
  let missing = expected.length;
  const arrived = (): void => {
    missing -= 1;
    if (missing === 0) allHere();
  };
  const file = await joined(whole.length, expected, (shard) => fetchShard(shard, how, source, meter, arrived));
  // One shard is the file, and was checked.
  if (expected.length > 1) await checkIntegrity(file, whole);
  if (how.cache && !offline) await keepManifest(manifestUrl, manifest);
  return { manifest, sha256: whole.sha256, file, source };
}

/** All shards in one piece of memory; each is let go as soon as it is part of it. */
async function joined(
  length: number,
  expected: Expected[],
  fetchOne: (shard: Expected) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const [first] = expected;
  if (first !== undefined && expected.length === 1) return fetchOne(first);
  const file = new Uint8Array(length);
  let end = 0;
  const placed = expected.map((shard) => {
    const start = end;
    end += shard.length;
    return fetchOne(shard).then((bytes) => file.set(bytes, start));
  });
  await Promise.all(placed);
  return file;
}

/** The server's manifest, so that a new version is seen; the kept one where there is no connection. */
async function fetchManifest(
  url: string,
  how: Fetching,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; offline: boolean }> {
  const kept = how.cache ? await cachedManifest(url) : null;
  if (kept !== null && !navigator.onLine) return { bytes: kept, offline: true };
  try {
    // Who has a model is not kept waiting for a connection that may come back.
    const pauses = kept === null ? PAUSES_MS : [];
    return { bytes: await getSmall(url, MAX_MANIFEST_BYTES, how.stallMs, pauses), offline: false };
  } catch (error) {
    // A server that answers "not found" has answered: only silence is filled from the cache.
    const unreachable = error instanceof MedleyError && error.code === 'network' && error.cause !== undefined;
    if (kept === null || !unreachable) throw error;
    return { bytes: kept, offline: true };
  }
}

async function fetchShard(
  shard: Expected,
  how: Fetching,
  source: Weights['source'],
  meter: ProgressMeter,
  arrived: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(shard.path, how.base).href;
  if (how.cache) {
    const cached = await cachedBytes(url, shard.sha256);
    if (cached !== null) {
      try {
        await checkIntegrity(cached, shard);
        meter.advance(shard.path, cached.byteLength);
        source.cached += cached.byteLength;
        arrived();
        return cached;
      } catch {
        // What the disk gives back may be damaged; the server's copy decides.
        await forgetBytes(url, shard.sha256);
      }
    }
  }
  let { bytes, resumed } = await download(url, shard, meter, how.stallMs);
  arrived();
  try {
    await checkIntegrity(bytes, shard);
  } catch (error) {
    if (!resumed) throw error;
    // The file may have been exchanged between the two parts of it.
    ({ bytes, resumed } = await download(url, shard, meter, how.stallMs));
    await checkIntegrity(bytes, shard);
  }
  source.fetched += bytes.byteLength;
  if (how.cache) await keepBytes(url, shard.sha256, bytes);
  return bytes;
}

/** What a manifest says that fetching needs; the rest is checked in Rust. */
export function readManifest(bytes: Uint8Array, url: string): { whole: Expected; shards: Expected[] } {
  const invalid = (what: string): MedleyError =>
    new MedleyError('package', said(`${url}: ${what}; check that the address is that of a Medley model's folder`, 'not-a-model', { url }));
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw invalid('expected a manifest in JSON, found something else');
  }
  const { file, length, sha256, shards } = (json ?? {}) as Record<string, unknown>;
  if (!Array.isArray(shards) || shards.length === 0) throw invalid('expected a list of shards, found none');
  const expected = (one: Record<string, unknown>, what: string): Expected => {
    const { path, length, sha256 } = one;
    const valid =
      typeof path === 'string' &&
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(path) &&
      typeof length === 'number' &&
      Number.isSafeInteger(length) &&
      length >= 0 &&
      length <= MAX_FILE_BYTES &&
      typeof sha256 === 'string' &&
      /^[0-9a-fA-F]{64}$/.test(sha256);
    if (!valid) throw invalid(`expected path, length and SHA-256 of ${what}, found something else`);
    return { path, length, sha256 };
  };
  const whole = expected({ path: file, length, sha256 }, 'the whole file');
  const parts = shards.map((shard: unknown, index) =>
    expected((shard ?? {}) as Record<string, unknown>, `shard ${index + 1}`),
  );
  const sum = parts.reduce((sum, { length }) => sum + length, 0);
  if (sum !== whole.length) throw invalid(`expected shards of ${whole.length} bytes in all, found ${sum}`);
  return { whole, shards: parts };
}
