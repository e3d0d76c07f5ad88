import { said } from '../detail.js';
import { MedleyError } from '../errors.js';
import type { FrameValues, StoredSamples } from './protocol.js';
import type { HeaderEntry, StudyDescription } from './rust-types.js';
import type { ClassesResult } from '../types.js';

/** Headers of files in the wasm memory, sorted. */
export interface WasmStore {
  add(bytes: Uint8Array): 'image' | 'no-image' | 'other';
  studies(): StudyDescription[];
  header(source: number, personal: boolean): HeaderEntry[];
  free(): void;
}

/** One file with its pixels. Windows are JSON: `"default"`, `"full"`, `{"index":0}`, `{"custom":{…}}`. */
export interface WasmDicomImage {
  pixels(frame: number, window: string): { width: number; height: number; channels: 1 | 3; data: Float32Array<ArrayBuffer> };
  rgba(frame: number, window: string): { width: number; height: number; rgba: Uint8Array<ArrayBuffer> };
  values(frame: number): FrameValues;
  stored(frame: number): StoredSamples;
  free(): void;
}

/** Answers about the slices of a series. */
export interface WasmResults {
  add(source: number, frame: number, answers: string, masks: Uint8Array[]): void;
  pooled(): Pick<ClassesResult, 'task' | 'classes'>[];
  segmentation(store: WasmStore, context: string): Uint8Array<ArrayBuffer>;
  report(store: WasmStore, context: string): Uint8Array<ArrayBuffer>;
  free(): void;
}

/** An open ZIP archive. */
export interface WasmArchive {
  readonly length: number;
  name(index: number): string;
  unpack(index: number): Uint8Array<ArrayBuffer> | undefined;
  free(): void;
}

/** A request as `fetch` takes it. */
export interface WasmRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: [string, string][];
  body?: Uint8Array<ArrayBuffer>;
}

/** The glue that wasm-bindgen writes (`--target web`), as far as the worker uses it. */
export interface WasmModule {
  default(options: { module_or_path: string | URL }): Promise<unknown>;
  WasmStore: new () => WasmStore;
  WasmResults: new () => WasmResults;
  WasmDicomImage: { parse(bytes: Uint8Array): WasmDicomImage };
  WasmArchive: { open(bytes: Uint8Array): WasmArchive };
  dicomInfo(bytes: Uint8Array): unknown;
  poolMean(rows: Float32Array, count: number): Float32Array<ArrayBuffer> | undefined;
  webRequest(base: string, token: string | undefined, ask: string, objects: Uint8Array[]): WasmRequest;
  readFound(status: number, contentType: string, body: Uint8Array): unknown;
  readParts(status: number, contentType: string, body: Uint8Array): Uint8Array<ArrayBuffer>[];
  readStored(status: number, contentType: string, body: Uint8Array): Uint32Array;
}

/** Fetches and starts the DICOM build of the crate. */
export async function startDicom(url: string): Promise<WasmModule> {
  try {
    const glue = (await import('../../pkg/dicom/medley_web_dicom.js')) as WasmModule;
    await glue.default({ module_or_path: url });
    return glue;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const text = `the DICOM reader could not be fetched (${why}); check the connection, then try again`;
    throw new MedleyError('network', said(text, 'dicom-reader', { why }), { cause: error });
  }
}
