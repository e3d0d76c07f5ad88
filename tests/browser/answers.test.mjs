// The page's answers are the command line's, on both backends.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, test } from 'node:test';
import { predict } from './lib/command-line.mjs';
import { assertSameAnswers } from './lib/compare.mjs';
import { testImages } from './lib/images.mjs';
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
  await page.locator(`[data-sample="${sample}"]`).click({ timeout: PATIENCE });
  await page.locator('#results [data-task]').first().waitFor({ timeout: PATIENCE });
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Save picture').click()]);
  const bytes = readFileSync(await download.path());
  await context.close();
  return bytes;
}

test('WebAssembly answers every task as the command line does', async (t) => {
  const { context, page, troubles } = await openPage(site);
  await modelReady(page);
  for (const { title, path } of images) {
    await t.test(title, async () => {
      await choose(page, { name: basename(path), buffer: readFileSync(path) });
      await page.locator('.caption', { hasText: basename(path) }).waitFor({ timeout: PATIENCE });
      const [found, expected] = [await answers(page), await predict(path)];
      assert.equal(found.backend, 'wasm');
      assert.equal(found.file, basename(path));
      assertSameAnswers(found, expected);
    });
  }
  assert.deepEqual(troubles, []);
  await context.close();
});

test('WebGPU answers as the command line does', async () => {
  const [image] = images;
  assert.ok(image);
  const { context, page, troubles } = await openPage(site, '/?device=webgpu&software-gpu');
  await page.locator('#model[data-state="ready"]').waitFor({ timeout: SOFTWARE_GPU_PATIENCE });
  assert.equal(await page.locator('#model').getAttribute('data-backend'), 'webgpu');
  await askOnly(page, image.tasks);
  await choose(page, { name: basename(image.path), buffer: readFileSync(image.path) });
  const [found, expected] = [await answers(page, SOFTWARE_GPU_PATIENCE), await predict(image.path, image.tasks)];
  assert.equal(found.backend, 'webgpu');
  assertSameAnswers(found, expected);
  assert.deepEqual(troubles, []);
  await context.close();
});
