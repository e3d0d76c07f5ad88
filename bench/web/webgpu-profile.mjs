// How long each WebGPU kernel of one encoder pass takes, in real Chromium.
//   node bench/web/webgpu-profile.mjs [--code DIR] PACKAGE-FOLDER
// A kernel's name is the one that CubeCL gives it; sizes are its workgroups. --code writes each kernel's WGSL. The sum is more
// than a pass takes without this: every kernel is a pass of its own here.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launch } from '../../tests/browser/lib/chromium.mjs';
import { ROOT, serve } from '../../tests/browser/lib/server.mjs';

const { values, positionals } = parseArgs({ options: { code: { type: 'string' } }, allowPositionals: true });
const [folder] = positionals;
if (folder === undefined) throw new Error('name a package folder (with manifest.json)');

const web = mkdtempSync(join(tmpdir(), 'webgpu-profile-'));
for (const part of ['dist', 'pkg']) cpSync(join(ROOT, 'web', part), join(web, part), { recursive: true });
const worker = join(web, 'dist/worker.js');
const prelude = readFileSync(join(ROOT, 'bench/web/webgpu-profile-worker.js'), 'utf8');
writeFileSync(worker, `${prelude}\n${readFileSync(worker, 'utf8')}`);

const server = await serve({
  '/harness/': join(ROOT, 'tests/browser/harness'),
  '/bench/': join(ROOT, 'bench/web'),
  '/web/': web,
  '/package/': resolve(folder),
});
// Without this timestamps have steps of a tenth of a millisecond.
const browser = await launch(['--enable-dawn-features=allow_unsafe_apis', '--disable-dawn-features=timestamp_quantization']);
try {
  const page = await browser.newPage();
  page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
  await page.goto(`${server.origin}/harness/index.html`);
  await page.waitForFunction(() => document.title === 'loaded');
  const { kernels, submissions, encode, backend } = await page.evaluate(profile);
  if (values.code !== undefined) {
    mkdirSync(values.code, { recursive: true });
    new Set(kernels.map(({ code }) => code)).forEach((code) => {
      const names = kernels.filter((kernel) => kernel.code === code).map(({ name }) => name);
      writeFileSync(join(values.code, `${[...new Set(names)].join('-').slice(0, 80)}-${code.length}.wgsl`), code);
    });
  }
  const groups = new Map();
  for (const { name, size, ms, code } of kernels) {
    const key = `${name.replace(/\s+/g, ' ').slice(0, 90)} #${code.length} ${size.join('×')}`;
    const found = groups.get(key) ?? { count: 0, ms: 0 };
    groups.set(key, { count: found.count + 1, ms: found.ms + ms });
  }
  const total = kernels.reduce((sum, { ms }) => sum + ms, 0);
  console.log(`${basename(resolve(folder))} on ${backend}: ${kernels.length} kernels in ${submissions} submissions, ${total.toFixed(0)} ms of them; encode ${encode.toFixed(0)} ms`);
  console.log('| kernel, length of its code, workgroups | times | ms |\n|---|---:|---:|');
  const sorted = [...groups].toSorted(([, a], [, b]) => b.ms - a.ms);
  for (const [key, { count, ms }] of sorted) console.log(`| ${key} | ${count} | ${ms.toFixed(1)} |`);
} finally {
  await browser.close();
  await server.close();
  rmSync(web, { recursive: true });
}

/** In the page. */
async function profile() {
  const { loadModel } = /** @type {{ medley: typeof import('@medley/web') }} */ (/** @type {unknown} */ (window)).medley;
  const { noisePicture } = /** @type {typeof import('./measuring.mjs')} */ (await import('/bench/measuring.mjs'));
  const model = await loadModel('/package/', { device: 'webgpu', acceptFallbackAdapter: true, cache: false });
  const canvas = noisePicture(512);
  const whole = model.tasks.find(({ presentation }) => presentation.way === 'whole');
  if (whole === undefined) throw new Error('no task shows its images whole');
  const ask = () => model.analyze(canvas, { tasks: [whole.name] });
  await ask();
  const channel = new BroadcastChannel('webgpu-profile');
  const answer = (/** @type {string} */ word) =>
    new Promise((resolve) => {
      channel.onmessage = ({ data }) => resolve(data);
      channel.postMessage(word);
    });
  await answer('begin');
  const { report } = await ask();
  const { kernels, submissions } = await answer('end');
  return { kernels, submissions, encode: report.timing_ms.encode, backend: report.backend };
}
