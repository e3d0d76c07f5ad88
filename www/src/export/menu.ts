import type { Model } from '@medley/web';
import { button, h } from '../dom.js';
import { icon } from '../icons.js';
import type { Item } from '../list/item.js';
import type { Viewer } from '../viewer/viewer.js';
import { csv } from './csv.js';
import { listJson } from './json.js';
import { exportPicture } from './picture.js';
import { exportName, save } from './save.js';

/** What the exports are made of. */
export interface ExportSources {
  current: () => Item | null;
  /** The list as it is shown. */
  listed: () => readonly Item[];
  model: () => Model | null;
  viewer: () => Viewer;
  onError: (error: unknown) => void;
  /** The list was exported, with the reader's marks. */
  onListSaved: () => void;
}

/** The menu of what can be taken along. */
export class ExportMenu {
  readonly element: HTMLDetailsElement;
  readonly #sources: ExportSources;

  constructor(sources: ExportSources) {
    this.#sources = sources;
    this.element = h(
      'details',
      { class: 'menu', id: 'export' },
      h('summary', { class: 'icon-button labelled' }, icon('download'), h('span', { t: 'export.title' })),
      h(
        'div',
        { class: 'menu-items' },
        this.#entry('export.picture', () => void this.picture()),
        this.#entry('export.json', () => this.json()),
        this.#entry('export.listJson', () => this.listJson()),
        this.#entry('export.listCsv', () => this.csv()),
      ),
    );
    document.addEventListener('pointerdown', (event) => {
      if (!this.element.contains(event.target as Node)) this.element.open = false;
    });
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.element.open) return;
      this.element.open = false;
      this.element.querySelector('summary')?.focus();
    });
  }

  async picture(): Promise<void> {
    const [item, model] = [this.#sources.current(), this.#sources.model()];
    if (item === null || model === null) return;
    try {
      save(await exportPicture(item, model, this.#sources.viewer()), exportName(item.file.name, 'png'), 'image/png');
    } catch (error) {
      this.#sources.onError(error);
    }
  }

  json(): void {
    const item = this.#sources.current();
    if (item?.report == null) return;
    save(`${JSON.stringify(item.report, null, 2)}\n`, exportName(item.file.name, 'json'), 'application/json');
  }

  listJson(): void {
    save(listJson(this.#sources.listed()), 'medley-list.json', 'application/json');
    this.#sources.onListSaved();
  }

  csv(): void {
    save(csv(this.#sources.listed()), 'medley-list.csv', 'text/csv');
    this.#sources.onListSaved();
  }

  #entry(label: Parameters<typeof button>[0], action: () => void): HTMLButtonElement {
    return button(label, () => {
      this.element.open = false;
      action();
    });
  }
}
