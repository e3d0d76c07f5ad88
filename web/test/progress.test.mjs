import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressMeter } from '../dist/progress.js';

function recorded(use) {
  const seen = [];
  use(new ProgressMeter((progress) => seen.push(progress)));
  return seen;
}

const neverFalls = (seen) => seen.every((now, i) => i === 0 || now.fraction >= seen[i - 1].fraction);

test('bytes of several files add up', () => {
  const last = recorded((meter) => {
    meter.expect('a', 100);
    meter.expect('b', 300);
    meter.advance('a', 100);
    meter.advance('b', 60);
  }).at(-1);
  assert.deepEqual([last.loaded, last.total], [160, 400]);
});

test('the fraction does not fall when another file joins late', () => {
  const seen = recorded((meter) => {
    meter.expect('a', 100);
    meter.advance('a', 90);
    meter.expect('b', 10_000);
    meter.advance('b', 10);
  });
  assert.ok(neverFalls(seen));
});

test('the fraction does not fall when a file is longer than announced', () => {
  const seen = recorded((meter) => {
    meter.expect('a', 100);
    meter.advance('a', 100);
    meter.advance('a', 250);
  });
  assert.ok(neverFalls(seen));
  assert.deepEqual([seen.at(-1).loaded, seen.at(-1).total], [250, 250]);
});

test('bytes that are fetched a second time are not taken back', () => {
  const seen = recorded((meter) => {
    meter.expect('a', 100);
    meter.advance('a', 80);
    meter.advance('a', 10);
  });
  assert.deepEqual(seen.map(({ loaded }) => loaded), [0, 80, 80]);
});

test('phases follow each other and end at 1', () => {
  const seen = recorded((meter) => {
    for (const phase of ['verify', 'compile', 'upload', 'self-test', 'upload', 'warm-up']) meter.enter(phase);
    meter.finish();
  });
  assert.ok(neverFalls(seen));
  // A second backend is uploaded again; the bar does not go back for it.
  assert.deepEqual(
    seen.map(({ phase }) => phase),
    ['verify', 'compile', 'upload', 'self-test', 'self-test', 'warm-up', 'warm-up'],
  );
  assert.ok(seen.at(-2).fraction < 1);
  assert.equal(seen.at(-1).fraction, 1);
});

test('the time of each phase is kept', () => {
  let now = 0;
  const meter = new ProgressMeter(() => {}, () => now);
  now = 30;
  meter.enter('verify');
  now = 50;
  meter.enter('upload');
  now = 51;
  meter.finish();
  assert.deepEqual(meter.times, { download: 30, verify: 20, upload: 1 });
});
