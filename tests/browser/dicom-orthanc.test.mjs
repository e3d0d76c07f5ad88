// A portal's way: one study from Orthanc to a stored segmentation, in a browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CANARIES, IDENTIFIERS } from './lib/dicom.mjs';
import { openArchive, TOKEN, withoutOrthanc } from './lib/orthanc.mjs';
import { ROOT } from './lib/server.mjs';

const missing = withoutOrthanc();
const skip = missing ?? false;
const PATIENCE = 240_000;
const PATIENT = CANARIES['0010,0020 LO'];

/** @type {Awaited<ReturnType<typeof openArchive>>} */
let archive;
before(async () => {
  if (missing === null) archive = await openArchive();
});
after(() => archive?.close());

test('the example of the README is the one that is tested', () => {
  const readme = readFileSync(join(ROOT, 'web/README.md'), 'utf8');
  const source = readFileSync(join(ROOT, 'tests/browser/harness/portal.js'), 'utf8');
  const code = source.slice(source.indexOf('/** From'), source.indexOf('\nwindow.')).trim();
  assert.ok(readme.includes(code), 'web/README.md should have the function of harness/portal.js');
  assert.ok(code.split('\n').length <= 20, `${code.split('\n').length} lines`);
});

test('one study goes from Orthanc to a stored segmentation', { skip, timeout: PATIENCE }, async () => {
  const { context, page, troubles } = await archive.harness.open('/harness/portal.html');
  await page.waitForFunction(() => document.title === 'loaded');
  /** @type {string[]} */
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  /** @type {import('playwright-core').Request[]} */
  const sent = [];
  context.on('request', (request) => sent.push(request));
  const found = await page.evaluate(
    async ([patient, token]) => {
      const shares = /** @type {number[]} */ ([]);
      // @ts-expect-error made by harness/portal.js
      const stored = await window.segmentStudy(patient, {
        token: async () => token,
        say: (/** @type {{ fraction: number }} */ { fraction }) => shares.push(fraction),
      });
      return { stored, last: shares.at(-1) };
    },
    [PATIENT, TOKEN],
  );
  assert.deepEqual(found, { stored: { stored: 1, failed: 0 }, last: 1 });
  // What Orthanc itself says of it.
  const series = /** @type {any[]} */ (await archive.orthanc.ask('/series?expand'));
  const seg = series.find(({ MainDicomTags }) => MainDicomTags.Modality === 'SEG');
  assert.equal(series.length, 2);
  const tags = /** @type {any} */ (await archive.orthanc.ask(`/instances/${seg.Instances[0]}/simplified-tags`));
  assert.equal(tags.StudyInstanceUID, IDENTIFIERS.study);
  assert.equal(tags.ReferencedSeriesSequence[0].SeriesInstanceUID, IDENTIFIERS.series);
  assert.deepEqual([tags.Rows, tags.Columns, tags.SegmentSequence.length], ['64', '64', 1]);
  assert.match(tags.ContentDescription, /Research use only/);
  // Only the call that stores sends anything, and every question carries the token.
  const posts = sent.filter((request) => request.method() !== 'GET').map((request) => new URL(request.url()).pathname);
  assert.deepEqual(posts, ['/dicom-web/studies']);
  for (const request of sent.filter((entry) => entry.url().includes('/dicom-web/'))) {
    assert.equal((await request.allHeaders())['authorization'], `Bearer ${TOKEN}`);
  }
  assert.deepEqual([said, troubles], [[], []]);
  await context.close();
});

test('search goes down to instances, frames come one by one, and refusals are typed and say nothing', { skip }, async () => {
  const { context, page } = await archive.harness.open('/harness/dicom.html');
  await page.waitForFunction(() => document.title === 'loaded');
  const found = await page.evaluate(async (patient) => {
    const server = new dicom.DicomWeb('/dicom-web/');
    const [study] = await server.searchStudies({ PatientID: patient });
    const [series] = await server.searchSeries(study?.study ?? '', { Modality: 'CT' });
    const instances = await server.searchInstances(study?.study ?? '', series?.series ?? '');
    const uids = /** @type {[string, string, string]} */ ([study?.study, series?.series, instances[0]?.instance]);
    const [frame] = await server.retrieveFrames(uids, [1]);
    const [file] = await server.retrieve(uids);
    const opened = await dicom.openDicom(file ?? []);
    const stored = await opened.series[0]?.slices[0]?.stored();
    const failure = async (/** @type {Promise<unknown>} */ promise) => {
      try {
        await promise;
        return null;
      } catch (error) {
        const { name, code, message } = /** @type {import('@medley/web').MedleyError} */ (error);
        return { name, code, message };
      }
    };
    const controller = new AbortController();
    const cancelled = server.searchStudies({}, { signal: controller.signal });
    controller.abort(new Error('enough'));
    const result = {
      counts: [series?.modality, instances.length],
      same: JSON.stringify([...(frame ?? [])]) === JSON.stringify([...new Uint8Array(stored?.data.buffer ?? new ArrayBuffer(0))]),
      none: (await server.searchStudies({ PatientID: 'nobody' })).length,
      cancelled: await failure(cancelled),
      failures: [
        await failure(server.retrieve(['1.2.3'])),
        await failure(server.retrieve(['../CANARYADMIN'])),
        await failure(server.searchStudies({ 'Patient&Name': 'CANARYNAME' })),
        await failure(new dicom.DicomWeb('/harness').searchStudies({ PatientName: 'CANARYNAME' })),
        await failure(server.store([])),
      ],
    };
    opened.dispose();
    server.dispose();
    return result;
  }, PATIENT);
  assert.deepEqual(found.counts, ['CT', 2]);
  assert.ok(found.same, 'the frame is that of the file');
  assert.equal(found.none, 0);
  assert.equal(found.cancelled?.message, 'enough');
  for (const failure of found.failures) {
    assert.deepEqual([failure?.name, failure?.code], ['MedleyError', 'dicomweb'], JSON.stringify(failure));
    assert.doesNotMatch(failure?.message ?? '', /CANARY|1\.2\.3/);
  }
  assert.match(found.failures[0]?.message ?? '', /status 404/);
  await context.close();
});
