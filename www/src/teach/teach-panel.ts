import type { Model } from '@medley/web';
import { byId } from '../dom.js';
import { save } from '../export/save.js';
import { t } from '../language/index.js';
import type { Item } from '../list/item.js';
import type { TaughtTask } from '../list/list-panel.js';
import type { WorkList } from '../list/work-list.js';
import type { Stage } from '../stage.js';
import type { Stroke } from '../viewer/stroke.js';
import type { Styles } from '../viewer/style.js';
import { AskBar } from './ask-bar.js';
import { lesson } from './lesson.js';
import { type PaintedOver, Painter } from './painter.js';
import { pixelLesson } from './pixel-lesson.js';
import { PixelTeacher } from './pixel-teacher.js';
import { setup } from './setup.js';
import { Teacher } from './teacher.js';

/** What teaching needs of the page. */
export interface TeachHooks {
  model: () => Model | null;
  selected: () => Item | null;
  onSelect: (item: Item) => void;
  /** There is another head, or none: the list is sorted by its classes too. */
  onHead: (head: TaughtTask | null) => void;
  /** What lies over the image is to be drawn anew. */
  onOver: () => void;
  onError: (error: unknown) => void;
}

/** The tab where the reader teaches the model a question of their own: about whole images, or about their pixels. */
export class TeachPanel {
  readonly #root = byId('teach');
  readonly #list: WorkList;
  readonly #stage: Stage;
  readonly #hooks: TeachHooks;
  readonly #images: Teacher;
  readonly #pixels: PixelTeacher;
  readonly #painter: Painter;
  readonly #askBar: AskBar;
  #shown = '';
  #open = false;

