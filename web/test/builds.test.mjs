import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseBuild } from '../dist/builds.js';

const yes = () => true;
const no = () => false;

test('a browser with relaxed SIMD gets the build that uses it, any other the plain one', () => {
  assert.equal(chooseBuild('wasm', {}, 1, yes), 'wasmRelaxed');
  assert.equal(chooseBuild('wasm', {}, 1, no), 'wasm');
});

test('several threads have a build of their own, which needs relaxed SIMD too', () => {
  assert.equal(chooseBuild('wasm', {}, 2, yes), 'wasmThreads');
  assert.equal(chooseBuild('wasm', {}, 2, no), 'wasm');
  assert.equal(chooseBuild('wasm', { wasm: '/here.wasm', wasmThreads: '/there.wasm' }, 2, yes), 'wasmThreads');
  assert.equal(chooseBuild('wasm', { wasm: '/here.wasm', wasmThreads: '/there.wasm' }, 1, yes), 'wasm');
});

test('WebGPU does not ask', () => {
  assert.equal(chooseBuild('webgpu', {}, 4, assert.fail), 'webgpu');
});

test('where only the plain build has an address, it is the only one', () => {
  assert.equal(chooseBuild('wasm', { wasm: '/here.wasm' }, 4, yes), 'wasm');
  assert.equal(chooseBuild('wasm', { wasm: '/here.wasm', wasmRelaxed: '/there.wasm' }, 4, yes), 'wasmRelaxed');
  assert.equal(chooseBuild('wasm', { wasmRelaxed: '/there.wasm' }, 4, no), 'wasm');
});

test('what a browser is asked differs in the one instruction from a module that every browser takes', () => {
  let asked = new Uint8Array();
  chooseBuild('wasm', {}, 1, (module) => {
    asked = module;
    return false;
  });
  assert.deepEqual([...asked.slice(-4)], [0xfd, 0x85, 0x02, 0x0b]);
  // The sum of the first two vectors instead (f32x4.add), the third dropped.
  const plain = Uint8Array.from([...asked.slice(0, -4), 0x1a, 0xfd, 0xe4, 0x01, 0x0b]);
  // One byte more in the body and its section.
  plain[23] += 1;
  plain[25] += 1;
  assert.ok(WebAssembly.validate(plain));
});
