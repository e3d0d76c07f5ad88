// @medley/web/dicom in a browser: reading, sorting, answering, writing, and what it must not tell.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary } from './lib/command-line.mjs';
import { CANARIES, ctSlice, FIXTURES, hounsfield, SECRETS, SIDE, SPACING, zip } from './lib/dicom.mjs';
import { NANO, openHarness } from './lib/harness.mjs';
import { maskAgreement } from './lib/compare.mjs';
import { ROOT } from './lib/server.mjs';

const SLICES = 4;
const PATIENCE = 240_000;
/** Syntaxes that lose something: the mean must agree. All others must agree bit by bit. */
const LOSSY = ['50', '51', '81', '91', '203', '112'].map((end) => `1.2.840.10008.1.2.4.${end}`);

/** @type {string} */
let folder;
/** @type {import('./lib/harness.mjs').Harness} */
let harness;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let troubles;
/** Everything that the page and its workers have asked of the network. @type {{ url: string, body: string }[]} */
const requests = [];
/** @type {string[]} */
const console_ = [];
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'medley-dicom-'));
  const slices = Array.from({ length: SLICES }, (_, n) => ctSlice(n));
  slices.forEach((slice, n) => writeFileSync(join(folder, `IM${n}`), slice));
  writeFileSync(join(folder, 'other-series'), ctSlice(0, { series: '1.2.777.9' }));
  writeFileSync(join(folder, 'cut.dcm'), ctSlice(0, { series: '1.2.777.8', cut: 1000 }));
  writeFileSync(join(folder, 'notes.txt'), 'no image at all');
  const inside = Object.fromEntries(slices.map((slice, n) => [`DICOM/PA0/IM${n}`, slice]));
  // Neither file has an ending that tells what it is.
  writeFileSync(join(folder, 'disc'), zip({ ...inside, 'README.TXT': Buffer.from('read me') }));
  writeFileSync(join(folder, 'bomb'), zip({ 'DICOM/IM0': slices[0] ?? Buffer.alloc(0) }, { claim: 0xfffffff0 }));
  const shared = existsSync(FIXTURES) ? { '/fixtures/': FIXTURES } : {};
  harness = await openHarness({ '/dicom/': folder, .../** @type {Record<string, string>} */ (shared) });
  ({ page, troubles } = await harness.open('/harness/dicom.html'));
  await page.waitForFunction(() => document.title === 'loaded');
  page.context().on('request', (request) => requests.push({ url: request.url(), body: request.postData() ?? '' }));
  page.on('console', (message) => console_.push(message.text()));
});
after(async () => {
  await harness?.close();
  rmSync(folder, { recursive: true, force: true });
});

const SERIES = Array.from({ length: SLICES }, (_, n) => `/dicom/IM${n}`);

test('nothing of DICOM is fetched before a file is opened', async () => {
  assert.deepEqual(harness.server.seen.filter(({ path }) => path.includes('medley_web_dicom')), []);
});

test('every image agrees with the reference reader, and every other file ends in a typed error or decodes', { skip: existsSync(FIXTURES) ? false : `no ${FIXTURES}`, timeout: PATIENCE }, async () => {
  const index = JSON.parse(readFileSync(join(FIXTURES, 'index.json'), 'utf8'));
  const found = await page.evaluate(async (/** @type {string[]} */ names) => {
    const files = await filesOf(...names.map((name) => `/fixtures/${name}`));
    const found = [];
    for (const file of files) {
      try {
        found.push({ info: await dicom.dicomInfo(file) });
      } catch (error) {
        const { name, code, message } = /** @type {import('@medley/web').MedleyError} */ (error);
        found.push({ error: { name, code, message } });
      }
    }
    return found;
  }, index.map((/** @type {{ file: string }} */ { file }) => file));
  let images = 0;
  /** @type {string[]} */
  const wrong = [];
  for (const [i, entry] of index.entries()) {
    const { info, error } = found[i] ?? {};
    if (error !== undefined) assert.deepEqual([error.name, error.code], ['MedleyError', 'dicom'], `${entry.file}: ${error.message}`);
    if (entry.expect !== 'image') continue;
    images += 1;
    const first = info?.first_frame;
    const lossless = !LOSSY.includes(entry.transfer_syntax);
    const same = lossless
      ? first?.sha256_le === entry.first_frame.sha256_le
      : Math.abs((first?.mean ?? Number.NaN) - entry.first_frame.mean) <= 0.5;
    if (!same || info?.rows !== entry.rows || info?.frames !== entry.frames) wrong.push(`${entry.file}: ${error?.message ?? JSON.stringify(first)}`);
  }
  assert.deepEqual(wrong, []);
  assert.equal(images, 112);
});

