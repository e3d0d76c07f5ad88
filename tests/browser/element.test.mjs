// <medley-viewer>, and the page that has it in a frame.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FRESH, openHarness } from './lib/harness.mjs';
import { encodeGrey } from './lib/png.mjs';
import { ROOT } from './lib/server.mjs';

/** @typedef {{ name: string, code?: string, tasks?: string[] }} Told */

/** @type {import('./lib/harness.mjs').Harness} */
let harness;
before(async () => {
  harness = await openHarness();
});
after(() => harness?.close());

const FILE = {
  name: 'cells.png',
  mimeType: 'image/png',
  buffer: encodeGrey(96, 64, Buffer.from(Array.from({ length: 96 * 64 }, (_, i) => (i * 37) % 256))),
};

async function openElement() {
  const opened = await harness.open('/harness/element.html');
  const viewer = opened.page.locator('medley-viewer');
  const told = () => opened.page.evaluate(() => /** @type {{ told: Told[] }} */ (/** @type {unknown} */ (window)).told);
  await viewer.getByRole('status').getByText('The model is ready').waitFor({ timeout: 60_000 });
  return { ...opened, viewer, told };
}

test('an image that is chosen is answered, drawn over and told of', async () => {
  const { context, page, viewer, told, troubles } = await openElement();
  assert.ok(await viewer.getByText('Research use only. Not for diagnostic use.').isVisible());
  await viewer.locator('input[type=file]').setInputFiles(FILE);
  await viewer.getByRole('list', { name: 'Answers' }).waitFor();
  assert.equal(await viewer.getByRole('listitem').count(), 3);
  const events = await told();
  const names = events.map(({ name }) => name);
  assert.ok(names.indexOf('progress') < names.indexOf('ready') && names.indexOf('ready') < names.indexOf('result'));
  assert.ok(!names.includes('error'));
  const pixels = () =>
    page.evaluate(() => {
      const canvas = document.querySelector('medley-viewer')?.shadowRoot?.querySelector('canvas');
      return [canvas?.width, canvas?.height, canvas?.toDataURL()];
    });
  const shown = await pixels();
  assert.deepEqual(shown.slice(0, 2), [96, 64]);
  const answers = await page.evaluate(() => {
    const viewer = /** @type {import('@medley/web/element').MedleyViewer} */ (document.querySelector('medley-viewer'));
    return viewer.analysis?.report.results.map(({ task, kind }) => ({ task, kind }));
  });
  // What is not drawn any more changes the picture, where there was something to draw.
  for (const { kind } of answers ?? []) if (kind !== 'classification') await viewer.getByRole('checkbox').nth(kind === 'segmentation' ? 0 : 1).uncheck();
  const plain = await pixels();
  const bare = await page.evaluate(async () => {
    const viewer = /** @type {import('@medley/web/element').MedleyViewer} */ (document.querySelector('medley-viewer'));
    const { masks, report } = /** @type {import('@medley/web').Analysis} */ (viewer.analysis);
    const drawn = Object.values(masks).some(({ indices }) => indices.some((index) => index > 0));
    return drawn || report.results.some((result) => result.kind === 'detection' && result.boxes.length > 0);
  });
  assert.equal(plain[2] !== shown[2], bare);
  assert.deepEqual(troubles, []);
  await context.close();
});

test('attributes are properties: tasks are asked anew, another src loads another model', async () => {
  const { context, page, viewer, told } = await openElement();
  await viewer.locator('input[type=file]').setInputFiles(FILE);
  await viewer.getByRole('list', { name: 'Answers' }).waitFor();
  const task = await page.evaluate(() => {
    const viewer = /** @type {import('@medley/web/element').MedleyViewer} */ (document.querySelector('medley-viewer'));
    const name = viewer.model?.tasks[1]?.name ?? '';
    viewer.tasks = [name];
    return name;
  });
  await page.waitForFunction(() => /** @type {any} */ (window).told.filter((/** @type {Told} */ { name }) => name === 'result').length === 2);
  assert.equal(await viewer.getByRole('listitem').count(), 1);
  assert.deepEqual((await told()).at(-1)?.tasks, [task]);
  await viewer.evaluate((element) => element.setAttribute('src', '/models/nowhere/'));
  await viewer.getByRole('alert').getByText('404').waitFor();
  const last = (await told()).at(-1);
  assert.deepEqual([last?.name, last?.code], ['error', 'network']);
  await context.close();
});

