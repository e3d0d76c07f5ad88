import { said } from './detail.js';
import { MedleyError } from './errors.js';

/** What a manifest promises of one file. */
export interface Expected {
  path: string;
  /** In bytes. */
  length: number;
  /** Lower-case hexadecimal. */
  sha256: string;
}

/** Whether digests can be computed here: there is no `crypto.subtle` where the page is not in a secure context. */
export function canDigest(): boolean {
  return (globalThis.crypto as Crypto | undefined)?.subtle !== undefined;
}

/**
 * Checks bytes against the manifest.
 *
 * Where the browser cannot ({@link canDigest}), only the length is checked here, and the digest by the model's own code.
 */
export async function checkIntegrity(bytes: Uint8Array<ArrayBuffer>, expected: Expected): Promise<void> {
  if (bytes.byteLength !== expected.length) {
    const text =
      `${expected.path}: expected ${expected.length} bytes, found ${bytes.byteLength}; ` +
      'the file is cut short or of another version: reload, or have it uploaded again';
    const values = { file: expected.path, expected: expected.length, found: bytes.byteLength };
    throw new MedleyError('integrity', said(text, 'file-length', values));
  }
  if (!canDigest()) return;
  const found = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
  if (found !== expected.sha256.toLowerCase()) {
    const text =
      `${expected.path}: expected SHA-256 ${expected.sha256}, found ${found}; ` +
      'the file is damaged or of another version: reload, or have it uploaded again';
    throw new MedleyError('integrity', said(text, 'file-digest', { file: expected.path, expected: expected.sha256, found }));
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
