// The extension in the built OHIF viewer, with a real DICOMweb server: what a reader sees after a press of its button.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ctSlice, IDENTIFIERS, SIDE } from './lib/dicom.mjs';
import { NANO } from './lib/harness.mjs';
import { openArchive, TOKEN, withoutOrthanc } from './lib/orthanc.mjs';
import { ROOT } from './lib/server.mjs';

/** The built viewer, which `cargo xtask test` fetches (`xtask/src/ohif.rs`). */
const VIEWER = process.env['MEDLEY_OHIF_VIEWER'] ?? '';
const INDEX = join(VIEWER, 'index.html');
const missing = existsSync(INDEX) ? withoutOrthanc() : 'MEDLEY_OHIF_VIEWER names no folder of a built OHIF viewer; `cargo xtask test` makes one';
const skip = missing ?? false;

/**
 * What the viewer itself needs: scripts and styles in its page, and functions made of text where it reads segmentations.
 * Nothing of another host.
 */
const POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; worker-src 'self'; connect-src 'self'; " +
  "style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' blob: data:; manifest-src 'self'";
/** The viewer draws on the CPU, and the machine may be busy. */
const PATIENCE = 120_000;
/** A series that says neither where its images lie nor how large their pixels are. */
const PLACELESS = '1.2.777.5';

/** @type {Awaited<ReturnType<typeof openArchive>>} */
let archive;
before(async () => {
  if (missing !== null) return;
  archive = await openArchive({ '/': VIEWER, '/medley/': join(ROOT, 'web') }, POLICY);
  await archive.orthanc.add(ctSlice(0, { series: PLACELESS, placeless: true }));
  const { overrides } = archive.harness.server;
  overrides.set('/viewer', { body: Buffer.from(withScript(readFileSync(INDEX, 'utf8'))) });
  overrides.set('/app-config.js', { body: Buffer.from(configuration()) });
});
after(() => archive?.close());

test('a press of the button stores a segmentation, and the viewer draws it over the series', { skip, timeout: 3 * PATIENCE }, async () => {
  const { context, page, sent, troubles } = await openViewer(IDENTIFIERS.series);
  const plain = await picture(page);
  await analyze(page);

  const { tags, masks } = await storedFor(IDENTIFIERS.series);
  assert.equal(tags.StudyInstanceUID, IDENTIFIERS.study);
  assert.match(tags.ContentDescription, /Research use only/);
  assert.equal(masks.size, 2, 'a mask for each slice');
  await assertDrawn(page, plain, masks);
  await page.locator('[data-cy="panelSegmentation-btn"]').click();
  await page.locator('[data-cy="data-row"]').getByText(tags.SegmentSequence[0].SegmentLabel, { exact: true }).waitFor({ timeout: PATIENCE });

  // Only the call that stores sends anything, it carries the token of the viewer, and nothing went elsewhere.
  const posts = sent.filter((request) => request.method() !== 'GET');
  assert.deepEqual(posts.map((request) => new URL(request.url()).pathname), ['/dicom-web/studies']);
  assert.equal((await posts[0]?.allHeaders())?.['authorization'], `Bearer ${TOKEN}`);
  const addresses = sent.map((request) => new URL(request.url())).filter(({ protocol }) => protocol.startsWith('http'));
  assert.deepEqual([...new Set(addresses.map(({ origin }) => origin))], [archive.harness.server.origin]);

  // To the list of studies and back: the study is whole, and the button is there once.
  await page.locator('[data-cy="return-to-work-list"]').click();
  await page.locator('[data-cy="viewport-pane"]').waitFor({ state: 'detached', timeout: PATIENCE });
  await page.goBack();
  await assertShows(page, IDENTIFIERS.series);
  const all = /** @type {any[]} */ (await archive.orthanc.ask('/series'));
  await page.waitForFunction(
    (count) => /** @type {any} */ (window).services.displaySetService.getActiveDisplaySets().length === count,
    all.length,
    { timeout: PATIENCE },
  );
  const buttons = page.getByRole('button', { name: 'Analyze with Medley' });
  await buttons.first().waitFor({ timeout: PATIENCE });
  assert.equal(await buttons.count(), 1);
  assert.deepEqual(troubles, []);
  await context.close();
});

