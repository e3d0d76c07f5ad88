import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planBackends } from '../dist/device.js';

const gpu = { found: true, adapter: 'vendor x', software: false };
const software = { found: true, adapter: 'swiftshader', software: true };
const none = { found: false, reason: 'no adapter answers on this device', detail: { code: 'gpu-none', values: {} } };

const kinds = (plan) => plan.candidates.map((candidate) => candidate.kind);

test('auto tries WebGPU first where a real adapter answers', () => {
  assert.deepEqual(kinds(planBackends('auto', gpu, false)), ['webgpu', 'wasm']);
});

test('auto takes WebAssembly and says why where no adapter answers', () => {
  const plan = planBackends('auto', none, false);
  assert.deepEqual(kinds(plan), ['wasm']);
  assert.match(plan.candidates[0].reason, /no adapter answers/);
  assert.deepEqual(plan.candidates[0].reasons, [{ code: 'no-webgpu', values: { why: none.detail } }]);
});

test('a software adapter counts as none', () => {
  const plan = planBackends('auto', software, false);
  assert.deepEqual(kinds(plan), ['wasm']);
  assert.match(plan.candidates[0].reason, /software/);
});

test('a software adapter counts where it is accepted', () => {
  assert.deepEqual(kinds(planBackends('auto', software, true)), ['webgpu', 'wasm']);
});

test('an explicit WebGPU is not replaced in silence', () => {
  assert.deepEqual(kinds(planBackends('webgpu', gpu, false)), ['webgpu']);
  const plan = planBackends('webgpu', none, false);
  assert.deepEqual(kinds(plan), []);
  assert.match(plan.withoutGpu.text, /no adapter/);
});

test('an explicit WebAssembly does not look at adapters', () => {
  assert.deepEqual(kinds(planBackends('wasm', gpu, true)), ['wasm']);
});
