// @medley/web without a bundler, as plain modules.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MODEL_PATH, openPage, openSite } from './lib/site.mjs';

/** @typedef {typeof import('@medley/web')} Medley */
/** @typedef {{ medley: Medley }} Harness */

/** @type {import('./lib/site.mjs').Site} */
let site;
/** @type {Awaited<ReturnType<typeof openPage>>} */
let opened;
before(async () => {
  site = await openSite();
  opened = await openPage(site, '/harness/index.html');
  await opened.page.waitForFunction(() => document.title === 'loaded');
});
after(() => site?.close());

test('progress never falls and ends at 1', async () => {
  const seen = await opened.page.evaluate(async (url) => {
    const { loadModel } = /** @type {Harness} */ (/** @type {unknown} */ (window)).medley;
    const fractions = /** @type {number[]} */ ([]);
    const model = await loadModel(url, { device: 'wasm', onProgress: ({ fraction }) => fractions.push(fraction) });
    model.dispose();
    return fractions;
  }, MODEL_PATH);
  assert.ok(seen.length > 3);
  assert.ok(seen.every((now, i) => i === 0 || now >= (seen[i - 1] ?? 0)));
  assert.equal(seen.at(-1), 1);
});

test('masks have the image’s size and pixels may come from a canvas', async () => {
  const found = await opened.page.evaluate(async (url) => {
    const { loadModel } = /** @type {Harness} */ (/** @type {unknown} */ (window)).medley;
    const model = await loadModel(url, { device: 'wasm' });
    const canvas = new OffscreenCanvas(97, 61);
    canvas.getContext('2d')?.fillRect(10, 10, 30, 30);
    const task = model.tasks.find(({ kind }) => kind === 'segmentation')?.name ?? '';
    const { report, masks, embedding } = await model.analyze(canvas, { tasks: [task] });
    model.dispose();
    const mask = masks[task];
    return {
      size: [mask?.width, mask?.height, mask?.indices.length],
      results: report.results.length,
      notice: report.notice,
      numbers: embedding.length > 0 && embedding.every(Number.isFinite),
    };
  }, MODEL_PATH);
  assert.deepEqual(found.size, [97, 61, 97 * 61]);
  assert.equal(found.results, 1);
  assert.equal(found.notice, 'Research use only. Not for diagnostic use.');
  assert.ok(found.numbers);
});

test('failures are typed', async () => {
  const codes = await opened.page.evaluate(async (url) => {
    const { loadModel } = /** @type {Harness} */ (/** @type {unknown} */ (window)).medley;
    const code = async (/** @type {Promise<unknown>} */ promise) => {
      try {
        await promise;
        return 'none';
      } catch (error) {
        return `${/** @type {Error} */ (error).name}: ${/** @type {{ code?: unknown }} */ (error).code}`;
      }
    };
    const model = await loadModel(url, { device: 'wasm' });
    const image = new ImageData(8, 8);
    const controller = new AbortController();
    const cancelled = code(model.analyze(image, { signal: controller.signal }));
    controller.abort();
    const result = {
      unknownTask: await code(model.analyze(image, { tasks: ['horoscope'] })),
      text: await code(model.analyze(new Blob(['text']))),
      cancelled: await cancelled,
      nowhere: await code(loadModel('/nowhere/', { device: 'wasm' })),
      software: await code(loadModel(url, { device: 'webgpu' })),
      disposed: '',
    };
    model.dispose();
    result.disposed = await code(model.analyze(image));
    return result;
  }, MODEL_PATH);
  assert.deepEqual(codes, {
    unknownTask: 'MedleyError: unknown-task',
    text: 'MedleyError: image',
    cancelled: 'AbortError: 20',
    nowhere: 'MedleyError: network',
    software: 'MedleyError: unsupported',
    disposed: 'MedleyError: disposed',
  });
});

test('a crash of the model’s code rejects with its message, and a new model can be loaded', async () => {
  const glue = '/web/pkg/cpu/medley_web.js';
  const source = await (await fetch(site.server.origin + glue)).text();
  // As a panic in Rust does: the hook is called, then the promise is never heard of again.
  const crashing = source.replace(
    /export class WasmModel \{/,
    'class Unused {}\nexport class WasmModel {\n  analyze() { globalThis.medleyPanicked("test panic"); return new Promise(() => {}); }',
  ).replace(/\n {4}analyze\(image, tasks, cancelled\)/, '\n    unusedAnalyze(image, tasks, cancelled)');
  assert.notEqual(crashing, source);
  site.server.overrides.set(glue, { body: Buffer.from(crashing) });
  const message = await opened.page.evaluate(async (url) => {
    const { loadModel } = /** @type {Harness} */ (/** @type {unknown} */ (window)).medley;
    const model = await loadModel(url, { device: 'wasm' });
    try {
      await model.analyze(new ImageData(8, 8));
      return 'no failure';
    } catch (error) {
      const { code, message } = /** @type {{ code: string, message: string }} */ (error);
      return `${code}: ${message}; usable: ${model.usable}`;
    }
  }, MODEL_PATH);
  assert.match(message, /^crashed: .*test panic.*; usable: false$/);
  site.server.overrides.delete(glue);
  const tasks = await opened.page.evaluate(async (url) => {
    const { loadModel } = /** @type {Harness} */ (/** @type {unknown} */ (window)).medley;
    const model = await loadModel(url, { device: 'wasm' });
    const { report } = await model.analyze(new ImageData(8, 8));
    model.dispose();
    return report.results.length;
  }, MODEL_PATH);
  assert.ok(tasks > 0);
});

/** A build of the wasm crate that goes wrong in its own way. @param {string} body - of its class */
const brokenBuild = (body) => ({
  body: Buffer.from(`export default async function () {}\nexport class WasmModel { ${body} free() {} }`),
});

const EMPTY_MODULE = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

test('a GPU that does not pass is stepped over, and the reason is kept', async (t) => {
  const { overrides } = site.server;
  overrides.set('/web/pkg/webgpu/medley_web_bg.wasm', { body: EMPTY_MODULE });
  t.after(() => overrides.clear());
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
      overrides.set('/web/pkg/webgpu/medley_web.js', override);
      const { context, page } = await openPage(site, '/harness/index.html');
      await page.waitForFunction(() => document.title === 'loaded');
      const backend = await page.evaluate(async (url) => {
        const { loadModel } = /** @type {Harness} */ (/** @type {unknown} */ (window)).medley;
        const model = await loadModel(url, { device: 'auto', acceptFallbackAdapter: true });
        await model.analyze(new ImageData(8, 8), { tasks: model.tasks.slice(0, 1).map(({ name }) => name) });
        return model.backend;
      }, MODEL_PATH);
      assert.equal(backend.kind, 'wasm');
      assert.match(backend.reason, words);
      await context.close();
    });
  }
});
