import type { Detail, DetailValue } from '@medley/web';
import { language, type Language } from './index.js';
import { DETAILS, PHRASES, TERMS } from './messages.js';

/** Some words, and the language that they are in. */
export interface Words {
  text: string;
  lang: Language;
}

/** A sentence of the package in a language; words of a browser or a library inside stay in theirs. */
export interface SaidText {
  lang: Language;
  parts: readonly Words[];
}

/** Values that name something the model has; all others are as whoever named them wrote them. */
const OF_MODEL: ReadonlySet<string> = new Set(['head']);
/** Values that are names or addresses, and so in no language. */
const NAMES: ReadonlySet<string> = new Set(['name', 'task', 'file', 'url', 'format', 'codec', 'tag', 'uid', 'adapter']);

/** What the package says, in the reader's language: its own English text, or the German for its codes. */
export function inWords(english: string, details: readonly (Detail | string)[]): SaidText {
  const translated = details.length > 0 && details.every((detail) => typeof detail !== 'string');
  if (language() === 'en' || !translated) return { lang: 'en', parts: [{ text: english, lang: 'en' }] };
  const parts = details.flatMap((detail, i) => (i === 0 ? sentence(german(detail)) : [own('; '), ...german(detail)]));
  return { lang: 'de', parts: joined(parts) };
}

/** The same without its languages. */
export function plain({ parts }: SaidText): string {
  return parts.map(({ text }) => text).join('');
}

/** @param name - of the value, in the sentence that it stands in. */
function german(value: DetailValue, name = ''): Words[] {
  if (typeof value === 'number') return [own(value.toLocaleString('de'))];
  if (typeof value === 'string') return [word(value, name)];
  if (isList(value)) return value.flatMap((entry, i) => (i === 0 ? german(entry) : [own('. '), ...german(entry)]));
  const text = DETAILS[value.code];
  const parts: Words[] = [];
  let end = 0;
  for (const { index, 0: place, 1: space = '', 2: key = '' } of text.matchAll(/( ?)\{(\w+)\}/g)) {
    const filled = value.values[key];
    parts.push(own(text.slice(end, index)));
    // What is not there is left out, with the space before it.
    if (filled !== undefined) parts.push(own(space), ...german(filled, key));
    end = index + place.length;
  }
  return [...parts, own(text.slice(end))];
}

function word(text: string, name: string): Words {
  const known = PHRASES[text] ?? (OF_MODEL.has(name) ? TERMS[text] : undefined);
  if (known !== undefined) return own(known);
  return NAMES.has(name) || OF_MODEL.has(name) ? own(text) : { text, lang: 'en' };
}

function own(text: string): Words {
  return { text, lang: 'de' };
}

/** With a capital at the beginning, unless a name stands there. */
function sentence(parts: readonly Words[]): Words[] {
  return parts.map((part, i) => (i === 0 ? own(part.text.charAt(0).toUpperCase() + part.text.slice(1)) : part));
}

/** Neighbours of one language as one, without what is empty. */
function joined(parts: readonly Words[]): Words[] {
  const all: Words[] = [];
  for (const { text, lang } of parts) {
    const last = all[all.length - 1];
    if (last?.lang === lang) last.text += text;
    else if (text !== '') all.push({ text, lang });
  }
  return all;
}

function isList(value: Detail | readonly (Detail | string)[]): value is readonly (Detail | string)[] {
  return Array.isArray(value);
}
