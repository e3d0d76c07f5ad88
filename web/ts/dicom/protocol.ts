import type { ErrorData } from '../errors.js';
import type { ModelIdentity } from '../model.js';
import type { ClassesResult, Report } from '../types.js';
import type { HeaderEntry, StudyDescription } from './rust-types.js';

/** Which values become black to white: a window of the file by its number, one of one's own, or all values. */
export type SliceWindow = 'default' | 'full' | number | { center: number; width: number };

/** A grey frame after the modality transform. */
export interface FrameValues {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** Row by row; NaN where the file says that there is no pixel. */
  values: Float32Array<ArrayBuffer>;
  /** Whether low values are bright (MONOCHROME1). */
  inverted: boolean;
  /** The least value. */
  low: number;
  /** The greatest value. */
  high: number;
}

/** Samples as a file stores them, before any transform. */
export interface StoredSamples {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** 1, or 3 for colours, interleaved. */
  channels: number;
  /** Row by row, in the file's own type. */
  data:
    | Uint8Array<ArrayBuffer>
    | Int8Array<ArrayBuffer>
    | Uint16Array<ArrayBuffer>
    | Int16Array<ArrayBuffer>
    | Uint32Array<ArrayBuffer>
    | Int32Array<ArrayBuffer>
    | Float32Array<ArrayBuffer>
    | Float64Array<ArrayBuffer>;
}

/** What files became. */
export interface Opened {
  studies: StudyDescription[];
  /** Names of the files of the images, by `SliceDescription.source`. */
  names: string[];
  /** Files that are no DICOM and no archive, those out of archives included. */
  others: File[];
  /** How many DICOM objects have no image: reports, plans, directories. */
  withoutImage: number;
  failed: { name: string; error: ErrorData }[];
}

/** The answers about one slice, as objects are made of them. */
export interface AnsweredSlice {
  source: number;
  frame: number;
  results: Report['results'];
  /** Class indices of the masks, in the order of the results. */
  masks: Uint8Array[];
}

/** What is said of a result itself. */
export interface ResultContext {
  model: ModelIdentity;
  /** Seconds since 1970. */
  created: number;
  deidentify: string | null;
}

/** What a DICOMweb server is asked for. */
export type Ask =
  | { what: 'studies'; query: [string, string][] }
  | { what: 'series'; study: string; query: [string, string][] }
  | { what: 'instances'; study: string; series: string; query: [string, string][] }
  | { what: 'retrieve'; uids: string[] }
  | { what: 'frames'; uids: [string, string, string]; frames: number[] }
  | { what: 'store' };

/** The attributes of something that a search found, by tag in eight hexadecimal digits. */
export type FoundAttributes = Record<string, { Value?: unknown[] }>;

/** What the page asks of the DICOM worker, and what it is answered with. */
export interface DicomCalls {
  start: { request: { wasm: string }; answer: null };
  open: { request: { files: Blob[]; names: string[] }; answer: Opened };
  pixels: {
    request: { source: number; frame: number; window: SliceWindow };
    answer: { width: number; height: number; channels: 1 | 3; data: Float32Array<ArrayBuffer> };
  };
  rgba: {
    request: { source: number; frame: number; window: SliceWindow };
    answer: { width: number; height: number; rgba: Uint8Array<ArrayBuffer> };
  };
  values: { request: { source: number; frame: number }; answer: FrameValues };
  stored: { request: { source: number; frame: number }; answer: StoredSamples };
  header: { request: { source: number; personal: boolean }; answer: HeaderEntry[] };
  info: { request: { file: Blob }; answer: unknown };
  pool: {
    request: { slices: AnsweredSlice[]; embeddings: Float32Array; count: number };
    answer: { classes: Pick<ClassesResult, 'task' | 'classes'>[]; embedding: Float32Array<ArrayBuffer> };
  };
  /** Answers are handed over slice by slice: the masks of all slices at once would fill the memory. */
  begin: { request: null; answer: number };
  add: { request: { results: number; slice: AnsweredSlice }; answer: null };
  write: {
    request: { results: number; what: 'segmentation' | 'report'; context: ResultContext };
    answer: Uint8Array<ArrayBuffer>;
  };
  drop: { request: { results: number }; answer: null };
  search: { request: { base: string; token: string | null; ask: Ask }; answer: FoundAttributes[] };
  retrieve: { request: { base: string; token: string | null; ask: Ask }; answer: Uint8Array<ArrayBuffer>[] };
  store: {
    request: { base: string; token: string | null; objects: Blob[] };
    answer: { stored: number; failed: number };
  };
}
