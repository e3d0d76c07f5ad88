import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CrashGuard } from '../dist/guard.js';

test('a panic rejects what would stay pending for ever', async () => {
  const guard = new CrashGuard(new EventTarget());
  const never = guard.watch(() => new Promise(() => {}));
  globalThis.medleyPanicked('index out of bounds');
  await assert.rejects(never, { code: 'crashed', message: /index out of bounds/ });
});

test('an error outside any promise rejects it too', async () => {
  const scope = new EventTarget();
  const guard = new CrashGuard(scope);
  const never = guard.watch(() => new Promise(() => {}));
  const event = () => Object.assign(new Event('error', { cancelable: true }), { error: new Error('unreachable') });
  assert.equal(scope.dispatchEvent(event()), false, 'the page hears of it by the promise alone');
  await assert.rejects(never, { code: 'crashed', message: /unreachable/ });
  assert.equal(scope.dispatchEvent(event()), true, 'nobody else tells the page of it');
});

test('work that ends well is not disturbed', async () => {
  const guard = new CrashGuard(new EventTarget());
  assert.equal(await guard.watch(async () => 7), 7);
  globalThis.medleyPanicked('later');
});
