import type { Analysis, BoxesResult, ClassesResult, MaskResult, Metadata, TaskSpec, Timing } from '@medley/web';
import { byId, h } from './dom.js';
import { count, metricName, milliseconds, percent, taskTitle } from './format.js';
import { jsonCard } from './json-card.js';
import { kindFilter } from './kinds.js';
import type { Layer } from './layers.js';

/** What the answers need to be shown. */
export interface ResultView {
  analysis: Analysis;
  metadata: Metadata;
  layers: readonly Layer[];
  /** The kind of image that the answers are narrowed down to. */
  kind: string | null;
  /** Boxes below it are not counted. */
  threshold: number;
  isVisible: (task: string) => boolean;
  onKind: (kind: string | null) => void;
  onVisible: (task: string, visible: boolean) => void;
}

/** The answers beside the image. */
export class Results {
  readonly #root = byId('results');
  /** What must change with the score slider, without making the cards anew under the reader's cursor. */
  #counts: { element: HTMLElement; layer: Layer & { kind: 'boxes' } }[] = [];

  placeholder(text: string): void {
    this.#root.replaceChildren(h('p', { class: 'card placeholder' }, text));
  }

  show(view: ResultView): void {
    this.#counts = [];
    const specs = new Map(view.metadata.tasks.map((task) => [task.name, task]));
    const kinds = [...new Set(view.analysis.report.results.map(({ task }) => specs.get(task)?.modality ?? ''))];
    const cards = view.analysis.report.results.flatMap((result) => {
      const spec = specs.get(result.task);
      if (spec === undefined || (view.kind !== null && spec.modality !== view.kind)) return [];
      return [this.#card(view, spec, result)];
    });
    this.#root.replaceChildren(
      kindFilter(kinds, view.kind, view.onKind),
      view.kind === null
        ? h(
            'p',
            { class: 'hint' },
            'Every task answers, also those that were never meant for this kind of image. Choose its kind to see what makes sense.',
          )
        : '',
      ...cards,
      timingCard(view.analysis.report.timing_ms),
      jsonCard(view.analysis.report),
    );
    this.countBoxes(view.threshold);
  }

  /** Counts the boxes above a score anew. */
  countBoxes(threshold: number): void {
    for (const { element, layer } of this.#counts) {
      const shown = layer.result.boxes.filter((box) => box.score >= threshold);
      const rows = layer.classes.map(({ name, colour }) => {
        const of = shown.filter((box) => box.class === name);
        return row(swatch(colour, 'boxes'), name, String(of.length));
      });
      element.replaceChildren(...rows);
    }
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
        h('span', { class: 'tag' }, spec.modality),
        layer === undefined ? null : visibility(view, spec.name),
      ),
      this.#body(result, spec, layer),
      qualityLine(view.metadata, spec),
    );
  }

  #body(result: ClassesResult | MaskResult | BoxesResult, spec: TaskSpec, layer: Layer | undefined): HTMLElement {
    if (result.kind === 'classification') return bars(result, spec);
    const list = h('ul', { class: 'rows' });
    if (result.kind === 'segmentation' && layer?.kind === 'mask') {
      const total = result.mask.width * result.mask.height;
      for (const { name, colour } of layer.classes) {
        const pixels = result.mask.pixels[name] ?? 0;
        list.append(row(swatch(colour, 'mask'), name, `${percent(pixels / total)} of the image`));
      }
    } else if (layer?.kind === 'boxes') {
      this.#counts.push({ element: list, layer });
    }
    return list;
  }
}

function visibility(view: ResultView, task: string): HTMLElement {
  const box = h('input', { type: 'checkbox', checked: view.isVisible(task) });
  box.addEventListener('change', () => view.onVisible(task, box.checked));
  return h('label', { class: 'switch' }, box, 'Show');
}

function bars(result: ClassesResult, spec: TaskSpec): HTMLElement {
  const sorted = [...result.classes].sort((a, b) => b.probability - a.probability);
  const list = h('ul', { class: 'bars', 'aria-label': `${taskTitle(spec.name)}: probabilities` });
  for (const { name, probability } of sorted) {
    const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.setProperty('--share', String(probability));
    list.append(
      h('li', {}, h('span', { class: 'name' }, name), h('span', { class: 'value' }, percent(probability)), bar),
    );
  }
  return list;
}

function row(mark: HTMLElement, name: string, value: string): HTMLElement {
  return h('li', {}, mark, h('span', { class: 'name' }, name), h('span', { class: 'value' }, value));
}

function swatch(colour: string, kind: Layer['kind']): HTMLElement {
  const element = h('span', { class: `swatch ${kind}`, 'aria-hidden': 'true' });
  element.style.setProperty('--colour', colour);
  return element;
}

/** What the model measured for this task, on images it had not seen. */
function qualityLine(metadata: Metadata, spec: TaskSpec): HTMLElement | null {
  const figures = metadata.quality.filter(({ task }) => task === spec.name);
  const figure = figures.find(({ split }) => split === 'test') ?? figures[0];
  if (figure === undefined) return null;
  const { metric, value, split, n } = figure;
  return h(
    'p',
    { class: 'hint quality' },
    `Measured: ${metricName(metric)} ${value.toFixed(2)} on ${count(n, 'image', 'images')} (${split} split).`,
  );
}

const STAGES: readonly [keyof Timing, string][] = [
  ['prepare', 'Prepare'],
  ['encode', 'Encode'],
  ['heads', 'Heads'],
  ['finish', 'Finish'],
  ['total', 'Total'],
];

function timingCard(timing: Timing): HTMLElement {
  const list = h('dl', { class: 'timing' });
  for (const [stage, label] of STAGES) {
    list.append(h('div', {}, h('dt', {}, label), h('dd', {}, milliseconds(timing[stage]))));
  }
  return h('section', { class: 'card', 'aria-label': 'Timing' }, h('h3', {}, 'Time on this device'), list);
}
