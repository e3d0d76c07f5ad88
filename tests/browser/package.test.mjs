// The API of @medley/web, in a browser, on WebAssembly.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FRESH, NANO, openHarness } from './lib/harness.mjs';

/** @type {import('./lib/harness.mjs').Harness} */
let harness;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let troubles;
before(async () => {
  harness = await openHarness();
  ({ page, troubles } = await harness.open());
});
after(() => harness?.close());

test('loading goes through its phases in order, progress never falls and ends at 1', async () => {
  const seen = await page.evaluate(async (url) => {
    const seen = /** @type {import('@medley/web').Progress[]} */ ([]);
    const model = await medley.loadModel(url, { device: 'wasm', onProgress: (progress) => seen.push(progress) });
    model.dispose();
    return seen;
  }, NANO);
  assert.deepEqual(
    [...new Set(seen.map(({ phase }) => phase))],
    ['download', 'verify', 'compile', 'upload', 'self-test', 'warm-up'],
  );
  for (const [i, now] of seen.entries()) {
    const before = seen[i - 1] ?? now;
    assert.ok(now.fraction >= before.fraction && now.loaded >= before.loaded, `${JSON.stringify(before)} then ${JSON.stringify(now)}`);
  }
  assert.equal(seen.at(-1)?.fraction, 1);
});

test('masks have the image’s size, and every browser’s kind of image gives the same answer', async () => {
  const found = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    const canvas = new OffscreenCanvas(97, 61);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.fillStyle = 'rgb(200 120 40)';
    context.fillRect(10, 10, 30, 30);
    const data = context.getImageData(0, 0, 97, 61);
    const file = await canvas.convertToBlob({ type: 'image/png' });
    const element = new Image();
    element.src = URL.createObjectURL(file);
    await element.decode();
    const rgb = new Uint8Array(97 * 61 * 3);
    for (let i = 0; i < 97 * 61; i++) {
      const alpha = (data.data[4 * i + 3] ?? 0) / 255;
      for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round((data.data[4 * i + c] ?? 0) * alpha);
    }
    const raw = /** @type {const} */ ({ data: rgb, width: 97, height: 61, channels: 3 });
    const task = model.tasks.find(({ kind }) => kind === 'segmentation')?.name ?? '';
    const answers = [];
    for (const image of [canvas, data, file, element, await createImageBitmap(canvas), raw]) {
      const { report, masks, embedding } = await model.analyze(image, { tasks: [task] });
      const mask = masks[task];
      answers.push({
        size: [mask?.width, mask?.height, mask?.indices.length],
        notice: report.notice,
        mask: [...(mask?.indices ?? [])].join(''),
        embedding: [...embedding],
      });
    }
    model.dispose();
    return answers;
  }, NANO);
  for (const answer of found) {
    assert.deepEqual(answer.size, [97, 61, 97 * 61]);
    assert.equal(answer.notice, 'Research use only. Not for diagnostic use.');
    assert.ok(answer.embedding.length > 0 && answer.embedding.every(Number.isFinite));
    // The same pixels, bit for bit, so the same numbers.
    assert.deepEqual(answer, found[0]);
  }
});

test('sixteen bits stay sixteen bits until the window is applied', async () => {
  const found = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    const data = Uint16Array.from([4000, 4001, 4002, 4003]);
    const grey = async (/** @type {object} */ more) => {
      const { pixels } = await model.preview({ data, width: 4, height: 1, ...more });
      return [...pixels.data].filter((_, i) => i % 4 === 0);
    };
    const result = {
      narrow: await grey({ window: { center: 4001.5, width: 3 } }),
      twelve: await grey({ bits: 12 }),
      whole: await grey({}),
      float: await model
        .preview({ data: Float32Array.from([-1000, 40, 240, 3000]), width: 4, height: 1, window: { center: 40, width: 400 } })
        .then(({ pixels }) => [...pixels.data].filter((_, i) => i % 4 === 0)),
      wrong: await outcome(model.preview({ data, width: 4, height: 2 })),
    };
    model.dispose();
    return result;
  }, FRESH);
  assert.deepEqual(found.narrow, [0, 85, 170, 255]);
  assert.deepEqual(found.twelve, [249, 249, 249, 249]);
  assert.deepEqual(found.whole, [16, 16, 16, 16]);
  assert.deepEqual(found.float, [0, 128, 255, 255]);
  assert.equal(found.wrong, 'MedleyError: image');
});

test('images are embedded in their order, each as it is alone', async () => {
  const found = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    const noise = (/** @type {number} */ seed) => {
      const data = Uint8Array.from({ length: 64 * 48 }, (_, i) => (i * seed * 2654435761) >>> 24);
      return { data, width: 64, height: 48 };
    };
    const shares = /** @type {number[]} */ ([]);
    const together = await model.embed([noise(1), noise(2), noise(3)], { onProgress: ({ fraction }) => shares.push(fraction) });
    const [alone] = await model.embed(noise(2));
    model.dispose();
    return { together: together.map((vector) => [...vector]), alone: [...(alone ?? [])], shares };
  }, NANO);
  assert.equal(found.together.length, 3);
  assert.deepEqual(found.together[1], found.alone);
  assert.notDeepEqual(found.together[0], found.alone);
  assert.equal(found.shares.at(-1), 1);
});

