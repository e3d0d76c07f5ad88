// What can go wrong on the way of the weights, and what is made of it.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { FRESH, FRESH_SHARDS, NANO, openHarness } from './lib/harness.mjs';
import { ROOT } from './lib/server.mjs';

/** @type {import('./lib/harness.mjs').Harness} */
let harness;
/** @type {Awaited<ReturnType<import('./lib/harness.mjs').Harness['open']>>} */
let opened;
before(async () => {
  harness = await openHarness();
  opened = await harness.open();
});
after(() => harness?.close());
afterEach(async () => {
  harness.server.overrides.clear();
  await opened.page.evaluate(() => medley.clearCache());
});

/** Loads in the page; how it ended and what the report says. @param {string} url @param {import('@medley/web').LoadOptions} [options] */
function load(url, options = {}) {
  return opened.page.evaluate(
    async ([url, options]) => {
      try {
        const model = await medley.loadModel(url, { device: 'wasm', ...options });
        const { source } = model.report().load;
        const { report } = await model.analyze(new ImageData(8, 8));
        model.dispose();
        return { ok: true, source, results: report.results.length, code: '', message: '' };
      } catch (error) {
        const { code, message } = /** @type {{ code: string, message: string }} */ (error);
        return { ok: false, source: { cached: 0, fetched: 0 }, results: 0, code, message };
      }
    },
    /** @type {const} */ ([url, options]),
  );
}

const requestsOf = (/** @type {string} */ path) => harness.server.seen.filter((request) => request.path === path);

test('a connection that drops is taken up where it broke', async () => {
  const path = `${NANO}model.safetensors`;
  // What has come but was not read is lost when a connection breaks: it breaks once some of it was read.
  /** @type {(read: unknown) => void} */
  let told = () => undefined;
  const read = new Promise((resolve) => (told = resolve));
  await opened.page.exposeFunction('someWeightsAreRead', told);
  harness.server.overrides.set(path, { cutAfter: 1_000_000, cutWhen: read, times: 1 });
  const before = requestsOf(path).length;
  await opened.page.evaluate(
    async ([url, weights]) => {
      let expected = 0;
      let asked = false;
      const model = await medley.loadModel(url, {
        device: 'wasm',
        onProgress({ loaded, total }) {
          asked ||= total - expected === weights;
          expected = total;
          // The code is counted too, but never beyond its own share of the total.
          if (asked && loaded > total - weights) someWeightsAreRead();
        },
      });
      model.dispose();
    },
    /** @type {const} */ ([NANO, statSync(join(ROOT, 'www', path)).size]),
  );
  const [first, second, ...more] = requestsOf(path).slice(before);
  assert.equal(first?.range, undefined);
  assert.match(second?.range ?? '', /^bytes=[1-9]\d*-$/);
  assert.equal(more.length, 0);
});

test('a server that falls silent is asked again after the time-out', async () => {
  harness.server.overrides.set(`${FRESH_SHARDS}part-2.bin`, { stallAfter: 100, times: 1 });
  const start = performance.now();
  assert.ok((await load(FRESH_SHARDS, { stallTimeout: 700 })).ok);
  assert.ok(performance.now() - start > 700);
});

test('shards are fetched side by side', async () => {
  // Each but the last hangs for a while: one after the other they would take their number of times.
  for (const part of [1, 2]) harness.server.overrides.set(`${FRESH_SHARDS}part-${part}.bin`, { stallAfter: 10, times: 1 });
  const before = harness.server.seen.length;
  assert.ok((await load(FRESH_SHARDS, { stallTimeout: 1000 })).ok);
  const parts = harness.server.seen.slice(before).filter(({ path }) => path.endsWith('.bin'));
  // Both that hung were asked for before the first of them was asked for again.
  assert.equal(new Set(parts.slice(0, 3).map(({ path }) => path)).size, 3);
});

test('shards that are right one by one and are not the file are refused', async () => {
  const path = `${FRESH_SHARDS}manifest.json`;
  const manifest = await (await fetch(harness.server.origin + path)).json();
  manifest.sha256 = '0'.repeat(64);
  harness.server.overrides.set(path, { body: Buffer.from(JSON.stringify(manifest)) });
  const failed = await load(FRESH_SHARDS);
  harness.server.overrides.delete(path);
  assert.equal(failed.code, 'integrity');
  assert.match(failed.message, /model\.safetensors: expected SHA-256 0{64}/);
});

