// What can be taken along: text, JSON, CSV, a picture.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addFiles, chooseSample, exported, row, rowState } from './lib/page.mjs';
import { flat, ramp } from './lib/pictures.mjs';
import { modelReady, openPage, openSite } from './lib/site.mjs';

const NOTICE = 'Research use only. Not for diagnostic use.';

/** @type {import('./lib/site.mjs').Site} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

test('the picture has the image’s size and, below it, a strip with the notice', async () => {
  const { context, page, requests } = await openPage(site);
  await modelReady(page);
  await addFiles(page, [{ name: 'wide.png', buffer: ramp(600) }]);
  await rowState(page, 'wide.png', 'done');
  requests.length = 0;
  const { name, bytes } = await exported(page, 'Picture with overlay (PNG)');
  assert.equal(name, 'wide-medley.png');
  const found = await page.evaluate(async (content) => {
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(content)]));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('no canvas');
    context.drawImage(bitmap, 0, 0);
    const scale = bitmap.width / 256;
    const at = (/** @type {number} */ x, /** @type {number} */ y) => [...context.getImageData(x, y, 1, 1).data].slice(0, 3);
    const strip = context.getImageData(0, 600 * scale, bitmap.width, bitmap.height - 600 * scale).data;
    let letters = 0;
    for (let i = 0; i < strip.length; i += 4) if ((strip[i] ?? 0) > 200) letters += 1;
    return { width: bitmap.width, height: bitmap.height, scale, left: at(Math.floor(20.5 * scale), 300), letters };
  }, [...bytes]);
  // 256 pixels are too narrow for the line below them: the picture is enlarged by a whole step.
  assert.equal(found.scale, 2);
  assert.ok(found.height > 1200, `${found.height}`);
  assert.ok(found.letters > 300, `${found.letters} bright pixels in the strip`);
  assert.ok(Math.abs((found.left[0] ?? 0) - 20) <= 40, 'the ramp is dark at the left');
  assert.deepEqual(requests.filter(({ url }) => !/^(blob|data):/.test(url)), [], 'nothing was asked of the network');
  await context.close();
});

test('JSON of one image is the report; JSON of the list holds every image and its mark', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, [{ name: 'a.png', buffer: flat(40) }, { name: 'b.png', buffer: flat(200) }]);
  await rowState(page, 'a.png', 'done');
  await rowState(page, 'b.png', 'done');
  await row(page, 'b.png').locator('.mark').selectOption('finding');
  const one = await exported(page, 'Answers (JSON)');
  assert.equal(one.name, 'a-medley.json');
  const report = /** @type {import('@medley/web').Report} */ (JSON.parse(one.bytes.toString()));
  assert.deepEqual([report.file, report.notice, report.format], ['a.png', NOTICE, 1]);

  const all = JSON.parse((await exported(page, 'Whole list (JSON)')).bytes.toString());
  assert.equal(all.notice, NOTICE);
  assert.deepEqual(
    all.images.map((/** @type {any} */ { file, mark, report }) => [file, mark, report.file]),
    [['a.png', null, 'a.png'], ['b.png', 'finding', 'b.png']],
  );
  await context.close();
});

test('CSV has a row for every image with its mark and answers, and no cell is a formula', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await addFiles(page, [{ name: '=1+1.png', buffer: flat(40) }, { name: 'b, "c".png', buffer: flat(200) }]);
  await rowState(page, '=1+1.png', 'done');
  await page.locator('.item[data-state="done"]').nth(1).waitFor();
  await page.locator('.mark').nth(1).selectOption('unsure');
  const { name, bytes } = await exported(page, 'Whole list (CSV)');
  assert.equal(name, 'medley-list.csv');
  const [head = '', first = '', second = '', rest] = bytes.toString().split('\r\n');
  assert.equal(rest, '');
  const columns = head.split(',');
  assert.deepEqual(columns.slice(0, 6), ['file', 'width', 'height', 'kind', 'state', 'mark']);
  assert.ok(columns.includes('pneumonia-children: normal') && columns.includes('lungs: lung pixels'));
  assert.ok(first.startsWith("'=1+1.png,48,48,,done,,medley-nano,wasm,"), first);
  assert.ok(second.startsWith('"b, ""c"".png",48,48,,done,unsure,'), second);
  assert.ok(first.endsWith(NOTICE) && second.endsWith(NOTICE));
  // The three classes of one task add up to 1.
  const cells = first.split(',');
  const sum = columns
    .map((column, i) => (column.startsWith('pneumonia-children: ') ? Number(cells[i]) : 0))
    .reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 1) < 0.001, `${sum}`);
  await context.close();
});

test('the answers are copied as text, each with what the model measured', async () => {
  const { context, page } = await openPage(site);
  await modelReady(page);
  await chooseSample(page, 'chest-radiograph');
  await page.locator('#copy-answers').click();
  await page.getByText('Answers copied').waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /^chest-radiograph\.png\nmedley-nano on wasm\n/);
  assert.match(text, /Pneumonia \(children\)\n(  .+: (< )?[\d.]+ %\n){3}  Measured: macro-F1 \d\.\d\d on \d+ images \(test split\)\./);
  assert.match(text, /Lungs\n  lung: [\d.]+ % \([\d,]+ px\)/);
  assert.ok(text.endsWith(NOTICE));
  // Only what is shown: the tasks of the other kinds are not meant for this image.
  assert.doesNotMatch(text, /Blood cell/);
  await context.close();
});
