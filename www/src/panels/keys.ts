import { h } from '../dom.js';
import type { Key } from '../language/index.js';

const KEYS: readonly (readonly [string, Key])[] = [
  ['+  −', 'keys.zoom'],
  ['← ↑ → ↓', 'keys.pan'],
  ['⇧ ← ↑ → ↓', 'keys.window'],
  ['0', 'keys.fit'],
  ['1', 'keys.actual'],
  ['I', 'keys.invert'],
  ['O', 'keys.overlays'],
  ['W  H', 'keys.tools'],
  ['R', 'keys.reset'],
  ['B', 'keys.brush'],
  ['␣', 'keys.paint'],
  ['[  ]', 'keys.brushSize'],
  ['⌫', 'keys.undo'],
  ['J  K', 'keys.next'],
  ['Page ↑  ↓', 'keys.slices'],
  ['N  F  U  X', 'keys.marks'],
];

/** The keys, and what a mouse and fingers do. */
export function keys(): Node[] {
  return [
    h('p', { class: 'hint', t: 'keys.hint' }),
    h('dl', { class: 'keys' }, ...KEYS.map(([key, what]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', { t: what })))),
    h('h3', { t: 'keys.pointer' }),
    h('ul', { class: 'bullets' }, h('li', { t: 'keys.mouse' }), h('li', { t: 'keys.touch' })),
  ];
}
