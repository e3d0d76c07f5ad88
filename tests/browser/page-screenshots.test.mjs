// Pictures of the page for people to look at, in screenshots/ where cargo builds: small, usual and large, light and dark.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chooseSample } from './lib/page.mjs';
import { ROOT } from './lib/server.mjs';
import { modelReady, openPage, openSite, PATIENCE } from './lib/site.mjs';

const TARGET = process.env['CARGO_TARGET_DIR'] ?? join(ROOT, 'target');
const FOLDER = process.env['MEDLEY_SCREENSHOTS'] ?? join(TARGET, 'screenshots');

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  mkdirSync(FOLDER, { recursive: true });
  site = await openSite();
});
after(() => site?.close());

/** Paints down the middle of the chest sample, of 448 × 352 pixels, at a share of its width. @param {import('playwright-core').Page} page @param {number} share */
async function stroke(page, share) {
  const canvas = page.locator('canvas.picture');
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  const scale = Math.min(box.width / 448, box.height / 352);
  const [x, y] = [box.x + box.width / 2 + (share - 0.5) * 448 * scale, box.y + box.height / 2];
  await page.mouse.move(x, y - 35 * scale);
  await page.mouse.down();
  await page.mouse.move(x, y + 35 * scale, { steps: 4 });
  await page.mouse.up();
}

for (const [width, height] of /** @type {const} */ ([[360, 740], [1280, 860], [2560, 1440]])) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`${width} pixels wide, ${colorScheme}`, async () => {
      const { context, page } = await openPage(site, '/?device=wasm', { viewport: { width, height }, colorScheme });
      const shoot = (/** @type {string} */ name) =>
        page.screenshot({ path: join(FOLDER, `${name}-${width}-${colorScheme}.png`), fullPage: width < 1180 });
      await modelReady(page);
      await page.locator('.sample:disabled').first().waitFor({ state: 'detached', timeout: PATIENCE });
      await shoot('start');
      for (const sample of ['nuclei', 'brain-mri', 'chest-radiograph']) await chooseSample(page, sample);
      await page.locator('.mark').first().selectOption('finding');
      await page.locator('#sort-by').selectOption({ index: 3 });
      await page.locator('.aside').evaluate((element) => element.scrollTo(0, 0));
      await shoot('list');
      await page.locator('#open-privacy').click();
      await shoot('privacy');
      await page.keyboard.press('Escape');
      await page.getByRole('tab', { name: 'Teach it' }).click();
      await page.getByText('Pixels', { exact: true }).click();
      await page.locator('#head-name').fill('lungs by hand');
      await page.getByLabel('Class 2').fill('lung');
      await page.locator('#teach-begin').click();
      // The sample's lungs lie left and right of its middle.
      for (const [name, x] of /** @type {const} */ ([['lung', 0.32], ['lung', 0.68], ['background', 0.5], ['background', 0.06], ['background', 0.94]])) {
        await page.locator('.brush-class', { hasText: name }).click();
        await stroke(page, x);
      }
      await page.locator('[data-taught]').waitFor({ timeout: PATIENCE });
      await page.locator('#teach-state', { hasText: '5 strokes' }).waitFor({ timeout: PATIENCE });
      await shoot('brush');
      await page.locator('#teach-ask-all').click();
      await page.waitForFunction(() => document.querySelectorAll('.item[data-asked=""]').length === 3, null, { timeout: PATIENCE });
      await page.locator('#sort-by').selectOption('lungs by hand/lung');
      await page.locator('.aside').evaluate((element) => element.scrollTo(0, 0));
      await shoot('asked');
      // A picture of nothing would be no artefact: the image on the stage is of many greys.
      const greys = await page.locator('canvas.picture').evaluate((element) => {
        const canvas = /** @type {HTMLCanvasElement} */ (element);
        const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
        const values = new Set();
        for (let i = 0; i < data.length; i += 4) values.add(data[i]);
        return values.size;
      });
      assert.ok(greys > 60, `${greys} values`);
      await context.close();
    });
  }
}
