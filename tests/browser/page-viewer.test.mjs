// Looking at an image: window, zoom, pixel values, masks and boxes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addFiles, chooseSample, colourAt, rowState } from './lib/page.mjs';
import { flat, ramp } from './lib/pictures.mjs';
import { encodeWords } from './lib/png.mjs';
import { modelReady, openPage, openSite } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

/** A page with one image without anything over it. @param {Buffer} buffer */
async function withImage(buffer) {
  const opened = await openPage(site);
  const { page } = opened;
  await modelReady(page);
  await addFiles(page, [{ name: 'image.png', buffer }]);
  await rowState(page, 'image.png', 'done');
  return { ...opened, canvas: page.locator('canvas.picture') };
}

/** The zoom that the toolbar says, in percent. @param {import('playwright-core').Page} page */
async function zoom(page) {
  return Number.parseInt((await page.locator('.zoom').innerText()).replace(/\D/g, ''), 10);
}

test('the image is shown in its own grey values', async () => {
  const { context, page } = await withImage(flat(137));
  assert.deepEqual(await colourAt(page, 0.5, 0.5), [137, 137, 137]);
  await context.close();
});

test('a drag, the presets and the keys change the window; inverting turns the values round', async () => {
  const { context, page, canvas } = await withImage(flat(100));
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  await page.mouse.move(box.x + 100, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + 100, box.y + 160, { steps: 4 });
  await page.mouse.up();
  const [darker = 0] = await colourAt(page, 0.5, 0.5);
  assert.ok(darker < 90, `a level that is raised darkens the image: ${darker}`);
  assert.match(await page.locator('.window-values').innerText(), /W \d+ · L 1[3-9]\d|W \d+ · L 2\d\d/);

  await canvas.press('r');
  assert.deepEqual(await colourAt(page, 0.5, 0.5), [100, 100, 100]);
  await canvas.press('i');
  assert.deepEqual(await colourAt(page, 0.5, 0.5), [155, 155, 155]);
  await canvas.press('i');
  await page.locator('.presets').selectOption('dark');
  // 0..128 is spread over 0..255.
  assert.deepEqual(await colourAt(page, 0.5, 0.5), [199, 199, 199]);
  await canvas.press('r');
  await canvas.press('Shift+ArrowUp');
  const [raised = 0] = await colourAt(page, 0.5, 0.5);
  assert.equal(raised, 92, 'the level is up by 8');
  await context.close();
});

test('wheel, buttons and keys zoom; the point under the pointer stays', async () => {
  const { context, page, canvas } = await withImage(ramp(256));
  const before = await zoom(page);
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  const at = { x: box.x + 0.4 * box.width, y: box.y + 0.5 * box.height };
  // A click puts the focus on the image: only then the wheel is its.
  await page.mouse.click(at.x, at.y);
  const pixel = page.locator('.pixel');
  await page.mouse.move(at.x + 1, at.y);
  await page.mouse.move(at.x, at.y);
  const there = await pixel.innerText();
  await page.mouse.wheel(0, -600);
  await page.waitForFunction((old) => Number.parseInt(document.querySelector('.zoom')?.textContent ?? '', 10) > old, before);
  await page.mouse.move(at.x + 0.2, at.y);
  const x = (/** @type {string} */ text) => Number(/x (\d+)/.exec(text)?.[1]);
  assert.ok(Math.abs(x(await pixel.innerText()) - x(there)) <= 1, `${there} → ${await pixel.innerText()}`);
  await canvas.press('0');
  assert.equal(await zoom(page), before);
  await page.getByRole('button', { name: /Zoom in/ }).click();
  assert.ok((await zoom(page)) > before);
  await canvas.press('1');
  assert.equal(await zoom(page), 100);
  await context.close();
});

