import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAnalyses } from '../dist/verify.js';

const classes = (...probabilities) => ({
  task: 'kind',
  kind: 'classification',
  classes: probabilities.map((probability, i) => ({ name: `class ${i}`, probability })),
});
const box = (x, score, name = 'cell') => ({ box: [x, 0, x + 10, 10], class: name, score });
const boxes = (...found) => ({ task: 'cells', kind: 'detection', boxes: found });
const mask = (...indices) => ({ width: indices.length, height: 1, indices: Uint8Array.from(indices) });
const analysis = (result, masks = {}) => ({ report: { results: [result] }, masks });

const compare = (one, two) => compareAnalyses(one, two)[0];

test('classes differ by their probabilities', () => {
  const { measure, difference } = compare(analysis(classes(0.9, 0.1)), analysis(classes(0.7, 0.3)));
  assert.equal(measure, 'probability');
  assert.ok(Math.abs(difference - 0.2) < 1e-12);
});

test('masks differ by the share of their pixels', () => {
  const result = { task: 'lungs', kind: 'segmentation' };
  const found = compare(analysis(result, { lungs: mask(0, 1, 1, 0) }), analysis(result, { lungs: mask(0, 1, 0, 0) }));
  assert.deepEqual(found, { task: 'lungs', measure: 'pixels', difference: 0.25 });
});

test('boxes differ by the scores of those that both found; the others are counted', () => {
  const found = compare(
    analysis(boxes(box(0, 0.9), box(50, 0.5), box(90, 0.6, 'other'))),
    analysis(boxes(box(1, 0.75), box(90, 0.6, 'cell'))),
  );
  assert.equal(found.measure, 'score');
  assert.ok(Math.abs(found.difference - 0.15) < 1e-12);
  assert.equal(found.unmatched, 3);
});

test('a task that one of them did not answer is as far apart as can be', () => {
  assert.deepEqual(compare(analysis(classes(1)), { report: { results: [] }, masks: {} }), {
    task: 'kind',
    measure: 'missing',
    difference: 1,
  });
});
