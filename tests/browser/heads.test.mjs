// Heads that are taught in the browser with a few examples.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FRESH, NANO, openHarness } from './lib/harness.mjs';

/** @type {import('./lib/harness.mjs').Harness} */
let harness;
/** @type {import('playwright-core').Page} */
let page;
before(async () => {
  harness = await openHarness();
  ({ page } = await harness.open());
  await page.evaluate(() => {
    /** Squares of a side, somewhere: textures that are easily told apart. */
    const squares = (/** @type {number} */ side, /** @type {number} */ phase, width = 96, height = 80) => ({
      data: Uint8Array.from({ length: width * height }, (_, i) => {
        const [x, y] = [i % width, Math.floor(i / width)];
        return 255 * ((Math.floor((x + phase) / side) + Math.floor((y + 2 * phase) / side)) % 2);
      }),
      width,
      height,
    });
    Object.assign(window, { squares });
  });
});
after(() => harness?.close());

test('a head for images learns from a few, says how well, and goes into a file and out of it', async (t) => {
  const found = await page.evaluate(async ([nano, fresh]) => {
    const { squares } = /** @type {any} */ (window);
    const model = await medley.loadModel(nano, { device: 'wasm' });
    const head = model.head('texture', ['fine', 'coarse']);
    const early = [await outcome(head.train()), await outcome(head.predict(squares(3, 0)))];
    for (let i = 0; i < 6; i++) {
      await head.addExample(squares(3, i), 'fine');
      await head.addExample(squares(12, i), 'coarse');
    }
    // One that is labelled wrongly stands out.
    const wrong = await head.addExample(squares(3, 9), 'coarse');
    const noticed = (await head.train()).heldOut.get(wrong);
    head.removeExample(wrong);
    const lesson = await head.train();
    const answers = [await head.predict(squares(3, 17)), await head.predict(squares(12, 17))];
    const file = head.export();
    const copy = await model.importHead(new Blob([file]));
    const same = await copy.predict(squares(3, 17));
    const strange = await outcome(head.addExample(squares(3, 0), 'medium'));
    const garbage = await outcome(model.importHead(new Uint8Array(100)));
    model.dispose();
    const other = await medley.loadModel(fresh, { device: 'wasm' });
    const foreign = await outcome(other.importHead(file));
    other.dispose();
    return {
      early,
      noticed,
      examples: lesson.examples,
      estimate: lesson.estimate,
      answers,
      same,
      size: file.length,
      copied: { scope: copy.scope, name: copy.name, classes: [...copy.classes], estimate: copy.lesson?.estimate },
      strange,
      garbage,
      foreign,
    };
  }, /** @type {const} */ ([NANO, FRESH]));
  t.diagnostic(`estimate ${JSON.stringify(found.estimate)}, file of ${found.size} bytes`);
  assert.deepEqual(found.early, ['MedleyError: head', 'MedleyError: head']);
  assert.equal(found.noticed, 'fine');
  assert.deepEqual(found.examples, [6, 6]);
  assert.ok(found.estimate !== null && found.estimate.heldOut === 12 && found.estimate.accuracy > 0.9);
  assert.ok(found.estimate.low < found.estimate.accuracy && found.estimate.accuracy <= found.estimate.high);
  for (const [i, classes] of found.answers.entries()) assert.ok((classes[i]?.probability ?? 0) > 0.5, JSON.stringify(classes));
  assert.deepEqual(found.same, found.answers[0]);
  assert.deepEqual(found.copied, { scope: 'image', name: 'texture', classes: ['fine', 'coarse'], estimate: found.estimate });
  for (const refused of [found.strange, found.garbage, found.foreign]) assert.equal(refused, 'MedleyError: head');
});

test('a hundred examples are learned in less than a twentieth of a second', async (t) => {
  const times = await page.evaluate(async (url) => {
    const { squares } = /** @type {any} */ (window);
    const model = await medley.loadModel(url, { device: 'wasm' });
    const head = model.head('texture', ['a', 'b', 'c', 'd']);
    for (let i = 0; i < 100; i++) await head.addExample(squares(2 + (i % 4) * 3, i, 32, 32), ['a', 'b', 'c', 'd'][i % 4] ?? '');
    const times = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await head.train();
      times.push(performance.now() - start);
    }
    model.dispose();
    return times.sort((a, b) => a - b);
  }, NANO);
  t.diagnostic(`${times.map((ms) => ms.toFixed(1)).join(', ')} ms, the way to the worker and back included`);
  // The goal is for a machine of one's own; the best of five leaves out what else runs here.
  assert.ok((times[0] ?? Infinity) < 50);
});