test('images that do not say how they lie get theirs too, also when the study is opened again', { skip, timeout: 3 * PATIENCE }, async () => {
  const { context, page, troubles } = await openViewer(PLACELESS);
  const plain = await picture(page);
  await analyze(page);
  const { masks } = await storedFor(PLACELESS);
  await assertDrawn(page, plain, masks);
  await page.reload();
  await assertShows(page, PLACELESS);
  const [stored] = await storedSeries(PLACELESS);
  await page.evaluate((series) => {
    const { displaySetService, viewportGridService } = /** @type {any} */ (window).services;
    const [{ displaySetInstanceUID }] = displaySetService.getDisplaySetsForSeries(series);
    const viewportId = viewportGridService.getActiveViewportId();
    viewportGridService.setDisplaySetsForViewport({ viewportId, displaySetInstanceUIDs: [displaySetInstanceUID] });
  }, stored?.MainDicomTags.SeriesInstanceUID);
  await assertDrawn(page, plain, masks);
  assert.deepEqual(troubles, []);
  await context.close();
});

/** The viewer's page with our script where README.md puts it. @param {string} html */
function withScript(html) {
  const readme = readFileSync(join(ROOT, 'web/ohif/README.md'), 'utf8');
  const [script] = /<script src="[^"]*medley-ohif\.js"><\/script>/.exec(readme) ?? [];
  assert.ok(script !== undefined, 'README.md should have the line that loads the script');
  const found = /<script[^>]* src="\/app-config\.js">/.exec(html);
  assert.ok(found !== null, 'the viewer should load /app-config.js');
  return `${html.slice(0, found.index)}${script}${html.slice(found.index)}`;
}

/** A configuration of the viewer: the server, the extension, and none of the viewer's words of welcome. */
function configuration() {
  const server = {
    name: 'orthanc',
    friendlyName: 'Orthanc',
    qidoRoot: '/dicom-web',
    wadoRoot: '/dicom-web',
    imageRendering: 'wadors',
    thumbnailRendering: 'wadors',
    enableStudyLazyLoad: true,
  };
  const common = {
    modes: [],
    showStudyList: true,
    investigationalUseDialog: { option: 'never' },
    customizationService: [{ 'ohif.tours': { $set: [] } }],
    defaultDataSourceName: 'orthanc',
    dataSources: [{ namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'orthanc', configuration: server }],
  };
  const options = { model: NANO, tasks: ['lungs'], store: true };
  return `window.config = { ...${JSON.stringify(common)}, extensions: [medleyOhif(${JSON.stringify(options)})] };`;
}

/** The viewer, with a series on the screen. @param {string} series */
async function openViewer(series) {
  const query = `StudyInstanceUIDs=${IDENTIFIERS.study}&initialSeriesInstanceUID=${series}&token=${TOKEN}`;
  const { context, page, troubles } = await archive.harness.open(`/viewer?${query}`);
  /** @type {import('playwright-core').Request[]} */
  const sent = [];
  context.on('request', (request) => sent.push(request));
  await assertShows(page, series);
  return { context, page, sent, troubles };
}

/** @typedef {import('playwright-core').Page} Page */

/** Waits until the active viewport has drawn an image of the series. @param {Page} page @param {string} series */
async function assertShows(page, series) {
  await page.locator('[data-cy="viewport-pane"] canvas').waitFor({ timeout: PATIENCE });
  await page.waitForFunction(
    (wanted) => {
      const { viewportGridService: grid, cornerstoneViewportService: viewports } = /** @type {any} */ (window).services;
      const viewport = viewports.getCornerstoneViewport(grid.getActiveViewportId());
      return viewport?.getImageData?.() && viewport.getCurrentImageId()?.includes(`/${wanted}/`);
    },
    series,
    { timeout: PATIENCE },
  );
}

