// Teaching the model with a brush: strokes on an image, and the mask that comes of them.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { addFiles, exported, holdCalls, listed, row, rowState } from './lib/page.mjs';
import { decodeGrey, encodeGrey } from './lib/png.mjs';
import { modelReady, openPage, openSite, PATIENCE } from './lib/site.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

/** @typedef {{ name: string, buffer: Buffer, width: number, height: number, inside: (x: number, y: number) => boolean }} Picture */

/** Bright left of an edge, dark right of it, with a grain; both sides odd. @returns {Picture} */
function halves(width = 131, height = 97, edge = 60) {
  const pixels = Buffer.alloc(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i % width < edge ? 200 : 40) + ((i * 2654435761) >>> 28);
  return { name: 'halves.png', buffer: encodeGrey(width, height, pixels), width, height, inside: (x) => x < edge };
}

/** A chest radiograph with its lungs as people drew them; the halves where there is no task database. @returns {Picture} */
function lungs() {
  const folder = join(process.env['MEDLEY_DATA'] ?? '', 'chest-xray-lungs');
  if (process.env['MEDLEY_DATA'] === undefined || !existsSync(folder)) return halves();
  const buffer = readFileSync(join(folder, 'images/00000.jpg'));
  const { width, height, pixels } = decodeGrey(readFileSync(join(folder, 'masks/00000.png')));
  return { name: 'chest.jpg', buffer, width, height, inside: (x, y) => pixels[y * width + x] !== 0 };
}

/**
 * A page with an image, where a head for pixels is begun; what the worker is told of strokes is written down.
 * @param {Picture} picture @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function withBrush(picture, options = {}) {
  const opened = await withPicture(picture, options);
  const { page } = opened;
  await begin(page, 'by hand', 'inside');
  return opened;
}

/** Begins a head for pixels. @param {Page} page @param {string} head @param {string} name of what is looked for @param {boolean} [finer] */
async function begin(page, head, name, finer = false) {
  await page.locator('#teach .chip', { hasText: 'Pixel' }).click();
  await page.locator('#head-name').fill(head);
  await page.locator('.class-fields input').nth(1).fill(name);
  if (finer) await page.locator('#head-detail').selectOption({ index: 1 });
  await page.locator('#teach-begin').click();
  await page.locator('#brush').waitFor();
}

/**
 * A page with an image, at the tab; how the worker is told of strokes is written down.
 * @param {Picture} picture @param {import('playwright-core').BrowserContextOptions} options
 */
async function withPicture(picture, options = {}) {
  const opened = await openPage(site, '/?device=wasm', options);
  const { page } = opened;
  await page.evaluate(() => {
    const told = /** @type {number[][]} */ ([]);
    const ways = /** @type {unknown[]} */ ([]);
    Object.assign(window, { told, ways });
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ transfer) {
      if (message.call === 'strokeFeatures') told.push([...message.request.pixels]);
      if (message.call === 'strokeFeatures' || message.call === 'teachStrokes') ways.push(message.request.presentation);
      return post.call(this, message, transfer);
    };
  });
  await modelReady(page);
  await addFiles(page, [picture]);
  await rowState(page, picture.name, 'done');
  await page.locator('#tabs [role="tab"]').nth(1).click();
  return opened;
}

/** Where pixels of the image are on the screen, as the image fits. @param {Page} page @param {Picture} picture */
async function places(page, { width, height }) {
  const canvas = page.locator('canvas.picture');
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  const scale = Math.min(box.width / width, box.height / height);
  return (/** @type {number} */ x, /** @type {number} */ y) => ({
    x: box.x + box.width / 2 + (x + 0.5 - width / 2) * scale,
    y: box.y + box.height / 2 + (y + 0.5 - height / 2) * scale,
  });
}

/** @param {Page} page @param {string} name */
async function paintAs(page, name) {
  await page.locator('.brush-class', { hasText: name }).click();
}

