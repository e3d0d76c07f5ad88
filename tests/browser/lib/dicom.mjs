// DICOM files and ZIP archives for tests, made here: what is in each pixel and in each header is known.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { ROOT } from './server.mjs';

/** A CT slice's side in pixels. */
export const SIDE = 64;
/** Millimetres between rows and between columns. */
export const SPACING = [0.5, 0.8];

/** Attributes that say who, where or when, each with a word of its own that occurs nowhere else. */
export const CANARIES = {
  '0008,0020 DA': '20040119',
  '0008,0050 SH': 'CANARYACC',
  '0008,0080 LO': 'CANARYINST',
  '0008,0081 ST': 'CANARYADDRESS',
  '0008,0090 PN': 'CANARYREF^KEPT',
  '0008,1010 SH': 'CANARYSTATION',
  '0008,1030 LO': 'CANARYDESCRIPTION',
  '0008,103E LO': 'CANARYSERIES',
  '0008,1070 PN': 'CANARYOPERATOR',
  '0009,0010 LO': 'CANARYCREATOR',
  '0009,1001 LO': 'CANARYPRIVATE',
  '0010,0010 PN': 'CANARYNAME^KEPT',
  '0010,0020 LO': 'CANARYID',
  '0010,0030 DA': '19420107',
  '0010,1040 LO': 'CANARYHOME',
  '0010,4000 LT': 'CANARYCOMMENT',
  '0018,1030 LO': 'CANARYPROTOCOL',
};

/** Identifiers that de-identified results must not have. */
export const IDENTIFIERS = { study: '1.2.777.1', series: '1.2.777.2', instance: '1.2.777.3', place: '1.2.777.4' };

/** All words that must not get out. */
export const SECRETS = [...Object.values(CANARIES), ...Object.values(IDENTIFIERS)];

/** Hounsfield units of a pixel of the n-th slice: a disc of tissue with a hole of air that grows, in air. @param {number} x @param {number} y @param {number} n */
export function hounsfield(x, y, n) {
  const distance = Math.hypot(x - SIDE / 2, y - SIDE / 2);
  if (distance > 28) return -1000;
  return distance < 4 + 2 * n ? -850 + n : 40 + (x % 8);
}

/**
 * The n-th slice of a CT series, Explicit VR Little Endian, 16 bits, two windows in the file.
 * @param {number} n
 * @param {{ series?: string, cut?: number, placeless?: boolean }} [options] - `cut`: the file ends so many bytes early;
 * `placeless`: it says neither where it lies nor how large its pixels are
 */
export function ctSlice(n, { series = IDENTIFIERS.series, cut = 0, placeless = false } = {}) {
  const pixels = Buffer.alloc(2 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) pixels.writeInt16LE(hounsfield(i % SIDE, Math.floor(i / SIDE), n) + 1024, 2 * i);
  const instance = `${IDENTIFIERS.instance}.${series.split('.').at(-1)}.${n + 1}`;
  /** @type {Record<string, string | number | Buffer>} */
  const header = {
    ...CANARIES,
    '0008,0005 CS': 'ISO_IR 192',
    '0008,0008 CS': 'ORIGINAL\\PRIMARY\\AXIAL',
    '0008,0016 UI': CT_STORAGE,
    '0008,0018 UI': instance,
    '0008,0060 CS': 'CT',
    '0018,0050 DS': '2.5',
    '0018,0060 DS': '120',
    '0020,000D UI': IDENTIFIERS.study,
    '0020,000E UI': series,
    '0020,0010 SH': 'CANARYSTUD',
    '0020,0011 IS': '1',
    // Numbers run against positions: the order must come from where slices lie.
    '0020,0013 IS': String(100 - n),
    '0020,0032 DS': `-20\\-30\\${2.5 * n}`,
    '0020,0037 DS': '1\\0\\0\\0\\1\\0',
    '0020,0052 UI': IDENTIFIERS.place,
    '0028,0002 US': 1,
    '0028,0004 CS': 'MONOCHROME2',
    '0028,0010 US': SIDE,
    '0028,0011 US': SIDE,
    '0028,0030 DS': SPACING.join('\\'),
    '0028,0100 US': 16,
    '0028,0101 US': 16,
    '0028,0102 US': 15,
    '0028,0103 US': 1,
    '0028,1050 DS': '40\\-600',
    '0028,1051 DS': '400\\1500',
    '0028,1052 DS': '-1024',
    '0028,1053 DS': '1',
    '0028,1055 LO': 'SOFT\\LUNG',
    '7FE0,0010 OW': pixels,
  };
  if (placeless) for (const key of PLACE) delete header[key];
  const meta = elements({
    '0002,0001 OB': Buffer.from([0, 1]),
    '0002,0002 UI': CT_STORAGE,
    '0002,0003 UI': instance,
    '0002,0010 UI': '1.2.840.10008.1.2.1',
    '0002,0012 UI': '2.25.1',
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const file = Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    elements({ '0002,0000 UL': length }),
    meta,
    elements(header),
  ]);
  return file.subarray(0, file.length - cut);
}

/** Position, orientation, frame of reference, and the size of pixels. */
const PLACE = ['0020,0032 DS', '0020,0037 DS', '0020,0052 UI', '0028,0030 DS'];
const CT_STORAGE = '1.2.840.10008.5.1.4.1.1.2';
const LONG = new Set(['OB', 'OW', 'UN', 'SQ', 'UT']);

/** @param {Record<string, string | number | Buffer>} values */
function elements(values) {
  return Buffer.concat(
    Object.keys(values)
      .sort()
      .map((key) => {
        const [tag = '', vr = ''] = key.split(' ');
        const [group = '', element = ''] = tag.split(',');
        const value = bytes(vr, values[key] ?? '');
        const head = Buffer.alloc(LONG.has(vr) ? 12 : 8);
        head.writeUInt16LE(Number.parseInt(group, 16), 0);
        head.writeUInt16LE(Number.parseInt(element, 16), 2);
        head.write(vr, 4, 'latin1');
        if (LONG.has(vr)) head.writeUInt32LE(value.length, 8);
        else head.writeUInt16LE(value.length, 6);
        return Buffer.concat([head, value]);
      }),
  );
}

/** @param {string} vr @param {string | number | Buffer} value */
function bytes(vr, value) {
  if (Buffer.isBuffer(value)) return value;
  if (vr === 'US') {
    const word = Buffer.alloc(2);
    word.writeUInt16LE(Number(value));
    return word;
  }
  const text = Buffer.from(String(value));
  return text.length % 2 === 0 ? text : Buffer.concat([text, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
}

/**
 * A ZIP archive, deflated. @param {Record<string, Buffer>} files - by path
 * @param {{ claim?: number }} [options] - `claim`: the size that every entry pretends to have
 */
export function zip(files, { claim } = {}) {
  const locals = [];
  const central = [];
  let offset = 0;
  for (const [path, content] of Object.entries(files)) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claim ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, packed]);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, 0]), common, more, name]));
    locals.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, list, end]);
}

/** Public DICOM files and what a reference reader finds in them, where they are there. */
export const FIXTURES = process.env['MEDLEY_DICOM'] ?? join(ROOT, '../shared/dicom');

/** @param {string} name */
export function fixture(name) {
  return readFileSync(join(FIXTURES, 'files', name));
}
