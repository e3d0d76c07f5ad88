import type { TaskSpec } from '@medley/web';
import { button, byId, h } from '../dom.js';
import { percent, taskTitle, titled } from '../format.js';
import { icon } from '../icons.js';
import { t } from '../language/index.js';
import { isOpen, type Item, type Mark, MARKS } from './item.js';
import { arrange, type ClassChoice, type Order } from './order.js';
import { Row, type RowEvents } from './row.js';

/** What the reader does with the list. */
export interface ListEvents extends RowEvents {
  onAdd: () => void;
  onAddFolder: () => void;
  onCancelAll: () => void;
  onClear: () => void;
  onCsv: () => void;
}

/** A head that the reader taught, as far as the list is sorted by it. */
export interface TaughtTask {
  scope: 'image' | 'pixel';
  name: string;
  classes: readonly string[];
}

/** Classes that an image can be sorted by, and what is over them. */
interface Choices {
  title: string;
  classes: readonly ClassChoice[];
}

/** The work list: all images, sorted and filtered by a class's probability, with the reader's own marks. */
export class ListPanel {
  readonly #root = byId('list');
  readonly #events: ListEvents;
  readonly #rows = new Map<number, Row>();
  readonly #body = h('ol', { class: 'items', tLabel: 'list.items' });
  readonly #count = h('span', { class: 'count' });
  readonly #by = h('select', { id: 'sort-by' });
  readonly #atLeast = h('input', { id: 'at-least', type: 'range', min: 0, max: 100, step: 1, value: 0 });
  readonly #atLeastValue = h('output', { for: 'at-least' });
  readonly #mark = h('select', { id: 'mark-filter' });
  readonly #state = h('p', { class: 'hint', role: 'status', id: 'list-state' });
  readonly #atLeastField: HTMLElement;
  readonly #tools: HTMLElement;
  readonly #actions: HTMLElement;
  readonly #cancelAll: HTMLButtonElement;
  #choices: ClassChoice[] = [];
  #tasks: readonly TaskSpec[] = [];
  #taught: TaughtTask | null = null;
  #shown: Item[] = [];
  #last: { items: readonly Item[]; selected: Item | null } = { items: [], selected: null };

