import type { Metadata, Quality, TaskSpec } from '@medley/web';
import { h } from '../dom.js';
import { figure, metricName } from '../format.js';
import { t } from '../language/index.js';

/** Below it a task's answers are worth little, whatever the metric: the best there is is 1. */
const WEAK = 0.5;

/** The figure to show for a task: of the test split where there is one. */
export function measured(metadata: Metadata, task: string): Quality | null {
  const figures = metadata.quality.filter((entry) => entry.task === task);
  return figures.find(({ split }) => split === 'test') ?? figures[0] ?? null;
}

/** What the model measured for this task, on images that it had not seen, in one sentence. */
export function qualityText(found: Quality | null): string {
  if (found === null) return t('quality.none');
  const { metric, value, split, n } = found;
  return t('quality.measured', { metric: metricName(metric), value: figure(value), n, split });
}

/** The measured quality under an answer, as a line and a small bar. */
export function quality(metadata: Metadata, spec: TaskSpec): HTMLElement {
  const found = measured(metadata, spec.name);
  const bar = h('span', { class: 'quality-bar', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', String(found?.value ?? 0));
  const weak = found !== null && found.value < WEAK;
  return h(
    'p',
    { class: `quality${weak ? ' weak' : ''}` },
    found === null ? null : bar,
    h('span', {}, qualityText(found), weak ? h('strong', {}, ` ${t('quality.weak')}`) : null),
  );
}
