// The model goes away in the middle of work, and comes back.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { addFiles, row, rowState } from './lib/page.mjs';
import { flat } from './lib/pictures.mjs';
import { DIST, modelReady, openPage, openSite } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

test('a crash is said of the image that it happened on; the others are answered by a new worker', async () => {
  // As a panic in Rust does: the hook is called, then the promise is never heard of again.
  const crash = '$&if($1.width===13){globalThis.medleyPanicked("test panic");return new Promise(()=>{})}';
  for (const name of readdirSync(join(DIST, 'assets')).filter((file) => /^medley_web-.*\.js$/.test(file))) {
    const source = readFileSync(join(DIST, 'assets', name), 'utf8');
    const crashing = source.replace(/\banalyze\((\w+)(?:,\w+)*\)\{/, crash);
    assert.notEqual(crashing, source);
    site.server.overrides.set(`/assets/${name}`, { body: Buffer.from(crashing) });
  }
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, [
    { name: 'good.png', buffer: flat(80) },
    { name: 'bad.png', buffer: flat(80, 13) },
    { name: 'later.png', buffer: flat(120) },
  ]);
  await rowState(page, 'good.png', 'done');
  await rowState(page, 'bad.png', 'failed');
  await rowState(page, 'later.png', 'done');
  await modelReady(page);
  await row(page, 'bad.png').locator('.item-main').click();
  assert.match(await page.locator('#alert').innerText(), /stopped in the middle of its work[^]*test panic/);
  await page.locator('#open-diagnostics').click();
  assert.match(await page.locator('#diagnostics pre').innerText(), /test panic/);
  await context.close();
});
