import type { Backend, DeviceChoice } from './device.js';
import type { ErrorData } from './errors.js';
import type { ImagePayload } from './images.js';
import type { Progress } from './progress.js';
import type { Analysis, Metadata } from './types.js';

/** What the page asks of the worker, and what it is answered with. */
export interface Calls {
  load: {
    request: { base: string; device: DeviceChoice; acceptFallbackAdapter: boolean; cache: boolean };
    answer: { metadata: Metadata; backend: Backend };
  };
  analyze: {
    request: { image: ImagePayload; tasks: string[] | null };
    answer: Analysis;
  };
  preview: {
    request: { image: ImagePayload; maxSide: number };
    answer: PreviewData;
  };
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
}

export type CallName = keyof Calls;

export type Request = {
  [Name in CallName]: { id: number; call: Name; request: Calls[Name]['request'] };
}[CallName];

/** Tells the worker that nobody waits for an answer any more. */
export interface Cancel {
  cancel: number;
}

export type Reply =
  | { type: 'answer'; id: number; answer: unknown }
  | { type: 'error'; id: number; error: ErrorData }
  | { type: 'progress'; id: number; progress: Progress }
  /** The worker's code stopped for good: nothing that was asked will be answered. */
  | { type: 'crashed'; error: ErrorData };
