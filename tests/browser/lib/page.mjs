// What a reader does with the page, in words.
import { readFileSync } from 'node:fs';
import { PATIENCE } from './site.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** Adds files, as the picker does. @param {Page} page @param {{ name: string, buffer: Buffer }[]} files */
export async function addFiles(page, files) {
  const payload = files.map((file) => ({ mimeType: file.name.endsWith('.png') ? 'image/png' : 'image/jpeg', ...file }));
  await page.locator('#picker').setInputFiles(payload);
}

/** The row of an image. @param {Page} page @param {string} name */
export function row(page, name) {
  return page.locator(`.item[data-name="${name}"]`);
}

/** Waits until an image is in a state. @param {Page} page @param {string} name @param {string} state */
export async function rowState(page, name, state) {
  await page.locator(`.item[data-name="${name}"][data-state="${state}"]`).waitFor({ timeout: PATIENCE });
}

/** Names of the images as they are listed. @param {Page} page @returns {Promise<string[]>} */
export async function listed(page) {
  return page.locator('.item').evaluateAll((rows) => rows.map((row) => /** @type {HTMLElement} */ (row).dataset['name'] ?? ''));
}

/** Chooses a sample and waits for its answers. @param {Page} page @param {string} sample */
export async function chooseSample(page, sample) {
  await page.locator(`[data-sample="${sample}"]`).click({ timeout: PATIENCE });
  await page.locator('.caption', { hasText: sample }).waitFor({ timeout: PATIENCE });
  await page.locator('#stage[aria-busy="false"]').waitFor({ timeout: PATIENCE });
  await page.locator('#results [data-task]').first().waitFor({ timeout: PATIENCE });
}

/** The bytes of a sample, saved from the page. @param {Page} page @param {string} sample */
export async function savedSample(page, sample) {
  await chooseSample(page, sample);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Save picture').click()]);
  return readFileSync(await download.path());
}

/** Opens the panel on privacy and waits until the page says that its next visit needs no network. @param {Page} page */
export async function keptForOffline(page) {
  await page.locator('#open-privacy').click();
  await page.locator('#offline-state', { hasText: 'works from now on' }).waitFor({ timeout: PATIENCE });
  await page.keyboard.press('Escape');
}

/** The colour on the screen at a place of the image, after the next frame. @param {Page} page @param {number} x @param {number} y of the canvas, as shares 0..1 */
export async function colourAt(page, x, y) {
  return page.locator('canvas.picture').evaluate(
    async (element, at) => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const canvas = /** @type {HTMLCanvasElement} */ (element);
      const [px, py] = [Math.floor(at.x * canvas.width), Math.floor(at.y * canvas.height)];
      return [...(canvas.getContext('2d')?.getImageData(px, py, 1, 1).data ?? [])].slice(0, 3);
    },
    { x, y },
  );
}

/**
 * Keeps calls of a name from the model until they are let go, so that what waits can be looked at.
 * @param {Page} page @param {string} call @returns {Promise<() => Promise<void>>} what lets them go, and all that come after
 */
export async function holdCalls(page, call) {
  await page.evaluate((call) => {
    const post = Worker.prototype.postMessage;
    const held = /** @type {(() => void)[]} */ ([]);
    const release = () => {
      Worker.prototype.postMessage = post;
      for (const go of held) go();
    };
    Object.assign(window, { release });
    Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ transfer) {
      const go = () => post.call(this, message, transfer);
      if (message.call === call) held.push(go);
      else go();
    };
  }, call);
  return () => page.evaluate(() => /** @type {any} */ (window).release());
}

/** The file that an entry of the export menu gives. @param {Page} page @param {string} entry */
export async function exported(page, entry) {
  await page.locator('#export summary').click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: entry, exact: true }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}