/** Drags over the image. @param {Page} page @param {{ x: number, y: number }[]} way */
async function drag(page, [first, ...rest]) {
  await page.mouse.move(first?.x ?? 0, first?.y ?? 0);
  await page.mouse.down();
  for (const { x, y } of rest) await page.mouse.move(x, y, { steps: 5 });
  await page.mouse.up();
}

/** @param {Page} page @param {number} n */
async function strokes(page, n) {
  await page.locator('#teach-state', { hasText: new RegExp(`^${n} stroke`) }).waitFor({ timeout: PATIENCE });
}

/** The pixels of each stroke that the model was shown, `x,y` each. @param {Page} page @returns {Promise<string[][]>} */
async function told(page) {
  const all = await page.evaluate(() => /** @type {{ told: number[][] }} */ (/** @type {unknown} */ (window)).told);
  return all.map((flat) => flat.flatMap((x, i) => (i % 2 === 0 ? [`${x},${flat[i + 1]}`] : [])));
}

/** The size of the brush, by its place on the slider. @param {Page} page @param {number} place */
async function brushSize(page, place) {
  await page.locator('#brush-size').fill(String(place));
}

/** In the middle of the longest run of each class in some rows: what a person would paint. @param {Picture} picture */
function obviousStrokes({ width, height, inside }) {
  const found = /** @type {{ name: string, from: number, to: number, y: number }[]} */ ([]);
  for (const share of [0.2, 0.4, 0.6, 0.8]) {
    const y = Math.floor(share * height);
    for (const [name, wanted] of /** @type {const} */ ([['inside', true], ['background', false]])) {
      let best = { from: 0, length: 0 };
      for (let x = 0, length = 0; x < width; x++) {
        length = inside(x, y) === wanted ? length + 1 : 0;
        if (length > best.length) best = { from: x - length + 1, length };
      }
      if (best.length >= 20) found.push({ name, from: best.from + best.length / 4, to: best.from + (3 * best.length) / 4, y });
    }
  }
  return found;
}

test('strokes teach a mask that is about right, with an estimate; the head is saved, opened again and answers the same', async (t) => {
  const picture = lungs();
  const { context, page, requests, troubles } = await withBrush(picture);
  requests.length = 0;
  const at = await places(page, picture);
  const painted = obviousStrokes(picture);
  for (const { name, from, to, y } of painted) {
    await paintAs(page, name);
    await drag(page, [at(from, y), at(to, y)]);
  }
  await strokes(page, painted.length);
  const card = page.locator('[data-taught="by hand"]');
  await card.waitFor();
  assert.match(await page.locator('#estimate').innerText(), /Of \d+ strokes, each left out in turn; 95 % interval \d+ % to \d+ %/);
  const accuracy = Number.parseInt(await page.locator('#estimate .big').innerText(), 10);
  assert.ok(accuracy >= 60, `right under ${accuracy} % of what was left out`);

  // Drawn over in red, the mask can be read off the screen.
  await card.locator('input[type="color"]').fill('#ff0000');
  await card.locator('input[type="range"]').fill('100');
  await card.locator('.look select').selectOption('fill');
  await page.mouse.move(2, 2);
  const { dice, share } = await overlap(page, picture);
  t.diagnostic(`${painted.length} strokes on ${picture.name}: Dice ${dice.toFixed(3)}, estimated ${accuracy} %`);
  // Two classes by chance would give a third at most of these shapes.
  assert.ok(dice > 0.75, `Dice ${dice}`);
  const said = Number.parseFloat(await card.locator('.value').first().innerText()) / 100;
  assert.ok(Math.abs(said - share) < 0.02, `${said} of the image is said to be inside, ${share} is drawn`);

  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#teach-export').click()]);
  assert.equal(download.suggestedFilename(), 'by-hand.safetensors');
  const head = readFileSync(await download.path());
  const area = await card.locator('.value').last().innerText();
  await page.locator('#teach-end').click();
  assert.ok(await page.locator('#brush').isHidden(), 'there is nothing to paint with');
  await page.locator('#head-picker').setInputFiles({ name: 'by-hand.safetensors', mimeType: '', buffer: head });
  await card.waitFor();
  assert.equal(await card.locator('.value').last().innerText(), area);
  await page.getByRole('tab', { name: 'Answers' }).click();
  assert.ok(await page.locator('#brush').isHidden(), 'the answers are not painted on');

  assert.deepEqual(requests.filter(({ url }) => !/^(blob|data):/.test(url)), [], 'nothing was asked of the network');
  assert.deepEqual(troubles, []);
  await context.close();
});

