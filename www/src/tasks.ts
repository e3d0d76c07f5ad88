import type { TaskKind, TaskSpec } from '@medley/web';
import { button, byId, h } from './dom.js';
import { taskTitle } from './format.js';

const KINDS: readonly [TaskKind, string][] = [
  ['classification', 'Classes of the whole image'],
  ['segmentation', 'Outlines (a class per pixel)'],
  ['detection', 'Boxes'],
];

/** Lets the reader choose what to ask. */
export class TaskChooser {
  readonly #root = byId('tasks');
  readonly #onChange: () => void;
  #boxes: HTMLInputElement[] = [];
  #summary = h('span');

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Names of the chosen tasks. */
  get chosen(): string[] {
    return this.#boxes.filter((box) => box.checked).map((box) => box.value);
  }

  /** Offers the tasks of a model; what was chosen before stays chosen where it still exists. */
  offer(tasks: readonly TaskSpec[]): void {
    const unchosen = new Set(this.#boxes.filter((box) => !box.checked).map((box) => box.value));
    this.#boxes = [];
    const groups = KINDS.map(([kind, title]) => {
      const entries = tasks.filter((task) => task.kind === kind);
      return entries.length === 0 ? null : this.#group(title, entries, unchosen);
    });
    this.#summary = h('span');
    this.#root.replaceChildren(
      h(
        'details',
        { class: 'card tasks' },
        h('summary', {}, this.#summary),
        h(
          'p',
          { class: 'hint' },
          'A task makes sense only for its own kind of image, which stands beside its name. The model answers regardless.',
        ),
        ...groups,
        h(
          'div',
          { class: 'actions' },
          button('All', () => this.#setAll(true), { class: 'quiet' }),
          button('None', () => this.#setAll(false), { class: 'quiet' }),
        ),
      ),
    );
    this.#say();
  }

  #group(title: string, tasks: readonly TaskSpec[], unchosen: ReadonlySet<string>): HTMLElement {
    const items = tasks.map((task) => {
      const box = h('input', { type: 'checkbox', value: task.name, checked: !unchosen.has(task.name) });
      box.addEventListener('change', () => this.#changed());
      this.#boxes.push(box);
      return h('label', { class: 'task' }, box, h('span', {}, taskTitle(task.name)), h('span', { class: 'tag' }, task.modality));
    });
    return h('fieldset', {}, h('legend', {}, title), ...items);
  }

  #setAll(checked: boolean): void {
    for (const box of this.#boxes) box.checked = checked;
    this.#changed();
  }

  #changed(): void {
    this.#say();
    this.#onChange();
  }

  #say(): void {
    this.#summary.textContent = `Tasks to ask: ${this.chosen.length} of ${this.#boxes.length}`;
  }
}
