// DICOM on the page: files, folders and archives, slices, windows, header, exports, privacy.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CANARIES, ctSlice, hounsfield, IDENTIFIERS, SECRETS, SIDE, zip } from './lib/dicom.mjs';
import { colourAt, exported, holdCalls, listed, row, rowState } from './lib/page.mjs';
import { flat } from './lib/pictures.mjs';
import { encodeGrey } from './lib/png.mjs';
import { ROOT } from './lib/server.mjs';
import { askOnly, errorText, modelReady, openPage, openSite, PATIENCE } from './lib/site.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TARGET = process.env['CARGO_TARGET_DIR'] ?? join(ROOT, 'target');
const SHOTS = process.env['MEDLEY_SCREENSHOTS'] ?? join(TARGET, 'screenshots');
const SLICES = Array.from({ length: 4 }, (_, n) => ({ name: `IM${n}`, mimeType: '', buffer: ctSlice(n) }));
const TASKS = ['lung-ct', 'lungs'];

/** The grey of Hounsfield units in the slices' first window, 1500 wide about -600. @param {number} units */
const inWindow = (units) => Math.min(255, Math.max(0, Math.round(((units + 600.5) / 1499 + 0.5) * 255)));

/** @type {import('./lib/site.mjs').Site} */
let site;
/** @type {string} */
let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'medley-page-dicom-'));
  mkdirSync(SHOTS, { recursive: true });
  site = await openSite();
});
after(async () => {
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The page with a series of four slices that is answered. @param {import('playwright-core').BrowserContextOptions} [options] */
async function withSeries(options = {}) {
  const opened = await openPage(site, '/?device=wasm', options);
  await modelReady(opened.page);
  await askOnly(opened.page, TASKS);
  await opened.page.locator('#picker').setInputFiles(SLICES);
  await rowState(opened.page, 'CT 1', 'done');
  await opened.page.locator('#results [data-task]').first().waitFor({ timeout: PATIENCE });
  return opened;
}

/** @param {import('playwright-core').Page} page @param {string} text */
async function onSlice(page, text) {
  await page.locator('.slice-number', { hasText: text }).waitFor({ timeout: PATIENCE });
  // The picture of the slice comes a little after its number.
  await page.waitForTimeout(300);
}

test('files without ending become one entry of the list; the slider, keys and wheel go through its slices', async () => {
  const { context, page } = await withSeries();
  assert.deepEqual(await listed(page), ['CT 1']);
  assert.match(await row(page, 'CT 1').innerText(), /4 slices/);
  // It begins in the middle: (4 - 1) / 2.
  await onSlice(page, '2 / 4');
  const hover = async () => {
    const box = await page.locator('canvas.picture').boundingBox();
    assert.ok(box !== null);
    await page.mouse.move(box.x + box.width / 2 - 1, box.y + box.height / 2 - 1);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    return page.locator('.readout .pixel').innerText();
  };
  const middle = hounsfield(SIDE / 2, SIDE / 2, 1);
  assert.match(await hover(), new RegExp(`${middle} HU`));
  await page.locator('#slice').fill('4');
  await onSlice(page, '4 / 4');
  assert.match(await hover(), new RegExp(`${hounsfield(SIDE / 2, SIDE / 2, 3)} HU`));
  await page.locator('canvas.picture').focus();
  await page.keyboard.press('PageUp');
  await onSlice(page, '3 / 4');
  await page.keyboard.press('Home');
  await onSlice(page, '1 / 4');
  await hover();
  await page.mouse.wheel(0, 130);
  await onSlice(page, '3 / 4');
  await context.close();
});

test('windows of the file are buttons, and stay while slices change', async () => {
  const { context, page } = await withSeries();
  const soft = page.getByRole('button', { name: 'SOFT', exact: true });
  const lung = page.getByRole('button', { name: 'LUNG', exact: true });
  assert.equal(await soft.getAttribute('aria-pressed'), 'true');
  assert.match(await page.locator('.window-values').innerText(), /W 400 · L 40/);
  // Air in the hole is black in the window of soft tissue, and grey in that of the lung.
  assert.ok(((await colourAt(page, 0.5, 0.5))[0] ?? 255) < 3);
  await lung.click();
  assert.match(await page.locator('.window-values').innerText(), /W 1500 · L -600/);
  const grey = inWindow(hounsfield(SIDE / 2, SIDE / 2, 1));
  assert.ok(Math.abs(((await colourAt(page, 0.5, 0.5))[0] ?? 0) - grey) <= 2, `${await colourAt(page, 0.5, 0.5)} for ${grey}`);
  await page.locator('#slice').fill('4');
  await onSlice(page, '4 / 4');
  assert.equal(await lung.getAttribute('aria-pressed'), 'true');
  // A drag makes a window of one's own; reset brings the first one back.
  const box = await page.locator('canvas.picture').boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + 50, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + 90, box.y + 80, { steps: 4 });
  await page.mouse.up();
  assert.equal(await lung.getAttribute('aria-pressed'), 'false');
  await page.getByRole('button', { name: 'Reset the view (R)' }).click();
  assert.equal(await soft.getAttribute('aria-pressed'), 'true');
  await context.close();
});

test('the cine plays and pauses, and is slow for who asked for less motion', async () => {
  for (const reducedMotion of /** @type {const} */ (['no-preference', 'reduce'])) {
    const { context, page } = await withSeries({ reducedMotion });
    const cine = page.locator('#cine');
    assert.equal(await cine.getAttribute('aria-label'), 'Play');
    const numbers = () => page.locator('.slice-number').innerText();
    const before = await numbers();
    await page.waitForTimeout(700);
    assert.equal(await numbers(), before, 'nothing moves by itself');
    await cine.click();
    assert.equal(await cine.getAttribute('aria-label'), 'Pause');
    await page.waitForFunction((was) => document.querySelector('.slice-number')?.textContent !== was, before);
    await cine.click();
    assert.equal(await cine.getAttribute('aria-pressed'), 'false');
    await page.waitForTimeout(700);
    const stopped = await numbers();
    await page.waitForTimeout(700);
    assert.equal(await numbers(), stopped);
    await context.close();
  }
});

test('areas are in square millimetres, and the list is sorted by the class of the whole series', async () => {
  const { context, page } = await withSeries();
  await page.getByText('All kinds').click();
  const area = await page.locator('[data-task="lungs"] .area').innerText();
  assert.match(area, /^[\d,.]+ mm²$/);
  const pixels = Number((await page.locator('[data-task="lungs"] .minor').last().innerText()).replace(/[^\d]/g, ''));
  assert.ok(Math.abs(Number(area.replace(/[^\d.]/g, '')) - pixels * 0.4) <= Math.max(0.05, 0.5), `${area} for ${pixels} px`);
  await page.locator('#picker').setInputFiles([{ name: 'a.png', mimeType: 'image/png', buffer: flat(90) }]);
  await rowState(page, 'a.png', 'done');
  const choices = await page.locator('#sort-by option').evaluateAll((all) => all.map((option) => /** @type {HTMLOptionElement} */ (option).value));
  await page.locator('#sort-by').selectOption(choices.find((choice) => choice.startsWith('lung-ct/')) ?? '');
  assert.match(await row(page, 'CT 1').innerText(), /%/);
  await context.close();
});

test('names are hidden until the reader asks, and again for the next series', async () => {
  const { context, page } = await withSeries();
  await page.getByText('DICOM header').click();
  const card = page.locator('#header');
  assert.match(await card.innerText(), /Slice Thickness\s+2\.5/);
  for (const secret of SECRETS) assert.ok(!(await page.content()).includes(secret), secret);
  await page.getByRole('button', { name: 'Show names and dates' }).click();
  await page.locator('#header-names').waitFor();
  assert.ok((await card.innerText()).includes(CANARIES['0010,0010 PN']));
  await page.locator('#picker').setInputFiles([{ name: 'other', mimeType: '', buffer: ctSlice(0, { series: '1.2.777.9' }) }]);
  await page.locator('.caption', { hasText: 'CT 2' }).waitFor({ timeout: PATIENCE });
  await page.getByRole('button', { name: 'Show names and dates' }).waitFor();
  assert.ok(!(await card.innerText()).includes(CANARIES['0010,0010 PN']));
  await context.close();
});

test('a folder with an archive, pictures, damaged files and others is sorted out', async () => {
  const inside = join(folder, 'study');
  mkdirSync(inside);
  writeFileSync(join(inside, 'disc'), zip({ 'A/1': ctSlice(0), 'A/2': ctSlice(2), 'key.png': flat(30) }));
  writeFileSync(join(inside, 'cut'), ctSlice(1, { cut: 900 }));
  writeFileSync(join(inside, 'b.png'), flat(200));
  writeFileSync(join(inside, 'notes.txt'), 'no image');
  const { context, page } = await openPage(site);
  await modelReady(page);
  await page.locator('#folder-picker').setInputFiles(inside);
  await row(page, 'CT 1').waitFor({ timeout: PATIENCE });
  await row(page, 'key.png').waitFor({ timeout: PATIENCE });
  assert.deepEqual((await listed(page)).sort(), ['CT 1', 'b.png', 'key.png']);
  const said = await page.locator('#alert').innerText();
  assert.match(said, /1 DICOM file cannot be read/);
  assert.match(said, /cut off/);
  // One file alone says what is wrong with it as an error.
  await page.locator('#picker').setInputFiles([{ name: 'x.dcm', mimeType: '', buffer: ctSlice(1, { cut: 900 }) }]);
  await page.getByText('These DICOM data cannot be used').waitFor({ timeout: PATIENCE });
  const text = await errorText(page);
  for (const secret of SECRETS) assert.ok(!text.includes(secret), secret);
  await context.close();
});

test('no request, console line or export carries a word of the header that it must not', async () => {
  /** @type {string[]} */
  const lines = [];
  const opened = await openPage(site);
  const { context, page, requests, troubles } = opened;
  page.on('console', (message) => lines.push(message.text()));
  context.on('serviceworker', (worker) => worker.on('console', (/** @type {any} */ message) => lines.push(message.text())));
  await modelReady(page);
  await askOnly(page, TASKS);
  await page.locator('#picker').setInputFiles(SLICES);
  await rowState(page, 'CT 1', 'done');
  await page.getByText('DICOM header').click();
  await page.getByRole('button', { name: 'Show names and dates' }).click();
  await page.locator('#header-names').waitFor();
  await page.locator('#picker').setInputFiles([{ name: 'x.dcm', mimeType: '', buffer: ctSlice(1, { cut: 900 }) }]);
  await page.locator('#alert .alert').waitFor({ timeout: PATIENCE });
  const files = [
    await exported(page, 'Answers (JSON)'),
    await exported(page, 'Whole list (JSON)'),
    await exported(page, 'Whole list (CSV)'),
    await exported(page, 'Picture with overlay (PNG)'),
    await exported(page, 'Report (DICOM SR)'),
  ];
  await page.getByText('All kinds').click();
  files.push(await exported(page, 'Masks (DICOM SEG)'));
  assert.deepEqual(files.slice(4).map(({ name }) => name), ['CT 1-medley.report.dcm', 'CT 1-medley.segmentation.dcm']);
  for (const { name, bytes } of files) {
    for (const secret of SECRETS) assert.ok(!bytes.includes(secret), `${secret} in ${name}`);
  }
  // Whoever switches it off gets an object that belongs to the study, with what the standard wants of the patient.
  await page.locator('#export summary').click();
  await page.getByLabel('Without patient data').uncheck();
  await page.keyboard.press('Escape');
  const kept = (await exported(page, 'Masks (DICOM SEG)')).bytes;
  assert.ok(kept.includes(IDENTIFIERS.study) && kept.includes('CANARYNAME^KEPT'));
  for (const secret of ['CANARYHOME', 'CANARYINST', 'CANARYPRIVATE', 'CANARYCOMMENT']) assert.ok(!kept.includes(secret), secret);
  // And the report for a bug.
  await page.locator('#open-diagnostics').click();
  const diagnostics = await page.locator('#diagnostics pre').innerText();
  for (const secret of SECRETS) {
    assert.ok(!requests.some(({ url, body }) => (url + (body ?? '')).includes(secret)), secret);
    assert.ok(!site.server.seen.some(({ path }) => path.includes(secret)), secret);
    assert.ok(!lines.some((line) => line.includes(secret)), secret);
    assert.ok(!diagnostics.includes(secret), secret);
  }
  assert.deepEqual(requests.filter(({ method }) => method !== 'GET'), []);
  assert.deepEqual(troubles, []);
  await context.close();
});

test('once the page was there, DICOM files are opened with its server gone', async () => {
  const own = await openSite();
  try {
    const { context, page } = await openPage(own);
    await modelReady(page);
    await page.locator('#open-privacy').click();
    await page.locator('#offline-state', { hasText: 'works from now on' }).waitFor({ timeout: PATIENCE });
    await page.keyboard.press('Escape');
    await own.server.close();
    await page.reload();
    await modelReady(page);
    await page.locator('#picker').setInputFiles(SLICES.slice(0, 1));
    await rowState(page, 'CT 1', 'done');
    await context.close();
  } finally {
    await own.browser.close();
  }
});

test('axe-core finds nothing, in both colours, with names shown and the exports open', async () => {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const { context, page } = await withSeries({ colorScheme, reducedMotion: 'reduce' });
    await page.getByText('DICOM header').click();
    await page.getByRole('button', { name: 'Show names and dates' }).click();
    await page.locator('#header-names').waitFor();
    await page.locator('#export summary').click();
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      // @ts-expect-error made by the script above
      const { violations } = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
      return violations.map((/** @type {import('axe-core').Result} */ { id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`);
    });
    assert.deepEqual(found, []);
    await context.close();
  }
});

for (const [width, height] of /** @type {const} */ ([[360, 740], [1280, 860], [2560, 1440]])) {
  test(`nothing is cut off at ${width} × ${height}, in German too`, async () => {
    const { context, page } = await openPage(site, '/?device=wasm', { viewport: { width, height }, locale: 'de-DE' });
    await modelReady(page);
    await page.locator('#picker').setInputFiles(SLICES);
    await rowState(page, 'CT 1', 'done');
    await page.locator('#results [data-task]').first().waitFor({ timeout: PATIENCE });
    await page.getByText('DICOM-Kopfdaten').click();
    await page.getByText('Schicht', { exact: false }).first().waitFor();
    const wide = await page.evaluate(() => {
      const limit = document.documentElement.clientWidth;
      return [...document.querySelectorAll('body *')]
        .filter((element) => element.closest('pre, .samples ul, .table, .skip') === null && element.getBoundingClientRect().right > limit + 1)
        .map((element) => `${element.tagName}.${element.className}`);
    });
    assert.deepEqual(wide, []);
    await page.screenshot({ path: join(SHOTS, `dicom-${width}.png`), fullPage: width < 1180 });
    await context.close();
  });
}

test('strokes stay with their slice; every slice gets a mask, in square millimetres too', async () => {
  const { context, page } = await withSeries();
  await onSlice(page, '2 / 4');
  await page.getByRole('tab', { name: 'Teach it' }).click();
  await page.getByText('Pixels', { exact: true }).click();
  await page.locator('#head-name').fill('middle');
  await page.getByLabel('Class 2').fill('inner');
  await page.locator('#teach-begin').click();
  const box = (await page.locator('canvas.picture').boundingBox()) ?? assert.fail('no canvas');
  const side = Math.min(box.width, box.height);
  let count = 0;
  for (const [name, x] of /** @type {const} */ ([['inner', 0.5], ['background', 0.08], ['inner', 0.55], ['background', 0.92]])) {
    await page.locator('.brush-class', { hasText: name }).click();
    const at = box.x + box.width / 2 + (x - 0.5) * side;
    await page.mouse.move(at, box.y + 0.4 * box.height);
    await page.mouse.down();
    await page.mouse.move(at, box.y + 0.6 * box.height, { steps: 4 });
    await page.mouse.up();
    await page.locator('#teach-state', { hasText: new RegExp(`^${++count} stroke`) }).waitFor({ timeout: PATIENCE });
  }
  const card = page.locator('[data-taught="middle"]');
  await card.locator('.area').waitFor({ timeout: PATIENCE });
  assert.match(await card.locator('.area').innerText(), /\d mm²/);
  assert.ok(await page.locator('#brush-undo').isEnabled());
  await page.locator('canvas.picture').press('PageDown');
  await onSlice(page, '3 / 4');
  assert.ok(await page.locator('#brush-undo').isDisabled(), 'nothing was painted on this slice');
  await card.locator('.area').waitFor({ timeout: PATIENCE });

  // The whole series is asked slice by slice.
  const release = await holdCalls(page, 'segment');
  await page.locator('#teach-ask-all').click();
  await row(page, 'CT 1').getByText('middle: slice 1 of 4').waitFor();
  await release();
  await page.locator('.item[data-name="CT 1"][data-asked=""]').waitFor({ timeout: PATIENCE });
  const [{ taught }] = JSON.parse((await exported(page, 'Whole list (JSON)')).bytes.toString()).images;
  assert.equal(taught.classes.reduce((/** @type {number} */ sum, /** @type {any} */ { pixels }) => sum + pixels, 0), 4 * SIDE * SIDE);
  assert.deepEqual(taught.classes.map((/** @type {any} */ { mm2 }) => mm2), [null, null], 'four slices are no area');

  await page.locator('canvas.picture').press('PageUp');
  await onSlice(page, '2 / 4');
  await page.locator('#brush-undo').click();
  await page.locator('#teach-state', { hasText: /^3 strokes/ }).waitFor({ timeout: PATIENCE });
  await context.close();
});

test('a question about whole images is asked of the slice on the stage, and of a series as the mean over its slices', async () => {
  const { context, page } = await withSeries();
  // Drawn like the first and the last slice, so that each slice has a share of its own between them.
  /** @param {number} n */
  const drawn = (n) => encodeGrey(SIDE, SIDE, Buffer.from(Array.from({ length: SIDE * SIDE }, (_, i) => inWindow(hounsfield(i % SIDE, Math.floor(i / SIDE), n)))));
  await page.locator('#picker').setInputFiles([['narrow.png', 0], ['wide.png', 3]].map(([name, n]) => ({ name: String(name), mimeType: 'image/png', buffer: drawn(Number(n)) })));
  await rowState(page, 'wide.png', 'done');
  await page.getByRole('tab', { name: 'Teach it' }).click();
  await page.locator('#head-name').fill('hole');
  await page.getByLabel('Class 1').fill('narrow');
  await page.getByLabel('Class 2').fill('wide');
  await page.locator('#teach-begin').click();
  for (const name of ['narrow', 'wide']) {
    await row(page, `${name}.png`).locator('.item-main').click();
    await page.locator('.caption', { hasText: `${name}.png` }).waitFor();
    await page.locator(`[data-teach="${name}"]`).click();
    await page.locator(`[data-teach="${name}"][aria-pressed="true"]`).waitFor({ timeout: PATIENCE });
  }
  await page.locator('#teach-state', { hasText: /^2 examples/ }).waitFor({ timeout: PATIENCE });
  await row(page, 'CT 1').locator('.item-main').click();
  const canvas = page.locator('canvas.picture');
  const card = page.locator('[data-taught="hole"]');
  const said = [];
  await onSlice(page, '2 / 4');
  await canvas.press('Home');
  for (let slice = 1; slice <= 4; slice++) {
    await onSlice(page, `${slice} / 4`);
    await card.getByRole('heading', { name: 'This slice' }).waitFor({ timeout: PATIENCE });
    said.push(Number.parseFloat(await card.locator('li', { hasText: 'wide' }).locator('.value').innerText()));
    await canvas.press('PageDown');
  }
  await page.locator('#teach-ask-all').click();
  await page.locator('.item[data-name="CT 1"][data-asked=""]').waitFor({ timeout: PATIENCE });
  const { images } = JSON.parse((await exported(page, 'Whole list (JSON)')).bytes.toString());
  const { taught } = images.find((/** @type {any} */ { file }) => file === 'CT 1');
  assert.ok(new Set(said).size > 2, `${said}`);
  const mean = said.reduce((sum, share) => sum + share, 0) / 4;
  // What is read off the page has one digit after the point.
  assert.ok(Math.abs(100 * taught.classes[1].probability - mean) <= 0.1, `${said} → ${JSON.stringify(taught)}`);
  await context.close();
});