test('the image is moved by a drag with the hand, by the other button, and by arrows', async () => {
  const { context, page, canvas } = await withImage(ramp(256));
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  const at = { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2) };
  await canvas.press('1');
  for (let i = 0; i < 4; i++) await page.getByRole('button', { name: /Zoom in/ }).click();
  const scale = (await zoom(page)) / 100 / (await page.evaluate(() => devicePixelRatio));
  /** The column under the middle of the canvas. */
  const column = async () => {
    await page.mouse.move(at.x + 1, at.y);
    await page.mouse.move(at.x, at.y);
    return Number(/x (\d+)/.exec(await page.locator('.pixel').innerText())?.[1]);
  };
  const drag = async (/** @type {'left' | 'right'} */ button) => {
    await page.mouse.move(at.x, at.y);
    await page.mouse.down({ button });
    await page.mouse.move(at.x - 60, at.y, { steps: 3 });
    await page.mouse.up({ button });
  };
  const before = await column();
  await drag('right');
  const once = await column();
  assert.ok(Math.abs(once - before - 60 / scale) <= 1, `${before} → ${once} at ${scale}`);
  await canvas.press('h');
  await drag('left');
  const twice = await column();
  assert.ok(Math.abs(twice - once - 60 / scale) <= 1, `${once} → ${twice}`);
  await canvas.press('ArrowLeft');
  assert.ok((await column()) < twice, 'what lies to the left comes into sight');
  await context.close();
});

test('the value of a pixel is that of the file', async () => {
  const { context, page, canvas } = await withImage(ramp(256));
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  for (const share of [0.3, 0.5, 0.62]) {
    await page.mouse.move(box.x + share * box.width, box.y + box.height / 2);
    const [, x, value] = /x (\d+) +y \d+ +· +(\d+)/.exec(await page.locator('.pixel').innerText()) ?? assert.fail('no value');
    assert.equal(value, x, 'on the ramp the value is the column');
  }
  await context.close();
});

test('a PNG of 16 bits has its own values under the pointer, and windows in them', async () => {
  // Twelve bits in sixteen, as scanners write them: 16 to 4096 from left to right.
  const values = Uint16Array.from({ length: 256 * 96 }, (_, i) => 16 * ((i % 256) + 1));
  const { context, page, canvas } = await withImage(encodeWords(256, 96, values));
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  assert.equal(await page.locator('.window-values').innerText(), 'W 65535 · L 32768');
  for (const share of [0.2, 0.5, 0.71]) {
    await page.mouse.move(box.x + share * box.width, box.y + box.height / 2);
    const [, x, value] = /^x (\d+) +y \d+ +· +(\d+)$/.exec(await page.locator('.pixel').innerText()) ?? assert.fail('no value');
    assert.equal(Number(value), 16 * (Number(x) + 1));
  }
  // Shown as the model sees it: dark, for only a sixteenth of the range is used.
  const [dark = 255] = await colourAt(page, 0.9, 0.5);
  assert.ok(dark < 17, `${dark}`);
  await page.locator('.presets').selectOption('auto');
  const [, width, level] = /W (\d+) · L (\d+)/.exec(await page.locator('.window-values').innerText()) ?? assert.fail('no window');
  // Hundredths at both ends are cut.
  assert.ok(Math.abs(Number(width) - 4000) < 60 && Math.abs(Number(level) - 2056) < 30, `W ${width} L ${level}`);
  const [left = 255] = await colourAt(page, 0.02, 0.5);
  const [middle = 0] = await colourAt(page, 0.5, 0.5);
  const [right = 0] = await colourAt(page, 0.98, 0.5);
  assert.ok(left < 12 && Math.abs(middle - 127) < 8 && right > 243, `${left}, ${middle}, ${right}`);
  // A drag of ten pixels moves the level by some of the values that there are, not of those that could be.
  await page.mouse.move(box.x + 50, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + 50, box.y + 110, { steps: 2 });
  await page.mouse.up();
  const [, after] = /L (\d+)/.exec(await page.locator('.window-values').innerText()) ?? assert.fail('no level');
  const moved = Number(after) - Number(level);
  assert.ok(moved > 20 && moved < 400, `the level moved by ${moved}`);
  await context.close();
});

