// The page on which a reader measures the model on their own device.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ISOLATION } from './lib/harness.mjs';
import { openPage, openSite, PATIENCE } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

test('it measures WebAssembly, and its report can be copied', async () => {
  const { context, page, requests, troubles } = await openPage(site, '/bench.html');
  await page.locator('#start-wasm').click();
  await page.locator('[data-backend="wasm"]').waitFor({ timeout: PATIENCE });
  const shown = await page.locator('[data-backend="wasm"] tbody tr').count();
  await page.locator('#copy').click();
  const [{ rows, report }] = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(rows.length, shown);
  /** @param {string} measure */
  const row = (measure) => rows.find((/** @type {{ measure: string }} */ one) => one.measure === measure);
  const encoder = row('encoder');
  assert.equal(encoder.engine, 'medley');
  assert.equal(encoder.backend, 'wasm');
  assert.ok(encoder.low > 0 && encoder.low <= encoder.median && encoder.median <= encoder.high, JSON.stringify(encoder));
  // A pass of the encoder is a part of answering everything.
  assert.ok(row('all tasks').median > encoder.median);
  assert.ok(row('memory').median > 4, 'the weights alone have 4 MB');
  assert.equal(report.backend.kind, 'wasm');
  assert.ok(requests.every(({ method, body }) => method === 'GET' && body === null));
  assert.deepEqual(troubles, []);
  await context.close();
});

test('measuring can be cancelled, and begun anew', async () => {
  const { context, page } = await openPage(site, '/bench.html');
  await page.locator('#start-wasm').click();
  await page.locator('#cancel').click();
  await page.locator('#start-wasm:enabled').waitFor({ timeout: PATIENCE });
  assert.equal(await page.locator('[data-backend]').count(), 0);
  assert.match(await page.locator('#progress').innerText(), /Cancelled/);
  await context.close();
});

test('on a site that isolates its pages the built page computes in several threads', async () => {
  const isolated = await openSite(ISOLATION);
  try {
    const { page, troubles } = await openPage(isolated, '/bench.html');
    await page.locator('#start-wasm').click();
    await page.locator('[data-backend="wasm"]').waitFor({ timeout: PATIENCE });
    await page.locator('#copy').click();
    const [{ rows, report }] = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    const expected = await page.evaluate(() => Math.min(navigator.hardwareConcurrency, 8));
    assert.equal(report.backend.threads, expected);
    assert.ok(rows.every((/** @type {{ threads: number }} */ { threads }) => threads === expected));
    assert.deepEqual(troubles, []);
  } finally {
    await isolated.close();
  }
});