/** How well the red on the screen fits the true mask. @param {Page} page @param {Picture} picture */
async function overlap(page, { width, height, inside }) {
  const red = await page.locator('canvas.picture').evaluate(
    async (element, size) => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const canvas = /** @type {HTMLCanvasElement} */ (element);
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: new Uint8ClampedArray() };
      const scale = Math.min(canvas.width / size.width, canvas.height / size.height);
      return Array.from({ length: size.width * size.height }, (_, i) => {
        const u = Math.floor(canvas.width / 2 + ((i % size.width) + 0.5 - size.width / 2) * scale);
        const v = Math.floor(canvas.height / 2 + (Math.floor(i / size.width) + 0.5 - size.height / 2) * scale);
        const at = 4 * (v * canvas.width + u);
        return (data[at] ?? 0) > 200 && (data[at + 1] ?? 0) < 80;
      });
    },
    { width, height },
  );
  let [both, drawn, true_] = [0, 0, 0];
  red.forEach((is, i) => {
    const truth = inside(i % width, Math.floor(i / width));
    both += Number(is && truth);
    drawn += Number(is);
    true_ += Number(truth);
  });
  return { dice: (2 * both) / (drawn + true_), share: drawn / red.length };
}

test('a stroke covers the pixels under the brush: of an odd size, zoomed and moved, on a sharp screen', async () => {
  const picture = halves();
  const { context, page } = await withBrush(picture, { deviceScaleFactor: 2 });
  const canvas = page.locator('canvas.picture');
  const at = await places(page, picture);
  await brushSize(page, 0);
  for (const [x, y] of /** @type {const} */ ([[0, 0], [130, 96], [65, 48]])) await drag(page, [at(x, y)]);
  await strokes(page, 3);
  assert.deepEqual(await told(page), [['0,0'], ['130,96'], ['65,48']]);

  // A round brush of three pixels has its four corners cut.
  await brushSize(page, 2);
  await drag(page, [at(40, 30)]);
  await strokes(page, 4);
  const dab = ['40,29', '39,30', '40,30', '41,30', '40,31'];
  const round = [...dab, '39,29', '41,29', '39,31', '41,31'].sort();
  assert.deepEqual([...((await told(page))[3] ?? [])].sort(), round, 'the corners’ middles are 1.41 of 1.5 pixels away');

  // A line without gaps, however fast the mouse was.
  await brushSize(page, 0);
  await page.mouse.move(at(10, 80).x, at(10, 80).y);
  await page.mouse.down();
  await page.mouse.move(at(90, 80).x, at(90, 80).y);
  await page.mouse.up();
  await strokes(page, 5);
  assert.deepEqual((await told(page))[4], Array.from({ length: 81 }, (_, i) => `${10 + i},80`));

  // Zoomed and moved, the readout under the pointer says which pixel it is.
  await page.locator('.toolbar').getByRole('button', { name: /Zoom in/ }).click({ clickCount: 4 });
  const box = (await canvas.boundingBox()) ?? assert.fail('no canvas');
  const place = { x: box.x + 0.7 * box.width, y: box.y + 0.3 * box.height };
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down({ button: 'right' });
  await page.mouse.move(box.x + box.width / 2 - 77, box.y + box.height / 2 + 31, { steps: 3 });
  await page.mouse.up({ button: 'right' });
  await page.mouse.move(place.x, place.y);
  const [, x, y] = /x (\d+) +y (\d+)/.exec(await page.locator('.pixel').innerText()) ?? assert.fail('no place');
  assert.ok(Number(x) !== Math.floor(0.7 * 131), 'the image was moved');
  await drag(page, [place]);
  await strokes(page, 6);
  // At this zoom a pixel is far wider than the brush reaches beyond its own.
  assert.ok((await told(page))[5]?.includes(`${x},${y}`), `${(await told(page))[5]} has not ${x},${y}`);
  assert.ok(((await told(page))[5]?.length ?? 0) <= 4);
  await context.close();
});

