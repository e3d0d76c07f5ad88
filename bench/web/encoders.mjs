// The encoder's time in WebAssembly on one thread, or on WebGPU, package by package, in real Chromium.
//   node bench/web/encoders.mjs [--device webgpu] [--json FILE] PACKAGE-FOLDER...
// The packages take turns, so that what else the machine does falls on all of them. Times are those of the
// report (`timing_ms.encode`), of one task that shows the image whole.
import { writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launch } from '../../tests/browser/lib/chromium.mjs';
import { ROOT, serve } from '../../tests/browser/lib/server.mjs';
import { spread } from './measuring.mjs';

const ROUNDS = { wasm: 20, webgpu: 5 };
/** The first passes fill caches and let the browser optimise the code. */
const WARM_UP = 3;

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, device: { type: 'string', default: 'wasm' } },
  allowPositionals: true,
});
const device = values.device === 'webgpu' ? 'webgpu' : 'wasm';
const rounds = ROUNDS[device];
if (positionals.length === 0) throw new Error('name at least one package folder (with manifest.json)');
const packages = positionals.map((folder, index) => ({ name: basename(resolve(folder)), path: `/package-${index}/`, folder }));

const server = await serve({
  '/harness/': join(ROOT, 'tests/browser/harness'),
  '/bench/': join(ROOT, 'bench/web'),
  '/web/': join(ROOT, 'web'),
  ...Object.fromEntries(packages.map(({ path, folder }) => [path, resolve(folder)])),
});
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/harness/index.html`);
  await page.waitForFunction(() => document.title === 'loaded');
  const paths = packages.map(({ path }) => path);
  const times = await page.evaluate(measure, { paths, device, rounds, warmUp: WARM_UP });
  const rows = packages.map(({ name }, index) => {
    const figures = spread(times[index] ?? []);
    return { engine: 'medley', backend: device, threads: 1, model: name, measure: 'encode', ...figures, unit: 'ms' };
  });
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  console.log('| package | encoder, ms (median of %d) | 10 % to 90 % | ratio |\n|---|---:|---:|---:|', rounds);
  for (const { model, median, low, high } of rows) {
    const ratio = median / (rows[0]?.median ?? NaN);
    console.log(`| ${model} | ${median.toFixed(1)} | ${low.toFixed(1)}–${high.toFixed(1)} | ${ratio.toFixed(2)} |`);
  }
} finally {
  await browser.close();
  await server.close();
}

/**
 * In the page.
 * @param {{ paths: string[], device: 'wasm' | 'webgpu', rounds: number, warmUp: number }} asked
 */
async function measure({ paths, device, rounds, warmUp }) {
  const { loadModel } = /** @type {{ medley: typeof import('@medley/web') }} */ (/** @type {unknown} */ (window)).medley;
  const models = [];
  for (const path of paths) models.push(await loadModel(path, { device, acceptFallbackAdapter: true, cache: false }));
  const { noisePicture } = /** @type {typeof import('./measuring.mjs')} */ (await import('/bench/measuring.mjs'));
  const canvas = noisePicture(512);
  /** @type {number[][]} */
  const times = models.map(() => []);
  for (let round = 0; round < warmUp + rounds; round += 1) {
    for (const [index, model] of models.entries()) {
      const whole = model.tasks.find(({ presentation }) => presentation.way === 'whole');
      if (whole === undefined) throw new Error(`${paths[index]}: no task shows its images whole`);
      const { report } = await model.analyze(canvas, { tasks: [whole.name] });
      if (round >= warmUp) times[index]?.push(report.timing_ms.encode);
    }
  }
  for (const model of models) model.dispose();
  return times;
}
