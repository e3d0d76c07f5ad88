// The page as a visitor meets it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MODEL_PATH, modelReady, openPage, openSite, PATIENCE } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

test('a visit keeps to the policy and sends nothing: every request is a GET of one of the page’s own files', async () => {
  const { context, page, requests, troubles } = await openPage(site);
  await modelReady(page);
  await page.locator('[data-sample="chest-radiograph"]').click({ timeout: PATIENCE });
  await page.locator('#results [data-task]').first().waitFor({ timeout: PATIENCE });

  assert.deepEqual(troubles, []);
  for (const { method, url, body } of requests) {
    const own = url.startsWith(`${site.server.origin}/`) || /^(blob|data):/.test(url);
    assert.ok(method === 'GET' && own && body === null, `${method} ${url}`);
    // The only query is the visitor's own, in the address of the page.
    if (own && !/^(blob|data):/.test(url)) assert.ok(['', '?device=wasm'].includes(new URL(url).search), url);
  }
  // The list would be worth nothing if it missed what the worker fetches.
  const paths = requests.map(({ url }) => new URL(url).pathname);
  for (const name of [/model\.safetensors$/, /medley_web_bg.*\.wasm$/, /manifest\.json$/, /service-worker\.js$/]) {
    assert.ok(paths.some((path) => name.test(path)), `no request of ${name} was listened to`);
  }
  for (const { method, length } of site.server.seen) assert.deepEqual([method, length], ['GET', 0]);
  await context.close();
});

test('the policy blocks evaluated code, foreign hosts and workers that are no files', async () => {
  const { context, page } = await openPage(site);
  const blocked = await page.evaluate(async () => {
    const seen = /** @type {string[]} */ ([]);
    document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));
    await fetch('https://example.invalid/').catch(() => {});
    const script = document.createElement('script');
    script.textContent = 'window.injected = true';
    document.head.append(script);
    const image = new Image();
    image.src = 'https://example.invalid/pixel.png';
    const style = document.createElement('style');
    style.textContent = 'body { display: none }';
    document.head.append(style);
    let evaluated = false;
    // In a turn of its own: what the debugger runs itself is above the policy.
    setTimeout(() => {
      evaluated = (0, eval)('true');
    });
    try {
      new Worker(URL.createObjectURL(new Blob([''], { type: 'text/javascript' })));
    } catch {
      // Some browsers throw, others only report.
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { seen: [...new Set(seen)].sort(), injected: 'injected' in window, evaluated };
  });
  assert.deepEqual(blocked, {
    seen: ['connect-src', 'img-src', 'script-src', 'script-src-elem', 'style-src-elem', 'worker-src'],
    injected: false,
    evaluated: false,
  });
  await context.close();
});

test('the page says that it is for research only, and what the model runs on and why', async () => {
  const { context, page } = await openPage(site, '/');
  await modelReady(page);
  assert.match(await page.locator('#notice').innerText(), /Research use only\. Not for diagnostic use\./);
  assert.ok(await page.locator('#notice').isVisible());
  // The only adapter here is SwiftShader, which counts as none.
  assert.match(await page.locator('#model .state').innerText(), /WebAssembly/);
  assert.match(await page.locator('#backend-reason').innerText(), /WebGPU adapter is software/);
  await context.close();
});

test('a second visit takes the weights from the cache', async () => {
  const { context, page, requests } = await openPage(site);
  await modelReady(page);
  requests.length = 0;
  await page.reload();
  await modelReady(page);
  assert.ok(requests.some(({ url }) => url.endsWith('manifest.json')));
  assert.ok(!requests.some(({ url }) => url.endsWith('model.safetensors')));
  await context.close();
});

test('loading can be cancelled and begun again', async () => {
  // Otherwise it may be done before the button is pressed.
  site.server.overrides.set(`${MODEL_PATH}model.safetensors`, { stallAfter: 1000, times: 1 });
  const { context, page } = await openPage(site);
  await page.locator('#cancel-loading').click();
  await page.locator('#model[data-state="missing"]').waitFor();
  await page.locator('#load').click();
  await modelReady(page);
  await context.close();
});

test('the whole way works with the keyboard alone', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  const sample = page.locator('[data-sample="nuclei"]');
  await page.locator('[data-sample="nuclei"]:enabled').waitFor({ timeout: PATIENCE });
  await sample.focus();
  await page.keyboard.press('Enter');
  await page.locator('[data-task="nuclei"]').waitFor({ timeout: PATIENCE });
  const show = page.locator('[data-task="nuclei"] .switch input');
  assert.ok(await show.isChecked());
  await show.focus();
  await page.keyboard.press('Space');
  assert.ok(!(await show.isChecked()));
  await page.locator('input[name="kind"][value="microscopy"]').focus();
  await page.keyboard.press('ArrowLeft');
  assert.ok(await page.locator('[data-task="nuclei"]').isHidden());
  await context.close();
});

test('nothing is wider than a phone', async () => {
  const { context, page } = await openPage(site, '/?device=wasm', { viewport: { width: 360, height: 740 } });
  await modelReady(page);
  await page.locator('[data-sample="blood-smear"]').click({ timeout: PATIENCE });
  await page.locator('#results [data-task]').first().waitFor({ timeout: PATIENCE });
  await page.getByText('As JSON').click();
  const { scroll, client } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    client: document.documentElement.clientWidth,
  }));
  assert.ok(scroll <= client, `${scroll} > ${client}`);
  await context.close();
});
