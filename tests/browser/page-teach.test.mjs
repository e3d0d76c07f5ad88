// Teaching the model a question of one's own, with images of the list.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { addFiles, holdCalls, listed, row, rowState } from './lib/page.mjs';
import { encodeGrey } from './lib/png.mjs';
import { modelReady, openPage, openSite, PATIENCE } from './lib/site.mjs';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

/** Stripes so wide, lying or standing, as a PNG: textures that are easily told apart. @param {number} wide @param {number} shift @param {boolean} lying */
function stripes(wide, shift, lying) {
  const [width, height] = [96, 80];
  const pixels = Buffer.alloc(width * height);
  for (let i = 0; i < pixels.length; i++) {
    const along = lying ? Math.floor(i / width) : i % width;
    pixels[i] = 200 * (Math.floor((along + shift) / wide) % 2) + 20;
  }
  return encodeGrey(width, height, pixels);
}

const FINE = [0, 1, 2, 3].map((i) => ({ name: `fine-${i}.png`, buffer: stripes(3, i, i % 2 === 0) }));
const COARSE = [0, 1, 2, 3].map((i) => ({ name: `coarse-${i}.png`, buffer: stripes(14, 3 * i, i % 2 === 0) }));

/**
 * A page with all images, at the tab.
 * @param {{ name: string, buffer: Buffer }[]} files
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function atTab(files, options) {
  const opened = await openPage(site, '/?device=wasm', options);
  const { page } = opened;
  await modelReady(page);
  await addFiles(page, files);
  for (const { name } of files) await rowState(page, name, 'done');
  await page.locator('#tabs [role="tab"]').nth(1).click();
  return opened;
}

/** @param {import('playwright-core').Page} page @param {string} name @param {string} into @param {number} count */
async function teach(page, name, into, count) {
  await row(page, name).locator('.item-main').click();
  await page.locator('.caption', { hasText: name }).waitFor();
  await page.locator(`[data-teach="${into}"]`).click();
  await page.locator('#teach-state', { hasText: new RegExp(`^${count} example`) }).waitFor();
}

test('a question is taught, estimated, asked of the whole list, sorted by, saved and opened again', async () => {
  const unseen = [
    { name: 'new-fine.png', buffer: stripes(3, 7, false) },
    { name: 'new-coarse.png', buffer: stripes(14, 8, true) },
  ];
  const { context, page, requests, troubles } = await atTab([...FINE, ...COARSE, ...unseen]);
  await page.locator('#head-name').fill('stripes');
  await page.getByLabel('Class 1').fill('fine');
  await page.locator('#teach-begin').click();
  assert.match(await page.locator('.error-text').innerText(), /at least two classes/);
  await page.getByLabel('Class 2').fill('coarse');
  await page.locator('#teach-begin').click();
  requests.length = 0;

  let count = 0;
  for (let i = 0; i < 4; i++) {
    await teach(page, `fine-${i}.png`, 'fine', ++count);
    await teach(page, `coarse-${i}.png`, 'coarse', ++count);
  }
  const accuracy = Number.parseInt(await page.locator('#estimate .big').innerText(), 10);
  assert.ok(accuracy >= 75, `right on ${accuracy} % of the examples that were left out`);
  assert.match(await page.locator('#estimate').innerText(), /Of 8 examples, each left out in turn; 95 % interval \d+ % to \d+ %/);
  assert.ok((await page.locator('.curve .point').count()) >= 3, 'the curve grew with the examples');

  await page.locator('#teach-ask-all').click();
  await page.locator('#sort-by').selectOption('stripes/coarse');
  await page.waitForFunction(() => document.querySelectorAll('.item .item-value').length === 10 && [...document.querySelectorAll('.item .item-value')].every((value) => /%/.test(value.textContent ?? '')));
  const order = await listed(page);
  assert.ok(order.indexOf('new-coarse.png') < order.indexOf('new-fine.png'), order.join());

  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#teach-export').click()]);
  assert.equal(download.suggestedFilename(), 'stripes.safetensors');
  const head = readFileSync(await download.path());
  await page.locator('#teach-end').click();
  await page.locator('#head-picker').setInputFiles({ name: 'stripes.safetensors', mimeType: '', buffer: head });
  await row(page, 'new-coarse.png').locator('.item-main').click();
  await page.locator('[data-taught="stripes"]').waitFor();
  assert.match(await page.locator('[data-taught="stripes"] li').first().innerText(), /^coarse/);

  assert.deepEqual(requests.filter(({ url }) => !/^(blob|data):/.test(url)), [], 'nothing was asked of the network');
  assert.deepEqual(troubles, []);
  await context.close();
});

test('an example that the others speak against is named, and can be taken back', async () => {
  const { context, page } = await atTab([...FINE, ...COARSE]);
  await page.locator('#head-name').fill('stripes');
  await page.getByLabel('Class 1').fill('fine');
  await page.getByLabel('Class 2').fill('coarse');
  await page.locator('#teach-begin').click();
  let count = 0;
  for (let i = 0; i < 3; i++) {
    await teach(page, `fine-${i}.png`, 'fine', ++count);
    await teach(page, `coarse-${i}.png`, 'coarse', ++count);
  }
  await teach(page, 'fine-3.png', 'coarse', ++count);
  await page.getByRole('button', { name: 'fine-3.png: coarse, or fine?' }).waitFor();
  await page.locator('[data-teach="coarse"][aria-pressed="true"]').click();
  await page.locator('#teach-state', { hasText: '6 examples' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'fine-3.png: coarse, or fine?' }).count(), 0);
  await context.close();
});