test('strokes are taken back: the last one, those under the eraser, and all that came of them', async () => {
  const picture = halves();
  const { context, page } = await withBrush(picture);
  const at = await places(page, picture);
  assert.ok(await page.locator('#brush-undo').isDisabled());
  await paintAs(page, 'inside');
  await drag(page, [at(20, 20), at(20, 70)]);
  await drag(page, [at(40, 20), at(40, 70)]);
  await paintAs(page, 'background');
  await drag(page, [at(90, 20), at(90, 70)]);
  await drag(page, [at(115, 20), at(115, 70)]);
  await strokes(page, 4);
  await page.locator('[data-taught]').waitFor();
  await page.locator('#brush-undo').click();
  await strokes(page, 3);
  assert.equal(await page.locator('[data-strokes="background"] .value').innerText(), '1');
  await page.locator('#brush-erase').click();
  await drag(page, [at(10, 45), at(50, 45)]);
  await strokes(page, 1);
  assert.equal(await page.locator('[data-strokes="inside"] .value').innerText(), '0');
  // With one class left nothing can be told apart: no mask and no estimate of what is gone.
  await page.locator('[data-taught]').waitFor({ state: 'detached' });
  assert.equal(await page.locator('#estimate').count(), 0);
  assert.ok(await page.locator('#teach-export').isDisabled());
  await page.locator('canvas.picture').press('Control+z');
  await strokes(page, 0);
  // With the image its strokes go.
  await paintAs(page, 'inside');
  await drag(page, [at(20, 20), at(20, 70)]);
  await strokes(page, 1);
  await row(page, picture.name).getByRole('button', { name: /^Remove/ }).click();
  await strokes(page, 0);
  await context.close();
});

test('the keyboard alone paints: arrows move the brush, Space puts it down and lifts it', async () => {
  const picture = halves();
  const { context, page } = await withBrush(picture);
  const canvas = page.locator('canvas.picture');
  await page.locator('.brush-class input').first().focus();
  await page.keyboard.press('ArrowRight');
  assert.ok(await page.locator('.brush-class input').nth(1).isChecked());
  await brushSize(page, 0);
  await canvas.focus();
  assert.equal(await canvas.getAttribute('data-tool'), 'brush');
  // From the middle of the image, pixel by pixel.
  for (const key of ['ArrowLeft', 'ArrowLeft', 'Space', 'ArrowDown', 'ArrowDown', 'Space']) await page.keyboard.press(key);
  await strokes(page, 1);
  assert.deepEqual(await told(page), [['63,48', '63,49', '63,50']]);
  assert.match(await page.locator('.pixel').innerText(), /x 63 +y 50/);
  // Begun and thought better of.
  for (const key of ['Space', 'ArrowUp', 'Escape', ']', 'Space', 'Space']) await page.keyboard.press(key);
  await strokes(page, 2);
  assert.equal(await page.locator('.brush-size').innerText(), '2 px');
  await page.keyboard.press('Backspace');
  await strokes(page, 1);
  // Without the brush the arrows move the image.
  const before = await told(page);
  for (const key of ['h', 'Space', 'ArrowUp', 'Space']) await page.keyboard.press(key);
  await page.waitForTimeout(100);
  assert.equal((await told(page)).length, before.length);
  await context.close();
});

