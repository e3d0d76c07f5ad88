import assert from 'node:assert/strict';
import { test } from 'node:test';
import { possibleThreads } from '../dist/threads.js';

const able = { waitAsync: () => {} };
const isolated = (hardwareConcurrency) => ({ crossOriginIsolated: true, navigator: { hardwareConcurrency } });

test('an isolated page has as many threads as processors, but no more than eight', () => {
  assert.equal(possibleThreads(isolated(1), able), 1);
  assert.equal(possibleThreads(isolated(4), able), 4);
  assert.equal(possibleThreads(isolated(64), able), 8);
});

test('without shared memory, a count of processors or a wait that does not block there is one', () => {
  assert.equal(possibleThreads({ crossOriginIsolated: false, navigator: { hardwareConcurrency: 8 } }, able), 1);
  assert.equal(possibleThreads({ navigator: { hardwareConcurrency: 8 } }, able), 1);
  assert.equal(possibleThreads(isolated(undefined), able), 1);
  assert.equal(possibleThreads(isolated(8), {}), 1);
});
