import assert from 'node:assert/strict';
import { decodeGrey } from './png.mjs';

/** @typedef {import('@medley/web').Report} Report */
/** @typedef {import('@medley/web').DetectedBox} DetectedBox */

/** The issue's own bounds: other arithmetic may tip a rounding, not an answer. */
const PROBABILITY = 0.02;
const MASK_AGREEMENT = 0.99;
/** Boxes of one thing from two devices differ by fractions of a pixel. */
const IOU = 0.9;
/**
 * Just above the display threshold (`DISPLAY_THRESHOLD` in medley-infer) plus what scores may
 * differ by: a less certain box may be on one side of it here and on the other there.
 */
const CERTAIN = 0.47;

/**
 * Whether two reports of one image say the same.
 * @param {Report} found @param {Report} expected
 */
export function assertSameAnswers(found, expected) {
  assert.deepEqual(
    found.results.map(({ task }) => task),
    expected.results.map(({ task }) => task),
    'the same tasks',
  );
  for (const [i, want] of expected.results.entries()) {
    const got = found.results[i];
    if (want.kind === 'classification' && got?.kind === 'classification') {
      assertSameClasses(want.task, got.classes, want.classes);
    } else if (want.kind === 'segmentation' && got?.kind === 'segmentation') {
      const agreement = maskAgreement(got.mask.png_base64, want.mask.png_base64);
      assert.ok(agreement >= MASK_AGREEMENT, `${want.task}: ${(100 * agreement).toFixed(2)} % of the pixels agree`);
    } else if (want.kind === 'detection' && got?.kind === 'detection') {
      assertSameBoxes(want.task, got.boxes, want.boxes);
      assertSameBoxes(want.task, want.boxes, got.boxes);
    } else {
      assert.fail(`${want.task}: expected ${want.kind}, found ${got?.kind}`);
    }
  }
}

/**
 * @param {string} task
 * @param {import('@medley/web').ClassProbability[]} found
 * @param {import('@medley/web').ClassProbability[]} expected
 */
function assertSameClasses(task, found, expected) {
  const top = (/** @type {typeof found} */ classes) =>
    classes.reduce((best, entry) => (entry.probability > best.probability ? entry : best));
  assert.equal(top(found).name, top(expected).name, `${task}: the class`);
  for (const [i, { name, probability }] of expected.entries()) {
    assert.equal(found[i]?.name, name);
    const difference = Math.abs((found[i]?.probability ?? 0) - probability);
    assert.ok(difference <= PROBABILITY, `${task}: ${name} differs by ${difference}`);
  }
}

/** @param {string} a @param {string} b - PNGs in base64 */
export function maskAgreement(a, b) {
  const [one, two] = [a, b].map((text) => decodeGrey(Buffer.from(text, 'base64')));
  if (one === undefined || two === undefined) return 0;
  assert.deepEqual([one.width, one.height], [two.width, two.height], 'masks of one size');
  let equal = 0;
  one.pixels.forEach((value, i) => {
    if (value === two.pixels[i]) equal += 1;
  });
  return equal / one.pixels.length;
}

/**
 * Every certain box of `expected` has its match in `found`.
 * @param {string} task @param {DetectedBox[]} found @param {DetectedBox[]} expected
 */
function assertSameBoxes(task, found, expected) {
  for (const want of expected.filter(({ score }) => score >= CERTAIN)) {
    const match = found.some(
      (box) =>
        box.class === want.class && Math.abs(box.score - want.score) <= PROBABILITY && iou(box.box, want.box) >= IOU,
    );
    assert.ok(match, `${task}: ${want.class} ${want.score.toFixed(2)} at ${want.box.map(Math.round)} has no match`);
  }
}

/** @param {number[]} a @param {number[]} b */
function iou(a, b) {
  const [ax0 = 0, ay0 = 0, ax1 = 0, ay1 = 0] = a;
  const [bx0 = 0, by0 = 0, bx1 = 0, by1 = 0] = b;
  const wide = Math.max(0, Math.min(ax1, bx1) - Math.max(ax0, bx0));
  const high = Math.max(0, Math.min(ay1, by1) - Math.max(ay0, by0));
  const both = wide * high;
  return both / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - both);
}
