// From the opening of the built page to the first answer that it shows, on localhost, in a Chromium without WebGPU, as on a
// machine without a GPU.
//   node bench/web/first-answer.mjs OUT.json
// Each visit is of a browser that was started anew, on a profile on disk: an empty one (cold), one that was here once (warm), and
// that with the server gone (offline). A picture is handed to the page as soon as it takes one. The clock begins with the
// navigation and ends when the first answers are on the screen; the page shows those of tasks that look at the picture whole before
// those that cut it up.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchOn } from '../../tests/browser/lib/chromium.mjs';
import { ISOLATION } from '../../tests/browser/lib/harness.mjs';
import { keptForOffline, savedSample } from '../../tests/browser/lib/page.mjs';
import { modelReady, openPage, openSite } from '../../tests/browser/lib/site.mjs';
import { spread } from './measuring.mjs';

/** Visits of each kind. */
const COLD = 7;
const WARM = 15;
const OFFLINE = 7;

/** One of the page's own phantoms, handed over as a file. */
const SAMPLE = 'chest-radiograph';

const [out] = process.argv.slice(2);
if (out === undefined) throw new Error('usage: first-answer.mjs OUT.json');

/** @type {import('./measuring.mjs').Row[]} */
const rows = [];
// The second is as `cargo xtask demo` serves: such a page computes in several threads.
for (const headers of [{}, ISOLATION]) await measure(headers);
writeFileSync(out, `${JSON.stringify(rows, null, 2)}\n`);

/** Visits of all kinds. @param {Record<string, string>} headers - of every answer of the server */
async function measure(headers) {
  const site = await openSite(headers);
  const url = `${site.server.origin}/`;
  /** A profile that was here once, and keeps what a next visit needs. */
  const known = newProfile();
  try {
    const { page, context } = await openPage(site);
    await modelReady(page);
    const picture = await savedSample(page, SAMPLE);
    await context.close();

    const cold = await visits(COLD, () => visit(newProfile(), url, picture));
    expect(cold, 'cold', ({ cached }) => cached === 0, 'no weights from a cache');
    await visit(known, url, picture, { keep: true });
    const warm = await visits(WARM, () => visit(copyOf(known), url, picture));
    expect(warm, 'warm', ({ fetched }) => fetched === 0, 'all weights from the cache');
    await site.server.close();
    const offline = await visits(OFFLINE, () => visit(copyOf(known), url, picture));
    expect(offline, 'offline', ({ fetched }) => fetched === 0, 'all weights from the cache');
    for (const [kind, seen] of Object.entries({ cold, warm, offline })) add(kind, seen);
  } finally {
    rmSync(known, { recursive: true });
    await site.close();
  }
}

/** What a visit has found: how long each part of it took, in milliseconds, and on what the model ran. */
/** @typedef {{ parts: Record<string, number>, threads: number, cached: number, fetched: number }} Visit */

/** @param {number} count @param {() => Promise<Visit>} once */
async function visits(count, once) {
  /** @type {Visit[]} */
  const seen = [];
  for (let i = 0; i < count; i += 1) seen.push(await once());
  return seen;
}

/** @param {Visit[]} seen @param {string} kind @param {(visit: Visit) => boolean} holds @param {string} what */
function expect(seen, kind, holds, what) {
  const wrong = seen.find((visit) => !holds(visit));
  if (wrong !== undefined) {
    throw new Error(`a ${kind} visit: expected ${what}, found ${wrong.cached} bytes from the cache and ${wrong.fetched} from the server`);
  }
}

/** A row for each part of a kind of visit. @param {string} kind @param {Visit[]} seen */
function add(kind, seen) {
  const threads = seen[0]?.threads ?? NaN;
  for (const part of Object.keys(seen[0]?.parts ?? {})) {
    const values = seen.map(({ parts }) => parts[part] ?? NaN);
    rows.push({ engine: 'medley', backend: 'wasm', threads, model: 'nano', measure: `${kind} visit: ${part}`, ...spread(values), unit: 'ms' });
  }
  console.error(`first answer, ${kind}, ${threads} thread(s): measured`);
}