test('a file that is no image is said to be none, and the next one is answered', async () => {
  const { context, viewer, told } = await openElement();
  await viewer.locator('input[type=file]').setInputFiles({ ...FILE, buffer: Buffer.from('Dear reader') });
  await viewer.getByRole('alert').getByText('PNG or JPEG').waitFor();
  assert.equal((await told()).at(-1)?.code, 'image');
  await viewer.locator('input[type=file]').setInputFiles(FILE);
  await viewer.getByRole('list', { name: 'Answers' }).waitFor();
  assert.ok(await viewer.getByRole('alert').isHidden());
  await context.close();
});

test('a page in another language gives the element its words, those for errors and for the model’s names too', async () => {
  const { context, page } = await openElement();
  const tasks = await page.evaluate(async () => {
    await customElements.whenDefined('medley-viewer');
    document.querySelector('medley-viewer')?.remove();
    const viewer = document.createElement('medley-viewer');
    viewer.id = 'german';
    viewer.messages = {
      ready: 'Das Modell ist bereit',
      results: 'Antworten',
      failure: 'Das ging nicht',
      explain: ({ code, detail }) => `${code}: kein Bild (${detail?.code})`,
      nameOf: (name) => `<${name}>`,
    };
    viewer.device = 'wasm';
    viewer.src = '/models/fresh/';
    document.body.append(viewer);
    return new Promise((resolve) => {
      viewer.addEventListener('ready', () => resolve(viewer.model?.tasks.map(({ name }) => name)), { once: true });
    });
  });
  const viewer = page.locator('#german');
  await viewer.locator('input[type=file]').setInputFiles({ ...FILE, buffer: Buffer.from('Dear reader') });
  await viewer.getByRole('alert').getByText('Das ging nicht').waitFor();
  assert.match(await viewer.getByRole('alert').innerText(), /image: kein Bild \(image-format\)/);
  await viewer.locator('input[type=file]').setInputFiles(FILE);
  await viewer.getByRole('list', { name: 'Antworten' }).waitFor();
  assert.deepEqual(await viewer.locator('.task').allInnerTexts(), tasks.map((/** @type {string} */ name) => `<${name}>`));
  await context.close();
});

test('the keyboard reaches everything, and Escape cancels', async () => {
  const { context, page, viewer, told } = await openElement();
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press('Tab');
  assert.equal(await viewer.evaluate((element) => element.shadowRoot?.activeElement?.textContent), 'Choose an image');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(FILE);
  await viewer.getByRole('list', { name: 'Answers' }).waitFor();
  await page.evaluate(() => {
    const viewer = /** @type {import('@medley/web/element').MedleyViewer} */ (document.querySelector('medley-viewer'));
    void viewer.show(/** @type {any} */ ({ data: new Uint8Array(4000 * 4000), width: 4000, height: 4000 }));
    viewer.focus();
  });
  await page.keyboard.press('Escape');
  await viewer.getByRole('status').getByText('Cancelled').waitFor();
  assert.ok(!(await told()).some(({ name }) => name === 'error'));
  await context.close();
});

test('taken out of the page it ends its worker; moved within the page it keeps it', async () => {
  const { context, page, viewer } = await openElement();
  assert.equal(page.workers().length, 1);
  await viewer.evaluate((element) => document.querySelector('h1')?.before(element));
  await page.waitForTimeout(100);
  assert.equal(page.workers().length, 1);
  await viewer.evaluate((element) => element.remove());
  await page.waitForTimeout(200);
  assert.equal(page.workers().length, 0);
  await context.close();
});

/** The frame's page with this list of origins in it. @param {string} origins */
function allow(origins) {
  const source = readFileSync(join(ROOT, 'web/embed/embed.html'), 'utf8');
  const changed = source.replace('name="medley-allowed-origins" content=""', `name="medley-allowed-origins" content="${origins}"`);
  harness.server.overrides.set('/web/embed/embed.html', { body: Buffer.from(changed) });
}

