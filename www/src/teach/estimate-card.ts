import type { ImageHead, PixelHead } from '@medley/web';
import { h } from '../dom.js';
import { percent } from '../format.js';
import { t } from '../language/index.js';
import { type CurvePoint, learningCurve } from './curve.js';

/** What is said of an estimate. */
export interface EstimateView {
  head: Pick<ImageHead | PixelHead, 'classes' | 'lesson'>;
  curve: readonly CurvePoint[];
  /** What was left out in turn: whole images, or strokes. */
  of: 'image' | 'pixel';
  /** Examples that the others speak against, in words, each with what leads to it. */
  doubtful: readonly { text: string; onSelect: () => void }[];
}

/** How good the head is held to be, how sure that is, and how it came to be so. */
export function estimateCard({ head, curve, of, doubtful }: EstimateView): HTMLElement {
  const estimate = head.lesson?.estimate ?? null;
  if (estimate === null) return h('section', { class: 'card' }, h('p', { class: 'hint', t: of === 'image' ? 'teach.noEstimate' : 'teach.noEstimateStrokes' }));
  const values = { n: estimate.heldOut, low: percent(estimate.low, 0), high: percent(estimate.high, 0) };
  return h(
    'section',
    { class: 'card estimate', id: 'estimate' },
    h('h3', { t: of === 'image' ? 'teach.estimate' : 'teach.estimateStrokes' }),
    h('p', { class: 'big' }, percent(estimate.accuracy, 0)),
    h('p', { class: 'hint' }, t(of === 'image' ? 'teach.interval' : 'teach.intervalStrokes', values)),
    curve.length > 0 ? learningCurve(curve, 1 / head.classes.length) : null,
    doubtful.length === 0 ? null : h('p', { class: 'hint', t: 'teach.doubtful' }),
    h(
      'ul',
      { class: 'doubtful' },
      ...doubtful.map(({ text, onSelect }) => {
        const entry = h('button', { type: 'button', class: 'quiet' }, text);
        entry.addEventListener('click', onSelect);
        return h('li', {}, entry);
      }),
    ),
  );
}