function newProfile() {
  return mkdtempSync(join(tmpdir(), 'medley-profile-'));
}

/** @param {string} profile */
function copyOf(profile) {
  const copy = newProfile();
  cpSync(profile, copy, { recursive: true });
  return copy;
}

/**
 * Opens the page with a profile and hands the picture over; the profile is removed afterwards, or kept once all is in it that the
 * next visit needs.
 * @param {string} profile @param {string} url @param {Buffer} picture @param {{ keep?: boolean }} [options]
 * @returns {Promise<Visit>}
 */
async function visit(profile, url, picture, { keep = false } = {}) {
  const context = await launchOn(profile);
  try {
    await context.addInitScript(watch, { name: `${SAMPLE}.png`, base64: picture.toString('base64') });
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(url, { waitUntil: 'commit' });
    const marks = await page.evaluate(() => /** @type {{ visit: Promise<Marks> }} */ (/** @type {unknown} */ (window)).visit);
    await page.locator('#open-diagnostics').click();
    const { report } = JSON.parse((await page.locator('#diagnostics pre').textContent()) ?? '');
    await page.keyboard.press('Escape');
    if (report.backend.kind !== 'wasm') throw new Error(`expected the model on WebAssembly, found it on ${report.backend.kind}`);
    if (keep) await keptForOffline(page);
    return { parts: partsOf(marks, report.load.phases), threads: report.backend.threads, ...report.load.source };
  } finally {
    await context.close();
    if (!keep) rmSync(profile, { recursive: true });
  }
}

/**
 * The parts of a visit, one after the other, and all of it.
 * @param {Marks} marks @param {Record<string, number>} phases - of loading the model
 */
function partsOf(marks, phases) {
  const loading = Object.values(phases).reduce((all, phase) => all + phase, 0);
  return {
    'until the page takes a picture': marks.taken,
    'until it asks for the model': marks.asked - marks.taken,
    'until the worker begins, and word of its end': marks.ready - marks.asked - loading,
    ...phases,
    'decoding the picture, analysing and showing it': marks.first - marks.ready,
    'first answer': marks.first,
    'all answers': marks.all,
  };
}

/** When something is first seen on the page, in milliseconds since the navigation began. */
/** @typedef {{ taken: number, asked: number, ready: number, first: number, all: number }} Marks */

/**
 * In the page, before its own scripts: hands the picture over as soon as there is a picker, and looks what the page says.
 * @param {{ name: string, base64: string }} picture
 */
function watch({ name, base64 }) {
  const file = new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name, { type: 'image/png' });
  /** @type {Partial<Marks>} */
  const marks = {};
  const begun = new Set();
  const seen = new Promise((resolve) => {
    /** What is there now is on the screen after the next frame. @param {'first' | 'all'} what */
    const shown = (what) => {
      if (begun.has(what)) return;
      begun.add(what);
      requestAnimationFrame(() =>
        setTimeout(() => {
          marks[what] = performance.now();
          if (what === 'all') resolve(marks);
        }),
      );
    };
    const look = () => {
      const picker = /** @type {HTMLInputElement | null} */ (document.querySelector('#picker'));
      if (picker !== null && marks.taken === undefined) {
        marks.taken = performance.now();
        const files = new DataTransfer();
        files.items.add(file);
        picker.files = files.files;
        picker.dispatchEvent(new Event('change'));
      }
      const { state } = /** @type {HTMLElement | null} */ (document.querySelector('#model'))?.dataset ?? {};
      if (state === 'loading') marks.asked ??= performance.now();
      if (state === 'ready') marks.ready ??= performance.now();
      if (document.querySelector('#results [data-task]') === null) return;
      shown('first');
      if (document.querySelector('#stage[aria-busy="false"]') !== null) shown('all');
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state', 'aria-busy'] });
  });
  Object.assign(window, { visit: seen });
}
