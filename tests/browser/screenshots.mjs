// Pictures of the page for people to look at: node screenshots.mjs [FOLDER]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './lib/chromium.mjs';
import { ROOT, serve } from './lib/server.mjs';
import { DIST } from './lib/site.mjs';

const folder = process.argv[2] ?? join(ROOT, 'target', 'screenshots');
mkdirSync(folder, { recursive: true });
const server = await serve({ '/': DIST });
const browser = await launch();
try {
  for (const [width, height] of /** @type {const} */ ([[1280, 900], [360, 760], [2560, 1440]])) {
    for (const scheme of /** @type {const} */ (['light', 'dark'])) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
      await page.goto(`${server.origin}/?device=wasm`);
      await page.locator('#model[data-state="ready"]').waitFor({ timeout: 60_000 });
      const shoot = (/** @type {string} */ name) =>
        page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true });
      await page.locator('.sample:disabled').first().waitFor({ state: 'detached', timeout: 60_000 });
      if (scheme === 'light' || width === 1280) await shoot('start');
      for (const sample of ['chest-radiograph', 'blood-smear']) {
        await page.locator(`[data-sample="${sample}"]`).click();
        await page.locator('.caption', { hasText: sample }).waitFor({ timeout: 60_000 });
        await page.locator('[data-task]').first().waitFor({ timeout: 60_000 });
        await page.locator('#stage[aria-busy="false"]').waitFor({ timeout: 60_000 });
        await shoot(sample);
      }
      await page.close();
    }
  }
} finally {
  await browser.close();
  await server.close();
}
console.log(folder);
