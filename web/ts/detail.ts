/** Sentences that have a code, so that a page can say them in its reader's language. */
export type DetailCode =
  // Why a backend was picked, or passed over
  | 'wasm-asked'
  | 'webgpu-asked'
  | 'webgpu-passed'
  | 'no-webgpu'
  | 'gpu-absent'
  | 'gpu-refused'
  | 'gpu-none'
  | 'gpu-software'
  | 'gpu-silent'
  | 'webgpu-failed'
  | 'wasm-failed'
  | 'threads-failed'
  | 'self-test'
  | 'thread-silent'
  | 'thread-script'
  | 'threads-start'
  | 'device-start'
  // Why the model is not there
  | 'webgpu-unavailable'
  | 'no-backend'
  | 'wasm-unsupported'
  | 'panic'
  | 'out-of-memory'
  | 'worker-failed'
  | 'device-lost'
  | 'lost-repeatedly'
  | 'not-restarted'
  // Files of the model and of the package
  | 'http-status'
  | 'server-silent'
  | 'unreachable'
  | 'script-missing'
  | 'dicom-reader'
  | 'not-a-model'
  | 'file-too-long'
  | 'file-length'
  | 'file-digest'
  // Images
  | 'file-unreadable'
  | 'image-format'
  | 'image-truncated'
  | 'image-damaged'
  | 'image-unsupported'
  | 'image-empty'
  | 'image-too-large'
  | 'no-canvas'
  // Tasks and heads
  | 'unknown-task'
  | 'head-few-classes'
  | 'head-unsolvable'
  | 'head-file'
  | 'head-encoder'
  | 'head-untrained'
  | 'stroke-outside'
  // DICOM
  | 'dicom-not'
  | 'dicom-truncated'
  | 'dicom-damaged'
  | 'dicom-too-large'
  | 'dicom-no-image'
  | 'dicom-missing'
  | 'dicom-attribute'
  | 'dicom-syntax'
  | 'dicom-pixels'
  | 'dicom-frame'
  | 'dicom-result'
  | 'zip-damaged'
  | 'zip-too-large';

/** What an error or a reason says, beside its English text: which sentence it is, and what stands in it. */
export interface Detail {
  /** Which sentence it is. */
  code: DetailCode;
  /**
   * By name: numbers and names, words of the browser or a library (in their own language), other sentences, or several of them.
   * Lengths are in bytes, sides of images in pixels.
   */
  values: Readonly<Record<string, DetailValue>>;
}

/** What stands in a sentence. */
export type DetailValue = string | number | Detail | readonly (Detail | string)[];

/** A sentence of this package: in English, and with what a page needs to say it in another language. */
export interface Said {
  /** In English. */
  text: string;
  /** `null` where there is only the English. */
  detail: Detail | null;
}

/** A sentence with a code. */
export function said(text: string, code: DetailCode, values: Detail['values'] = {}): Said {
  return { text, detail: { code, values } };
}

/** What stands for a sentence in another one. */
export function inner({ text, detail }: Said): Detail | string {
  return detail ?? text;
}

const TRIED = { 'webgpu-failed': 'WebGPU', 'wasm-failed': 'WebAssembly', 'threads-failed': 'WebAssembly in several threads' } as const;

/** What was tried and passed over, and why. */
export function passedOver(tried: keyof typeof TRIED, why: Said): Said {
  return said(`${TRIED[tried]}: ${why.text}`, tried, { why: inner(why) });
}