/** Presses the button and waits for what the viewer says then. @param {Page} page */
async function analyze(page) {
  const button = page.getByRole('button', { name: 'Analyze with Medley' });
  await button.locator('svg').waitFor({ timeout: PATIENCE });
  await button.click();
  const said = page.locator('[data-sonner-toast]:is([data-type="success"], [data-type="error"])').first();
  await said.waitFor({ timeout: PATIENCE });
  assert.match(await said.innerText(), /stored, and is shown over the series\. Research use only/);
}

/**
 * What the active viewport shows: the address of the image, and the colour in the middle of each of its pixels.
 * @param {Page} page @returns {Promise<{ image: string, colours: string[] }>}
 */
function picture(page) {
  return page.evaluate((side) => {
    const { viewportGridService, cornerstoneViewportService } = /** @type {any} */ (window).services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId());
    const { imageData } = viewport.getImageData();
    const { width, height } = viewport.canvas;
    const { data } = viewport.canvas.getContext('2d').getImageData(0, 0, width, height);
    const colours = Array.from({ length: side * side }, (_, i) => {
      const place = imageData.indexToWorld([i % side, Math.floor(i / side), 0]);
      const [x, y] = viewport.worldToCanvas(place).map(Math.round);
      return data.slice(4 * (y * width + x), 4 * (y * width + x) + 3).join();
    });
    return { image: viewport.getCurrentImageId(), colours };
  }, SIDE);
}

/**
 * Waits until the colour has changed in every pixel of the mask, and in no other.
 * @param {Page} page @param {Awaited<ReturnType<typeof picture>>} plain @param {Map<string, boolean[]>} masks
 */
async function assertDrawn(page, plain, masks) {
  const instance = /\/instances\/([^/]+)\//.exec(plain.image)?.[1] ?? '';
  const mask = masks.get(instance) ?? [];
  assert.ok(mask.includes(true) && mask.includes(false), `the image ${instance} has a mask with an inside and an outside`);
  for (const begin = Date.now(); ; await wait(200)) {
    const now = await picture(page).catch(() => null);
    const wrong = mask.filter((inside, i) => inside !== (now?.colours[i] !== plain.colours[i])).length;
    if (now?.image === plain.image && wrong === 0) return;
    assert.ok(Date.now() - begin < PATIENCE, `${wrong} of ${mask.length} pixels are drawn otherwise than the mask says`);
  }
}

/** The series in Orthanc that are segmentations of a series. @param {string} of @returns {Promise<any[]>} */
async function storedSeries(of) {
  const all = /** @type {any[]} */ (await archive.orthanc.ask('/series?expand'));
  const found = await Promise.all(
    all.filter(({ MainDicomTags }) => MainDicomTags.Modality === 'SEG').map(async (series) => {
      const tags = /** @type {any} */ (await archive.orthanc.ask(`/instances/${series.Instances[0]}/simplified-tags`));
      return { ...series, tags };
    }),
  );
  return found.filter(({ tags }) => tags.ReferencedSeriesSequence[0].SeriesInstanceUID === of);
}

/** The one segmentation of a series: its attributes, and for each image a truth value for every pixel. @param {string} series */
async function storedFor(series) {
  const [found, ...others] = await storedSeries(series);
  assert.deepEqual([found?.Instances.length, others.length], [1, 0], 'one segmentation of the series');
  const answer = await fetch(`${archive.orthanc.base}/instances/${found.Instances[0]}/file`);
  const file = Buffer.from(await answer.arrayBuffer());
  const { tags } = found;
  const size = (SIDE * SIDE) / 8;
  const frames = /** @type {any[]} */ (tags.PerFrameFunctionalGroupsSequence);
  /** @type {Map<string, boolean[]>} */
  const masks = new Map();
  for (const [i, frame] of frames.entries()) {
    // The pixels are what the file ends with: frames one after the other, the first pixel in the lowest bit.
    const bits = file.subarray(file.length - (frames.length - i) * size);
    const image = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID;
    masks.set(image, Array.from({ length: SIDE * SIDE }, (_, at) => (((bits[at >> 3] ?? 0) >> (at & 7)) & 1) === 1));
  }
  return { tags, masks };
}
