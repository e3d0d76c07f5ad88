import { MESSAGES } from './messages.js';

export type Language = 'en' | 'de';
export type Key = keyof typeof MESSAGES;

/** Each with what it is called in itself, short. */
export const LANGUAGES: readonly [Language, string][] = [
  ['en', 'EN'],
  ['de', 'DE'],
];

const STORED = 'medley-language';
let current: Language = initial();

/** What the reader chose before, else what the browser prefers, else English. */
function initial(): Language {
  const wishes = [stored(), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return LANGUAGES.map(([code]) => code).find((code) => code === wishes.find((wish) => wish === 'en' || wish === 'de')) ?? 'en';
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

export function language(): Language {
  return current;
}

/** Changes the language of everything that was made by key; texts with numbers are their makers' to renew. */
export function setLanguage(next: Language): void {
  current = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Where nothing may be stored the choice holds for this visit.
  }
  translate(document.documentElement);
}

/**
 * The text of a key in the current language. `{name}` is replaced by the value of that name; of
 * `one|several` the first is for `n` = 1.
 */
export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  const [english, german] = MESSAGES[key];
  const text = current === 'de' ? german : english;
  const [one = '', several] = text.split('|');
  const form = several === undefined || values['n'] === 1 ? one : several;
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Renews all texts below an element that were given by key. */
export function translate(root: HTMLElement): void {
  document.documentElement.lang = current;
  for (const element of root.querySelectorAll<HTMLElement>('[data-t]')) {
    element.textContent = t(element.dataset['t'] as Key);
  }
  for (const element of root.querySelectorAll<HTMLElement>('[data-t-label]')) {
    element.setAttribute('aria-label', t(element.dataset['tLabel'] as Key));
  }
  for (const element of root.querySelectorAll<HTMLElement>('[data-t-title]')) {
    element.title = t(element.dataset['tTitle'] as Key);
  }
}
