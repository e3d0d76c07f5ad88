// The second visit needs no network, and the first one is not changed by what makes that so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseSample, keptForOffline } from './lib/page.mjs';
import { modelReady, openPage, openSite } from './lib/site.mjs';

test('once it was there, the page works with its server gone', async () => {
  const site = await openSite();
  try {
    const { context, page, troubles } = await openPage(site);
    await modelReady(page);
    await keptForOffline(page);
    await site.server.close();
    await page.reload();
    await modelReady(page);
    await chooseSample(page, 'chest-radiograph');
    assert.match(await page.locator('[data-task="lungs"]').innerText(), /\d\.\d %/);
    assert.deepEqual(troubles, []);
    await context.close();
  } finally {
    await site.browser.close();
  }
});

test('what is kept can be deleted', async () => {
  const site = await openSite();
  try {
    const { context, page } = await openPage(site);
    await modelReady(page);
    await page.locator('#open-privacy').click();
    await page.locator('#offline-state', { hasText: 'works from now on' }).waitFor();
    await page.getByRole('button', { name: 'Delete what is kept' }).click();
    await page.getByText('Deleted', { exact: true }).waitFor();
    const kept = await page.evaluate(async () => {
      const stores = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
      return (await Promise.all(stores.map((cache) => cache.keys()))).flat().map(({ url }) => url);
    });
    assert.deepEqual(kept, []);
    await context.close();
  } finally {
    await site.close();
  }
});

test('without service workers the page works and claims no count', async () => {
  const site = await openSite();
  try {
    const { context, page } = await openPage(site, '/?device=wasm', { serviceWorkers: 'block' });
    await modelReady(page);
    assert.doesNotMatch(await page.locator('#open-privacy').innerText(), /0 B/);
    await chooseSample(page, 'nuclei');
    await context.close();
  } finally {
    await site.close();
  }
});
