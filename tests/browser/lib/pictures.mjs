// Small pictures for tests of the page, made here: what is in each pixel is known.
import { encodeGrey } from './png.mjs';

/** A ramp from black (left) to white (right), as a PNG. @param {number} [height] */
export function ramp(height = 64) {
  const pixels = Buffer.alloc(256 * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = i % 256;
  return encodeGrey(256, height, pixels);
}

/** One grey all over, as a PNG. @param {number} value 0..255 @param {number} [side] */
export function flat(value, side = 48) {
  return encodeGrey(side, side, Buffer.alloc(side * side, value));
}
