// Backends that can be trusted: what fails is stepped over or replaced, and it is said.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { FRESH, openHarness, SOFTWARE_GPU_PATIENCE } from './lib/harness.mjs';
import { ROOT } from './lib/server.mjs';
import { limitMemory } from './lib/wasm.mjs';

/** @type {import('./lib/harness.mjs').Harness} */
let harness;
before(async () => {
  harness = await openHarness();
});
after(() => harness?.close());
afterEach(() => harness.server.overrides.clear());

// The one that this Chromium gets.
const CPU_GLUE = '/web/pkg/cpu-relaxed/medley_web.js';
const CPU_WASM = '/web/pkg/cpu-relaxed/medley_web_bg.wasm';

test('this Chromium gets relaxed SIMD, another file where that is asked for, and both answer alike', async () => {
  const { context, page } = await harness.open();
  const found = await page.evaluate(async (url) => {
    const image = new ImageData(97, 61);
    for (let i = 0; i < image.data.length; i += 1) image.data[i] = (i * 2654435761) >>> 24;
    const answers = [];
    for (const urls of [{}, { wasm: '/web/pkg/cpu/medley_web_bg.wasm' }]) {
      const model = await medley.loadModel(url, { device: 'wasm', cache: false, urls });
      const { embedding } = await model.analyze(image);
      const { backend, selfTest } = model.report();
      answers.push({ relaxed: backend.relaxedSimd, passed: selfTest.passed, embedding: [...embedding] });
      model.dispose();
    }
    return answers;
  }, FRESH);
  const [relaxed, plain] = found;
  assert.deepEqual([relaxed?.relaxed, plain?.relaxed], [true, false]);
  assert.deepEqual([relaxed?.passed, plain?.passed], [true, true]);
  const expected = plain?.embedding ?? [];
  assert.ok(expected.length > 0);
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - (relaxed?.embedding[i] ?? NaN))));
  // Rounded once instead of twice in each product: not the same bits, but the same numbers.
  assert.ok(worst > 0 && worst < 1e-3, `the embeddings differ by ${worst}`);
  const paths = harness.server.seen.map(({ path }) => path).filter((path) => path.endsWith('.wasm'));
  assert.ok(paths.includes(CPU_WASM) && paths.includes('/web/pkg/cpu/medley_web_bg.wasm'));
  await context.close();
});

test('a crash rejects the call with its message, and the next one is answered by a new worker', async () => {
  const source = readFileSync(join(ROOT, CPU_GLUE), 'utf8');
  // As a panic in Rust does: the hook is called, then the promise is never heard of again.
  const crashing = source.replace(
    /\n {4}analyze\(image, tasks, cancelled, between\) \{/,
    '$&\n        if (image.width === 13) { globalThis.medleyPanicked("test panic"); return new Promise(() => {}); }',
  );
  assert.notEqual(crashing, source);
  harness.server.overrides.set(CPU_GLUE, { body: Buffer.from(crashing) });
  const { context, page } = await harness.open();
  const found = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    const changes = /** @type {string[]} */ ([]);
    model.on('backendchange', ({ cause }) => changes.push(cause));
    const bad = model.analyze(new ImageData(13, 13)).catch(({ code, message }) => `${code}: ${message}`);
    const waiting = model.analyze(new ImageData(8, 8));
    const result = { bad: String(await bad), results: (await waiting).report.results.length, usable: model.usable, changes };
    const { history } = model.report();
    model.dispose();
    return { ...result, history: history.map(({ what }) => what) };
  }, FRESH);
  assert.match(found.bad, /^crashed: .*test panic/);
  assert.ok(found.results > 0 && found.usable);
  assert.deepEqual(found.changes, [found.bad.replace('crashed: ', '')]);
  assert.equal(found.history.length, 3);
  await page.waitForTimeout(200);
  assert.equal(page.workers().length, 0);
  await context.close();
});

// Room for the model and small images. Of 4000 × 4000 grey pixels, the first has none for the 64 MB that they are as floats, the
// second none for what the analysis adds.
for (const mebibytes of [72, 96]) {
  test(`too little memory, ${mebibytes} MiB, is said as that, with what to do, and a smaller image is answered`, async () => {
    const limited = limitMemory(readFileSync(join(ROOT, CPU_WASM)), mebibytes * 16);
    harness.server.overrides.set(CPU_WASM, { body: limited });
    const { context, page } = await harness.open();
    const found = await page.evaluate(async (url) => {
      const model = await medley.loadModel(url, { device: 'wasm' });
      const large = { data: new Uint8Array(4000 * 4000), width: 4000, height: 4000 };
      const failure = await model.analyze(large).catch(({ code, message }) => `${code}: ${message}`);
      const { report } = await model.analyze(new ImageData(64, 64));
      model.dispose();
      return { failure, results: report.results.length };
    }, FRESH);
    assert.match(String(found.failure), /^memory: .*not enough memory.*try a smaller image/);
    assert.ok(found.results > 0);
    await context.close();
  });
}

/** A build of the wasm crate that goes wrong in its own way. @param {string} body - of its class */
const brokenBuild = (body) => ({
  body: Buffer.from(`export default async function () { return {}; }\nexport class WasmModel { ${body} free() {} }`),
});

const EMPTY_MODULE = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

