import { MedleyError } from '@medley/web';
import { inWords, type SaidText } from './language/details.js';
import { type Key, t } from './language/index.js';

/** What the page says of a failure: what happened, and what the reader can do. */
export interface Message {
  title: string;
  advice: string;
  /** What the error itself says. */
  detail: SaidText;
}

/** The codes of which the page has more to say than of an unexpected failure. */
const KNOWN = ['image', 'dicom', 'network', 'integrity', 'package', 'unsupported', 'backend', 'crashed', 'memory', 'head', 'unknown-task'] as const;

/** What went wrong, in the reader's words. */
export function describe(error: unknown): Message {
  const english = error instanceof Error ? error.message : String(error);
  const own = error instanceof MedleyError ? error.detail : null;
  const code = error instanceof MedleyError ? error.code : 'internal';
  const known = KNOWN.find((entry) => entry === code) ?? 'internal';
  const key = (part: 'title' | 'advice'): Key => `error.${known}.${part}`;
  return { title: t(key('title')), advice: t(key('advice')), detail: inWords(english, own === null ? [] : [own]) };
}