test('failures are typed', async () => {
  const codes = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    const image = new ImageData(8, 8);
    const result = {
      unknownTask: await outcome(model.analyze(image, { tasks: ['horoscope'] })),
      text: await outcome(model.analyze(new Blob(['text']))),
      nowhere: await outcome(medley.loadModel('/nowhere/', { device: 'wasm' })),
      software: await outcome(medley.loadModel(url, { device: 'webgpu' })),
      disposed: '',
    };
    model.dispose();
    result.disposed = await outcome(model.analyze(image));
    return result;
  }, FRESH);
  assert.deepEqual(codes, {
    unknownTask: 'MedleyError: unknown-task',
    text: 'MedleyError: image',
    nowhere: 'MedleyError: network',
    software: 'MedleyError: unsupported',
    disposed: 'MedleyError: disposed',
  });
});

test('a cancelled call rejects at once, and the model goes on before it would have been done', async () => {
  const found = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    const image = { data: new Uint8Array(2000 * 2000), width: 2000, height: 2000 };
    const clock = async (/** @type {Promise<unknown>} */ promise) => {
      const start = performance.now();
      const how = await outcome(promise);
      return { how, ms: performance.now() - start };
    };
    const whole = await clock(model.analyze(image));
    const before = AbortSignal.abort();
    const never = await outcome(model.analyze(image, { signal: before }));
    // In the middle of the work: once its first stages are reported.
    const controller = new AbortController();
    const running = outcome(
      model.analyze(image, {
        signal: controller.signal,
        onProgress: ({ fraction }) => {
          if (fraction > 0) controller.abort();
        },
      }),
    );
    const waiting = new AbortController();
    const queued = outcome(model.embed(image, { signal: waiting.signal }));
    waiting.abort();
    const stopped = await running;
    const next = await clock(model.preview(new ImageData(8, 8)));
    const result = { whole, never, stopped, queued: await queued, next };
    model.dispose();
    return result;
  }, NANO);
  assert.equal(found.whole.how, 'ok');
  for (const how of [found.never, found.stopped, found.queued]) assert.equal(how, 'AbortError: 20');
  assert.equal(found.next.how, 'ok');
  assert.ok(found.next.ms < found.whole.ms / 2, `${found.next.ms} of ${found.whole.ms} ms`);
});

test('loading can be cancelled in every phase, and nothing of it is left running', async () => {
  const left = await page.evaluate(async (url) => {
    const phases = /** @type {const} */ (['download', 'verify', 'compile', 'upload', 'self-test']);
    const outcomes = [];
    for (const phase of phases) {
      const controller = new AbortController();
      const onProgress = (/** @type {import('@medley/web').Progress} */ progress) => {
        if (progress.phase === phase) controller.abort();
      };
      outcomes.push(await outcome(medley.loadModel(url, { device: 'wasm', signal: controller.signal, onProgress })));
    }
    return outcomes;
  }, NANO);
  assert.deepEqual(left, Array(5).fill('AbortError: 20'));
  await page.waitForTimeout(200);
  assert.equal(page.workers().length, 0);
});

test('two models answer side by side, and disposal in the middle of a run rejects it alone', async () => {
  const found = await page.evaluate(async ([nano, fresh]) => {
    const [one, two] = await Promise.all([
      medley.loadModel(nano, { device: 'wasm' }),
      medley.loadModel(fresh, { device: 'wasm' }),
    ]);
    const image = { data: new Uint8Array(1500 * 1500), width: 1500, height: 1500 };
    const long = outcome(one.analyze(image));
    const short = two.analyze(image);
    await two.preview(new ImageData(8, 8));
    one.dispose();
    const { report } = await short;
    const result = { long: await long, model: report.model, usable: [one.usable, two.usable] };
    two.dispose();
    return result;
  }, /** @type {const} */ ([NANO, FRESH]));
  assert.deepEqual(found, { long: 'MedleyError: disposed', model: 'medley-fresh', usable: [false, true] });
});

test('ten images of 4000 × 4000 pixels in a row need no more memory than two', { timeout: 300_000 }, async (t) => {
  const memory = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    const data = new Uint8Array(4000 * 4000).fill(90);
    const memory = [];
    for (let i = 0; i < 10; i++) {
      await model.analyze({ data, width: 4000, height: 4000 });
      memory.push(model.report().memory.wasm ?? 0);
    }
    model.dispose();
    return memory;
  }, FRESH);
  t.diagnostic(`wasm memory: ${memory.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')} MiB`);
  assert.ok((memory[1] ?? 0) > 0);
  assert.equal(memory.at(-1), memory[1]);
});

test('the report has what a bug report needs, as text and as JSON', async () => {
  const { report, text, json } = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'auto' });
    await model.analyze(new ImageData(8, 8));
    const report = model.report();
    model.dispose();
    return { report: { ...report }, text: String(report), json: JSON.stringify(report) };
  }, FRESH);
  assert.deepEqual(JSON.parse(text), JSON.parse(json));
  assert.equal(report.notice, 'Research use only. Not for diagnostic use.');
  assert.match(report.model.sha256, /^[0-9a-f]{64}$/);
  assert.equal(report.backend.kind, 'wasm');
  assert.deepEqual([report.backend.dtype, report.backend.threads, report.backend.adapter], ['f32', 1, null]);
  // The only adapter here is SwiftShader, which counts as none, but is named.
  assert.match(report.backend.reason, /software/);
  assert.ok(report.gpu.found && report.gpu.software && (report.gpu.limits['maxBufferSize'] ?? 0) > 0);
  assert.ok(report.selfTest.passed && report.selfTest.worst <= report.selfTest.tolerance);
  assert.ok((report.memory.wasm ?? 0) > 0);
  assert.ok(report.load.source.cached + report.load.source.fetched > 0);
  assert.match(report.browser.userAgent, /Chrome/);
  assert.equal(report.history.length, 1);
});

test('nothing of all this was against the page’s policy or ended uncaught', () => {
  assert.deepEqual(troubles, []);
});