test('the reader’s marks become examples', async () => {
  const { context, page } = await atTab([...FINE.slice(0, 2), ...COARSE.slice(0, 2)]);
  await page.locator('#teach-marks').click();
  assert.match(await page.locator('.error-text').innerText(), /at least one image “Normal” and one “Finding”/);
  for (const [name, mark] of [['fine-0.png', 'normal'], ['fine-1.png', 'normal'], ['coarse-0.png', 'finding'], ['coarse-1.png', 'finding']]) {
    await row(page, name ?? '').locator('.mark').selectOption(mark ?? '');
  }
  await page.locator('#teach-marks').click();
  await page.locator('#teach-state', { hasText: '4 examples' }).waitFor();
  await page.locator('#estimate').waitFor();
  await context.close();
});

test('what the reader named stands as it was written, in German too, beside what the model calls the same', async () => {
  const { context, page } = await atTab([...FINE.slice(0, 2), ...COARSE.slice(0, 2)], { locale: 'de-DE' });
  // A task and two classes of the model have these names, and German ones.
  await page.locator('#head-name').fill('lung-ct');
  await page.locator('.class-fields input').first().fill('normal');
  await page.locator('.class-fields input').last().fill('lung');
  await page.locator('#teach-begin').click();
  for (const [i, [name, into]] of /** @type {const} */ ([['fine-0.png', 'normal'], ['coarse-0.png', 'lung'], ['fine-1.png', 'normal'], ['coarse-1.png', 'lung']]).entries()) {
    await row(page, name).locator('.item-main').click();
    await page.locator('.caption', { hasText: name }).waitFor();
    await page.locator(`[data-teach="${into}"]`).click();
    await page.locator('#teach-state', { hasText: new RegExp(`^${i + 1} Beispiel`) }).waitFor();
  }
  const card = page.locator('[data-taught="lung-ct"]');
  await card.waitFor();
  assert.deepEqual((await card.locator('.name').allInnerTexts()).sort(), ['lung', 'normal']);
  assert.equal(await page.locator('#teach .lesson h3').innerText(), 'lung-ct');

  const sorts = await page.locator('#sort-by optgroup').evaluateAll((groups) =>
    groups.map((group) => [/** @type {HTMLOptGroupElement} */ (group).label, [...group.querySelectorAll('option')].map(({ text }) => text)]),
  );
  assert.deepEqual(sorts.find(([label]) => label === 'lung-ct')?.[1], ['normal', 'lung']);
  assert.ok(sorts.some(([label]) => label === 'Lungen-CT'), 'the model’s own task is said in German');
  assert.ok(sorts.some(([, classes]) => classes?.includes('Unauffällig')), 'and its classes');

  // Sorted by the reader’s class, the row says what the reader’s head says, not what the model says of a class of that name.
  await page.locator('#sort-by').evaluate((select) => {
    const option = select.querySelector('optgroup[label="lung-ct"] option:last-child');
    /** @type {HTMLOptionElement} */ (option).selected = true;
    select.dispatchEvent(new Event('input'));
  });
  const said = await card.locator('li', { hasText: 'lung' }).locator('.value').innerText();
  const value = row(page, 'coarse-1.png').locator('.item-value');
  await value.getByText('%').waitFor({ timeout: PATIENCE });
  assert.equal(await value.innerText().then((text) => text.replace(/\s+/g, ' ')), `lung ${said}`);
  await context.close();
});

test('each image says how far the question is; one and all of them can be cancelled, and asked again', async () => {
  const { context, page } = await atTab([...FINE, ...COARSE]);
  await page.locator('#head-name').fill('stripes');
  await page.getByLabel('Class 1').fill('fine');
  await page.getByLabel('Class 2').fill('coarse');
  await page.locator('#teach-begin').click();
  assert.ok(await page.locator('#teach-ask-all').isDisabled(), 'it has learnt nothing yet');
  await teach(page, 'fine-0.png', 'fine', 1);
  await teach(page, 'coarse-0.png', 'coarse', 2);
  await page.locator('[data-taught="stripes"]').waitFor();
  const release = await holdCalls(page, 'classify');
  await page.locator('#teach-ask-all').click();
  // The image on the stage was answered before.
  await page.locator('#teach-asked', { hasText: '0 of 7 asked' }).waitFor();
  await page.locator('.item[data-name="fine-0.png"][data-asked="running"]').waitFor();
  assert.match(await row(page, 'fine-2.png').innerText(), /stripes: waiting/);
  await row(page, 'fine-2.png').getByRole('button', { name: 'Cancel fine-2.png' }).click();
  assert.match(await row(page, 'fine-2.png').innerText(), /stripes: cancelled/);
  await page.locator('#teach-asked', { hasText: '1 of 7 asked' }).waitFor();
  await page.locator('#teach-ask-cancel').click();
  assert.equal(await page.locator('.item[data-asked="cancelled"]').count(), 7);
  assert.ok(await page.locator('#teach-asked').isHidden());
  await release();
  // What was cancelled stays unanswered until it is asked for.
  await row(page, 'fine-2.png').getByRole('button', { name: 'Try fine-2.png again' }).click();
  await page.locator('.item[data-name="fine-2.png"][data-asked=""]').waitFor({ timeout: PATIENCE });
  assert.equal(await page.locator('.item[data-asked="cancelled"]').count(), 6);
  await page.locator('#teach-ask-all').click();
  await page.waitForFunction(() => document.querySelectorAll('.item[data-asked=""]').length === 8, null, { timeout: PATIENCE });
  await context.close();
});

test('a file that is no head is refused in words', async () => {
  const { context, page } = await atTab(FINE.slice(0, 1));
  await page.locator('#head-picker').setInputFiles({ name: 'x.safetensors', mimeType: '', buffer: Buffer.alloc(100) });
  await page.locator('#alert', { hasText: 'This head cannot be used' }).waitFor();
  await context.close();
});