test('a finger paints and two fingers zoom; the other end of a pen takes away; at 360 pixels there is room for it all', async () => {
  const picture = halves();
  const { context, page } = await withBrush(picture, { hasTouch: true, viewport: { width: 360, height: 740 } });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'wider than the screen');
  const at = await places(page, picture);
  const session = await context.newCDPSession(page);
  const touch = (/** @type {'touchStart' | 'touchMove' | 'touchEnd'} */ type, /** @type {{ x: number, y: number, id: number }[]} */ touchPoints) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints });
  await touch('touchStart', [{ ...at(30, 20), id: 1 }]);
  for (const y of [30, 40, 50]) await touch('touchMove', [{ ...at(30, y), id: 1 }]);
  await touch('touchEnd', []);
  await strokes(page, 1);
  const [covered = []] = await told(page);
  for (const y of [20, 35, 50]) assert.ok(covered.includes(`30,${y}`), `row ${y} is not covered`);

  // The first of two fingers did not mean to paint.
  const zoom = async () => Number.parseInt((await page.locator('.zoom').innerText()).replace(/\D/g, ''), 10);
  const before = await zoom();
  const [a, b] = [at(50, 50), at(80, 50)];
  await touch('touchStart', [{ ...a, id: 1 }]);
  await touch('touchStart', [{ ...a, id: 1 }, { ...b, id: 2 }]);
  for (const apart of [10, 20, 30]) await touch('touchMove', [{ x: a.x - apart, y: a.y, id: 1 }, { x: b.x + apart, y: b.y, id: 2 }]);
  await touch('touchEnd', []);
  assert.ok((await zoom()) > 1.3 * before);
  assert.match(await page.locator('#teach-state').innerText(), /^1 stroke/);

  await page.locator('canvas.picture').press('0');
  const pen = (/** @type {string} */ type, /** @type {{ x: number, y: number }} */ place, /** @type {number} */ buttons, button = 0) =>
    page.locator('canvas.picture').dispatchEvent(type, { pointerId: 7, pointerType: 'pen', isPrimary: true, clientX: place.x, clientY: place.y, buttons, button });
  // A made-up pointer cannot be captured; all else is as the browser does it.
  await page.evaluate(() => {
    HTMLCanvasElement.prototype.setPointerCapture = () => {};
  });
  await pen('pointerdown', at(100, 30), 1);
  await pen('pointermove', at(100, 60), 1);
  await pen('pointerup', at(100, 60), 0);
  await strokes(page, 2);
  await pen('pointerdown', at(100, 45), 32, 5);
  await pen('pointerup', at(100, 45), 0, 5);
  await strokes(page, 1);
  await context.close();
});

test('a head that was painted goes on with the strokes when the model is loaded anew', async () => {
  const picture = halves();
  const { context, page } = await withBrush(picture);
  const at = await places(page, picture);
  for (const [name, x] of /** @type {const} */ ([['inside', 20], ['background', 90], ['inside', 40], ['background', 110]])) {
    await paintAs(page, name);
    await drag(page, [at(x, 20), at(x, 70)]);
  }
  await strokes(page, 4);
  await page.locator('[data-taught]').waitFor();
  const shown = (await told(page)).length;
  await page.locator('#device').selectOption('auto');
  await page.locator('#model[data-state="ready"]').waitFor({ timeout: PATIENCE });
  await page.waitForFunction((n) => /** @type {any} */ (window).told.length === n, shown + 4, { timeout: PATIENCE });
  await strokes(page, 4);
  await page.locator('[data-taught]').waitFor();
  await context.close();
});

/** Two strokes of each class over the halves. @param {Page} page @param {Picture} picture @param {string} name @param {string} ground */
async function paintHalves(page, picture, name, ground = 'background') {
  const at = await places(page, picture);
  for (const [as, x] of /** @type {const} */ ([[name, 20], [ground, 90], [name, 40], [ground, 110]])) {
    await paintAs(page, as);
    await drag(page, [at(x, 20), at(x, 70)]);
  }
}

