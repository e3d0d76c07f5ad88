import type { Model } from '@medley/web';
import { toReport, toSegmentation } from '@medley/web/dicom';
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
  readonly #dicom: HTMLElement;
  readonly #segmentation: HTMLButtonElement;
  readonly #report: HTMLButtonElement;
  readonly #deidentify = h('input', { type: 'checkbox', id: 'deidentify', checked: true });
  /** New identifiers are derived from it: results of one visit belong together, and nobody can find the old ones. */
  readonly #secret = crypto.randomUUID();

  constructor(sources: ExportSources) {
    this.#sources = sources;
    this.#segmentation = this.#entry('export.segmentation', () => void this.object('segmentation'));
    this.#report = this.#entry('export.report', () => void this.object('report'));
    this.#dicom = h(
      'div',
      { class: 'menu-part', id: 'export-dicom', role: 'group', tLabel: 'export.dicom' },
      this.#segmentation,
      this.#report,
      h('label', { class: 'menu-option', tTitle: 'export.deidentifyHint' }, this.#deidentify, h('span', { t: 'export.deidentify' })),
    );
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
        this.#dicom,
      ),
    );
    this.element.addEventListener('toggle', () => this.#offer());
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

  /** The answers about a series as a DICOM object. */
  async object(what: 'segmentation' | 'report'): Promise<void> {
    const [item, model] = [this.#sources.current(), this.#sources.model()];
    const analysis = item?.series?.analysis;
    if (item == null || model === null || analysis == null) return;
    const options = {
      model,
      tasks: tasksOf(item, model),
      ...(this.#deidentify.checked ? { deidentify: this.#secret } : {}),
    };
    try {
      const object = await (what === 'segmentation' ? toSegmentation(analysis, options) : toReport(analysis, options));
      save(object, exportName(`${item.file.name}.`, `${what}.dcm`), 'application/dicom');
    } catch (error) {
      this.#sources.onError(error);
    }
  }

  /** Offers DICOM objects where the image is DICOM and answered. */
  #offer(): void {
    const [item, model] = [this.#sources.current(), this.#sources.model()];
    this.#dicom.hidden = item?.series == null;
    if (item?.series == null || model === null) return;
    const tasks = tasksOf(item, model);
    const masks = model.tasks.some(({ name, kind }) => kind === 'segmentation' && tasks.includes(name));
    this.#segmentation.disabled = item.series.analysis === null || !masks;
    this.#report.disabled = item.series.analysis === null || tasks.length === 0;
  }

  #entry(label: Parameters<typeof button>[0], action: () => void): HTMLButtonElement {
    return button(label, () => {
      this.element.open = false;
      action();
    });
  }
}

/** The tasks that go into an object: those that were answered and are meant for the chosen kind of image. */
function tasksOf(item: Item, model: Model): string[] {
  const answered = new Set(item.series?.analysis?.slices[0]?.report.results.map(({ task }) => task));
  return model.tasks
    .filter(({ name, modality }) => answered.has(name) && (item.kind === null || item.kind === modality))
    .map(({ name }) => name);
}