test('a series is sorted by position, its windows, spacing and values are those of the files', async () => {
  const found = await page.evaluate(async (addresses) => {
    const files = await filesOf(...addresses.toReversed());
    const shares = /** @type {number[]} */ ([]);
    const opened = await dicom.openDicom(files, { onProgress: ({ fraction }) => shares.push(fraction) });
    const [series] = opened.series;
    const slice = series?.slices[1];
    if (series === undefined || slice === undefined) throw new Error('no series');
    const { values, inverted, low, high } = await slice.values();
    const { data } = await slice.stored();
    const lung = await slice.render(1);
    const image = await slice.image();
    const result = {
      names: series.slices.map(({ file }) => file),
      shares,
      modality: series.modality,
      distance: series.distance,
      problems: series.problems,
      counts: [opened.studies.length, opened.series.length, opened.failed.length, opened.others.length],
      description: slice.description,
      values: [...values],
      stored: [data.constructor.name, data[0], data[64 * 32 + 32]],
      range: [inverted, low, high],
      lung: lung.data[4 * (64 * 32 + 32)],
      image: [image.channels, image.data.constructor.name, image.data[0], image.pixelArea],
    };
    opened.dispose();
    return result;
  }, [...SERIES, '/dicom/notes.txt']);
  assert.deepEqual(found.names, ['IM0', 'IM1', 'IM2', 'IM3']);
  assert.equal(found.shares.at(-1), 1);
  assert.deepEqual([found.modality, found.distance, found.problems], ['CT', 2.5, []]);
  assert.deepEqual(found.counts, [1, 1, 0, 1]);
  assert.deepEqual(found.description.spacing, SPACING);
  assert.ok(Math.abs((found.description.pixelArea ?? 0) - 0.4) < 1e-9);
  assert.deepEqual(found.description.windows, [
    { center: 40, width: 400, shape: 'linear', name: 'SOFT' },
    { center: -600, width: 1500, shape: 'linear', name: 'LUNG' },
  ]);
  assert.equal(found.description.unit, 'HU');
  const expected = Array.from({ length: SIDE * SIDE }, (_, i) => hounsfield(i % SIDE, Math.floor(i / SIDE), 1));
  assert.deepEqual(found.values, expected);
  assert.deepEqual(found.stored, ['Int16Array', 24, -849 + 1024]);
  assert.deepEqual(found.range, [false, -1000, 47]);
  // PS3.3 C.11.2.1.2: ((-849 - (-600 - 0.5)) / (1500 - 1) + 0.5) of 255.
  assert.equal(found.lung, Math.round(((-849 + 600.5) / 1499 + 0.5) * 255));
  assert.deepEqual(found.image.slice(0, 3), [1, 'Float32Array', 0]);
});

test('a ZIP archive without ending is opened by its content; what is damaged does not keep the rest away', async () => {
  const found = await page.evaluate(async (addresses) => {
    const opened = await dicom.openDicom(await filesOf(...addresses));
    const result = {
      series: opened.series.map(({ slices }) => slices.length),
      failed: opened.failed.map(({ name, error }) => `${name} ${error.name} ${error.code}`),
      texts: opened.failed.map(({ error }) => error.message),
      others: opened.others.map(({ name }) => name),
    };
    opened.dispose();
    return result;
  }, ['/dicom/disc', '/dicom/cut.dcm', '/dicom/bomb', '/dicom/other-series']);
  assert.deepEqual(found.series.sort(), [1, SLICES].sort());
  assert.deepEqual(found.failed, ['cut.dcm MedleyError dicom', 'bomb MedleyError dicom']);
  assert.match(found.texts[0] ?? '', /cut off/);
  assert.match(found.texts[1] ?? '', /4294967280, and at most 1073741824/);
  assert.deepEqual(found.others, ['README.TXT']);
  for (const secret of SECRETS) assert.ok(!JSON.stringify(found.texts).includes(secret), secret);
});

