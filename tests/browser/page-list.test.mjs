// Several images as a work list: queue, order, marks, cancel.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { addFiles, chooseSample, listed, row, rowState } from './lib/page.mjs';
import { flat, ramp } from './lib/pictures.mjs';
import { answers, modelReady, openPage, openSite, PATIENCE } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const THREE = [
  { name: 'one.png', buffer: flat(30) },
  { name: 'two.png', buffer: ramp() },
  { name: 'three.png', buffer: flat(220) },
];

/** What a row says of the class that the list is sorted by, in percent. @param {import('playwright-core').Page} page @param {string} name */
async function shownPercent(page, name) {
  const text = await row(page, name).locator('.item-value').innerText();
  return Number(/([\d.]+) %/.exec(text)?.[1]);
}

test('several files become a list: each is answered, also after one that is no image', async () => {
  const { context, page, troubles } = await openPage(site);
  await modelReady(page);
  await addFiles(page, [THREE[0] ?? assert.fail(), { name: 'bad.png', buffer: Buffer.from('no image') }, ...THREE.slice(1)]);
  for (const { name } of THREE) await rowState(page, name, 'done');
  await rowState(page, 'bad.png', 'failed');
  assert.deepEqual(await listed(page), ['one.png', 'bad.png', 'two.png', 'three.png']);
  // The first one is on the stage, whatever became of the others.
  assert.match(await page.locator('.caption').innerText(), /one\.png · 48 × 48 pixels/);

  await row(page, 'bad.png').locator('.item-main').click();
  assert.match(await page.locator('#alert').innerText(), /This image cannot be read/);
  // Chosen once more, it says so still.
  await row(page, 'bad.png').locator('.item-main').click();
  assert.match(await page.locator('#alert').innerText(), /This image cannot be read/);
  assert.equal(await page.locator('#results [data-task]').count(), 0);
  await row(page, 'two.png').locator('.item-main').click();
  await page.locator('.caption', { hasText: 'two.png' }).waitFor();
  await page.locator('#results [data-task]').first().waitFor();
  assert.equal(await page.locator('#alert').innerText(), '');
  assert.deepEqual(troubles, []);
  await context.close();
});

test('the list is sorted and filtered by the probability of a class', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, THREE);
  for (const { name } of THREE) await rowState(page, name, 'done');
  await page.locator('#sort-by').selectOption('pneumonia-children/viral pneumonia');
  const names = await listed(page);
  const values = await Promise.all(names.map((name) => shownPercent(page, name)));
  assert.deepEqual(values, [...values].sort((a, b) => b - a), 'highest first');
  assert.equal(names.length, 3);

  // Between the second and the third: only two are left.
  const threshold = Math.ceil(values[2] ?? 0);
  if (threshold <= (values[1] ?? 0)) {
    await page.locator('#at-least').fill(String(threshold));
    assert.deepEqual(await listed(page), names.slice(0, 2));
    assert.match(await page.locator('#list-state').innerText(), /1 image hidden by the filter/);
  }
  await page.locator('#at-least').fill('0');
  await page.locator('#sort-by').selectOption('');
  assert.deepEqual(await listed(page), THREE.map(({ name }) => name));
  await context.close();
});

test('an image of another kind than the class is about has no place in the order', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await chooseSample(page, 'nuclei');
  await chooseSample(page, 'chest-radiograph');
  await page.locator('#sort-by').selectOption('pneumonia-children/viral pneumonia');
  assert.deepEqual(await listed(page), ['chest-radiograph.png', 'nuclei.png']);
  assert.match(await row(page, 'chest-radiograph.png').locator('.item-value').innerText(), /Viral pneumonia\s*[\d.]+ %/);
  assert.equal(await row(page, 'nuclei.png').locator('.item-value').innerText(), 'Microscopy');
  await context.close();
});

test('the reader’s own marks stay with the images and filter the list', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, THREE);
  for (const { name } of THREE) await rowState(page, name, 'done');
  await row(page, 'two.png').locator('.mark').selectOption('finding');
  await row(page, 'three.png').locator('.mark').selectOption('unsure');
  await page.locator('#mark-filter').selectOption('finding');
  assert.deepEqual(await listed(page), ['two.png']);
  await page.locator('#mark-filter').selectOption('');
  assert.equal(await row(page, 'three.png').locator('.mark').inputValue(), 'unsure');
  await context.close();
});