test('colours of 16 bits are said channel by channel', async () => {
  const values = Uint16Array.from({ length: 3 * 64 * 64 }, (_, i) => [60_001, 257, 31_415][i % 3] ?? 0);
  const { context, page, canvas } = await withImage(encodeWords(64, 64, values));
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  assert.match(await page.locator('.pixel').innerText(), /RGB 60001 257 31415/);
  // As 8 bits: 60001 / 257 and so on.
  assert.deepEqual(await colourAt(page, 0.5, 0.5), [233, 1, 122]);
  await context.close();
});

test('a mask is drawn in its colour, as strong as asked for, as area or outline, or not at all', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await chooseSample(page, 'fetal-head');
  const card = page.locator('[data-task="fetal-head"]');
  const canvas = page.locator('canvas.picture');
  const middle = async () => colourAt(page, 0.5, 0.5);
  const differs = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.some((value, i) => Math.abs(value - (b[i] ?? 0)) > 12);
  await canvas.press('o');
  const bare = await middle();
  await canvas.press('o');
  // Masks are unpacked when they are first shown.
  for (let i = 0; i < 100 && !differs(await middle(), bare); i++) await page.waitForTimeout(20);
  assert.ok(differs(await middle(), bare), 'the middle of the head is covered');

  await card.locator('input[type="range"]').fill('100');
  await card.locator('input[type="color"]').fill('#ff0000');
  assert.deepEqual(await middle(), [255, 0, 0]);
  await card.locator('.look select').selectOption('outline');
  assert.deepEqual(await middle(), bare);
  const red = await canvas.evaluate((element) => {
    const picture = /** @type {HTMLCanvasElement} */ (element);
    const { data } = picture.getContext('2d')?.getImageData(0, 0, picture.width, picture.height) ?? { data: [] };
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if ((data[i] ?? 0) > 200 && (data[i + 1] ?? 0) < 60) count += 1;
    return count;
  });
  assert.ok(red > 100, `${red} pixels of the outline`);
  await card.locator('.switch input').uncheck();
  await context.close();
});

test('the area of a mask is said in pixels, the same as in the report', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await chooseSample(page, 'fetal-head');
  const said = await page.locator('[data-task="fetal-head"] .minor').innerText();
  const json = await page.locator('.json pre').textContent();
  const report = /** @type {import('@medley/web').Report} */ (JSON.parse(json ?? ''));
  const result = report.results.find(({ task }) => task === 'fetal-head');
  assert.ok(result?.kind === 'segmentation');
  assert.equal(said.replace(/\D/g, ''), String(result.mask.pixels['fetal head']));
  await context.close();
});

test('fewer boxes are counted when the lowest score is raised', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await chooseSample(page, 'nuclei');
  const card = page.locator('[data-task="nuclei-boxes"]');
  const count = async () => Number(await card.locator('.value').first().innerText());
  const all = await count();
  assert.ok(all > 0, 'the sample has nuclei');
  await card.locator('.score').fill('100');
  assert.ok((await count()) < all);
  assert.equal(await card.locator('.score-value').innerText(), '100 %');
  await context.close();
});

test('two fingers zoom', async () => {
  const { context, page } = await openPage(site, '/?device=wasm', { hasTouch: true, viewport: { width: 400, height: 800 } });
  await modelReady(page);
  await addFiles(page, [{ name: 'image.png', buffer: ramp(256) }]);
  await rowState(page, 'image.png', 'done');
  const before = await zoom(page);
  const box = (await page.locator('canvas.picture').boundingBox()) ?? assert.fail('no canvas');
  const session = await context.newCDPSession(page);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const fingers = (/** @type {number} */ apart) => [
    { x: x - apart, y, id: 1 },
    { x: x + apart, y, id: 2 },
  ];
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(20) });
  for (const apart of [30, 40, 50, 60]) await session.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(apart) });
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  const after = await zoom(page);
  // The fingers are three times as far apart in the end.
  assert.ok(after > 2.2 * before && after < 3.8 * before, `${before} % → ${after} %`);
  await context.close();
});
