import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './chromium.mjs';
import { POLICY, ROOT, serve } from './server.mjs';

/** The built page; `MEDLEY_DIST` names another copy of it. */
export const DIST = process.env['MEDLEY_DIST'] ?? join(ROOT, 'www/dist');
/** Where the page's model lies below it. */
export const MODEL_PATH = '/models/medley-nano/';
export const MODEL_FOLDER = join(DIST, MODEL_PATH);

/** The page's own work: a second at most for loading and for one image; the machine may be busy. */
export const PATIENCE = 120_000;

/** A browser and a server with the built page, for one test file. @param {Record<string, string>} [headers] - of every answer */
export async function openSite(headers = {}) {
  for (const [what, where] of /** @type {const} */ ([
    ['the built page', join(DIST, 'index.html')],
    ['the model', join(MODEL_FOLDER, 'manifest.json')],
  ])) {
    assert.ok(existsSync(where), `${what} is not at ${where}: run cargo xtask demo --build-only`);
  }
  const mounts = { '/': DIST, '/web/': join(ROOT, 'web'), '/harness/': join(ROOT, 'tests/browser/harness') };
  const server = await serve(mounts, POLICY, headers);
  const browser = await launch();
  return {
    server,
    browser,
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openSite>>} Site */

/**
 * A page in a profile of its own, with everything written down that must not happen.
 * @param {Site} site
 * @param {string} [path]
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function openPage(site, path = '/?device=wasm', options = {}) {
  const context = await site.browser.newContext({
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  /** @type {{ method: string, url: string, body: string | null }[]} */
  const requests = [];
  /** @type {string[]} */
  const troubles = [];
  context.on('request', (request) => {
    requests.push({ method: request.method(), url: request.url(), body: request.postData() });
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => troubles.push(`uncaught: ${error.message}`));
  // Violations in workers are told to the console alone.
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) troubles.push(message.text());
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(site.server.origin + path);
  return { context, page, requests, troubles };
}

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page */
export async function modelReady(page) {
  await page.locator('#model[data-state="ready"]').waitFor({ timeout: PATIENCE });
}

/** Chooses a file as a reader would. @param {Page} page @param {{ name: string, buffer: Buffer }} file */
export async function choose(page, file) {
  const mimeType = file.name.endsWith('.png') ? 'image/png' : 'image/jpeg';
  await page.locator('#picker').setInputFiles({ mimeType, ...file });
}

/** Waits for the answers and reads the JSON that the page gives to take along. @param {Page} page */
export async function answers(page, timeout = PATIENCE) {
  await page.locator('#results [data-task]').first().waitFor({ timeout });
  await page.locator('#stage[aria-busy="false"]').waitFor({ timeout });
  await page.getByText('As JSON').click();
  await page.getByRole('button', { name: 'Copy JSON' }).click();
  await page.getByText('Copied.').waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  return /** @type {import('@medley/web').Report} */ (JSON.parse(text));
}

/** Leaves only the named tasks to be asked. @param {Page} page @param {string[]} tasks */
export async function askOnly(page, tasks) {
  await page.getByText(/^Tasks to ask/).click();
  await page.getByRole('button', { name: 'None' }).click();
  for (const task of tasks) await page.locator(`.task input[value="${task}"]`).check();
}

/** The text of the page's error message. @param {Page} page */
export async function errorText(page) {
  await page.locator('#alert .alert').waitFor({ timeout: PATIENCE });
  return page.locator('#alert').innerText();
}