  constructor(list: WorkList, stage: Stage, styles: Styles, hooks: TeachHooks) {
    this.#list = list;
    this.#stage = stage;
    this.#hooks = hooks;
    const [onChange, { onError }] = [() => this.#changed(), hooks];
    this.#images = new Teacher(list, { shown: hooks.selected, onChange, onError });
    this.#pixels = new PixelTeacher(list, { shown: () => (this.#open ? hooks.selected() : null), onChange, onError });
    this.#askBar = new AskBar({ onAskAll: () => this.ask(list.items), onCancel: () => this.cancel(list.items) });
    this.#painter = new Painter(this.#pixels, stage, styles);
  }

  /** Whether the tab is the one that is seen: the brush is on the stage only then. */
  set open(open: boolean) {
    this.#open = open;
    this.#changed();
  }

  /** Another model is there. */
  async moveTo(model: Model): Promise<void> {
    await this.#attempt(Promise.all([this.#images.moveTo(model), this.#pixels.moveTo(model)]));
  }

  forget(item: Item): void {
    this.#images.forget(item);
    this.#pixels.forget(item);
  }

  /** Asks the head that is taught about images that it has said nothing of. */
  ask(items: readonly Item[]): void {
    this.#teacher?.asking.ask(items);
  }

  /** Stops asking it about images. */
  cancel(items: readonly Item[]): void {
    this.#teacher?.asking.cancel(items);
  }

  /** What lies over an image instead of the model's own answers; `null` while no pixels are taught. */
  over(item: Item): PaintedOver | null {
    return this.#open && this.#pixels.head !== null ? this.#painter.over(item) : null;
  }

  /** The reader painted over the image on the stage. */
  paint(stroke: Stroke, erasing: boolean): void {
    const item = this.#hooks.selected();
    const { chosen } = this.#stage.brushBar;
    if (item === null) return;
    if (erasing) this.#pixels.erase(item, stroke);
    else if (chosen !== null) this.#pixels.paint(item, chosen, stroke);
  }

  /** The last stroke over the image on the stage is taken back. */
  undo(): void {
    const item = this.#hooks.selected();
    if (item !== null) this.#pixels.undo(item);
  }

  /** Brings the tab to where the list and the selection are; `anew` also where nothing of it has changed. */
  render(anew = false): void {
    const item = this.#hooks.selected();
    this.#painter.show(this.#open ? item : null);
    const shown = JSON.stringify(this.#state(item));
    if (shown !== this.#shown || anew) {
      this.#shown = shown;
      const focused = document.activeElement;
      this.#root.replaceChildren(...this.#content(item));
      this.#focusAgain(focused);
    }
    const teacher = this.#teacher;
    if (teacher !== null) this.#askBar.render(teacher.asking, this.#images.busy);
    this.#images.wake();
    this.#pixels.wake();
  }

  /** The buttons were made anew, or put in anew: the reader's keyboard stays where it was. */
  #focusAgain(focused: Element | null): void {
    const name = focused?.getAttribute('data-teach') ?? null;
    if (name !== null) this.#root.querySelector<HTMLElement>(`[data-teach="${CSS.escape(name)}"]`)?.focus();
    else if (focused instanceof HTMLElement && this.#askBar.element.contains(focused)) focused.focus();
  }

  /** Who teaches, if anything is taught. */
  get #teacher(): Teacher | PixelTeacher | null {
    if (this.#images.head !== null) return this.#images;
    return this.#pixels.head === null ? null : this.#pixels;
  }

  /** All that the tab's content hangs on. */
  #state(item: Item | null): unknown {
    if (this.#images.head !== null) {
      const { head, busy, examples, curve } = this.#images;
      return [this.#hooks.model() !== null, head.name, busy, item?.id, item?.state, item === null ? null : this.#images.answerOn(item), examples.map((e) => `${e.id}${e.class}`), curve.length];
    }
    if (this.#pixels.head !== null) {
      const { head, busy, strokes, taught, curve } = this.#pixels;
      const { estimate } = head.lesson ?? {};
      const answer = item === null ? null : this.#painter.layer(item)?.mask;
      return ['pixels', head.name, busy, item?.id, strokes.map(({ number }) => number), taught, estimate, curve.length, answer];
    }
    return 'setup';
  }

  #content(item: Item | null): Node[] {
    const [image, pixel] = [this.#images.head, this.#pixels.head];
    if (image !== null) {
      return lesson(this.#images, item, this.#askBar.element, {
        onTeach: (name) => void this.#attempt(this.#images.teach(item === null ? [] : [item], name)),
        onSelect: this.#hooks.onSelect,
        onExport: () => exportHead(image),
        onEnd: () => this.#images.end(),
      });
    }
    if (pixel !== null) {
      return pixelLesson(this.#pixels, this.#painter, item, this.#askBar.element, {
        onSelect: this.#hooks.onSelect,
        onStyle: () => this.#recolour(),
        onExport: () => exportHead(pixel),
        onEnd: () => this.#pixels.end(),
      });
    }
    return setup(() => this.#hooks.model()?.tasks ?? [], {
      onBegin: ({ scope, name, classes, like }) => void this.#attempt(this.#begin(scope, name || t('teach.unnamed'), classes, like)),
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
    await this.#begin('image', t('list.mark'), [t('mark.normal'), t('mark.finding')]);
    for (const mark of ['normal', 'finding'] as const) {
      await this.#images.teach(marked.filter((item) => item.mark === mark), t(`mark.${mark}`));
    }
  }

  async #begin(scope: 'image' | 'pixel', name: string, classes: readonly string[], like?: string): Promise<void> {
    if (scope === 'image') this.#images.begin(this.#model(), name, classes);
    else {
      this.#pixels.begin(this.#model(), name, classes, like);
      this.#stage.reveal();
    }
  }

  async #import(file: File): Promise<void> {
    const head = await this.#model().importHead(file);
    if (head.scope === 'image') this.#images.resume(head);
    else this.#pixels.resume(head);
  }

  /** @throws where the model is still on its way. */
  #model(): Model {
    const model = this.#hooks.model();
    if (model === null) throw new Error(t('teach.noModel'));
    return model;
  }

  /** The rows stay as they are: the reader's hand may be on one of them. */
  #recolour(): void {
    for (const { name, style } of this.#painter.classes) {
      this.#root.querySelector<HTMLElement>(`[data-strokes="${CSS.escape(name)}"] .brush-dot`)?.style.setProperty('--colour', style.colour);
    }
    this.#changed();
  }

  #changed(): void {
    this.#hooks.onHead(this.#teacher?.head ?? null);
    this.render();
    this.#hooks.onOver();
  }

  async #attempt(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#hooks.onError(error);
    }
  }
}

function exportHead(head: { name: string; export(): Uint8Array<ArrayBuffer> }): void {
  save(new Blob([head.export()]), `${head.name.replace(/[^\p{L}\p{N}]+/gu, '-')}.safetensors`, '');
}
