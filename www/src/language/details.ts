import type { Detail, DetailValue } from '@medley/web';
import { language } from './index.js';
import { DETAILS, PHRASES, TERMS } from './messages.js';

/** A sentence of the package in a language. */
export interface SaidText {
  text: string;
  /** Of the text: not all of what a browser or a library says has a translation. */
  lang: 'en' | 'de';
}

/**
 * What the package says, in the reader's language: its own English text, or the German for its codes. Words of the browser
 * or a library inside stay as they are.
 */
export function inWords(english: string, details: readonly (Detail | string)[]): SaidText {
  const translated = details.length > 0 && details.every((detail) => typeof detail !== 'string');
  if (language() === 'en' || !translated) return { text: english, lang: 'en' };
  return { text: details.map((detail, i) => (i === 0 ? capital(german(detail)) : german(detail))).join('; '), lang: 'de' };
}

function german(value: DetailValue): string {
  if (typeof value === 'number') return value.toLocaleString('de');
  if (typeof value === 'string') return PHRASES[value] ?? TERMS[value] ?? value;
  if (isList(value)) return value.map(german).join('. ');
  return DETAILS[value.code].replace(/ ?\{(\w+)\}/g, (place, name: string) => {
    const filled = value.values[name];
    // What is not there is left out, with the space before it.
    return filled === undefined ? '' : `${place.startsWith(' ') ? ' ' : ''}${german(filled)}`;
  });
}

function isList(value: Detail | readonly (Detail | string)[]): value is readonly (Detail | string)[] {
  return Array.isArray(value);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