test('the browser asks before marks are lost that were not exported', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, THREE.slice(0, 1));
  await rowState(page, 'one.png', 'done');
  let asked = 0;
  page.on('dialog', (dialog) => {
    asked += dialog.type() === 'beforeunload' ? 1 : 0;
    void dialog.dismiss();
  });
  await row(page, 'one.png').locator('.mark').selectOption('normal');
  // The browser asks only where the reader has done something on the page.
  await row(page, 'one.png').locator('.item-main').click();
  await page.close({ runBeforeUnload: true });
  for (let i = 0; i < 50 && asked === 0; i++) await page.waitForTimeout(50);
  assert.equal(asked, 1);
  await Promise.all([page.waitForEvent('download'), page.locator('#save-csv').click()]);
  await Promise.all([page.waitForEvent('close'), page.close({ runBeforeUnload: true })]);
  assert.equal(asked, 1);
  await context.close();
});

test('one image, and all that wait, can be cancelled, tried again and removed', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  const many = Array.from({ length: 8 }, (_, i) => ({ name: `image-${i}.png`, buffer: flat(20 * i + 10) }));
  await addFiles(page, many);
  await row(page, 'image-7.png').locator('.drop').click();
  assert.equal(await row(page, 'image-7.png').getAttribute('data-state'), 'cancelled');
  await page.locator('#cancel-all').click();
  await page.waitForFunction(() => document.querySelector('.item[data-state="waiting"], .item[data-state="running"]') === null);
  assert.equal(await row(page, 'image-6.png').getAttribute('data-state'), 'cancelled');

  await row(page, 'image-7.png').locator('.retry').click();
  await rowState(page, 'image-7.png', 'done');
  await row(page, 'image-7.png').locator('.drop').click();
  assert.ok(!(await listed(page)).includes('image-7.png'));
  await page.locator('#clear-list').click();
  assert.deepEqual(await listed(page), []);
  assert.ok(await page.locator('.dropzone').isVisible());
  await context.close();
});

test('a folder is taken whole, in the order of its names; what is no image is passed over and said', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medley-folder-'));
  mkdirSync(join(folder, 'inner'));
  for (const [name, buffer] of /** @type {const} */ ([['b10.png', flat(1)], ['b9.png', flat(2)], ['inner/c.png', flat(3)]])) {
    writeFileSync(join(folder, name), buffer);
  }
  writeFileSync(join(folder, 'notes.txt'), 'no image');
  const { context, page } = await openPage(site);
  await modelReady(page);
  await page.locator('#folder-picker').setInputFiles(folder);
  await rowState(page, 'c.png', 'done');
  assert.deepEqual(await listed(page), ['b9.png', 'b10.png', 'c.png']);
  assert.match(await page.locator('#alert').innerText(), /1 file was passed over/);
  await context.close();
});

test('a folder that is dropped is taken whole, folders in it too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medley-drop-'));
  mkdirSync(join(folder, 'inner'));
  for (const name of ['a2.png', 'a10.png', 'inner/z.png']) writeFileSync(join(folder, name), flat(60));
  writeFileSync(join(folder, 'notes.txt'), 'no image');
  const { context, page } = await openPage(site);
  await modelReady(page);
  const session = await context.newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of /** @type {const} */ (['dragEnter', 'dragOver', 'drop'])) await session.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data });
  await rowState(page, 'z.png', 'done');
  assert.deepEqual(await listed(page), ['a2.png', 'a10.png', 'z.png']);
  assert.match(await page.locator('#alert').innerText(), /1 file was passed over/);
  await context.close();
});

test('images are dropped and pasted anywhere on the page', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  for (const [kind, name] of /** @type {const} */ ([['drop', 'dropped.png'], ['paste', 'pasted.png']])) {
    await page.evaluate(
      ([kind, name, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
        const event =
          kind === 'drop'
            ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent('paste', { clipboardData: data, bubbles: true });
        document.body.dispatchEvent(event);
      },
      /** @type {const} */ ([kind, name, [...flat(90)]]),
    );
    await rowState(page, name, 'done');
  }
  await context.close();
});

test('the kind that is said of one image holds for all of which none was said', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, THREE);
  for (const { name } of THREE) await rowState(page, name, 'done');
  const shown = () => page.locator('#results [data-task]').count();
  assert.equal(await shown(), 16);
  await page.locator('input[name="kind"][value="radiograph"]').check({ force: true });
  assert.equal(await shown(), 3);
  await row(page, 'two.png').locator('.item-main').click();
  await page.locator('.caption', { hasText: 'two.png' }).waitFor();
  await page.locator('#results [data-task]').first().waitFor();
  assert.equal(await shown(), 3);
  // From then on each has its own.
  await page.locator('input[name="kind"][value="CT"]').check({ force: true });
  assert.equal(await shown(), 1);
  assert.equal(await row(page, 'one.png').locator('.item-value').innerText(), 'Radiograph');
  await context.close();
});