test('a GPU that does not pass is stepped over, and the reason is kept', async (t) => {
  /** @type {[string, import('./lib/server.mjs').Override, RegExp][]} */
  const cases = [
    [
      'wrong answers',
      brokenBuild(
        'static async create() { return new WasmModel(); }' +
          'async selfTest() { return { passed: false, worst: 0.5, tolerance: 0.001, head: "lungs" }; }',
      ),
      /self-test's answer of lungs is off by 5\.0e-1/,
    ],
    [
      'a panic',
      brokenBuild('static create() { globalThis.medleyPanicked("shader trouble"); return new Promise(() => {}); }'),
      /shader trouble/,
    ],
    ['code that is not there', { status: 404 }, /pkg\/webgpu.* could not be fetched/],
  ];
  for (const [title, override, words] of cases) {
    await t.test(title, async () => {
      harness.server.overrides.set('/web/pkg/webgpu/medley_web_bg.wasm', { body: EMPTY_MODULE });
      harness.server.overrides.set('/web/pkg/webgpu/medley_web.js', override);
      const { context, page } = await harness.open();
      const { backend, failures } = await page.evaluate(async (url) => {
        const model = await medley.loadModel(url, { device: 'auto', acceptFallbackAdapter: true });
        await model.analyze(new ImageData(8, 8), { tasks: model.tasks.slice(0, 1).map(({ name }) => name) });
        const { backend, failures } = model.report();
        model.dispose();
        return { backend, failures };
      }, FRESH);
      assert.equal(backend.kind, 'wasm');
      assert.match(backend.reason, words);
      assert.equal(failures.length, 1);
      await context.close();
    });
  }
});

/** A page whose workers keep the GPU device that they make where the test can destroy it. */
async function openWithDevices() {
  const { context, page } = await harness.open();
  page.on('worker', (worker) => {
    void worker.evaluate(() => {
      const { prototype } = GPUAdapter;
      const request = prototype.requestDevice;
      prototype.requestDevice = async function (descriptor) {
        const device = await request.call(this, descriptor);
        Object.assign(globalThis, { lastDevice: device });
        return device;
      };
    });
  });
  const destroy = () =>
    page.workers()[0]?.evaluate(() => {
      /** @type {{ lastDevice: GPUDevice }} */ (/** @type {unknown} */ (globalThis)).lastDevice.destroy();
    });
  return { context, page, destroy };
}

test('a GPU that is lost is replaced and the running image answered; lost again, the CPU takes over', { timeout: SOFTWARE_GPU_PATIENCE }, async (t) => {
  const { context, page, destroy } = await openWithDevices();
  await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'auto', acceptFallbackAdapter: true });
    const changes = /** @type {string[]} */ ([]);
    model.on('backendchange', ({ from, to }) => changes.push(`${from.kind} to ${to.kind}`));
    Object.assign(window, { model, changes });
  }, FRESH);
  for (const expected of ['webgpu', 'wasm']) {
    await t.test(`then ${expected}`, async () => {
      // Begun, but not awaited: the loss comes in the middle.
      await page.evaluate(() => {
        const { model } = /** @type {{ model: import('@medley/web').Model }} */ (/** @type {unknown} */ (window));
        const started = new Promise((resolve) => {
          const answer = model.analyze(new ImageData(64, 64), { onProgress: resolve });
          Object.assign(window, { answer });
        });
        return started.then(() => {});
      });
      await destroy();
      const found = await page.evaluate(async () => {
        const { model, answer } =
          /** @type {{ model: import('@medley/web').Model, answer: Promise<import('@medley/web').Analysis> }} */ (
            /** @type {unknown} */ (window)
          );
        const { report } = await answer;
        return { results: report.results.length, answered: report.backend, kind: model.backend.kind };
      });
      assert.deepEqual(found, { results: 3, answered: expected, kind: expected });
    });
  }
  const changes = await page.evaluate(() => /** @type {{ changes: string[] }} */ (/** @type {unknown} */ (window)).changes);
  assert.deepEqual(changes, ['webgpu to webgpu', 'webgpu to wasm']);
  await context.close();
});

test('an image can be answered on both backends and the answers compared', { timeout: SOFTWARE_GPU_PATIENCE }, async (t) => {
  const { context, page } = await harness.open();
  const found = await page.evaluate(async (url) => {
    const image = { data: Uint8Array.from({ length: 96 * 80 }, (_, i) => (i * 2654435761) >>> 24), width: 96, height: 80 };
    const model = await medley.loadModel(url, { device: 'wasm', acceptFallbackAdapter: true, verify: true });
    const shares = /** @type {number[]} */ ([]);
    const both = await model.analyze(image, { onProgress: ({ fraction }) => shares.push(fraction) });
    const plain = await model.analyze(image, { verify: false });
    model.dispose();
    const careful = await medley.loadModel(url, { device: 'wasm' });
    const alone = await careful.analyze(image, { verify: true });
    careful.dispose();
    return { both: both.verification, plain: plain.verification, alone: alone.verification, shares };
  }, FRESH);
  assert.ok(found.both?.ran === true, JSON.stringify(found.both));
  assert.deepEqual(found.both.backends, ['wasm', 'webgpu']);
  assert.deepEqual(found.both.heads.map(({ measure }) => measure), ['probability', 'pixels', 'score']);
  for (const { task, difference } of found.both.heads) {
    t.diagnostic(`${task}: ${difference.toExponential(1)}`);
    // Other arithmetic may tip a rounding, not an answer: the bounds of the comparison with the command line.
    assert.ok(difference <= 0.02, `${task}: ${difference}`);
  }
  assert.ok(found.shares.every((now, i) => i === 0 || now >= (found.shares[i - 1] ?? 0)));
  assert.equal(found.plain, undefined);
  assert.ok(found.alone?.ran === false && /software/.test(found.alone.reason));
  await context.close();
});