/** What a head file says of how images are looked at. @param {Buffer} file */
function presentationOf(file) {
  const header = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString());
  return JSON.parse(header.__metadata__.medley_head).presentation;
}

/** @param {Page} page */
async function savedHead(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#teach-export').click()]);
  return readFileSync(await download.path());
}

test('a head that looks at finer parts looks at them still when it is opened again and learns on', async () => {
  const picture = halves();
  const { context, page } = await withPicture(picture);
  await begin(page, 'fine', 'inside', true);
  await paintHalves(page, picture, 'inside');
  await strokes(page, 4);
  await page.locator('[data-taught="fine"]').waitFor();
  const first = await savedHead(page);
  const way = presentationOf(first);
  assert.equal(way.way, 'tiles');

  await page.locator('#teach-end').click();
  await page.locator('#head-picker').setInputFiles({ name: 'fine.safetensors', mimeType: '', buffer: first });
  await page.locator('[data-taught="fine"]').waitFor();
  assert.match(await page.locator('#teach-opened').innerText(), /with new ones it learns anew, from them alone/);
  await page.evaluate(() => /** @type {any} */ (window).ways.splice(0));
  await paintHalves(page, picture, 'inside');
  await strokes(page, 4);
  assert.equal(await page.locator('#teach-opened').count(), 0);
  assert.deepEqual(presentationOf(await savedHead(page)), way);
  // And on a model that is loaded anew.
  await page.locator('#device').selectOption('auto');
  await page.locator('#model[data-state="ready"]').waitFor({ timeout: PATIENCE });
  await page.locator('[data-taught="fine"]').waitFor({ timeout: PATIENCE });
  assert.deepEqual(presentationOf(await savedHead(page)), way);
  const ways = await page.evaluate(() => /** @type {{ ways: unknown[] }} */ (/** @type {unknown} */ (window)).ways);
  assert.ok(ways.length >= 10, `${ways.length} calls`);
  for (const told of ways) assert.deepEqual(told, way);
  await context.close();
});

test('a class that the reader named stands as it was written, in German too', async () => {
  const picture = halves();
  const { context, page } = await withPicture(picture, { locale: 'de-DE' });
  await begin(page, 'lungs', 'lung');
  await paintHalves(page, picture, 'lung', 'Hintergrund');
  const card = page.locator('[data-taught="lungs"]');
  await card.waitFor();
  assert.deepEqual(await card.locator('.name').allInnerTexts(), ['lung']);
  for (const label of ['Farbe von lung', 'Deckkraft von lung', 'Darstellung von lung']) assert.equal(await card.getByLabel(label).count(), 1, label);
  const at = await places(page, picture);
  await page.mouse.move(at(30, 45).x, at(30, 45).y);
  await page.locator('.pixel', { hasText: /·\s+lung$/ }).waitFor();
  const sorts = await page.locator('#sort-by optgroup').last().evaluate((group) => [/** @type {HTMLOptGroupElement} */ (group).label, group.textContent]);
  assert.deepEqual(sorts, ['lungs: Anteil am Bild', 'lung']);
  // What the model calls so is said in German.
  await page.getByRole('tab', { name: 'Antworten' }).click();
  assert.deepEqual(await page.locator('[data-task="lungs"] .mask-class .name').allInnerTexts(), ['Lunge']);
  await context.close();
});

