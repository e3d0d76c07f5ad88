import type { Metadata } from '@medley/web';
import { measured } from '../answers/quality.js';
import { h } from '../dom.js';
import { figure, metricName, sentence, taskTitle, term } from '../format.js';
import { t } from '../language/index.js';

/** What the model is, what it measured, and from what it learnt. */
export function modelCard(metadata: Metadata | null): Node[] {
  if (metadata === null) return [h('p', { t: 'answers.noModel' })];
  const { name, variant, provenance } = metadata;
  return [
    h('p', { class: 'notice' }, metadata.notice),
    h('p', {}, t('card.what', { name, variant, tasks: metadata.tasks.length })),
    h('p', { class: 'hint' }, t('card.made', { created: provenance.created.slice(0, 10), code: provenance.code_version })),
    h('h3', { t: 'card.quality' }),
    h('p', { class: 'hint', t: 'card.qualityHint' }),
    qualityTable(metadata),
    h('h3', { t: 'card.limits' }),
    h('ul', { class: 'bullets' }, ...(['card.limit1', 'card.limit2', 'card.limit3', 'card.limit4'] as const).map((key) => h('li', { t: key }))),
    h('h3', { t: 'card.data' }),
    h(
      'ul',
      { class: 'bullets' },
      ...provenance.datasets.map((set) => h('li', {}, h('strong', {}, set.name), ` · ${set.licence}`, h('br'), set.attribution)),
    ),
  ];
}

function qualityTable(metadata: Metadata): HTMLElement {
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col', t: 'card.task' }),
    h('th', { scope: 'col', t: 'card.kind' }),
    h('th', { scope: 'col', t: 'card.classes' }),
    h('th', { scope: 'col', t: 'card.measured' }),
    h('th', { scope: 'col', class: 'number', t: 'card.images' }),
  );
  const rows = metadata.tasks.map((task) => {
    const found = measured(metadata, task.name);
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, taskTitle(task.name)),
      h('td', {}, sentence(term(task.modality))),
      h('td', {}, task.classes.filter((name) => name !== 'background').map(term).join(', ')),
      h('td', {}, found === null ? '–' : `${metricName(found.metric)} ${figure(found.value)}`),
      h('td', { class: 'number' }, found === null ? '–' : String(found.n)),
    );
  });
  return h(
    'div',
    { class: 'table', tabindex: 0, role: 'region', tLabel: 'card.quality' },
    h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows)),
  );
}
