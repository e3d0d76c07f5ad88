import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importedHead, PixelHead } from '../dist/head.js';
import { Model } from '../dist/model.js';

const TILES = { way: 'tiles', size: 256, long_side: 1024, overlap: 32 };
const WHOLE = { way: 'whole', size: 256 };

/** An engine with a model of two tasks that answers what is asked about strokes, and keeps what it was asked. */
function engine() {
  const asked = [];
  const answers = {
    strokeFeatures: () => ({ rows: new Float32Array(4), count: 2 }),
    teachStrokes: () => ({ file: new Uint8Array([1]), examples: [2, 2], estimate: null, heldOut: Int32Array.of(-1, -1) }),
    readHead: () => ({ scope: 'pixel', name: 'fat', classes: ['around', 'fat'], presentation: TILES, examples: [9, 9], estimate: null }),
  };
  return {
    asked,
    loaded: { metadata: { tasks: [{ name: 'nuclei', presentation: TILES }, { name: 'lungs', presentation: WHOLE }] } },
    async call(name, request) {
      asked.push([name, request.presentation]);
      return answers[name]();
    },
  };
}

const IMAGE = { data: new Uint8Array(64), width: 8, height: 8 };

/** Shows a head a stroke of each class and lets it learn. */
async function learn(head) {
  for (const name of head.classes) await head.addStroke(IMAGE, [[1, 1]], name);
  await head.train();
}

test('a head for pixels that comes out of a file learns on with the way of looking that is in the file', async () => {
  const worker = engine();
  const head = await new Model(worker, '/', false).importHead(new Uint8Array([1]));
  assert.ok(head instanceof PixelHead);
  assert.deepEqual(head.presentation, TILES);
  await learn(head);
  assert.deepEqual(worker.asked.slice(1), [['strokeFeatures', TILES], ['strokeFeatures', TILES], ['teachStrokes', TILES]]);
});

test('a new head for pixels looks as a task does, as another head does, or at whole images', async () => {
  const worker = engine();
  const model = new Model(worker, '/', false);
  const fine = model.pixelHead('fat', ['around', 'fat'], { like: 'nuclei' });
  assert.deepEqual(fine.presentation, TILES);
  assert.deepEqual(model.pixelHead('bone', ['around', 'bone'], { like: fine }).presentation, TILES);
  assert.deepEqual(model.pixelHead('bone', ['around', 'bone'], { like: 'lungs' }).presentation, WHOLE);
  const whole = model.pixelHead('bone', ['around', 'bone']);
  assert.equal(whole.presentation, null);
  await learn(whole);
  assert.deepEqual(worker.asked.map(([, presentation]) => presentation), [null, null, null]);
  assert.throws(() => model.pixelHead('bone', ['around', 'bone'], { like: 'nothing' }), { code: 'unknown-task' });
});

test('an imported head has no examples left to learn from', async () => {
  const description = { scope: 'image', name: 'stripes', classes: ['fine', 'coarse'], presentation: WHOLE, examples: [4, 4], estimate: null };
  const head = importedHead(engine(), new Uint8Array([1]), description);
  assert.deepEqual(head.examples, []);
  assert.deepEqual(head.lesson?.examples, [4, 4]);
});
