import { MedleyError } from '@medley/web';
import { type Key, t } from './language/index.js';

/** What the page says of a failure: what happened, and what the reader can do. */
export interface Message {
  title: string;
  advice: string;
  /** The error's own words. */
  detail: string;
}

/** The codes of which the page has more to say than of an unexpected failure. */
const KNOWN = ['image', 'dicom', 'network', 'integrity', 'package', 'unsupported', 'backend', 'crashed', 'memory', 'head', 'unknown-task'] as const;

/** What went wrong, in the reader's words. */
export function describe(error: unknown): Message {
  const detail = error instanceof Error ? error.message : String(error);
  const code = error instanceof MedleyError ? error.code : 'internal';
  const known = KNOWN.find((entry) => entry === code) ?? 'internal';
  const key = (part: 'title' | 'advice'): Key => `error.${known}.${part}`;
  return { title: t(key('title')), advice: t(key('advice')), detail };
}
