import type { BoxesResult, ClassesResult, MaskResult, Metadata, Report, TaskSpec } from '@medley/web';
import { byId, h } from '../dom.js';
import { taskTitle, term } from '../format.js';
import { t } from '../language/index.js';
import type { Layer } from '../viewer/layers.js';
import { boxRows, countBoxes } from './box-rows.js';
import { classBars } from './class-bars.js';
import { copyRow } from './copy.js';
import { jsonCard } from './json-card.js';
import { kindFilter } from './kinds.js';
import { maskRows } from './mask-rows.js';
import { quality } from './quality.js';
import { timingCard } from './timing.js';

/** What the answers need to be shown. */
export interface ResultView {
  report: Report;
  metadata: Metadata;
  layers: readonly Layer[];
  /** Of a series of several slices: the classes of all of it, and how many slices they are the means of. */
  whole: { classes: readonly ClassesResult[]; slices: number } | null;
  /** The kind of image that the answers are narrowed down to. */
  kind: string | null;
  /** Whether other tasks are still computed. */
  early: boolean;
  isVisible: (task: string) => boolean;
  onKind: (kind: string | null) => void;
  onVisible: (task: string, visible: boolean) => void;
  /** A class is to be drawn in another way. */
  onStyle: () => void;
  threshold: number;
  onThreshold: (threshold: number) => void;
}

/** The answers beside the image. */
export class Results {
  readonly #root = byId('results');
  #boxes: { element: HTMLElement; layer: Layer & { kind: 'boxes' } }[] = [];

  placeholder(text: string): void {
    this.#boxes = [];
    this.#root.replaceChildren(h('p', { class: 'card placeholder' }, text));
  }

  show(view: ResultView): void {
    this.#boxes = [];
    const { report, metadata } = view;
    const specs = new Map(metadata.tasks.map((task) => [task.name, task]));
    const kinds = [...new Set(report.results.map(({ task }) => specs.get(task)?.modality ?? ''))];
    const shown = report.results.flatMap((result) => {
      const spec = specs.get(result.task);
      return spec === undefined || (view.kind !== null && spec.modality !== view.kind) ? [] : [{ spec, result }];
    });
    this.#root.replaceChildren(
      kindFilter(kinds, view.kind, view.onKind),
      ...(view.early ? [h('p', { class: 'hint', id: 'early', t: 'answers.early' })] : []),
      ...(view.kind === null ? [h('p', { class: 'hint', t: 'answers.allKinds' })] : []),
      copyRow(report, shown.map(({ spec }) => spec), metadata),
      ...shown.map(({ spec, result }) => this.#card(view, spec, result)),
      timingCard(report.timing_ms),
      jsonCard(report),
    );
    this.countBoxes(view.threshold);
  }

  /** Counts the boxes above a score anew, without making the cards anew under the reader's cursor. */
  countBoxes(threshold: number): void {
    for (const { element, layer } of this.#boxes) countBoxes(element, layer, threshold);
  }

  #card(view: ResultView, spec: TaskSpec, result: ClassesResult | MaskResult | BoxesResult): HTMLElement {
    const layer = view.layers.find((entry) => entry.task === spec.name);
    return h(
      'article',
      { class: 'card result', 'data-task': spec.name },
      h(
        'header',
        {},
        h('h3', {}, taskTitle(spec.name)),
        view.kind === null ? h('span', { class: 'tag' }, term(spec.modality)) : null,
        layer === undefined ? null : visibility(view, spec.name),
      ),
      this.#body(view, result, spec, layer),
      quality(view.metadata, spec),
    );
  }

  #body(
    view: ResultView,
    result: ClassesResult | MaskResult | BoxesResult,
    spec: TaskSpec,
    layer: Layer | undefined,
  ): HTMLElement {
    if (result.kind === 'classification') return classes(view, result, spec);
    if (layer?.kind === 'mask') return maskRows(layer, view.onStyle);
    if (layer?.kind !== 'boxes') return h('p', { class: 'hint' });
    const { element, counts } = boxRows(layer, view.threshold, (threshold) => view.onThreshold(threshold), view.onStyle);
    this.#boxes.push({ element: counts, layer });
    return element;
  }
}

/** The classes of the image; of a slice too those of the series that it is in. */
function classes(view: ResultView, result: ClassesResult, spec: TaskSpec): HTMLElement {
  const own = classBars(result, spec);
  const whole = view.whole?.classes.find(({ task }) => task === spec.name);
  if (view.whole === null || whole === undefined) return own;
  return h(
    'div',
    { class: 'of-series' },
    h('p', { class: 'hint', t: 'answers.thisSlice' }),
    own,
    h('p', { class: 'hint' }, t('answers.wholeSeries', { n: view.whole.slices })),
    classBars(whole, spec),
  );
}

function visibility(view: ResultView, task: string): HTMLElement {
  const box = h('input', { type: 'checkbox', checked: view.isVisible(task), 'aria-label': t('answers.showOf', { task: taskTitle(task) }) });
  box.addEventListener('change', () => view.onVisible(task, box.checked));
  return h('label', { class: 'switch' }, box, h('span', { t: 'answers.show' }));
}