test('wrong files are told apart, and none of them is kept', async (t) => {
  const shard = `${FRESH_SHARDS}part-2.bin`;
  const bytes = Buffer.from(await (await fetch(harness.server.origin + shard)).arrayBuffer());
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(50) ^ 1, 50);
  /** @type {[string, import('./lib/server.mjs').Override, string, RegExp][]} */
  const cases = [
    ['a flipped bit', { body: flipped }, 'integrity', /part-2\.bin: expected SHA-256/],
    ['a longer file', { body: Buffer.concat([bytes, bytes]) }, 'integrity', /found more/],
    ['a shorter file', { body: bytes.subarray(0, 100) }, 'integrity', /expected \d+ bytes, found 100/],
    ['no file', { status: 404 }, 'network', /404/],
  ];
  for (const [title, override, code, message] of cases) {
    await t.test(title, async () => {
      harness.server.overrides.set(shard, override);
      const failed = await load(FRESH_SHARDS);
      assert.equal(failed.code, code);
      assert.match(failed.message, message);
      harness.server.overrides.clear();
      assert.ok((await load(FRESH_SHARDS)).ok);
    });
  }
});

test('the second load takes the weights from this device, whose share can be asked for and removed', async () => {
  const size = JSON.parse(readFileSync(join(ROOT, 'www/models/medley-nano/manifest.json'), 'utf8')).length;
  const first = await load(NANO);
  assert.deepEqual(first.source, { cached: 0, fetched: size });
  const second = await load(NANO);
  assert.deepEqual(second.source, { cached: size, fetched: 0 });
  const sizes = await opened.page.evaluate(async () => {
    const before = await medley.cacheSize();
    await medley.clearCache();
    return [before, await medley.cacheSize()];
  });
  // The manifest is kept too.
  assert.ok((sizes[0] ?? 0) > size && (sizes[0] ?? 0) < size + 10_000);
  assert.equal(sizes[1], 0);
});

test('without a connection the kept model is loaded', async () => {
  assert.ok((await load(FRESH)).ok);
  for (const name of ['manifest.json', 'model.safetensors']) harness.server.overrides.set(FRESH + name, { cutAfter: 0 });
  const before = requestsOf(`${FRESH}manifest.json`).length;
  const offline = await load(FRESH);
  assert.ok(offline.ok, offline.message);
  assert.equal(offline.source.fetched, 0);
  // Nobody waits for further attempts; the browser by itself may ask again on a new connection.
  assert.ok(requestsOf(`${FRESH}manifest.json`).length <= before + 2);
  // Gone is not the same as out of reach.
  harness.server.overrides.set(`${FRESH}manifest.json`, { status: 404 });
  assert.equal((await load(FRESH)).code, 'network');
});

test('a copy on this device that is damaged is fetched again', async () => {
  assert.ok((await load(FRESH)).ok);
  await opened.page.evaluate(async () => {
    const cache = await caches.open('medley-weights-1');
    for (const request of await cache.keys()) {
      if (!request.url.includes('model.safetensors')) continue;
      const bytes = new Uint8Array(await /** @type {Response} */ (await cache.match(request)).arrayBuffer());
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      await cache.put(request, new Response(bytes));
    }
  });
  const again = await load(FRESH);
  assert.ok(again.ok && again.source.fetched > 0 && again.source.cached === 0);
});

test('where nothing can be kept the model is loaded all the same', async () => {
  const session = await opened.context.newCDPSession(opened.page);
  const { origin } = harness.server;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
  assert.ok((await load(NANO)).ok);
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  const kept = await opened.page.evaluate(() => medley.cacheSize());
  assert.ok(kept < 1000, `${kept} bytes`);
  await opened.page.evaluate(() => medley.clearCache());
  assert.ok((await load(NANO, { cache: false })).ok);
  assert.equal(await opened.page.evaluate(() => medley.cacheSize()), 0);
});

test('worker and wasm can be elsewhere; the slim entry knows no other way', async () => {
  const before = harness.server.seen.length;
  const urls = { worker: '/elsewhere/dist/worker.js', wasm: '/elsewhere/pkg/cpu/medley_web_bg.wasm' };
  assert.ok((await load(FRESH, { urls })).ok);
  const tasks = await opened.page.evaluate(
    async ([url, urls]) => {
      const model = await slim.loadModel(url, { device: 'wasm', urls });
      const { length } = model.tasks;
      model.dispose();
      return length;
    },
    /** @type {const} */ ([FRESH, urls]),
  );
  assert.ok(tasks > 0);
  const paths = harness.server.seen.slice(before).map(({ path }) => path);
  for (const path of Object.values(urls)) assert.ok(paths.includes(path), path);
  assert.ok(!paths.some((path) => /^\/web\/.*(worker\.js|\.wasm)$/.test(path)));
});

test('nothing of all this was against the page’s policy or ended uncaught', () => {
  assert.deepEqual(opened.troubles, []);
});
