import type { TaskKind, TaskSpec } from '@medley/web';
import { button, byId, h } from '../dom.js';
import { taskTitle, term } from '../format.js';
import { type Key, t } from '../language/index.js';

const KINDS: readonly [TaskKind, Key][] = [
  ['classification', 'tasks.classification'],
  ['segmentation', 'tasks.segmentation'],
  ['detection', 'tasks.detection'],
];

/** Lets the reader choose what to ask. */
export class TaskChooser {
  readonly #root = byId('tasks');
  readonly #events: { onChange: () => void; onAskAll: () => void };
  #boxes: HTMLInputElement[] = [];
  #summary = h('span');
  #tasks: readonly TaskSpec[] = [];

  constructor(events: { onChange: () => void; onAskAll: () => void }) {
    this.#events = events;
  }

  /** Names of the chosen tasks. */
  get chosen(): string[] {
    return this.#boxes.filter((box) => box.checked).map((box) => box.value);
  }

  /** Offers the tasks of a model; what was chosen before stays chosen where it still exists. */
  offer(tasks: readonly TaskSpec[]): void {
    const unchosen = new Set(this.#boxes.filter((box) => !box.checked).map((box) => box.value));
    this.#tasks = tasks;
    this.#boxes = [];
    const groups = KINDS.map(([kind, title]) => {
      const entries = tasks.filter((task) => task.kind === kind);
      return entries.length === 0 ? null : this.#group(title, entries, unchosen);
    });
    this.#summary = h('span');
    const open = this.#root.querySelector('details')?.open ?? false;
    this.#root.replaceChildren(
      h(
        'details',
        { class: 'card tasks', open },
        h('summary', {}, this.#summary),
        h('p', { class: 'hint', t: 'tasks.hint' }),
        ...groups,
        h(
          'div',
          { class: 'actions' },
          button('tasks.all', () => this.#setAll(true), { class: 'quiet' }),
          button('tasks.none', () => this.#setAll(false), { class: 'quiet' }),
          button('tasks.askAll', () => this.#events.onAskAll(), { class: 'quiet', id: 'ask-all' }),
        ),
      ),
    );
    this.#say();
  }

  /** Makes all texts anew, in the current language. */
  refresh(): void {
    this.offer(this.#tasks);
  }

  #group(title: Key, tasks: readonly TaskSpec[], unchosen: ReadonlySet<string>): HTMLElement {
    const items = tasks.map((task) => {
      const box = h('input', { type: 'checkbox', value: task.name, checked: !unchosen.has(task.name) });
      box.addEventListener('change', () => this.#changed());
      this.#boxes.push(box);
      return h('label', { class: 'task' }, box, h('span', {}, taskTitle(task.name)), h('span', { class: 'tag' }, term(task.modality)));
    });
    return h('fieldset', {}, h('legend', { t: title }), ...items);
  }

  #setAll(checked: boolean): void {
    for (const box of this.#boxes) box.checked = checked;
    this.#changed();
  }

  #changed(): void {
    this.#say();
    this.#events.onChange();
  }

  #say(): void {
    this.#summary.textContent = t('tasks.title', { chosen: this.chosen.length, all: this.#boxes.length });
  }
}
