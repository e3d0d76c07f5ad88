import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toPayload, valueRange } from '../dist/images.js';

const raw = (data, more = {}) => ({ data, width: data.length, height: 1, ...more });

test('integers span what their bits can hold', () => {
  assert.deepEqual(valueRange(raw(new Uint8Array(1))), [0, 255]);
  assert.deepEqual(valueRange(raw(new Uint16Array(1))), [0, 65_535]);
  assert.deepEqual(valueRange(raw(new Uint16Array(1), { bits: 12 })), [0, 4095]);
  assert.deepEqual(valueRange(raw(new Float32Array(1))), [0, 1]);
});

test('a window is its center and half its width to both sides', () => {
  assert.deepEqual(valueRange(raw(new Float32Array(1), { window: { center: 40, width: 400 } })), [-160, 240]);
});

test('what makes no sense is refused in words', () => {
  const cases = [
    [raw(new Uint16Array(4), { bits: 17 }), /1 to 16 bits, found 17/],
    [raw(new Float32Array(4), { bits: 8 }), /give a window/],
    [raw(new Uint16Array(4), { window: { center: 0, width: 0 } }), /width above 0/],
    [raw(new Uint16Array(4), { channels: 2 }), /1 or 3 channels/],
    [raw(new Uint16Array(4), { height: 2 }), /4×2 pixels of 1 need 8 values, found 4/],
    [raw(new Uint16Array(4), { width: 1.5 }), /width of at least 1/],
  ];
  for (const [image, message] of cases) assert.throws(() => toPayload(image), { code: 'image', message });
});

test('a payload is a copy of its own', () => {
  const data = new Uint16Array([1, 2, 3]);
  const payload = toPayload(raw(data));
  data[0] = 9;
  assert.deepEqual([...payload.data], [1, 2, 3]);
});
