import type { HeaderEntry } from '@medley/web/dicom';
import { button, byId, h } from '../dom.js';
import { t } from '../language/index.js';
import type { ItemSeries } from './item-series.js';

/** What the file says of itself. What says who, where and when is shown only when the reader asks, for one series. */
export class HeaderCard {
  readonly #root = byId('header');
  #series: ItemSeries | null = null;
  #personal = false;
  #open = false;
  #shown = '';

  /** Shows the header of a series' slice, or nothing. */
  show(series: ItemSeries | null): void {
    if (series !== this.#series) this.#personal = false;
    this.#series = series;
    const key = series === null ? '' : `${series.name} ${series.slice.description.source} ${this.#personal} ${document.documentElement.lang}`;
    if (key === this.#shown) return;
    this.#shown = key;
    if (series === null) this.#root.replaceChildren();
    else void this.#fill(series);
  }

  async #fill(series: ItemSeries): Promise<void> {
    const { slice } = series;
    const personal = this.#personal;
    const [technical, names] = await Promise.all([slice.header(), personal ? slice.header({ personal: true }) : []]);
    if (this.#series !== series || this.#personal !== personal) return;
    const details = h(
      'details',
      { class: 'card header', open: this.#open },
      h('summary', { t: 'header.title' }),
      ...problems(series),
      button(
        personal ? 'header.hide' : 'header.show',
        () => {
          this.#personal = !personal;
          this.show(series);
        },
        { class: 'quiet', id: 'show-names', 'aria-pressed': String(personal) },
      ),
      h('p', { class: 'hint', t: personal ? 'header.shown' : 'header.hidden' }),
      ...(personal ? [table(names, 'names')] : []),
      table(technical, 'technical'),
    );
    details.addEventListener('toggle', () => {
      this.#open = details.open;
    });
    const focused = document.activeElement?.id === 'show-names';
    this.#root.replaceChildren(details);
    if (focused) byId('show-names').focus();
  }
}

function problems({ series }: ItemSeries): HTMLElement[] {
  if (series.problems.length === 0) return [];
  const text = ({ kind, slice, count, text: english }: (typeof series.problems)[number]): string => {
    const values = { n: count ?? 0, from: (slice ?? 0) + 1, to: (slice ?? 0) + 2 };
    if (kind === 'missing') return t('problem.missing', values);
    if (kind === 'same-place') return t('problem.samePlace', values);
    if (kind === 'same-instance') return t('problem.sameInstance');
    if (kind === 'orientation') return t('problem.orientation');
    return kind === 'sizes' ? t('problem.sizes') : english;
  };
  return [h('ul', { class: 'bullets problems' }, ...series.problems.map((problem) => h('li', {}, text(problem))))];
}

function table(entries: readonly HeaderEntry[], id: string): HTMLElement {
  return h(
    'dl',
    { class: 'entries', id: `header-${id}` },
    ...entries.map(({ keyword, tag, value }) => h('div', {}, h('dt', { title: tag }, words(keyword)), h('dd', {}, value))),
  );
}

/** "SliceThickness" → "Slice Thickness": the standard's own names, in every language. */
function words(keyword: string): string {
  return keyword.replace(/([a-z])([A-Z])/g, '$1 $2');
}
