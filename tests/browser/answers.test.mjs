// The page's answers are the command line's, on both backends.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, test } from 'node:test';
import { predict } from './lib/command-line.mjs';
import { assertSameAnswers } from './lib/compare.mjs';
import { testImages } from './lib/images.mjs';
import { savedSample } from './lib/page.mjs';
import { answers, askOnly, choose, modelReady, openPage, openSite, PATIENCE } from './lib/site.mjs';

/** SwiftShader computes about 0.2 GFLOP/s. */
const SOFTWARE_GPU_PATIENCE = 400_000;

/** @type {import('./lib/site.mjs').Site} */
let site;
/** @type {import('./lib/images.mjs').TestImage[]} */
let images;
before(async () => {
  site = await openSite();
  images = await testImages(drawSample);
});
after(() => site?.close());

/** The bytes of a sample, saved from the page. @param {string} sample */
async function drawSample(sample) {
  const { context, page } = await openPage(site);
  await modelReady(page);
  const bytes = await savedSample(page, sample);
  await context.close();
  return bytes;
}

/**
 * Shows every image to one page and compares.
 * @param {import('node:test').TestContext} t
 * @param {string} path - of the page
 * @param {string} backend
 * @param {number} patience
 * @param {string[]} [tasks] - all if none
 */
async function compareAll(t, path, backend, patience, tasks) {
  const { context, page, troubles } = await openPage(site, path);
  await page.locator('#model[data-state="ready"]').waitFor({ timeout: patience });
  assert.equal(await page.locator('#model').getAttribute('data-backend'), backend);
  if (tasks !== undefined) await askOnly(page, tasks);
  for (const { title, path } of images) {
    await t.test(title, async (t) => {
      const name = basename(path);
      await choose(page, { name, buffer: readFileSync(path) });
      await page.locator('.caption', { hasText: name }).waitFor({ timeout: patience });
      const found = await answers(page, patience);
      // In the page's order, which is the package's.
      const expected = await predict(path, found.results.map(({ task }) => task));
      assert.equal(found.results.length, tasks?.length ?? found.results.length);
      assert.deepEqual([found.backend, found.file], [backend, name]);
      assertSameAnswers(found, expected);
      t.diagnostic(`${Math.round(found.timing_ms.total)} ms, ${Math.round(expected.timing_ms.total)} on the command line`);
    });
  }
  assert.deepEqual(troubles, []);
  await context.close();
}

test('WebAssembly answers every task as the command line does', (t) => compareAll(t, '/?device=wasm', 'wasm', PATIENCE));

test('WebGPU answers as the command line does', (t) => {
  const tasks = images.flatMap((image) => image.tasks);
  return compareAll(t, '/?device=webgpu&software-gpu', 'webgpu', SOFTWARE_GPU_PATIENCE, tasks);
});
