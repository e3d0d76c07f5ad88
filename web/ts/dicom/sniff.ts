/** What a file is by its first bytes; names play no part. */
export type FileKind = 'dicom' | 'zip' | 'png' | 'jpeg' | 'other';

/** The preamble of a DICOM file and the signature behind it. */
const HEAD_BYTES = 132;

/**
 * Looks at the first bytes of a file. `dicom` also for files without preamble, of which only reading tells for sure:
 * whatever begins as one is given to the reader, which decides.
 */
export async function sniff(file: Blob): Promise<FileKind> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const is = (at: number, bytes: readonly number[]): boolean => bytes.every((byte, i) => head[at + i] === byte);
  if (is(128, DICM) || is(0, DICM)) return 'dicom';
  // The second one is that of an archive without entries.
  if (is(0, [0x50, 0x4b, 3, 4]) || is(0, [0x50, 0x4b, 5, 6])) return 'zip';
  if (is(0, [0x89, 0x50, 0x4e, 0x47])) return 'png';
  if (is(0, [0xff, 0xd8, 0xff])) return 'jpeg';
  // The groups that a data set, meta information or directory can begin with, in either order of bytes.
  const [a = 0, b = 0] = head;
  const group = head.length >= 8 && (a === 0 || b === 0) && [2, 4, 8].includes(a + b);
  return group ? 'dicom' : 'other';
}

const DICM = [0x44, 0x49, 0x43, 0x4d];
