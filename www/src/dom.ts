import { t, type Key } from './language/index.js';

type Child = Node | string | null | undefined;

type Attributes = Record<string, string | number | boolean | null | undefined> & {
  /** Key of the text inside; it changes with the language. */
  t?: Key;
  /** Key of the accessible name. */
  tLabel?: Key;
  /** Key of the tooltip. */
  tTitle?: Key;
};

/**
 * Makes an element. `true` sets an attribute without a value; `false`, `null` and `undefined` leave it
 * out. Texts given by key follow the language by themselves; see `translate`.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(BOUND[name] ?? name, value === true ? '' : String(value));
  }
  if (attributes.t !== undefined) element.textContent = t(attributes.t);
  if (attributes.tLabel !== undefined) element.setAttribute('aria-label', t(attributes.tLabel));
  if (attributes.tTitle !== undefined) element.title = t(attributes.tTitle);
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined));
  return element;
}

const BOUND: Readonly<Record<string, string>> = { t: 'data-t', tLabel: 'data-t-label', tTitle: 'data-t-title' };

/** A button with what it does. */
export function button(label: Key, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const element = h('button', { type: 'button', t: label, ...attributes });
  element.addEventListener('click', onClick);
  return element;
}

/** The element that the page's HTML promises. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element #${id}`);
  return element;
}
