import type { Timing } from '@medley/web';
import { h } from '../dom.js';
import { milliseconds } from '../format.js';

const STAGES: readonly (keyof Timing)[] = ['prepare', 'encode', 'heads', 'finish', 'total'];

/** Where the time went. */
export function timingCard(timing: Timing): HTMLElement {
  const list = h('dl', { class: 'timing' });
  for (const stage of STAGES) {
    list.append(h('div', {}, h('dt', { t: `stage.${stage}` }), h('dd', {}, milliseconds(timing[stage]))));
  }
  return h('section', { class: 'card', tLabel: 'timing.title' }, h('h3', { t: 'timing.title' }), list);
}
