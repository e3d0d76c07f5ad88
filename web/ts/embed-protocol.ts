import type { Detail } from './detail.js';
import type { Backend } from './device.js';
import type { BackendChange } from './engine.js';
import type { MedleyErrorCode } from './errors.js';
import type { Progress } from './progress.js';
import type { Analysis, TaskSpec } from './types.js';

/** Version of the messages between a page and the frame; every message carries it as `medley`. */
export const EMBED_VERSION = 1;

/** What can be sent through `postMessage` and analysed. */
export type EmbedImage = Blob | ImageBitmap | ImageData;

/** From the page to the frame. `id` is the page's own choice and comes back with the answer. */
export type ToFrame =
  /** The first message: from then on the frame tells this page what happens. */
  | { medley: 1; type: 'hello' }
  /** Asks about an image. */
  | { medley: 1; type: 'analyze'; id: number; image: EmbedImage; tasks?: string[] }
  /** Gives up what was asked under this number. */
  | { medley: 1; type: 'cancel'; id: number };

/** From the frame to a page that has said hello and whose origin is allowed. */
export type FromFrame =
  /** The answer to `hello`. */
  | { medley: 1; type: 'hello'; version: string; notice: string; ready: boolean }
  /** The model is on its way. */
  | { medley: 1; type: 'progress'; progress: Progress }
  /** The model can be asked. */
  | { medley: 1; type: 'ready'; model: string; tasks: readonly TaskSpec[]; backend: Backend }
  /** `id` is `null` where the reader gave the image to the frame. */
  | { medley: 1; type: 'result'; id: number | null; analysis: Analysis }
  /** Something failed, or what was asked under this number was cancelled. */
  | { medley: 1; type: 'error'; id: number | null; code: MedleyErrorCode | 'cancelled'; message: string; detail?: Detail | null }
  /** Another backend runs the model. */
  | { medley: 1; type: 'backendchange'; change: BackendChange };

/** A message of a page, or `null` for anything else that may be posted to a window. */
export function readMessage(data: unknown): ToFrame | null {
  if (typeof data !== 'object' || data === null) return null;
  const { medley, type, id, image, tasks } = data as Record<string, unknown>;
  if (medley !== EMBED_VERSION) return null;
  if (type === 'hello') return { medley, type };
  if (!Number.isSafeInteger(id)) return null;
  if (type === 'cancel') return { medley, type, id: id as number };
  const known = image instanceof Blob || image instanceof ImageBitmap || image instanceof ImageData;
  const names = tasks === undefined || (Array.isArray(tasks) && tasks.every((name) => typeof name === 'string'));
  if (type !== 'analyze' || !known || !names) return null;
  return { medley, type, id: id as number, image, ...(tasks === undefined ? {} : { tasks: tasks as string[] }) };
}

/**
 * The origins of a list with spaces between them, as the frame's host has written it into the page.
 * There is no wildcard: who may read answers about images is named.
 *
 * @throws TypeError if an entry is no origin.
 */
export function readOrigins(list: string): Set<string> {
  const origins = list.split(/\s+/).filter((entry) => entry !== '');
  for (const entry of origins) {
    if (!URL.canParse(entry) || new URL(entry).origin !== entry) {
      throw new TypeError(`medley-allowed-origins: expected origins such as https://portal.example, found "${entry}"`);
    }
  }
  return new Set(origins);
}
