// The panels over the page, its languages and colours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addFiles, chooseSample, rowState } from './lib/page.mjs';
import { flat } from './lib/pictures.mjs';
import { encodeGrey } from './lib/png.mjs';
import { MODEL_PATH, modelReady, openPage, openSite } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

test('the privacy panel counts every request, the workers’ too, and nothing that was sent', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await chooseSample(page, 'nuclei');
  assert.equal((await page.locator('#open-privacy').innerText()).replace(/\s+/g, ' '), '0 B sent');
  await page.locator('#open-privacy').click();
  const panel = page.locator('#privacy');
  await panel.getByText('What leaves this device: nothing.').waitFor();
  assert.equal(await panel.locator('#bytes-sent').innerText(), '0 B');
  const requests = await panel.locator('#request-count').innerText();
  // The worker's script, its code, its manifest and weights at least; the page came before the count began.
  assert.ok(Number.parseInt(requests, 10) >= 4, requests);
  assert.match(requests, /for this page’s own files/);
  await page.keyboard.press('Escape');
  assert.ok(await panel.isHidden());
  await context.close();
});

test('what would be sent is counted: a body and a query', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await page.evaluate(() => fetch('/nowhere?abc', { method: 'POST', body: new Uint8Array(1000) }).catch(() => {}));
  await page.locator('#sent', { hasText: '1 kB' }).waitFor();
  await context.close();
});

test('the model card has every task with what it measured, and where the data came from', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await page.locator('#open-card').click();
  const card = page.locator('#card');
  const rows = await card.locator('tbody tr').allInnerTexts();
  assert.equal(rows.length, 16);
  assert.match(rows.find((text) => text.startsWith('Lungs')) ?? '', /Dice 0\.9\d\s+145/);
  const table = await card.locator('.table').boundingBox();
  assert.ok((table?.height ?? 0) > 400, `16 rows in ${table?.height} pixels`);
  assert.match(await card.innerText(), /Research use only\. Not for diagnostic use\./);
  assert.match(await card.innerText(), /CC BY 4\.0/);
  await card.getByRole('button', { name: 'Close' }).click();
  assert.ok(await card.isHidden());
  await context.close();
});

test('the diagnostics can be copied and say nothing of the images', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, [{ name: 'patient-name.png', buffer: flat(90) }, { name: 'other.png', buffer: Buffer.from('bad') }]);
  await rowState(page, 'patient-name.png', 'done');
  await rowState(page, 'other.png', 'failed');
  await page.locator('#open-diagnostics').click();
  await page.locator('#copy-diagnostics').click();
  await page.getByText('Diagnostics copied').waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  const report = JSON.parse(text);
  assert.deepEqual(report.page.images, { done: 1, failed: 1 });
  assert.ok(report.browser.userAgent.includes('Chrome'));
  assert.match(text, /"wasm"/);
  assert.doesNotMatch(text, /patient-name/);
  await context.close();
});

test('the page speaks German where the browser does, and changes in the middle of work', async () => {
  const { context, page } = await openPage(site, '/?device=wasm', { locale: 'de-DE' });
  await modelReady(page);
  assert.equal(await page.locator('h1').innerText(), 'Biomedizinische Bilder, auf dem eigenen Gerät gelesen');
  assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  await page.locator('[data-sample="chest-radiograph"]').click();
  await page.locator('[data-task="lungs"]').waitFor();
  assert.match(await page.locator('[data-task="lungs"]').innerText(), /Lungen[^]*Lunge[^]*\d,\d %[^]*Gemessen: Dice 0,9/);
  // English stays the language of the notice that exports carry; here it is read in both.
  assert.match(await page.locator('.foot').innerText(), /Research use only\. Not for diagnostic use\./);

  await page.locator('#language').selectOption('en');
  assert.match(await page.locator('[data-task="lungs"]').innerText(), /Lungs[^]*\d\.\d %[^]*Measured: Dice 0\.9/);
  assert.match(await page.locator('.caption').innerText(), /pixels/);
  await page.reload();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en', 'the choice is kept');
  await context.close();
});

