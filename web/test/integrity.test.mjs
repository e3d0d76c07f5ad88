import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { checkIntegrity } from '../dist/integrity.js';
import { readManifest } from '../dist/weights.js';

const bytes = new TextEncoder().encode('weights');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const expected = { path: 'model.safetensors', length: bytes.byteLength, sha256 };

test('the right bytes pass', async () => {
  await checkIntegrity(bytes, expected);
});

test('a file cut short is named with both lengths', async () => {
  await assert.rejects(checkIntegrity(bytes.subarray(0, 5), expected), {
    code: 'integrity',
    message: /model\.safetensors: expected 7 bytes, found 5/,
  });
});

test('one flipped bit is found', async () => {
  const flipped = bytes.slice();
  flipped[3] ^= 1;
  await assert.rejects(checkIntegrity(flipped, expected), { code: 'integrity', message: /SHA-256/ });
});

const manifest = (value) => new TextEncoder().encode(JSON.stringify(value));

const whole = { file: 'model.safetensors', length: bytes.byteLength, sha256 };

test('a manifest names the file and its shards', () => {
  assert.deepEqual(readManifest(manifest({ ...whole, shards: [expected] }), 'm'), { whole: expected, shards: [expected] });
});

test('a web page in place of a manifest is a package error', () => {
  assert.throws(() => readManifest(new TextEncoder().encode('<!doctype html>'), 'm'), { code: 'package' });
});

test('a shard outside the folder is refused', () => {
  for (const path of ['../secret', '/etc/passwd', 'https://elsewhere.example/x', 'a/b', '']) {
    assert.throws(() => readManifest(manifest({ ...whole, shards: [{ ...expected, path }] }), 'm'), { code: 'package' }, path);
  }
});

test('a manifest without shards, or with half a shard, is refused', () => {
  for (const value of [null, {}, { shards: [] }, { shards: [{ path: 'a' }] }, { shards: [null] }]) {
    assert.throws(() => readManifest(manifest(value && { ...whole, ...value }), 'm'), { code: 'package' });
  }
});

test('shards that do not add up to the file, and a file that none could be, are refused', () => {
  for (const lie of [{ length: 8 }, { length: undefined }, { sha256: 'abc' }, { file: '../model' }]) {
    assert.throws(() => readManifest(manifest({ ...whole, ...lie, shards: [expected] }), 'm'), { code: 'package' });
  }
  const huge = { length: 2 ** 31 };
  assert.throws(() => readManifest(manifest({ ...whole, ...huge, shards: [{ ...expected, ...huge }] }), 'm'), { code: 'package' });
  assert.throws(() => readManifest(manifest({ ...whole, shards: [expected, expected] }), 'm'), /found 14/);
});
