// Large images, one after the other: what is done with them is let go of.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addFiles, row, rowState } from './lib/page.mjs';
import { flat } from './lib/pictures.mjs';
import { modelReady, openPage, openSite } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const SIDE = 4000;
/** The pictures of two images as they are kept for going back to, 2048² RGBA three times over each. */
const TOLERANCE = 2 * 3 * 4 * 2048 * 2048;

test('ten images of 4000 × 4000 pixels leave no more behind than four do', async (t) => {
  const { context, page, troubles } = await openPage(site);
  await modelReady(page);
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  const used = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize = 0, embedderHeapUsedSize = 0 } = /** @type {any} */ (await session.send('Runtime.getHeapUsage'));
    return usedSize + backingStorageSize + embedderHeapUsedSize;
  };
  let level = 0;
  for (let i = 0; i < 10; i++) {
    const name = `large-${i}.png`;
    await addFiles(page, [{ name, buffer: flat(20 * i + 20, SIDE) }]);
    await rowState(page, name, 'done');
    // As many pictures are kept as there will ever be.
    if (i === 3) level = await used();
  }
  const end = await used();
  t.diagnostic(`${(level / 1e6).toFixed(0)} MB after four images, ${(end / 1e6).toFixed(0)} MB after ten`);
  assert.ok(end < level + TOLERANCE, `${level} → ${end} bytes`);
  // The first one, whose picture was let go of, is decoded again when it is asked for.
  await row(page, 'large-0.png').locator('.item-main').click();
  await page.locator('.caption', { hasText: 'large-0.png' }).waitFor();
  assert.match(await page.locator('.caption').innerText(), /4000 × 4000/);
  assert.deepEqual(troubles, []);
  await context.close();
});
