import { type Detail, type Said, said } from './detail.js';

/** Who is at fault, and so who can act. */
export type MedleyErrorCode =
  /** A file of the model or of the package could not be fetched. */
  | 'network'
  /** The model's files are there but are not a valid package. */
  | 'package'
  /** A file of the model differs from what its manifest promises (length or SHA-256). */
  | 'integrity'
  /** The image cannot be decoded, or is beyond the limits. */
  | 'image'
  /** A task was asked for that the model does not have. */
  | 'unknown-task'
  /** A head cannot be taught with these examples, or is not one of this model. */
  | 'head'
  /** A DICOM file or an archive cannot be used, or a result cannot be written as DICOM. */
  | 'dicom'
  /** A DICOMweb server refused, or what it answered is of no use. */
  | 'dicomweb'
  /** This browser or device lacks what was asked for. */
  | 'unsupported'
  /** No backend passed the package's self-test. */
  | 'backend'
  /** This device has not enough memory for what was asked; a smaller image, or fewer programs, may do. */
  | 'memory'
  /** The model's code stopped in the middle of work; it has been started anew. */
  | 'crashed'
  /** The model was disposed of. */
  | 'disposed'
  /** Anything else; the message says what. */
  | 'internal';

/** Every failure of this package but a cancelled one, which rejects with the signal's own reason. */
export class MedleyError extends Error {
  override readonly name = 'MedleyError';
  /** What went wrong, for a program. */
  readonly code: MedleyErrorCode;
  /** The same as the message, for a page in another language; `null` where there is only the English. */
  readonly detail: Detail | null;

  /** @param message - in English; with a code of its own where a reader can come to see it. */
  constructor(code: MedleyErrorCode, message: string | Said, options?: ErrorOptions) {
    const { text, detail } = typeof message === 'string' ? { text: message, detail: null } : message;
    super(text, options);
    this.code = code;
    this.detail = detail;
  }
}

/** The GPU device went away; the engine answers with a new one, and only then with this. */
export class DeviceLost extends MedleyError {
  constructor(reason: string) {
    super('backend', said(`the GPU device was lost (${reason})`, 'device-lost', { why: reason }));
  }
}

/** A thread of the CPU broke, and with it the memory that all share. */
export class ThreadBroke extends MedleyError {}

const CODES: ReadonlySet<string> = new Set<MedleyErrorCode>([
  'network',
  'package',
  'integrity',
  'image',
  'unknown-task',
  'head',
  'dicom',
  'dicomweb',
  'unsupported',
  'backend',
  'memory',
  'crashed',
  'disposed',
  'internal',
]);

/** An error as plain data, for the way from the worker to the page. */
export interface ErrorData {
  code: MedleyErrorCode;
  message: string;
  detail: Detail | null;
}

const OUT_OF_MEMORY =
  'this device has not enough memory for this image and model: try a smaller image, fewer tasks at once, or close other tabs and programs';

/** Brings whatever was thrown into the one form; errors from Rust carry a `code` and a `detail` of their own. */
export function toErrorData(thrown: unknown): ErrorData {
  if (!(thrown instanceof Error)) return { code: 'internal', message: String(thrown), detail: null };
  const { code, detail = null } = thrown as { code?: unknown; detail?: Detail | null };
  if (typeof code === 'string' && CODES.has(code)) {
    return { code: code as MedleyErrorCode, message: thrown.message, detail };
  }
  if (isOutOfMemory(thrown)) return asData('memory', outOfMemory(thrown.message));
  if (thrown instanceof WebAssembly.CompileError || thrown instanceof WebAssembly.LinkError) {
    const text =
      `this browser cannot run the model's code (${thrown.message}); ` +
      'use a current Chrome, Edge, Firefox or Safari (16.4 or newer)';
    return asData('unsupported', said(text, 'wasm-unsupported', { why: thrown.message }));
  }
  if (thrown instanceof WebAssembly.RuntimeError) return asData('crashed', stopped(thrown.message));
  return { code: 'internal', message: thrown.message || thrown.name, detail: null };
}

function asData(code: MedleyErrorCode, { text, detail }: Said): ErrorData {
  return { code, message: text, detail };
}

function outOfMemory(why: string): Said {
  return said(`${OUT_OF_MEMORY} (${why})`, 'out-of-memory', { why });
}

function stopped(why: string): Said {
  return said(`the model's code stopped: ${why}`, 'panic', { why });
}

/**
 * Whether memory was what it lacked.
 *
 * Every panic of the wasm code goes through its hook, which says what happened; the one trap of the
 * kind "unreachable" that comes without is Rust's answer to an allocation that was refused.
 */
function isOutOfMemory(thrown: Error): boolean {
  if (thrown instanceof WebAssembly.RuntimeError) return thrown.message === 'unreachable';
  return thrown instanceof RangeError && /allocat|memory|array length/i.test(thrown.message);
}

/** What a panic of the wasm code says, as an error; some are a GPU's way to say that it is full. */
export function fromPanic(message: string): MedleyError {
  return /out.?of.?memory/i.test(message)
    ? new MedleyError('memory', outOfMemory(message))
    : new MedleyError('crashed', stopped(message));
}

/** The inverse of {@link toErrorData}, on the page's side. */
export function fromErrorData(data: ErrorData): MedleyError {
  return new MedleyError(data.code, { text: data.message, detail: data.detail });
}