test('with no task chosen there are no answers, and with one chosen again there are', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, THREE.slice(0, 1));
  await rowState(page, 'one.png', 'done');
  await page.getByText(/^Tasks to ask/).click();
  await page.getByRole('button', { name: 'None' }).click();
  await page.getByText('No task is chosen.').waitFor();
  assert.equal(await page.locator('#results [data-task]').count(), 0);
  assert.equal(await page.locator('#stage').getAttribute('aria-busy'), 'false');
  await page.locator('.task input[value="lungs"]').check();
  await page.locator('#results [data-task="lungs"]').waitFor();
  assert.equal(await page.locator('#results [data-task]').count(), 1);
  await context.close();
});

test('letters go through the list and mark images, from the list and from the image, not from elsewhere', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, THREE);
  for (const { name } of THREE) await rowState(page, name, 'done');
  await row(page, 'one.png').locator('.item-main').press('j');
  await page.locator('.caption', { hasText: 'two.png' }).waitFor({ timeout: PATIENCE });
  await page.locator('canvas.picture').press('f');
  assert.equal(await row(page, 'two.png').getAttribute('data-mark'), 'finding');
  await page.locator('canvas.picture').press('j');
  await page.locator('.caption', { hasText: 'three.png' }).waitFor({ timeout: PATIENCE });
  await page.locator('#open-card').press('k');
  assert.match(await page.locator('.caption').innerText(), /three\.png/);
  await page.locator('canvas.picture').press('k');
  await page.locator('.caption', { hasText: 'two.png' }).waitFor({ timeout: PATIENCE });
  await context.close();
});

test('images that came before the model are answered when it is there', async () => {
  const { context, page } = await openPage(site);
  await page.locator('#cancel-loading').click();
  await page.locator('#model[data-state="missing"]').waitFor();
  await addFiles(page, THREE);
  assert.equal(await row(page, 'one.png').getAttribute('data-state'), 'waiting');
  await page.locator('#load').click();
  for (const { name } of THREE) await rowState(page, name, 'done');
  await context.close();
});

test('another device can be chosen in the middle of work: what waits is answered by it, or waits on', async () => {
  const { context, page } = await openPage(site, '/');
  await modelReady(page);
  await addFiles(page, THREE);
  // The only adapter here is software, which is not accepted.
  await page.locator('#device').selectOption('webgpu');
  await page.locator('#model[data-state="missing"]').waitFor({ timeout: PATIENCE });
  assert.match(await page.locator('#alert').innerText(), /cannot run the model that way/);
  assert.ok((await page.locator('.item[data-state="waiting"]').count()) > 0);
  assert.equal(await page.locator('.item[data-state="running"]').count(), 0);
  await page.locator('#device').selectOption('wasm');
  await modelReady(page);
  for (const { name } of THREE) await rowState(page, name, 'done');
  await row(page, 'three.png').locator('.item-main').click();
  await page.locator('.caption', { hasText: 'three.png' }).waitFor();
  await page.locator('#results [data-task]').first().waitFor();
  assert.equal(await page.locator('#alert').innerText(), '');
  await context.close();
});

test('answers that one pass gives are shown before those that need many, and the rest joins them in the order of the tasks', async () => {
  const { context, page, troubles } = await openPage(site);
  await modelReady(page);
  await page.evaluate(() => {
    const results = /** @type {HTMLElement} */ (document.querySelector('#results'));
    /** @type {{ early: boolean, tasks: string[] }[]} */
    const seen = [];
    new MutationObserver(() => {
      const tasks = [...results.querySelectorAll('[data-task]')].map((card) => /** @type {HTMLElement} */ (card).dataset['task'] ?? '');
      if (tasks.length > 0) seen.push({ early: document.querySelector('#early') !== null, tasks });
    }).observe(results, { childList: true });
    Object.assign(window, { seen });
  });
  await addFiles(page, [{ name: 'ramp.png', buffer: ramp() }]);
  await rowState(page, 'ramp.png', 'done');
  const seen = await page.evaluate(() => /** @type {{ seen: { early: boolean, tasks: string[] }[] }} */ (/** @type {unknown} */ (window)).seen);
  const [first, last] = [seen[0], seen.at(-1)];
  const all = await page.locator('.task input').evaluateAll((boxes) => boxes.map((box) => /** @type {HTMLInputElement} */ (box).value));
  const report = await answers(page);
  assert.ok(first?.early && first.tasks.includes('lungs') && !first.tasks.includes('retina-vessels'), JSON.stringify(first));
  assert.equal(last?.early, false);
  assert.deepEqual(new Set(last?.tasks), new Set(all));
  assert.deepEqual(report.results.map(({ task }) => task), last?.tasks);
  assert.deepEqual(troubles, []);
  await context.close();
});
