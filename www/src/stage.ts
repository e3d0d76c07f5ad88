import type { Item } from './list/item.js';
import { button, byId, h } from './dom.js';
import { fileName } from './format.js';
import { type Intake, takeFiles } from './intake.js';
import { t } from './language/index.js';
import type { Picture } from './viewer/picture.js';
import { SliceBar } from './dicom/slice-bar.js';
import { BrushBar } from './teach/brush-bar.js';
import { Readout } from './viewer/readout.js';
import type { Stroke } from './viewer/stroke.js';
import { Toolbar } from './viewer/toolbar.js';
import { Viewer } from './viewer/viewer.js';

/** What the stage needs of the page. */
export interface StageEvents {
  onFiles: (intake: Intake) => void;
  onCancel: () => void;
  /** The reader goes to another slice of the series on the stage; resolves when it is shown. */
  onSlice: (at: number) => Promise<void>;
  /** The reader painted over the image, or (`erasing`) over strokes that are to be taken away. */
  onStroke: (stroke: Stroke, erasing: boolean) => void;
  /** The last stroke over the image is to be taken back. */
  onUndo: () => void;
  /** The reader has chosen another brush. */
  onBrush: () => void;
}

/** Where images come in and one is seen. */
export class Stage {
  readonly viewer: Viewer;
  readonly toolbar: Toolbar;
  readonly slices: SliceBar;
  readonly brushBar: BrushBar;
  readonly #root = byId('stage');
  readonly #picker = h('input', { type: 'file', multiple: true, id: 'picker', class: 'visually-hidden', tLabel: 'stage.choose' });
  readonly #folder = h('input', { type: 'file', webkitdirectory: true, id: 'folder-picker', class: 'visually-hidden', tLabel: 'list.addFolder', tabindex: -1 });
  readonly #empty: HTMLElement;
  readonly #shown: HTMLElement;
  readonly #readout = new Readout();
  readonly #caption = h('p', { class: 'caption' });
  readonly #busyText = h('span', {}, '');
  readonly #busy: HTMLElement;
  readonly #save = h('a', { class: 'button quiet', t: 'stage.save' });
  #savedUrl: string | null = null;

  /** `exports` is the menu of what can be taken along. */
  constructor(exports: HTMLElement, events: StageEvents) {
    this.slices = new SliceBar({ onSlice: events.onSlice });
    this.brushBar = new BrushBar({ onChange: events.onBrush, onUndo: events.onUndo });
    this.viewer = new Viewer({
      onSlice: (step) => this.slices.step(step),
      onView: () => {
        this.toolbar.render();
        this.#readout.view(this.viewer);
      },
      onHover: (at) => this.#readout.point(this.viewer, at),
      onStroke: events.onStroke,
      onUndo: events.onUndo,
      onBrushSize: (step) => this.brushBar.resize(step),
    });
    this.toolbar = new Toolbar(this.viewer, this.#root, exports);
    this.#empty = h(
      'label',
      { class: 'dropzone', for: 'picker' },
      h('span', { class: 'dropzone-title', t: 'stage.drop' }),
      h('span', { class: 'button primary', 'aria-hidden': 'true', t: 'stage.choose' }),
      h('span', { class: 'hint', t: 'stage.formats' }),
    );
    this.#busy = h(
      'div',
      { class: 'busy', role: 'status' },
      h('span', { class: 'spinner', 'aria-hidden': 'true' }),
      this.#busyText,
      button('cancel', events.onCancel, { class: 'quiet', id: 'cancel-analysis' }),
    );
    this.#shown = h(
      'div',
      { class: 'shown' },
      this.toolbar.element,
      this.brushBar.element,
      h('div', { class: 'frame' }, this.viewer.element),
      this.slices.element,
      h('p', { class: 'visually-hidden', id: 'viewer-keys', t: 'viewer.keys' }),
      h('div', { class: 'below' }, this.#caption, this.#readout.element, this.#save),
    );
    this.#root.append(this.#picker, this.#folder, this.#empty, this.#shown, this.#busy);
    this.#shown.hidden = true;
    this.#busy.hidden = true;
    this.#save.hidden = true;
    takeFiles(this.#root, [this.#picker, this.#folder], events.onFiles);
  }

  /** Opens the browser's dialog for files, or for a folder. */
  pick(what: 'files' | 'folder'): void {
    (what === 'files' ? this.#picker : this.#folder).click();
  }

  /** Brings the image into sight: on a small screen the samples and the answers are further down. */
  reveal(): void {
    this.#root.scrollIntoView({ block: 'nearest' });
  }

  show(item: Item, picture: Picture): void {
    this.viewer.show(picture, fileName(item.file));
    this.caption(item);
    this.#empty.hidden = true;
    this.#shown.hidden = false;
    this.reveal();
    if (this.#savedUrl !== null) URL.revokeObjectURL(this.#savedUrl);
    this.#savedUrl = null;
    // Only what the page itself has drawn: the user has the other files already.
    this.#save.hidden = item.sample === null;
    if (item.sample !== null) {
      this.#savedUrl = URL.createObjectURL(item.file);
      this.#save.href = this.#savedUrl;
      this.#save.download = item.file.name;
    }
  }

  /** Shows another slice of the series on the stage. */
  next(item: Item, picture: Picture): void {
    this.viewer.next(picture, fileName(item.file));
    this.caption(item);
  }

  /** Says what is seen, in the current language. */
  caption({ file, size, series }: Item): void {
    if (series === null) this.slices.hide();
    else this.slices.show(series.at, series.length, series.answered > 0 ? series.answered : null);
    this.#caption.textContent =
      size === null ? fileName(file) : t('stage.caption', { name: fileName(file), width: size.width, height: size.height });
  }

  /** Back to the empty stage: no image is shown that the answers are not about. */
  clear(): void {
    this.#empty.hidden = false;
    this.#shown.hidden = true;
    this.slices.hide();
    this.viewer.clear();
  }

  /** Says what is being waited for; `null` when nothing is. */
  busy(text: string | null): void {
    this.#busy.hidden = text === null;
    if (this.#busyText.textContent !== (text ?? '')) this.#busyText.textContent = text ?? '';
    this.#root.setAttribute('aria-busy', String(text !== null));
  }
}