/** A page of another origin (another port is one) with the frame in it. */
async function openFrame() {
  const frame = `${harness.server.origin}/web/embed/embed.html?src=${FRESH}&device=wasm`;
  const opened = await harness.open(`/harness/frame.html?frame=${encodeURIComponent(frame)}`, { on: 'portal' });
  await opened.page.waitForFunction(() => document.title === 'framed');
  /** @returns {Promise<import('@medley/web/embed').FromFrame[]>} */
  const told = () => opened.page.evaluate(() => /** @type {any} */ (window).told.map((/** @type {any} */ { analysis, ...rest }) => ({ ...rest, results: analysis?.report.results.length })));
  const ask = (/** @type {object} */ message) =>
    opened.page.evaluate((message) => /** @type {any} */ (window).ask(message), message);
  const inside = opened.page.frameLocator('iframe').locator('medley-viewer');
  return { ...opened, told, ask, inside };
}

test('a page that the frame’s host has named can have images answered', async (t) => {
  allow(harness.portal.origin);
  t.after(() => harness.server.overrides.clear());
  const { context, page, told, ask, inside, troubles } = await openFrame();
  await ask({ medley: 1, type: 'hello' });
  await page.waitForFunction(() => /** @type {any} */ (window).told.some((/** @type {any} */ { type }) => type === 'ready'), null, { timeout: 60_000 });
  await page.evaluate(() => {
    const { ask } = /** @type {any} */ (window);
    ask({ medley: 1, type: 'analyze', id: 7, image: new ImageData(64, 64) });
    ask({ medley: 1, type: 'analyze', id: 8, image: new Blob(['no image']) });
    ask({ medley: 1, type: 'analyze', id: 9, image: new ImageData(1500, 1500) });
    ask({ medley: 1, type: 'cancel', id: 9 });
  });
  await page.waitForFunction(() => /** @type {any} */ (window).told.filter((/** @type {any} */ { id }) => id >= 7).length === 3);
  const answers = new Map((await told()).flatMap((message) => ('id' in message ? [[message.id, message]] : [])));
  assert.deepEqual(answers.get(7), { medley: 1, type: 'result', id: 7, results: 3 });
  assert.deepEqual([answers.get(8)?.type, /** @type {any} */ (answers.get(8)).code], ['error', 'image']);
  assert.equal(/** @type {any} */ (answers.get(9)).code, 'cancelled');
  // What the reader gives to the frame is told too.
  await inside.locator('input[type=file]').setInputFiles(FILE);
  await page.waitForFunction(() => /** @type {any} */ (window).told.some((/** @type {any} */ { type, id }) => type === 'result' && id === null));
  assert.ok((await told()).every(({ medley }) => medley === 1));
  assert.deepEqual(troubles, []);
  await context.close();
});

test('a page that nobody has named is told nothing, and what is no message of version 1 is passed over', async (t) => {
  t.after(() => harness.server.overrides.clear());
  for (const origins of ['', 'https://portal.example']) {
    if (origins !== '') allow(origins);
    const { context, page, told, ask, inside } = await openFrame();
    await inside.getByText('The model is ready').waitFor({ timeout: 60_000 });
    await ask({ medley: 1, type: 'hello' });
    await page.evaluate(() => /** @type {any} */ (window).ask({ medley: 1, type: 'analyze', id: 1, image: new ImageData(8, 8) }));
    await inside.locator('input[type=file]').setInputFiles(FILE);
    await inside.getByRole('list', { name: 'Answers' }).waitFor();
    assert.deepEqual(await told(), []);
    await context.close();
  }
  allow(harness.portal.origin);
  const { context, page, told, ask, inside } = await openFrame();
  await inside.getByText('The model is ready').waitFor({ timeout: 60_000 });
  // Not before hello, not of another version, not without a number.
  await page.evaluate(() => {
    const { ask } = /** @type {any} */ (window);
    ask({ medley: 1, type: 'analyze', id: 1, image: new ImageData(8, 8) });
    ask({ medley: 2, type: 'hello' });
    ask('hello');
    ask({ medley: 1, type: 'hello' });
    ask({ medley: 1, type: 'analyze', image: new ImageData(8, 8) });
    ask({ medley: 1, type: 'analyze', id: 3, image: 'chest.png' });
    ask({ medley: 1, type: 'analyze', id: 4, image: new ImageData(8, 8) });
  });
  await page.waitForFunction(() => /** @type {any} */ (window).told.some((/** @type {any} */ { id }) => id === 4));
  assert.deepEqual((await told()).flatMap((message) => ('id' in message ? [message.id] : [])), [4]);
  await context.close();
});