test('a head for pixels learns from strokes', async (t) => {
  const found = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    /** Bright left of the edge, dark right of it. */
    const halves = (/** @type {number} */ edge) => ({
      data: Uint8Array.from({ length: 128 * 96 }, (_, i) => (i % 128 < edge ? 210 : 40) + (i * 2654435761 >>> 29)),
      width: 128,
      height: 96,
    });
    const column = (/** @type {number} */ x) => Array.from({ length: 60 }, (_, i) => /** @type {const} */ ([x, 18 + i]));
    const head = model.pixelHead('side', ['dark', 'bright']);
    for (const x of [15, 30, 45]) await head.addStroke(halves(64), column(x), 'bright');
    for (const x of [85, 100, 115]) await head.addStroke(halves(64), column(x), 'dark');
    const outside = await outcome(head.addStroke(halves(64), [[-5, 3], [500, 500]], 'dark'));
    const { estimate } = await head.train();
    const mask = await head.predict(halves(40));
    let right = 0;
    mask.indices.forEach((index, i) => {
      if (index === (i % 128 < 40 ? 1 : 0)) right += 1;
    });
    const copy = await model.importHead(head.export());
    const same = /** @type {import('@medley/web').Mask} */ (await copy.predict(halves(40)));
    const equal = same.indices.every((index, i) => index === mask.indices[i]);
    model.dispose();
    return { outside, estimate, size: [mask.width, mask.height], right: right / mask.indices.length, equal, scope: copy.scope };
  }, NANO);
  t.diagnostic(`${(100 * found.right).toFixed(1)} % of the pixels, estimated ${JSON.stringify(found.estimate)}`);
  assert.equal(found.outside, 'MedleyError: head');
  assert.deepEqual(found.size, [128, 96]);
  assert.ok(found.right > 0.9 && found.equal);
  assert.equal(found.scope, 'pixel');
});

test('a head for pixels that is opened again, and one that is made like it, look at images as it does', async () => {
  const found = await page.evaluate(async (url) => {
    const model = await medley.loadModel(url, { device: 'wasm' });
    const image = { data: Uint8Array.from({ length: 64 * 48 }, (_, i) => (i % 64 < 32 ? 210 : 40)), width: 64, height: 48 };
    /** @param {import('@medley/web').PixelHead} head */
    const taught = async (head) => {
      for (const y of [10, 30]) {
        await head.addStroke(image, [[10, y], [12, y]], 'bright');
        await head.addStroke(image, [[50, y], [52, y]], 'dark');
      }
      await head.train();
      return head.export();
    };
    /** What a head file says of it. */
    const way = (/** @type {Uint8Array<ArrayBuffer>} */ file) => {
      const header = file.subarray(8, 8 + Number(new DataView(file.buffer).getBigUint64(0, true)));
      return JSON.parse(JSON.parse(new TextDecoder().decode(header)).__metadata__.medley_head).presentation;
    };
    const task = model.tasks.find(({ presentation }) => presentation.way === 'tiles');
    const first = await taught(model.pixelHead('side', ['dark', 'bright'], { like: task?.name ?? '' }));
    const copy = /** @type {import('@medley/web').PixelHead} */ (await model.importHead(first));
    const ways = [way(first), copy.presentation, way(await taught(copy)), way(await taught(model.pixelHead('other', ['dark', 'bright'], { like: copy })))];
    const whole = way(await taught(model.pixelHead('whole', ['dark', 'bright'])));
    model.dispose();
    return { expected: task?.presentation, ways, whole };
  }, NANO);
  assert.equal(found.expected?.way, 'tiles');
  for (const way of found.ways) assert.deepEqual(way, found.expected);
  assert.equal(found.whole.way, 'whole');
});