test('names come only where they are asked for', async () => {
  const found = await page.evaluate(async (addresses) => {
    const opened = await dicom.openDicom(await filesOf(...addresses));
    const slice = opened.series[0]?.slices[0];
    const result = { technical: await slice?.header(), personal: await slice?.header({ personal: true }) };
    opened.dispose();
    return result;
  }, SERIES);
  for (const secret of SECRETS) assert.ok(!JSON.stringify(found.technical).includes(secret), secret);
  assert.ok(found.technical?.some(({ keyword, value }) => keyword === 'SliceThickness' && value === '2.5'));
  assert.ok(found.personal?.some(({ keyword, value }) => keyword === 'PatientName' && value === CANARIES['0010,0010 PN']));
});

test('a series is answered as the command line answers it, and its masks come back out of the segmentation', { timeout: PATIENCE }, async () => {
  const program = binary('medley', 'medley-cli', process.env['MEDLEY_BIN']);
  const model = join(ROOT, 'www/models/medley-nano');
  const tasks = ['lung-ct', 'lungs'];
  const files = Array.from({ length: SLICES }, (_, n) => join(folder, `IM${n}`));
  const table = join(folder, 'table.csv');
  const printed = execFileSync(program, ['predict', '--model', model, '--json', ...tasks.flatMap((task) => ['--task', task]), '--table', table, ...files], { encoding: 'utf8' });
  const expected = /** @type {import('@medley/web').Report[]} */ (printed.trim().split('\n').map((line) => JSON.parse(line)));
  const found = await page.evaluate(
    async ({ addresses, url, tasks }) => {
      const opened = await dicom.openDicom(await filesOf(...addresses));
      const [series] = opened.series;
      if (series === undefined) throw new Error('no series');
      const model = await medley.loadModel(url, { device: 'wasm' });
      const progress = /** @type {import('@medley/web/dicom').SeriesProgress[]} */ ([]);
      const analysis = await dicom.analyzeSeries(model, series, { tasks, onProgress: (entry) => progress.push(entry) });
      const created = new Date(1_700_000_000_000);
      const seg = await dicom.toSegmentation(analysis, { model, created });
      const report = await dicom.toReport(analysis, { model, created });
      const secret = { model, created, deidentify: 'a word of mine' };
      const hidden = [await dicom.toSegmentation(analysis, secret), await dicom.toReport(analysis, secret)];
      const again = await dicom.openDicom(seg);
      const masks = [];
      for (const slice of again.series[0]?.slices ?? []) masks.push([...(await slice.stored()).data].reduce((sum, value) => sum + value, 0));
      const bytes = async (/** @type {Blob} */ blob) => [...new Uint8Array(await blob.arrayBuffer())];
      const result = {
        progress,
        reports: analysis.slices.map(({ report }) => report),
        classes: analysis.classes,
        embedding: analysis.embedding.length,
        masks,
        identity: model.identity,
        seg: await bytes(seg),
        report: await bytes(report),
        hidden: await Promise.all(hidden.map(bytes)),
      };
      model.dispose();
      opened.dispose();
      again.dispose();
      return result;
    },
    { addresses: SERIES, url: NANO, tasks },
  );
  assert.deepEqual([found.progress[0]?.done, found.progress.at(-1)?.done, found.progress.at(-1)?.fraction], [0, SLICES, 1]);
  for (const [n, want] of expected.entries()) {
    const got = found.reports[n];
    assert.equal(got?.results.length, want.results.length);
    for (const [i, result] of want.results.entries()) {
      const own = got?.results[i];
      if (result.kind === 'classification' && own?.kind === 'classification') {
        result.classes.forEach(({ probability }, c) => assert.ok(Math.abs(probability - (own.classes[c]?.probability ?? 9)) < 1e-3));
      } else if (result.kind === 'segmentation' && own?.kind === 'segmentation') {
        assert.ok(maskAgreement(own.mask.png_base64, result.mask.png_base64) > 0.999);
        // Square millimetres are pixels times 0.5 × 0.8.
        for (const [name, pixels] of Object.entries(own.mask.pixels)) {
          assert.ok(Math.abs((own.mask.mm2?.[name] ?? -1) - pixels * 0.4) < 1e-6, name);
        }
      }
    }
  }
  // The command line's row for the series as a whole.
  const rows = readFileSync(table, 'utf8').trim().split('\n').map((line) => line.split(','));
  const column = (/** @type {string} */ name) => (rows[0] ?? []).indexOf(name);
  const [pooled] = found.classes;
  assert.equal(pooled?.task, 'lung-ct');
  const series = rows.filter((row) => row[column('level')] === 'series' && row[column('task')] === 'lung-ct');
  assert.equal(series.length, pooled?.classes.length);
  for (const [c, row] of series.entries()) {
    assert.equal(row[column('class')], pooled?.classes[c]?.name);
    assert.ok(Math.abs(Number(row[column('value')]) - (pooled?.classes[c]?.probability ?? 9)) < 1e-3, row.join());
  }
  // Frames without a pixel are left out; one empty one stays where all are.
  const lung = found.reports.map(({ results }) => {
    const result = results.find(({ task }) => task === 'lungs');
    return result?.kind === 'segmentation' ? (result.mask.pixels['lung'] ?? 0) : 0;
  });
  const kept = lung.filter((pixels) => pixels > 0);
  assert.deepEqual(found.masks.sort(), (kept.length === 0 ? [0] : kept).sort());
  validate({ 'seg.dcm': found.seg, 'report.dcm': found.report, 'hidden-seg.dcm': found.hidden[0] ?? [], 'hidden-report.dcm': found.hidden[1] ?? [] });
  for (const object of found.hidden) {
    const text = Buffer.from(object).toString('latin1');
    for (const secret of SECRETS) assert.ok(!text.includes(secret), secret);
    assert.ok(text.includes('Basic Application Confidentiality Profile'));
  }
  // What the standard does not want is in neither of the others.
  const wanted = new Set(['CANARYACC', '19420107', '20040119', 'CANARYID', 'CANARYNAME^KEPT', 'CANARYREF^KEPT']);
  for (const object of [found.seg, found.report]) {
    const text = Buffer.from(object).toString('latin1');
    for (const secret of Object.values(CANARIES)) assert.equal(text.includes(secret), wanted.has(secret), secret);
    assert.ok(text.includes(found.identity.weightsSha256));
  }
});

