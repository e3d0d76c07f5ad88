// Medley beside ONNX Runtime Web, engine by engine in one Chromium.
//   node bench/web/compare.mjs [--only warm|memory|cold|bytes|radiograph]... MODELS-FOLDER OUT.json
// The folder holds, for each model, a package NAME/ and a graph NAME.onnx with the input `image` (`cargo xtask bench web` makes
// both). Warm runs take turns, so that what else the machine does falls on both engines. Medley's figure is that of the
// report (`timing_ms.encode`: the encoder, its embedding read back); ONNX Runtime's is `session.run` on a ready tensor of
// the same size. Cold: a fresh page without a cache, from before the first byte of code to the first answer.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { launch } from '../../tests/browser/lib/chromium.mjs';
import { ISOLATION } from '../../tests/browser/lib/harness.mjs';
import { POLICY, ROOT, serve } from '../../tests/browser/lib/server.mjs';
import { spread } from './measuring.mjs';

const ROUNDS = 20;
/** The first passes fill caches and let the browser optimise the code. */
const WARM_UP = 5;
/** Runs of an engine before it is the other's turn. */
const TURN = 5;
/** Milliseconds between turns: both engines' threads stay awake for a while after a run, and would take the other's processors. */
const PAUSE = 100;
/** Fresh pages for each cold figure. */
const COLD = 5;
/** Runs before the memory is looked at. */
const MEMORY_RUNS = 50;
/** Passes on WebGPU, where a software adapter takes seconds for each, and the encoders that are small enough for it. */
const GPU_ROUNDS = 5;
const GPU_MODELS = ['nano', 'swin-nano'];

/** The model that answers for a radiograph, and the radiograph's side in pixels. */
const SHIPPED = 'nano';
const RADIOGRAPH = 2048;

const PARTS = ['warm', 'memory', 'cold', 'bytes', 'radiograph'];

const { values: options, positionals } = parseArgs({ options: { only: { type: 'string', multiple: true } }, allowPositionals: true });
const [models, out] = positionals;
const unknown = options.only?.find((part) => !PARTS.includes(part));
if (models === undefined || out === undefined || unknown !== undefined) {
  throw new Error(`usage: compare.mjs [--only ${PARTS.join('|')}]... MODELS-FOLDER OUT.json`);
}
/** Whether a part is to be measured. @param {string} part */
const asked = (part) => options.only?.includes(part) ?? true;
const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
const names = readdirSync(models)
  .filter((name) => name.endsWith('.onnx'))
  .map((name) => name.slice(0, -'.onnx'.length));

/**
 * The side of a model's input, in pixels, as its package says.
 * @param {string} model
 */
function sideOf(model) {
  const folder = join(models ?? '', model);
  // The header lies in the first piece.
  const { shards } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const file = readFileSync(join(folder, shards[0].path));
  const header = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE())).toString());
  return Number(JSON.parse(header['__metadata__'].medley).tasks[0].presentation.size);
}

/** @type {import('./measuring.mjs').Row[]} */
const rows = [];

/**
 * @param {string} engine @param {number} threads @param {string} model @param {string} measure
 * @param {number[]} values @param {string} unit @param {string} [backend]
 */
function add(engine, threads, model, measure, values, unit, backend = 'wasm') {
  rows.push({ engine, backend, threads, model, measure, ...spread(values), unit });
}

// Threads want a page that is cross-origin isolated. Both engines get the same page.
const server = await serve(
  {
    '/harness/': join(ROOT, 'tests/browser/harness'),
    '/bench/': join(ROOT, 'bench/web'),
    '/web/': join(ROOT, 'web'),
    '/ort/': ort,
    '/models/': models,
  },
  POLICY,
  ISOLATION,
);
// Without the flag the browser measures memory at a time of its own choosing.
const browser = await launch(['--enable-blink-features=ForceEagerMeasureMemory']);
/** A page that has loaded nothing yet. */
const EMPTY = '/empty.html';
server.overrides.set(EMPTY, { body: Buffer.from('<!doctype html><title>empty</title>') });

