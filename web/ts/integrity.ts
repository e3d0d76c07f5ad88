import { MedleyError } from './errors.js';

/** What a manifest promises of one file. */
export interface Expected {
  path: string;
  /** In bytes. */
  length: number;
  /** Lower-case hexadecimal. */
  sha256: string;
}

/**
 * Checks bytes against the manifest.
 *
 * Where the page is not in a secure context there is no `crypto.subtle`; then only the length is
 * checked here, and the digest by the model's own code, which checks everything again anyway.
 */
export async function checkIntegrity(bytes: Uint8Array<ArrayBuffer>, expected: Expected): Promise<void> {
  if (bytes.byteLength !== expected.length) {
    throw new MedleyError(
      'integrity',
      `${expected.path}: expected ${expected.length} bytes, found ${bytes.byteLength}; ` +
        'the file is cut short or of another version: reload, or have it uploaded again',
    );
  }
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) return;
  const found = toHex(new Uint8Array(await subtle.digest('SHA-256', bytes)));
  if (found !== expected.sha256.toLowerCase()) {
    throw new MedleyError(
      'integrity',
      `${expected.path}: expected SHA-256 ${expected.sha256}, found ${found}; ` +
        'the file is damaged or of another version: reload, or have it uploaded again',
    );
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
