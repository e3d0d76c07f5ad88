import type { WasmUrls } from './builds.js';
import type { Said } from './detail.js';
import type { Backend, BackendKind, DeviceChoice, GpuProbe } from './device.js';
import type { ErrorData } from './errors.js';
import type { ImagePayload } from './images.js';
import type { PreviewValues } from './model.js';
import type { Progress, ProgressPhase } from './progress.js';
import type { Analysis, ClassProbability, Mask, Metadata, Presentation } from './types.js';
import type { HeadDescription, SelfTest, WasmLesson } from './wasm.js';

/** What the page asks of the worker, and what it is answered with. */
export interface Calls {
  load: {
    request: LoadRequest;
    answer: Loaded;
  };
  analyze: {
    request: { image: ImagePayload; tasks: string[] | null; verify: boolean };
    answer: Analysis;
  };
  embed: {
    request: { image: ImagePayload };
    answer: Float32Array;
  };
  strokeFeatures: {
    request: { image: ImagePayload; presentation: Presentation | null; pixels: Uint32Array };
    answer: { rows: Float32Array; count: number };
  };
  teachImages: {
    request: { name: string; classes: string[]; rows: Float32Array; labels: Uint32Array };
    answer: WasmLesson;
  };
  teachStrokes: {
    request: {
      name: string;
      classes: string[];
      presentation: Presentation | null;
      rows: Float32Array;
      labels: Uint32Array;
      lengths: Uint32Array;
    };
    answer: WasmLesson;
  };
  readHead: {
    request: { file: Uint8Array };
    answer: HeadDescription;
  };
  classify: {
    request: { file: Uint8Array; image: ImagePayload };
    answer: ClassProbability[];
  };
  segment: {
    request: { file: Uint8Array; image: ImagePayload };
    answer: Mask;
  };
  preview: {
    request: { image: ImagePayload; maxSide: number };
    answer: PreviewData;
  };
}

/** What a worker is to load, and how. */
export interface LoadRequest {
  /** The model's folder; ends in `/`. */
  base: string;
  device: DeviceChoice;
  acceptFallbackAdapter: boolean;
  cache: boolean;
  stallMs: number;
  wasmUrls: WasmUrls;
  /** The most threads of the CPU. */
  threads: number;
  /** The script of a thread; `null`: the package's own. */
  threadUrl: string | null;
  /** What another worker was found to fail at: reasons for what is loaded now. */
  failures: Said[];
}

/** A model that a worker has loaded. */
export interface Loaded {
  metadata: Metadata;
  backend: Backend;
  facts: LoadFacts;
}

/** What a bug report wants to know of a load. */
export interface LoadFacts {
  /** SHA-256 of the weights. */
  sha256: string;
  selfTest: SelfTest;
  gpu: GpuProbe;
  /** Why better backends were passed over. */
  failures: string[];
  /** Milliseconds of each phase. */
  phases: Partial<Record<ProgressPhase, number>>;
  /** Bytes of weights by where they came from. */
  source: { cached: number; fetched: number };
}

/** A decoded image, scaled down for the screen. */
export interface PreviewData {
  /** Of the image itself, in pixels. */
  sourceWidth: number;
  sourceHeight: number;
  /** Of the preview. */
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Where the file's values have 16 bits. */
  values: PreviewValues | null;
}

export type CallName = keyof Calls;

/** What a worker can be asked for: by name, with what it is asked and what it answers. */
export type CallMap<All> = { [Name in keyof All]: { request: unknown; answer: unknown } };

/** A message that asks for one of the calls. */
export type RequestOf<All extends CallMap<All>> = {
  [Name in keyof All]: { id: number; call: Name; request: All[Name]['request'] };
}[keyof All];

export type Request = RequestOf<Calls>;

/** Tells the worker that nobody waits for an answer any more. */
export interface Cancel {
  cancel: number;
}

/** How far a call has come: a load says more than the others, which say a share from 0 to 1. */
export type CallProgress = Progress | { fraction: number };

export type Reply =
  /** `memory`: bytes of the wasm memories, by backend. */
  | { type: 'answer'; id: number; answer: unknown; memory: MemoryUse }
  | { type: 'error'; id: number; error: ErrorData }
  | { type: 'progress'; id: number; progress: CallProgress }
  /** The worker's code stopped for good: nothing that was asked will be answered. */
  | { type: 'crashed'; error: ErrorData }
  /** A thread of the worker's, which tells the page by this port, as `ErrorData`, that it broke. */
  | { type: 'thread'; crashes: MessagePort }
  /** The GPU device is gone, and with it all that was on it. */
  | { type: 'device-lost'; reason: string };

/** Bytes that the wasm memories of a worker have grown to; they never shrink while it lives. */
export type MemoryUse = Partial<Record<BackendKind, number>>;
