// Just enough PNG for the tests: grey pictures of 8 bits, written and read, and 16 bits, written.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/**
 * A PNG whose header says `width` × `height`; its pixels, which may be too few, are given.
 * @param {number} width @param {number} height @param {Buffer} pixels
 */
export function encodeGrey(width, height, pixels) {
  return encode({ width, height, bits: 8, colours: false }, pixels, width);
}

/**
 * A PNG of 16 bits, grey or RGB by the number of its values.
 * @param {number} width @param {number} height @param {Uint16Array} values - row by row, colours interleaved
 */
export function encodeWords(width, height, values) {
  const channels = values.length / (width * height);
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => bytes.writeUInt16BE(value, 2 * i));
  return encode({ width, height, bits: 16, colours: channels === 3 }, bytes, 2 * channels * width);
}

/** @param {{ width: number, height: number, bits: number, colours: boolean }} of @param {Buffer} pixels @param {number} row - bytes of one */
function encode({ width, height, bits, colours }, pixels, row) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = bits;
  header[9] = colours ? 2 : 0;
  const rows = [];
  for (let at = 0; at < pixels.length; at += row) rows.push(Buffer.from([0]), pixels.subarray(at, at + row));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * The values of an 8-bit grey PNG, row by row.
 * @param {Buffer} png
 */
export function decodeGrey(png) {
  if (!png.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG');
  let [width, height] = [0, 0];
  const data = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      if (body[8] !== 8 || body[9] !== 0 || body[12] !== 0) throw new Error('not 8-bit grey, or interlaced');
    }
    if (type === 'IDAT') data.push(body);
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(data));
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (width + 1)] ?? 0;
    for (let x = 0; x < width; x++) {
      const left = x > 0 ? (pixels[y * width + x - 1] ?? 0) : 0;
      const up = y > 0 ? (pixels[(y - 1) * width + x] ?? 0) : 0;
      const corner = x > 0 && y > 0 ? (pixels[(y - 1) * width + x - 1] ?? 0) : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      pixels[y * width + x] = (raw[y * (width + 1) + 1 + x] ?? 0) + predicted;
    }
  }
  return { width, height, pixels };
}

/** @param {number} a @param {number} b @param {number} c */
function paeth(a, b, c) {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}
