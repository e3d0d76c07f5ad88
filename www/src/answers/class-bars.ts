import type { ClassesResult, ClassProbability, TaskSpec } from '@medley/web';
import { h } from '../dom.js';
import { percent, taskTitle, titled } from '../format.js';
import { t } from '../language/index.js';

/** The classes of the image as bars. */
export function classBars(result: ClassesResult, spec: TaskSpec): HTMLElement {
  return bars(result.classes, taskTitle(spec.name), false);
}

/** Probabilities as bars, the highest first; `title` says of what, `own` whether the reader named the classes. */
export function bars(classes: readonly ClassProbability[], title: string, own: boolean): HTMLElement {
  const sorted = [...classes].sort((a, b) => b.probability - a.probability);
  const list = h('ul', { class: 'bars', 'aria-label': t('answers.probabilities', { task: title }) });
  for (const { name, probability } of sorted) {
    const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.setProperty('--share', String(probability));
    const value = h('span', { class: 'value' }, percent(probability));
    list.append(h('li', {}, h('span', { class: 'name' }, titled({ name, own })), value, bar));
  }
  return list;
}