/** By dciodvfy (Debian's dicom3tools), where it is there. @param {Record<string, number[]>} objects */
function validate(objects) {
  for (const [name, bytes] of Object.entries(objects)) {
    const path = join(folder, name);
    writeFileSync(path, Buffer.from(bytes));
    if (!existsSync('/usr/bin/dciodvfy')) continue;
    const said = execFileSync('/bin/sh', ['-c', `dciodvfy '${path}' 2>&1 || true`], { encoding: 'utf8' });
    assert.deepEqual(said.split('\n').filter((line) => line.startsWith('Error')), [], name);
  }
}

test('a call is cancelled at once, and the series is answered after it', { timeout: PATIENCE }, async () => {
  const found = await page.evaluate(
    async ({ addresses, url }) => {
      const opened = await dicom.openDicom(await filesOf(...addresses));
      const [series] = opened.series;
      if (series === undefined) throw new Error('no series');
      const model = await medley.loadModel(url, { device: 'wasm' });
      const controller = new AbortController();
      const reason = await dicom
        .analyzeSeries(model, series, {
          tasks: ['lung-ct'],
          signal: controller.signal,
          onProgress: ({ done }) => {
            if (done === 1) controller.abort(new Error('enough'));
          },
        })
        .catch((error) => error.message);
      const open = new AbortController();
      open.abort(new Error('not at all'));
      const never = await dicom.openDicom([], { signal: open.signal }).catch((error) => error.message);
      const after = await dicom.analyzeSeries(model, series, { tasks: ['lung-ct'] });
      opened.dispose();
      const disposed = await series.slices[0]?.render().catch((error) => error.code);
      model.dispose();
      return { reason, never, after: after.slices.length, disposed };
    },
    { addresses: SERIES, url: NANO },
  );
  assert.deepEqual(found, { reason: 'enough', never: 'not at all', after: SLICES, disposed: 'disposed' });
});

test('no request and no line of the console carries a word of a header, and the strict policy holds', () => {
  assert.ok(requests.length > 0);
  for (const secret of SECRETS) {
    assert.ok(!requests.some(({ url, body }) => (url + body).includes(secret)), secret);
    assert.ok(!console_.some((line) => line.includes(secret)), secret);
  }
  assert.deepEqual(requests.filter(({ body }) => body !== ''), []);
  assert.deepEqual(troubles, []);
});
