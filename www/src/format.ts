import { language, t } from './language/index.js';
import { TERMS } from './language/messages.js';

function number(value: number, digits: number): string {
  return value.toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** 5033164 → "5.0 MB". */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  return value < 1e6 ? `${number(value / 1e3, 0)} kB` : `${number(value / 1e6, 1)} MB`;
}

/** 0.1234 → "12.3 %"; what is not quite nothing is not shown as nothing. */
export function percent(share: number, digits = 1): string {
  if (share > 0 && share < 0.001) return `< ${number(0.1, 1)} %`;
  return `${number(100 * share, digits)} %`;
}

/** A measured figure, with two digits after the point. */
export function figure(value: number): string {
  return number(value, 2);
}

/** A value of a pixel or a window: whole where it is large, with digits where it is small. */
export function figures(value: number): string {
  return Math.abs(value) >= 20 || Number.isInteger(value) ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** 523.4 → "523 mm²", 3.21 → "3.2 mm²". */
export function area(squareMillimetres: number): string {
  return `${number(squareMillimetres, squareMillimetres < 10 ? 1 : 0)} mm²`;
}

/** 12345 → "12,345". */
export function integer(value: number): string {
  return number(value, 0);
}

export function milliseconds(value: number): string {
  return `${number(value, value < 10 ? 1 : 0)} ms`;
}

const ACRONYMS: Readonly<Record<string, string>> = { ct: 'CT', mri: 'MRI' };

/** Whom a task is about, where that is the end of its name. */
const WHOM = /-(children|adults)$/;

/** "lung-ct" → "Lung CT", "pneumonia-children" → "Pneumonia (children)". */
export function taskTitle(name: string): string {
  const words = name.replace(WHOM, '-($1)').split('-');
  const english = sentence(words.map((word) => ACRONYMS[word] ?? word).join(' '));
  return language() === 'de' ? (TERMS[name] ?? english) : english;
}

/** A class or a kind of image in the reader's language; a term without a translation stays as the model has it. */
export function term(name: string): string {
  return language() === 'de' ? (TERMS[name] ?? name) : name;
}

/** A class: one of the model's, or (`own`) one that the reader named. */
export interface Named {
  name: string;
  own: boolean;
}

/** A class inside a sentence: the model's in the reader's language, the reader's own as it was written. */
export function called({ name, own }: Named): string {
  return own ? name : term(name);
}

/** A class at the beginning of a line. */
export function titled(named: Named): string {
  return named.own ? named.name : sentence(term(named.name));
}

/** With a capital at the beginning. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const METRICS: Readonly<Record<string, string>> = { 'macro-f1': 'macro-F1', dice: 'Dice', map50: 'mAP50' };

export function metricName(metric: string): string {
  return METRICS[metric.toLowerCase()] ?? metric;
}

/** "a chest.png" or what stands for the name of a pasted image. */
export function fileName(file: File): string {
  return file.name === '' ? t('image.pasted') : file.name;
}
