// What is wrong is said, and nothing is half there afterwards.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { predictFails } from './lib/command-line.mjs';
import { encodeGrey } from './lib/png.mjs';
import { answers, choose, errorText, MODEL_FOLDER, MODEL_PATH, modelReady, openPage, openSite } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const good = () => encodeGrey(64, 48, Buffer.alloc(64 * 48, 90));

/** A JPEG that a browser has made. @param {import('playwright-core').Page} page */
async function jpeg(page) {
  const bytes = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(128, 96);
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('no canvas');
    for (let x = 0; x < 128; x += 8) {
      context.fillStyle = `rgb(${x} ${2 * x} 90)`;
      context.fillRect(x, 0, 8, 96);
    }
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer())];
  });
  return Buffer.from(bytes);
}

test('a bad image is refused in words, and the next good one is answered', async (t) => {
  const { context, page, troubles } = await openPage(site);
  await modelReady(page);
  const whole = await jpeg(page);
  /** @type {[string, { name: string, buffer: Buffer }, RegExp][]} */
  const cases = [
    ['a text named .png', { name: 'notes.png', buffer: Buffer.from('Dear reader, I am no image.\n') }, /PNG or JPEG/],
    ['a JPEG cut short', { name: 'cut.jpg', buffer: whole.subarray(0, whole.length / 2) }, /cut off|damaged/],
    ['a PNG cut short', { name: 'cut.png', buffer: good().subarray(0, 40) }, /cut off|damaged/],
    ['an empty file', { name: 'empty.png', buffer: Buffer.alloc(0) }, /PNG or JPEG/],
    ['a header of 20000 × 20000 pixels', { name: 'huge.png', buffer: encodeGrey(20_000, 20_000, Buffer.alloc(10)) }, /20000x20000/],
  ];
  for (const [title, file, words] of cases) {
    await t.test(title, async () => {
      await choose(page, file);
      const text = await errorText(page);
      assert.match(text, /This image cannot be read/);
      assert.match(text, words);
      assert.equal(await page.locator('#results [data-task]').count(), 0);
      assert.ok(await page.locator('.dropzone').isVisible());
      await page.getByRole('button', { name: 'Close' }).click();
    });
  }
  await choose(page, { name: 'good.jpg', buffer: whole });
  const report = await answers(page);
  assert.ok(report.results.length > 0);
  assert.deepEqual(troubles, []);
  await context.close();
});

test('an image of one pixel gets what the command line gives it', async () => {
  const pixel = encodeGrey(1, 1, Buffer.from([80]));
  const path = join(mkdtempSync(join(tmpdir(), 'medley-pixel-')), 'pixel.png');
  writeFileSync(path, pixel);
  const { code } = await predictFails(path);
  const { context, page, troubles } = await openPage(site);
  await modelReady(page);
  await choose(page, { name: 'pixel.png', buffer: pixel });
  if (code === 0) assert.ok((await answers(page)).results.length > 0);
  else assert.match(await errorText(page), /This image cannot be read/);
  assert.deepEqual(troubles, []);
  await context.close();
});

test('bad files of a model are refused in words, and a good copy is loaded afterwards', async (t) => {
  const path = `${MODEL_PATH}model.safetensors`;
  const weights = readFileSync(join(MODEL_FOLDER, 'model.safetensors'));
  const manifest = JSON.parse(readFileSync(join(MODEL_FOLDER, 'manifest.json'), 'utf8'));
  const flipped = Buffer.from(weights);
  const middle = Math.floor(flipped.length / 2);
  flipped.writeUInt8(flipped.readUInt8(middle) ^ 0x10, middle);
  const wrongDigest = structuredClone(manifest);
  wrongDigest.shards[0].sha256 = '0'.repeat(64);
  const wrongWhole = structuredClone(manifest);
  wrongWhole.sha256 = '0'.repeat(64);
  const json = (/** @type {unknown} */ value) => Buffer.from(JSON.stringify(value));
  /** @type {[string, string, import('./lib/server.mjs').Override, RegExp][]} */
  const cases = [
    ['weights cut short', path, { body: weights.subarray(0, weights.length - 1000) }, /damaged[^]*expected \d+ bytes, found \d+/],
    ['a connection that always ends at once', path, { body: weights, cutAfter: 0 }, /could not be fetched[^]*attempts/],
    ['one byte flipped', path, { body: flipped }, /damaged[^]*SHA-256/],
    ['a wrong digest of a shard', `${MODEL_PATH}manifest.json`, { body: json(wrongDigest) }, /damaged[^]*SHA-256/],
    ['a wrong digest of the whole', `${MODEL_PATH}manifest.json`, { body: json(wrongWhole) }, /damaged[^]*SHA-256/],
    ['weights that are not there', path, { status: 404 }, /could not be fetched[^]*404/],
    ['a page in place of the manifest', `${MODEL_PATH}manifest.json`, { body: Buffer.from('<!doctype html>') }, /damaged[^]*manifest/],
  ];
  for (const [title, where, override, words] of cases) {
    await t.test(title, async () => {
      site.server.overrides.set(where, override);
      const { context, page, troubles } = await openPage(site);
      assert.match(await errorText(page), words);
      await page.locator('#model[data-state="missing"]').waitFor();
      site.server.overrides.delete(where);
      await page.locator('#load').click();
      await modelReady(page);
      assert.deepEqual(troubles, []);
      await context.close();
    });
  }
});
