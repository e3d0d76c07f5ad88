// Several threads of the CPU, where the page is cross-origin isolated; one where it is not.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { FRESH, NANO, openHarness } from './lib/harness.mjs';

/** @type {import('./lib/harness.mjs').Harness} */
let harness;
before(async () => {
  harness = await openHarness();
});
after(() => harness?.close());
afterEach(() => harness.isolated.overrides.clear());

const THREADS = '/web/pkg/cpu-threads/medley_web_bg.wasm';
const GLUE = '/web/pkg/cpu-threads/medley_web.js';
const EMPTY_MODULE = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

/**
 * In the page: the answers to one picture with some options each, with what computed them.
 * @param {{ url: string, all: import('@medley/web').LoadOptions[] }} asked
 */
async function answersOf({ url, all }) {
  const image = new ImageData(211, 173);
  for (let i = 0; i < image.data.length; i += 1) image.data[i] = i % 4 === 3 ? 255 : (i * 2654435761) >>> 24;
  const answers = [];
  for (const options of all) {
    const model = await medley.loadModel(url, { device: 'wasm', cache: false, ...options });
    const { report, embedding } = await model.analyze(image);
    const { backend, selfTest } = model.report();
    model.dispose();
    answers.push({ backend, passed: selfTest.passed, embedding: [...embedding], results: report.results });
  }
  return answers;
}

test('an isolated page computes in as many threads as it is allowed, and answers as one thread does', async () => {
  const { context, page, troubles } = await harness.open(undefined, { on: 'isolated' });
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  const processors = await page.evaluate(() => navigator.hardwareConcurrency);
  const [all, three, one] = await page.evaluate(answersOf, { url: NANO, all: [{}, { threads: 3 }, { threads: 1 }] });
  assert.deepEqual(
    [all, three, one].map((answer) => answer?.backend.threads),
    [Math.min(processors, 8), Math.min(processors, 3), 1],
  );
  for (const answer of [all, three]) {
    assert.ok(answer?.passed);
    assert.equal(answer.backend.relaxedSimd, true);
    const expected = one?.embedding ?? [];
    assert.ok(expected.length > 0);
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - (answer.embedding[i] ?? NaN))));
    // The same kernels; sums may be cut at other places.
    assert.ok(worst < 1e-4, `the embeddings differ by ${worst}`);
  }
  assert.ok(harness.isolated.seen.some(({ path }) => path === THREADS));
  assert.deepEqual(troubles, []);
  await context.close();
});

test('a page that is not isolated never fetches the build with threads', async () => {
  const { context, page } = await harness.open();
  const [found] = await page.evaluate(answersOf, { url: FRESH, all: [{ threads: 4 }] });
  assert.equal(found?.backend.threads, 1);
  assert.ok(harness.server.seen.every(({ path }) => path !== THREADS));
  await context.close();
});

test('where a thread does not start, one thread computes, and the reason is told', async () => {
  harness.isolated.overrides.set('/web/dist/thread.js', { status: 404 });
  const { context, page } = await harness.open(undefined, { on: 'isolated' });
  const [found] = await page.evaluate(answersOf, { url: FRESH, all: [{ threads: 2 }] });
  assert.equal(found?.backend.threads, 1);
  assert.ok(found?.passed);
  assert.match(found.backend.reason, /^WebAssembly was asked for; WebAssembly in several threads: a thread could not be started/);
  await context.close();
});

test('a build for threads that is not there or computes wrongly is stepped over, and the reason told', async (t) => {
  // As the build's glue, for the worker and its threads alike.
  const wrong = `export default async function () { return { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) }; }
    export function startThreads() {}
    export function runThread() {}
    export class WasmModel {
      static async create() { return new WasmModel(); }
      async selfTest() { return { passed: false, worst: 0.5, tolerance: 0.001, head: 'lungs' }; }
      free() {}
    }`;
  const panics = wrong.replace('return new WasmModel();', 'globalThis.medleyPanicked("test panic"); return new Promise(() => {});');
  /** @type {[string, Record<string, import('./lib/server.mjs').Override>, RegExp][]} */
  const cases = [
    ['wrong answers', { [GLUE]: { body: Buffer.from(wrong) } }, /WebAssembly in several threads: the self-test's answer of lungs is off by 5\.0e-1/],
    ['a panic', { [GLUE]: { body: Buffer.from(panics) } }, /WebAssembly in several threads: .*test panic/],
    ['code that is not there', { [THREADS]: { status: 404 } }, /WebAssembly in several threads: .*the server answered 404/],
  ];
  for (const [title, overrides, words] of cases) {
    await t.test(title, async () => {
      harness.isolated.overrides.clear();
      if (GLUE in overrides) harness.isolated.overrides.set(THREADS, { body: EMPTY_MODULE });
      for (const [path, override] of Object.entries(overrides)) harness.isolated.overrides.set(path, override);
      const { context, page } = await harness.open(undefined, { on: 'isolated' });
      const { backend, failures, results } = await page.evaluate(async (url) => {
        const model = await medley.loadModel(url, { device: 'wasm', cache: false, threads: 2 });
        const { report } = await model.analyze(new ImageData(9, 7));
        const { backend, failures } = model.report();
        model.dispose();
        return { backend, failures, results: report.results.length };
      }, FRESH);
      assert.equal(backend.threads, 1);
      assert.equal(backend.kind, 'wasm');
      assert.match(backend.reason, /^WebAssembly was asked for; /);
      assert.match(backend.reason, words);
      assert.equal(failures.length, 1);
      assert.ok(results > 0);
      await context.close();
    });
  }
});

test('where a thread breaks while the others wait for it, one thread computes, and nothing hangs', async () => {
  // It says that it is there, takes no work and tells of its end.
  const body = `addEventListener('message', ({ data }) => {
    postMessage('ready');
    setTimeout(() => data.crashes.postMessage({ code: 'crashed', message: 'the thread broke' }), 100);
  });`;
  harness.isolated.overrides.set('/web/dist/thread.js', { body: Buffer.from(body) });
  const { context, page } = await harness.open(undefined, { on: 'isolated' });
  const [found] = await page.evaluate(answersOf, { url: FRESH, all: [{ threads: 2 }] });
  assert.equal(found?.backend.threads, 1);
  assert.ok(found?.passed);
  assert.match(found.backend.reason, /WebAssembly in several threads: the thread broke/);
  await context.close();
});
