import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sniff } from '../dist/dicom/sniff.js';

const after128 = (text) => Buffer.concat([Buffer.alloc(128), Buffer.from(text)]);

for (const [what, bytes, kind] of [
  ['a file with preamble', after128('DICM'), 'dicom'],
  ['the signature alone', Buffer.from('DICM\x02\x00'), 'dicom'],
  ['a data set without preamble, little endian', Buffer.from([8, 0, 5, 0, 0x43, 0x53, 10, 0]), 'dicom'],
  ['a data set without preamble, big endian', Buffer.from([0, 8, 0, 5, 0x43, 0x53, 0, 10]), 'dicom'],
  ['meta information without preamble', Buffer.from([2, 0, 0, 0, 0x55, 0x4c, 4, 0]), 'dicom'],
  ['an archive', Buffer.from('PK\x03\x04'), 'zip'],
  ['an empty archive', Buffer.from('PK\x05\x06'), 'zip'],
  ['a PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47]), 'png'],
  ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'jpeg'],
  ['a text', Buffer.from('Dear reader, I am no image.'), 'other'],
  ['the signature at the wrong place', Buffer.concat([Buffer.alloc(127, 1), Buffer.from('DICM')]), 'other'],
  ['nothing', Buffer.alloc(0), 'other'],
  ['zeros', Buffer.alloc(200), 'other'],
]) {
  test(`${what}: ${kind}`, async () => assert.equal(await sniff(new Blob([bytes])), kind));
}