  constructor(events: ListEvents) {
    this.#events = events;
    for (const control of [this.#by, this.#atLeast, this.#mark]) {
      control.addEventListener('input', () => this.render(this.#last.items, this.#last.selected));
    }
    this.#atLeastField = h(
      'div',
      { class: 'field wide' },
      h('label', { for: 'at-least', t: 'list.atLeast' }),
      this.#atLeast,
      this.#atLeastValue,
    );
    this.#tools = h(
      'div',
      { class: 'list-tools' },
      h('div', { class: 'field wide' }, h('label', { for: 'sort-by', t: 'list.sort' }), this.#by),
      this.#atLeastField,
      h('div', { class: 'field wide' }, h('label', { for: 'mark-filter', t: 'list.mark' }), this.#mark),
    );
    this.#cancelAll = button('list.cancelAll', events.onCancelAll, { class: 'quiet', id: 'cancel-all' });
    this.#actions = h(
      'div',
      { class: 'actions' },
      button('list.csv', events.onCsv, { class: 'quiet', id: 'save-csv' }),
      this.#cancelAll,
      button('list.clear', events.onClear, { class: 'quiet', id: 'clear-list' }),
    );
    const add = button('list.add', events.onAdd, { class: 'quiet' });
    add.prepend(icon('image'));
    const folder = button('list.addFolder', events.onAddFolder, { class: 'quiet' });
    folder.prepend(icon('folder'));
    this.#root.append(
      h('div', { class: 'row' }, h('h2', { id: 'list-title' }, h('span', { t: 'list.title' }), ' ', this.#count)),
      h('div', { class: 'actions' }, add, folder),
      this.#tools,
      this.#body,
      this.#state,
      this.#actions,
    );
    this.refresh();
  }

  /** The images as they are shown, in order. */
  get shown(): readonly Item[] {
    return this.#shown;
  }

  /** The class that the list is sorted by. */
  get sortedBy(): ClassChoice | null {
    return this.#choices[this.#by.selectedIndex - 1] ?? null;
  }

  /** Scrolls to an image's row. */
  reveal(item: Item): void {
    this.#rows.get(item.id)?.element.scrollIntoView({ block: 'nearest' });
  }

  /** Offers the classes of a model to sort by. */
  offer(tasks: readonly TaskSpec[]): void {
    this.#tasks = tasks.filter(({ kind }) => kind === 'classification');
    this.refresh();
  }

  /** Offers the classes of a head that the reader taught, or no longer. */
  offerTaught(head: TaughtTask | null): void {
    if (head === this.#taught) return;
    this.#taught = head;
    this.refresh();
  }

  /** Makes all texts anew, in the current language. */
  refresh(): void {
    const [by, mark] = [this.sortedBy, this.#mark.selectedIndex];
    const groups = [...this.#tasks.map(ofModel), ...(this.#taught === null ? [] : [ofReader(this.#taught)])];
    this.#choices = groups.flatMap(({ classes }) => classes);
    this.#by.replaceChildren(
      h('option', { value: '' }, t('list.asTheyCame')),
      ...groups.map(({ title, classes }) =>
        h('optgroup', { label: title }, ...classes.map((entry) => h('option', { value: `${entry.task}/${entry.name}` }, titled(entry)))),
      ),
    );
    // What is no longer offered sorts no longer.
    this.#by.selectedIndex = 1 + this.#choices.findIndex((entry) => by !== null && sameClass(entry, by));
    this.#mark.replaceChildren(
      h('option', { value: '' }, t('list.anyMark')),
      ...MARKS.map((value) => h('option', { value }, t(`mark.${value}`))),
    );
    this.#mark.selectedIndex = Math.max(0, mark);
    for (const row of this.#rows.values()) row.element.remove();
    this.#rows.clear();
    this.render(this.#last.items, this.#last.selected);
  }

  render(items: readonly Item[], selected: Item | null): void {
    this.#last = { items, selected };
    const order: Order = {
      by: this.sortedBy,
      atLeast: this.sortedBy === null ? 0 : Number(this.#atLeast.value) / 100,
      mark: this.#mark.value === '' ? null : (this.#mark.value as Mark),
    };
    this.#shown = arrange(items, order);
    const rows = this.#shown.map((item) => {
      const row = this.#rows.get(item.id) ?? new Row(item, this.#events);
      this.#rows.set(item.id, row);
      row.render(item === selected, order.by);
      return row.element;
    });
    for (const [id, row] of this.#rows) {
      if (items.some((item) => item.id === id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    place(this.#body, rows);
    this.#say(items);
    this.#root.dataset['count'] = String(items.length);
  }

  #say(items: readonly Item[]): void {
    const open = items.filter(isOpen).length;
    const hidden = items.length - this.#shown.length;
    this.#count.textContent = items.length === 0 ? '' : String(items.length);
    this.#atLeastValue.textContent = percent(Number(this.#atLeast.value) / 100, 0);
    this.#atLeastField.hidden = this.sortedBy === null;
    this.#tools.hidden = items.length < 2;
    this.#actions.hidden = items.length === 0;
    this.#cancelAll.hidden = open < 2;
    const said = [
      open > 0 && items.length > 1 ? t('list.open', { n: open, all: items.length }) : '',
      hidden > 0 ? t('list.hidden', { n: hidden }) : '',
    ].filter((text) => text !== '');
    const text = items.length === 0 ? t('list.empty') : said.join(' ');
    if (this.#state.textContent !== text) this.#state.textContent = text;
  }
}

function ofModel({ name: task, classes, modality }: TaskSpec): Choices {
  return { title: taskTitle(task), classes: classes.map((name) => ({ task, name, own: false, modality })) };
}

/** The first class of pixels is what lies around: nobody looks for it. */
function ofReader({ scope, name: task, classes }: TaughtTask): Choices {
  const sought = scope === 'image' ? classes : classes.slice(1);
  const title = scope === 'image' ? task : t('list.areaOf', { name: task });
  return { title, classes: sought.map((name) => ({ task, name, own: true, modality: null })) };
}

function sameClass(a: ClassChoice, b: ClassChoice): boolean {
  return a.own === b.own && a.task === b.task && a.name === b.name;
}

/** Puts rows in order without touching those that are there already: the reader's focus stays. */
function place(body: HTMLElement, rows: readonly HTMLElement[]): void {
  const wanted = new Set<Element>(rows);
  for (const child of [...body.children]) if (!wanted.has(child)) child.remove();
  rows.forEach((row, i) => {
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
  });
}