test('every image of the list is asked for pixels: each says how far it is, can be cancelled, sorted and exported', async () => {
  const picture = halves();
  const { context, page } = await withBrush(picture);
  const others = [100, 20, 80].map((edge) => ({ ...halves(131, 97, edge), name: `edge-${edge}.png` }));
  await addFiles(page, others.map(({ name, buffer }) => ({ name, buffer })));
  for (const { name } of others) await rowState(page, name, 'done');
  await row(page, picture.name).locator('.item-main').click();
  await page.locator('.caption', { hasText: picture.name }).waitFor();
  assert.ok(await page.locator('#teach-ask-all').isDisabled(), 'it has learnt nothing yet');
  await paintHalves(page, picture, 'inside');
  await strokes(page, 4);
  await page.locator('[data-taught="by hand"]').waitFor();
  await page.locator('#teach-state', { hasText: /^4/ }).waitFor();

  let release = await holdCalls(page, 'segment');
  await page.locator('#teach-ask-all').click();
  await page.locator('#teach-asked', { hasText: '0 of 3 asked' }).waitFor();
  await page.locator('.item[data-name="edge-100.png"][data-asked="running"]').waitFor();
  assert.match(await row(page, 'edge-20.png').innerText(), /by hand: waiting/);
  await row(page, 'edge-20.png').getByRole('button', { name: 'Cancel edge-20.png' }).click();
  assert.match(await row(page, 'edge-20.png').innerText(), /by hand: cancelled/);
  await page.locator('#teach-asked', { hasText: '1 of 3 asked' }).waitFor();
  await page.locator('#teach-ask-cancel').click();
  assert.equal(await page.locator('.item[data-asked="cancelled"]').count(), 3);
  await release();

  // A stroke more while it asks: everything is asked of the head that has learnt it.
  release = await holdCalls(page, 'segment');
  await page.locator('#teach-ask-all').click();
  await page.locator('.item[data-asked="running"]').waitFor();
  await release();
  const at = await places(page, picture);
  await paintAs(page, 'inside');
  await drag(page, [at(30, 30), at(30, 60)]);
  await strokes(page, 5);
  await page.waitForFunction(() => document.querySelectorAll('.item[data-asked=""]').length === 4, null, { timeout: PATIENCE });
  await page.locator('#teach-ask-all:disabled').waitFor({ state: 'detached' });
  await page.locator('#teach-ask-all').click();
  await page.waitForFunction(() => document.querySelectorAll('.item[data-asked=""]').length === 4, null, { timeout: PATIENCE });

  await page.locator('#sort-by').selectOption('by hand/inside');
  const said = await page.locator('.item .item-value').evaluateAll((values) => values.map(({ textContent }) => /^inside([\d.]+) %$/.exec(textContent ?? '')?.[1]));
  const shares = said.map(Number);
  assert.ok(shares.length === 4 && shares.every((share, i) => share > 0 && share <= (shares[i - 1] ?? 100)), said.join());
  // Of the others more than twice as much is bright.
  assert.equal((await listed(page)).at(-1), 'edge-20.png');
  const [head = '', ...lines] = (await exported(page, 'Whole list (CSV)')).bytes.toString().split('\r\n');
  const column = head.split(',').indexOf('taught by hand: inside pixels');
  assert.ok(column > 0 && !head.includes('taught by hand: background'), head);
  const pixels = lines.filter((line) => line !== '').map((line) => Number(line.split(',')[column]));
  const list = JSON.parse((await exported(page, 'Whole list (JSON)')).bytes.toString());
  assert.deepEqual(pixels.map((n) => Number(((100 * n) / (131 * 97)).toFixed(1))), shares);
  for (const [i, { taught }] of /** @type {{ taught: any }[]} */ (list.images).entries()) {
    assert.deepEqual([taught.task, taught.kind], ['by hand', 'segmentation']);
    assert.deepEqual(taught.classes.map((/** @type {any} */ { name }) => name), ['background', 'inside']);
    assert.equal(taught.classes[0].pixels + taught.classes[1].pixels, 131 * 97);
    assert.equal(taught.classes[1].pixels, pixels[i]);
  }
  // What another head would say is not what this one said.
  await page.locator('#teach-end').click();
  assert.equal(await page.locator('#sort-by').inputValue(), '');
  assert.ok(!(await exported(page, 'Whole list (CSV)')).bytes.toString().includes('by hand'));
  await context.close();
});
