import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { colourOf } from '../dist/element/colours.js';

/** Colour vision without one kind of cone, on linear RGB (Machado, Oliveira and Fernandes, 2009, severity 1). */
const VISION = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** A difference that one just sees is 2.3 (Mahy and others, 1994); colours of neighbouring areas want a few of them. */
const CLEAR = 12;

function linear(hex) {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
}

/** CIELAB under daylight (D65). */
function lab([r, g, b]) {
  const f = (t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function closest(colours, matrix) {
  const seen = colours.map((hex) => {
    const rgb = linear(hex);
    return lab(matrix.map((row) => Math.min(1, Math.max(0, row.reduce((sum, v, i) => sum + v * rgb[i], 0)))));
  });
  return Math.min(...seen.flatMap((a, i) => seen.slice(i + 1).map((b) => Math.hypot(...a.map((v, k) => v - b[k])))));
}

/** As they stand in the page's source. */
function ofPage() {
  const source = readFileSync(new URL('../../www/src/viewer/palette.ts', import.meta.url), 'utf8');
  return [.../COLOURS = \[([^\]]*)\]/.exec(source)[1].matchAll(/#[0-9a-f]{6}/g)].map(([hex]) => hex);
}

/** One after the other, until the first comes again. */
function ofElement() {
  const hex = (n) => `#${colourOf(n).map((v) => v.toString(16).padStart(2, '0')).join('')}`;
  const all = Array.from({ length: 32 }, (_, n) => hex(n));
  return all.slice(0, all.indexOf(all[0], 1));
}

for (const [where, colours] of [['the page', ofPage()], ['the element', ofElement()]]) {
  for (const [name, matrix] of Object.entries(VISION)) {
    test(`the colours of ${where} are told apart with ${name === 'usual' ? 'usual colour vision' : name}`, () => {
      assert.equal(colours.length, 7);
      assert.ok(closest(colours, matrix) > CLEAR, `${closest(colours, matrix)}`);
    });
  }
}

test('red and green of one lightness would not be', () => {
  assert.ok(closest(['#b26b5b', '#7d8056'], VISION.deuteranopia) < CLEAR);
});
