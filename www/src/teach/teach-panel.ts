import type { Model } from '@medley/web';
import { byId } from '../dom.js';
import { save } from '../export/save.js';
import { t } from '../language/index.js';
import type { Item } from '../list/item.js';
import type { WorkList } from '../list/work-list.js';
import { lesson } from './lesson.js';
import { setup } from './setup.js';
import { Teacher } from './teacher.js';

/** What teaching needs of the page. */
export interface TeachHooks {
  model: () => Model | null;
  selected: () => Item | null;
  onSelect: (item: Item) => void;
  /** There is another head, or none: the list is sorted by its classes too. */
  onHead: (head: { name: string; classes: readonly string[] } | null) => void;
  onError: (error: unknown) => void;
}

/** The tab where the reader teaches the model a question of their own. */
export class TeachPanel {
  readonly #root = byId('teach');
  readonly #list: WorkList;
  readonly #hooks: TeachHooks;
  readonly #teacher: Teacher;
  #shown = '';

  constructor(list: WorkList, hooks: TeachHooks) {
    this.#list = list;
    this.#hooks = hooks;
    this.#teacher = new Teacher(list, () => this.#changed());
  }

  /** Another model is there. */
  async moveTo(model: Model): Promise<void> {
    await this.#attempt(this.#teacher.moveTo(model));
  }

  forget(item: Item): void {
    this.#teacher.forget(item);
  }

  /** Brings the tab to where the list and the selection are; `anew` also where nothing of it has changed. */
  render(anew = false): void {
    const item = this.#hooks.selected();
    const { head, busy, examples, curve } = this.#teacher;
    const ready = this.#hooks.model() !== null;
    const state = [ready, head?.name, busy, item?.id, item?.state, item?.taught === null, examples.map((e) => `${e.id}${e.class}`), curve.length];
    const shown = JSON.stringify(head === null ? 'setup' : state);
    if (shown === this.#shown && !anew) return;
    this.#shown = shown;
    const focused = document.activeElement?.getAttribute('data-teach') ?? null;
    this.#root.replaceChildren(...this.#content(item));
    // The button was made anew: the reader's keyboard stays where it was.
    if (focused !== null) this.#root.querySelector<HTMLElement>(`[data-teach="${CSS.escape(focused)}"]`)?.focus();
    if (item !== null && !busy && this.#teacher.canAsk(item)) void this.#attempt(this.#teacher.ask([item]));
  }

  #content(item: Item | null): Node[] {
    if (this.#teacher.head !== null) {
      return lesson(this.#teacher, item, {
        onTeach: (name) => void this.#attempt(this.#teacher.teach(item === null ? [] : [item], name)),
        onSelect: this.#hooks.onSelect,
        onAskAll: () => void this.#attempt(this.#teacher.ask(this.#list.items)),
        onExport: () => this.#export(),
        onEnd: () => this.#teacher.end(),
      });
    }
    return setup({
      onBegin: (name, classes) => void this.#attempt(this.#begin(name || t('teach.unnamed'), classes)),
      onMarks: () => {
        const marked = this.#marked();
        const enough = new Set(marked.map(({ mark }) => mark)).size === 2;
        if (enough) void this.#attempt(this.#fromMarks(marked));
        return enough;
      },
      onImport: (file) => void this.#attempt(this.#import(file)),
    });
  }

  #marked(): Item[] {
    return this.#list.items.filter(({ mark, state }) => (mark === 'normal' || mark === 'finding') && state !== 'failed');
  }

  /** The reader's marks as classes, the marked images as examples. */
  async #fromMarks(marked: readonly Item[]): Promise<void> {
    await this.#begin(t('list.mark'), [t('mark.normal'), t('mark.finding')]);
    for (const mark of ['normal', 'finding'] as const) {
      await this.#teacher.teach(marked.filter((item) => item.mark === mark), t(`mark.${mark}`));
    }
  }

  async #begin(name: string, classes: readonly string[]): Promise<void> {
    this.#teacher.begin(this.#model(), name, classes);
  }

  async #import(file: File): Promise<void> {
    await this.#teacher.import(this.#model(), file);
  }

  /** @throws where the model is still on its way. */
  #model(): Model {
    const model = this.#hooks.model();
    if (model === null) throw new Error(t('teach.noModel'));
    return model;
  }

  #export(): void {
    const { head } = this.#teacher;
    if (head !== null) save(new Blob([head.export()]), `${head.name.replace(/[^\p{L}\p{N}]+/gu, '-')}.safetensors`, '');
  }

  #changed(): void {
    this.#hooks.onHead(this.#teacher.head);
    this.render();
  }

  async #attempt(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#hooks.onError(error);
    }
  }
}
