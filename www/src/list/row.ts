import { h } from '../dom.js';
import { fileName, percent, sentence, term, titled } from '../format.js';
import { iconButton } from '../icons.js';
import { t } from '../language/index.js';
import { type Asked, isOpen, type Item, type ItemState, type Mark, MARKS } from './item.js';
import { type ClassChoice, sortValue } from './order.js';

/** What the reader does with one image. */
export interface RowEvents {
  onSelect: (item: Item) => void;
  onMark: (item: Item, mark: Mark) => void;
  /** Cancels what waits or runs, removes what does not. */
  onDrop: (item: Item) => void;
  onRetry: (item: Item) => void;
}

/** One image in the list. */
export class Row {
  readonly element: HTMLLIElement;
  readonly #item: Item;
  readonly #select: HTMLButtonElement;
  readonly #picture = h('img', { alt: '', width: 56, height: 56, hidden: true });
  readonly #state = h('span', { class: 'item-state' });
  readonly #value = h('span', { class: 'item-value' });
  readonly #bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
  readonly #mark: HTMLSelectElement;
  readonly #drop: HTMLButtonElement;
  readonly #retry: HTMLButtonElement;

  constructor(item: Item, events: RowEvents) {
    this.#item = item;
    const name = fileName(item.file);
    this.#select = h(
      'button',
      { type: 'button', class: 'item-main' },
      h('span', { class: 'thumb' }, this.#picture),
      h('span', { class: 'item-text' }, h('span', { class: 'item-name' }, name), this.#state, this.#value, this.#bar),
    );
    this.#select.addEventListener('click', () => events.onSelect(item));
    this.#mark = h(
      'select',
      { class: 'mark', 'aria-label': t('list.markOf', { name }) },
      ...MARKS.map((mark) => h('option', { value: mark }, t(`mark.${mark}`))),
    );
    this.#mark.addEventListener('change', () => events.onMark(item, this.#mark.value as Mark));
    this.#drop = iconButton('close', 'list.remove', () => events.onDrop(item), { class: 'icon-button drop' });
    this.#retry = iconButton('reset', 'list.retry', () => events.onRetry(item), { class: 'icon-button retry' });
    this.element = h('li', { class: 'item', 'data-name': name }, this.#select, this.#mark, this.#retry, this.#drop);
  }

  render(selected: boolean, by: ClassChoice | null): void {
    const { state, asked, thumbnail, mark } = this.#item;
    const name = fileName(this.#item.file);
    this.element.dataset['state'] = state;
    this.element.dataset['asked'] = asked?.state ?? '';
    this.element.dataset['mark'] = mark;
    if (selected) this.#select.setAttribute('aria-current', 'true');
    else this.#select.removeAttribute('aria-current');
    if (thumbnail !== null && this.#picture.hidden) {
      this.#picture.src = thumbnail;
      this.#picture.hidden = false;
    }
    this.#mark.value = mark;
    const value = by === null ? null : sortValue(this.#item, by);
    const stateText: Record<ItemState, string> = {
      waiting: t('item.waiting'),
      running: runningText(this.#item),
      done: '',
      failed: t('item.failed'),
      cancelled: t('item.cancelled'),
    };
    // What the model is at comes before what the reader's own head is at.
    const text = state === 'done' && asked !== null ? askedText(this.#item, asked) : stateText[state];
    this.#state.textContent = text;
    this.#state.hidden = text === '';
    this.#value.hidden = text !== '';
    this.#value.replaceChildren(
      h('span', { class: 'of' }, value !== null && by !== null ? titled(by) : about(this.#item)),
      value === null ? '' : h('span', {}, percent(value)),
    );
    this.#bar.hidden = value === null || text !== '';
    this.#bar.style.setProperty('--share', String(value ?? 0));
    const open = isOpen(this.#item);
    this.#drop.setAttribute('aria-label', t(open ? 'list.cancelOne' : 'list.removeOne', { name }));
    this.#drop.title = t(open ? 'list.cancel' : 'list.remove');
    this.#retry.setAttribute('aria-label', t('list.retryOne', { name }));
    this.#retry.hidden = !stopped(state) && (asked === null || !stopped(asked.state));
  }
}

function stopped(state: string): boolean {
  return state === 'failed' || state === 'cancelled';
}

/** What the reader's own head is at. */
function askedText({ series }: Item, { head, state, slice }: Asked): string {
  if (state === 'running' && series !== null && series.length > 1) return t('item.askedSlice', { head, n: slice + 1, all: series.length });
  return t(`item.asked.${state}`, { head });
}

/** Of a series how far it is. */
function runningText({ series }: Item): string {
  if (series === null || series.length === 1) return t('item.running');
  return t('item.runningSlice', { n: Math.min(series.answered + 1, series.length), all: series.length });
}

/** What is known of every image: its kind, or else its size. */
function about({ kind, size, series }: Item): string {
  if (series !== null && series.length > 1) return t('slices.count', { n: series.length });
  if (kind !== null) return sentence(term(kind));
  return size === null ? '' : `${size.width} × ${size.height}`;
}
