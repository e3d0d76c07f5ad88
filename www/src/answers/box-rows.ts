import { h } from '../dom.js';
import { percent, taskTitle, titled } from '../format.js';
import { t } from '../language/index.js';
import type { BoxesLayer } from '../viewer/layers.js';
import { colourInput } from './colour-input.js';

/** The model leaves out what is less certain (`DISPLAY_THRESHOLD` in medley-infer). */
export const LOWEST_SCORE = 0.45;

/** The classes of boxes with how many there are, and the score from which on they count. */
export function boxRows(
  layer: BoxesLayer,
  threshold: number,
  onThreshold: (threshold: number) => void,
  onStyle: () => void,
): { element: HTMLElement; counts: HTMLElement } {
  const counts = h(
    'ul',
    { class: 'rows' },
    ...layer.classes.map((entry) =>
      h(
        'li',
        { 'data-class': entry.name },
        colourInput(entry, onStyle),
        h('span', { class: 'name' }, titled(entry)),
        h('span', { class: 'value' }),
      ),
    ),
  );
  const [lowest, value] = [Math.round(100 * LOWEST_SCORE), Math.round(100 * threshold)];
  const input = h('input', {
    type: 'range',
    class: 'score',
    min: lowest,
    max: 100,
    value,
    'aria-label': t('answers.scoreOf', { task: taskTitle(layer.task) }),
  });
  input.addEventListener('input', () => onThreshold(Number(input.value) / 100));
  const output = h('output', { class: 'score-value' });
  const slider = h('div', { class: 'look' }, h('span', { class: 'hint', t: 'answers.score' }), input, output);
  return { element: h('div', { class: 'boxes' }, counts, slider), counts };
}

/** Writes how many boxes of each class are at or above a score. */
export function countBoxes(counts: HTMLElement, layer: BoxesLayer, threshold: number): void {
  for (const row of counts.querySelectorAll<HTMLElement>('[data-class]')) {
    const of = layer.result.boxes.filter((box) => box.score >= threshold && box.class === row.dataset['class']);
    const value = row.querySelector('.value');
    if (value !== null) value.textContent = String(of.length);
  }
  const panel = counts.parentElement;
  const input = panel?.querySelector<HTMLInputElement>('.score');
  const output = panel?.querySelector('.score-value');
  if (input) input.value = String(Math.round(100 * threshold));
  if (output) output.textContent = percent(threshold, 0);
}