test('no text is left without its German', async () => {
  const { context, page } = await openPage(site, '/?device=wasm', { locale: 'de-DE' });
  await modelReady(page);
  await page.locator('[data-sample="white-blood-cell"]').click();
  await page.locator('#results [data-task]').first().waitFor();
  for (const id of ['privacy', 'card', 'diagnostics', 'keys']) {
    await page.locator(`#open-${id}`).click();
    await page.keyboard.press('Escape');
  }
  const english = await page.evaluate(() => {
    const words = /\b(the|and|of|with|this|image|images|show|choose|window|task|sort)\b/i;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      // What the model and the browser say themselves, and the notice in the words of every export.
      if (element?.closest('pre, script, [lang="en"], .foot strong, #card .notice, #card .bullets, noscript') != null) continue;
      if (words.test(node.textContent ?? '')) found.push(node.textContent?.trim());
    }
    return found;
  });
  assert.deepEqual(english, []);
  await context.close();
});

test('why it runs on what it runs on, and what went wrong, is said in German; a bug report stays English', async () => {
  const { context, page } = await openPage(site, '/', { locale: 'de-DE' });
  await modelReady(page);
  const reason = page.locator('#backend-reason');
  // The only adapter here is SwiftShader, which counts as none.
  assert.match(await reason.innerText(), /^Kein WebGPU: der einzige WebGPU-Adapter ist Software \(.+\) und damit langsamer\.$/);
  assert.equal(await reason.getAttribute('lang'), 'de');
  await page.locator('#language').selectOption('en');
  assert.match(await reason.innerText(), /^no WebGPU: the only WebGPU adapter is software/);
  assert.equal(await reason.getAttribute('lang'), 'en');
  await page.locator('#language').selectOption('de');

  const detail = page.locator('#alert .alert-detail');
  for (const [name, buffer, words] of /** @type {const} */ ([
    ['notes.png', Buffer.from('Dear reader, I am no image.\n'), /^Kein PNG und kein JPEG: .* \(Text\); speichern Sie das Bild als PNG oder JPEG$/],
    ['huge.png', encodeGrey(20_000, 20_000, Buffer.alloc(10)), /^Das Bild hat 20\.000 × 20\.000 Pixel: gelesen werden höchstens 16\.384 je Seite und 67\.108\.864 insgesamt/],
  ])) {
    await addFiles(page, [{ name, buffer }]);
    await rowState(page, name, 'failed');
    await page.locator('#alert .alert-detail', { hasText: words }).waitFor();
    assert.equal(await detail.getAttribute('lang'), 'de');
  }
  await page.locator('#open-diagnostics').click();
  assert.match(await page.locator('#diagnostics pre').innerText(), /the picture is 20000x20000 pixels/);
  await context.close();
});

test('a decoder’s own words inside a German sentence are marked as English; names stay as they are', async () => {
  const { context, page } = await openPage(site, '/?device=wasm', { locale: 'de-DE' });
  await modelReady(page);
  const damaged = encodeGrey(48, 48, Buffer.alloc(48 * 48, 90));
  // In the middle of the pixels: the length of the file is right.
  const at = damaged.indexOf('IDAT') + 8;
  damaged[at] = (damaged[at] ?? 0) ^ 0xff;
  await addFiles(page, [{ name: 'damaged.png', buffer: damaged }]);
  await rowState(page, 'damaged.png', 'failed');
  const detail = page.locator('#alert .alert-detail');
  await detail.getByText('Die PNG-Datei ist beschädigt: ').waitFor();
  assert.equal(await detail.getAttribute('lang'), 'de');
  const words = detail.locator('[lang="en"]');
  assert.equal(await words.count(), 1);
  assert.equal(`Die PNG-Datei ist beschädigt: ${await words.innerText()}`, await detail.innerText());
  await context.close();
});

test('a model that cannot be fetched is told in German, with what the server said', async () => {
  site.server.overrides.set(`${MODEL_PATH}manifest.json`, { status: 404 });
  const { context, page } = await openPage(site, '/?device=wasm', { locale: 'de-DE' });
  await page.locator('#alert .alert-detail').waitFor();
  assert.match(await page.locator('#alert .alert-detail').innerText(), /manifest\.json: der Server antwortete 404.*; prüfen Sie die Adresse$/);
  site.server.overrides.clear();
  await context.close();
});

test('colours follow the system or the reader', async () => {
  const { context, page } = await openPage(site, '/?device=wasm', { colorScheme: 'dark' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await ground();
  assert.notEqual(dark, light);
  // System, then light, then dark.
  await page.locator('#theme').click();
  assert.equal(await ground(), light);
  await page.locator('#theme').click();
  assert.equal(await ground(), dark);
  await page.reload();
  assert.equal(await ground(), dark, 'the choice is kept');
  await context.close();
});