/** A page with the package at `window.medley`. */
async function open() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.origin}/harness/index.html`);
  await page.waitForFunction(() => document.title === 'loaded');
  return { page, close: () => context.close() };
}

/** A page that has neither loaded nor kept anything. */
async function openCold() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.route('**/*', (route) => route.continue({ headers: { ...route.request().headers(), 'Cache-Control': 'no-cache' } }));
  await page.goto(server.origin + EMPTY);
  return { page, close: () => context.close() };
}

try {
  for (const model of names) {
    if (asked('warm')) await measureWarm(model);
    if (asked('memory')) await measureMemory(model);
    if (asked('cold')) await measureCold(model);
    // The Swin graphs hold one constant in place of weights: their bytes mean nothing.
    if (asked('bytes') && !model.startsWith('swin')) measureWeights(model);
  }
  if (asked('bytes')) measureCode();
  if (asked('radiograph')) await measureRadiograph();
} finally {
  await browser.close();
  await server.close();
}
writeFileSync(out, `${JSON.stringify(rows, null, 2)}\n`);

/** @param {string} model */
async function measureWarm(model) {
  for (const threads of [1, 2]) {
    const { page, close } = await open();
    const times = await page.evaluate(warm, { model, threads, rounds: ROUNDS, warmUp: WARM_UP, turn: TURN, pause: PAUSE, gpu: false });
    await close();
    add('medley', threads, model, 'warm', times.medley, 'ms');
    add('onnxruntime-web', threads, model, 'warm', times.ort, 'ms');
    console.error(`${model}, ${threads} thread(s): measured`);
  }
  if (!GPU_MODELS.includes(model)) return;
  const { page, close } = await open();
  const times = await page.evaluate(warm, { model, threads: 1, rounds: GPU_ROUNDS, warmUp: 1, turn: 1, pause: PAUSE, gpu: true });
  await close();
  add('medley', 1, model, 'warm', times.medley, 'ms', 'webgpu');
  add('onnxruntime-web', 1, model, 'warm', times.ort, 'ms', 'webgpu');
  console.error(`${model}, WebGPU (${times.adapter}): measured`);
}

/** Bytes of a page with each engine, less those of one with none. @param {string} model */
async function measureMemory(model) {
  /** @type {Record<string, number>} */
  const bytes = {};
  for (const engine of ['none', 'medley', 'onnxruntime-web']) {
    const { page, close } = await open();
    bytes[engine] = await page.evaluate(memoryAfter, { model, engine, side: sideOf(model), runs: MEMORY_RUNS });
    await close();
  }
  for (const engine of ['medley', 'onnxruntime-web']) {
    add(engine, 1, model, `memory after ${MEMORY_RUNS} runs`, [((bytes[engine] ?? NaN) - (bytes['none'] ?? NaN)) / 1e6], 'MB');
  }
  console.error(`${model}, memory: measured`);
}

/** @param {string} model */
async function measureCold(model) {
  /** @type {Record<string, { total: number, first: number }[]>} */
  const cold = { medley: [], 'onnxruntime-web': [] };
  for (let round = 0; round < COLD; round += 1) {
    for (const engine of /** @type {const} */ (['medley', 'onnxruntime-web'])) {
      const { page, close } = await openCold();
      cold[engine]?.push(await page.evaluate(engine === 'medley' ? coldMedley : coldOrt, { model, side: sideOf(model) }));
      await close();
    }
  }
  for (const [engine, found] of Object.entries(cold)) {
    add(engine, 1, model, 'cold load to first answer', found.map(({ total }) => total), 'ms');
    add(engine, 1, model, 'first run', found.map(({ first }) => first), 'ms');
  }
  console.error(`${model}, cold: measured`);
}

/** @param {string} model */
function measureWeights(model) {
  addBytes('medley', model, 'weights', folderBytes(join(models, model)));
  addBytes('onnxruntime-web', model, 'weights', [readFileSync(join(models, `${model}.onnx`))]);
}

/** What surrounds the encoder's pass, of Medley alone. */
async function measureRadiograph() {
  const { page, close } = await open();
  const answers = await page.evaluate(radiograph, { model: SHIPPED, side: RADIOGRAPH, rounds: ROUNDS, warmUp: WARM_UP });
  await close();
  for (const [kind, stages] of Object.entries(answers)) {
    for (const [stage, times] of Object.entries(stages)) add('medley', 1, SHIPPED, `${kind} of 2048² of 16 bits: ${stage}`, times, 'ms');
  }
  console.error('radiograph: measured');
}

function measureCode() {
  const code = {
    medley: ['cpu-relaxed/medley_web_bg.wasm', 'cpu-relaxed/medley_web.js'].map((file) => readFileSync(join(ROOT, 'web/pkg', file))),
    'onnxruntime-web': ['ort-wasm-simd-threaded.wasm', 'ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs'].map((file) => readFileSync(join(ort, file))),
  };
  for (const [engine, files] of Object.entries(code)) addBytes(engine, 'any', 'code for the CPU', files);
}

/** @param {string} folder */
function folderBytes(folder) {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile() && !file.endsWith('.md'))
    .map((file) => readFileSync(file));
}

/** @param {string} engine @param {string} model @param {string} what @param {Buffer[]} files */
function addBytes(engine, model, what, files) {
  const sum = (/** @type {(file: Buffer) => number} */ size) => files.reduce((all, file) => all + size(file), 0) / 1e6;
  add(engine, 1, model, `${what}, raw`, [sum((file) => file.length)], 'MB');
  add(engine, 1, model, `${what}, gzip`, [sum((file) => gzipSync(file, { level: 9 }).length)], 'MB');
  add(engine, 1, model, `${what}, brotli`, [sum((file) => brotliCompressSync(file).length)], 'MB');
}

/**
 * In the page: the stages of a large radiograph's answers, by kind of task, in turn.
 * @param {{ model: string, side: number, rounds: number, warmUp: number }} asked
 */
async function radiograph({ model, side, rounds, warmUp }) {
  const { grain } = /** @type {typeof import('./measuring.mjs')} */ (await import('/bench/measuring.mjs'));
  const { loadModel } = /** @type {{ medley: typeof import('@medley/web') }} */ (/** @type {unknown} */ (window)).medley;
  const medley = await loadModel(`/models/${model}/`, { device: 'wasm', cache: false, threads: 1 });
  const data = new Uint16Array(side * side).map((_, i) => grain(i) * 257);
  /** @type {Record<string, Record<string, number[]>>} */
  const times = {};
  for (let round = 0; round < warmUp + rounds; round += 1) {
    for (const kind of ['classification', 'segmentation']) {
      const task = medley.tasks.find((task) => task.kind === kind && task.presentation.way === 'whole');
      if (task === undefined) throw new Error(`${model}: no ${kind} of whole pictures`);
      const { report } = await medley.analyze({ data, width: side, height: side }, { tasks: [task.name] });
      if (round < warmUp) continue;
      for (const stage of /** @type {const} */ (['prepare', 'encode', 'heads', 'finish'])) {
        ((times[kind] ??= {})[stage] ??= []).push(report.timing_ms[stage]);
      }
    }
  }
  medley.dispose();
  return times;
}

/**
 * In the page: warm runs of both engines in turn.
 * @param {{ model: string, threads: number, rounds: number, warmUp: number, turn: number, pause: number, gpu: boolean }} asked
 */
async function warm({ model, threads, rounds, warmUp, turn, pause, gpu }) {
  const { grain, noisePicture } = /** @type {typeof import('./measuring.mjs')} */ (await import('/bench/measuring.mjs'));
  const { loadModel } = /** @type {{ medley: typeof import('@medley/web') }} */ (/** @type {unknown} */ (window)).medley;
  const ort = await import(gpu ? '/ort/ort.webgpu.min.mjs' : '/ort/ort.wasm.min.mjs');
  ort.env.wasm.wasmPaths = '/ort/';
  ort.env.wasm.numThreads = threads;
  const device = gpu ? 'webgpu' : 'wasm';
  const medley = await loadModel(`/models/${model}/`, { device, cache: false, acceptFallbackAdapter: gpu, threads });
  const session = await ort.InferenceSession.create(`/models/${model}.onnx`, { executionProviders: [device] });
  const task = medley.tasks[0];
  if (task === undefined) throw new Error(`${model}: no task`);
  const side = task.presentation.size;
  const tensor = new ort.Tensor('float32', new Float32Array(3 * side * side).map((_, i) => grain(i) / 255), [1, 3, side, side]);
  const canvas = noisePicture(side);
  const times = { medley: /** @type {number[]} */ ([]), ort: /** @type {number[]} */ ([]), adapter: medley.backend.adapter };
  const run = {
    medley: async () => (await medley.analyze(canvas, { tasks: [task.name] })).report.timing_ms.encode,
    ort: async () => {
      const begin = performance.now();
      const answers = await session.run({ image: tensor });
      // On a GPU the run is over when its values are here, as Medley's.
      for (const answer of Object.values(answers)) await answer.getData();
      return performance.now() - begin;
    },
  };
  for (let round = 0; round < warmUp + rounds; round += turn) {
    for (const engine of /** @type {const} */ (['medley', 'ort'])) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      for (let index = round; index < round + turn; index += 1) {
        const took = await run[engine]();
        if (index >= warmUp) times[engine].push(took);
      }
    }
  }
  medley.dispose();
  await session.release();
  return times;
}

/**
 * In a fresh page: its bytes after some runs of an engine on one thread. What the browser counts has a worker's wasm memory in it in
 * some runs and in others not, and there Medley computes: its report says how large that has grown, and it is counted once.
 * @param {{ model: string, engine: string, side: number, runs: number }} asked
 */
async function memoryAfter({ model, engine, side, runs }) {
  let worker = 0;
  if (engine === 'medley') {
    const { loadModel } = /** @type {typeof import('@medley/web')} */ (await import('/web/dist/index.js'));
    const medley = await loadModel(`/models/${model}/`, { device: 'wasm', cache: false, threads: 1 });
    const canvas = new OffscreenCanvas(side, side);
    canvas.getContext('2d')?.fillRect(10, 10, 50, 50);
    for (let run = 0; run < runs; run += 1) await medley.analyze(canvas, { tasks: [medley.tasks[0]?.name ?? ''] });
    worker = Object.values(medley.report().memory).reduce((all, bytes) => all + bytes, 0);
  } else if (engine !== 'none') {
    const ort = await import('/ort/ort.wasm.min.mjs');
    ort.env.wasm.wasmPaths = '/ort/';
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(`/models/${model}.onnx`, { executionProviders: ['wasm'] });
    const tensor = new ort.Tensor('float32', new Float32Array(3 * side * side).fill(0.5), [1, 3, side, side]);
    for (let run = 0; run < runs; run += 1) await session.run({ image: tensor });
  }
  // @ts-expect-error of Chromium alone
  const { bytes, breakdown } = await performance.measureUserAgentSpecificMemory();
  const ofWorkers = breakdown
    .filter((/** @type {{ attribution: { scope: string }[] }} */ part) => part.attribution.some(({ scope }) => scope.includes('Worker')))
    .reduce((/** @type {number} */ all, /** @type {{ bytes: number }} */ part) => all + part.bytes, 0);
  return ofWorkers < worker ? bytes + worker : bytes;
}

/**
 * In a fresh page.
 * @param {{ model: string }} asked
 */
async function coldMedley({ model }) {
  const begin = performance.now();
  const { loadModel } = /** @type {typeof import('@medley/web')} */ (await import('/web/dist/index.js'));
  const medley = await loadModel(`/models/${model}/`, { device: 'wasm', cache: false, threads: 1 });
  const task = medley.tasks[0];
  if (task === undefined) throw new Error(`${model}: no task`);
  const canvas = new OffscreenCanvas(task.presentation.size, task.presentation.size);
  canvas.getContext('2d')?.fillRect(10, 10, 50, 50);
  const ready = performance.now();
  await medley.analyze(canvas, { tasks: [task.name] });
  const end = performance.now();
  medley.dispose();
  return { total: end - begin, first: end - ready };
}

/**
 * In a fresh page.
 * @param {{ model: string, side: number }} asked
 */
async function coldOrt({ model, side }) {
  const begin = performance.now();
  const ort = await import('/ort/ort.wasm.min.mjs');
  ort.env.wasm.wasmPaths = '/ort/';
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(`/models/${model}.onnx`, { executionProviders: ['wasm'] });
  const tensor = new ort.Tensor('float32', new Float32Array(3 * side * side).fill(0.5), [1, 3, side, side]);
  const ready = performance.now();
  await session.run({ image: tensor });
  const end = performance.now();
  await session.release();
  return { total: end - begin, first: end - ready };
}
