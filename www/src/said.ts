import { h } from './dom.js';
import type { SaidText } from './language/details.js';

/** A sentence as nodes for an element in its language: words in another one are marked as that, so that they are read out right. */
export function saidNodes({ lang, parts }: SaidText): (Node | string)[] {
  return parts.map((part) => (part.lang === lang ? part.text : h('span', { lang: part.lang }, part.text)));
}
