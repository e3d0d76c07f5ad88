import type { Model, Preview } from '@medley/web';
import { type DicomFiles, type DicomSeries, openDicom } from '@medley/web/dicom';
import { Alert } from './alert.js';
import { TaskChooser } from './answers/tasks.js';
import { byId } from './dom.js';
import { describe } from './errors.js';
import { ExportMenu } from './export/menu.js';
import { fileName } from './format.js';
import type { Intake } from './intake.js';
import { plain } from './language/details.js';
import { t } from './language/index.js';
import { HeaderCard } from './dicom/header-card.js';
import { ItemSeries, SharedFiles } from './dicom/item-series.js';
import { isOpen, type Item, type Mark } from './list/item.js';
import { listenToListKeys } from './list/keys.js';
import { ListPanel } from './list/list-panel.js';
import { PREVIEW_SIDE, Runner } from './list/runner.js';
import { UnsavedMarks } from './list/unsaved.js';
import { type Addition, WorkList } from './list/work-list.js';
import { Presenter } from './presenter.js';
import { SampleStrip } from './sample-strip.js';
import type { Sample } from './samples/index.js';
import { Session, type SessionOptions } from './session.js';
import { Stage } from './stage.js';
import { Tabs } from './tabs.js';
import { TeachPanel } from './teach/teach-panel.js';
import { Styles } from './viewer/style.js';

/** The samples are drawn once the model is there, whose loading wants every processor, or after so long: a download wants none. */
const SAMPLES_PATIENCE_MS = 1_500;

/** The page: one model, a list of images, one of them on the stage. */
export class App {
  readonly #alert = new Alert();
  readonly #session: Session;
  readonly #list = new WorkList(() => this.#render());
  readonly #runner: Runner;
  readonly #panel: ListPanel;
  readonly #stage: Stage;
  readonly #presenter: Presenter;
  readonly #tasks: TaskChooser;
  readonly #samples: SampleStrip;
  readonly #exports: ExportMenu;
  readonly #teach: TeachPanel;
  readonly #unsaved = new UnsavedMarks();
  readonly #header = new HeaderCard();
  #selected: Item | null = null;
  /** DICOM files that are being opened: what cancels it, and how far it is, 0..1. */
  #opening: { cancel: AbortController; share: number } | null = null;
  /** How many series of a modality were listed in this visit. */
  readonly #named = new Map<string, number>();
  /** The kind of image that the reader chose last: new ones are taken to be of it. */
  #kind: string | null = null;
  /** What of the selected image is on the page. */
  #shown = '';
  /** Settles when the selected image is on the stage. */
  #presenting: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#exports = new ExportMenu({
      current: () => this.#selected,
      listed: () => this.#panel.shown,
      model: () => this.#session.model,
      viewer: () => this.#stage.viewer,
      onError: (error) => this.#alert.show(error),
      onListSaved: () => this.#unsaved.settled(),
    });
    this.#stage = new Stage(this.#exports.element, {
      onFiles: (intake) => this.#take(intake),
      onCancel: () => {
        if (this.#opening !== null) this.#opening.cancel.abort();
        else this.#runner.cancel(this.#selected === null ? [] : [this.#selected]);
      },
      onSlice: (at) => this.#toSlice(at),
      onStroke: (stroke, erasing) => this.#teach.paint(stroke, erasing),
      onUndo: () => this.#teach.undo(),
      onBrush: () => this.#presenter.redraw(),
    });
    const styles = new Styles();
    this.#presenter = new Presenter(this.#stage, styles, {
      onKind: (item, kind) => this.#setKind(item, kind),
      over: (item) => this.#teach.over(item),
    });
    this.#tasks = new TaskChooser({
      onChange: () => this.#asked(),
      onAskAll: () => this.#runner.ask(this.#list.items),
    });
    this.#session = new Session(options, {
      onGone: () => this.#runner.interrupt(),
      onReady: (model) => this.#ready(model),
      onMissing: (error) => {
        if (error !== null) this.#alert.show(error);
        this.#render();
      },
    });
    this.#runner = new Runner(this.#list, {
      model: () => this.#session.model,
      tasks: () => this.#tasks.chosen,
      preferred: () => this.#selected,
      onPreview: (item, preview) => this.#previewed(item, preview),
    });
    this.#panel = new ListPanel({
      onAdd: () => this.#stage.pick('files'),
      onAddFolder: () => this.#stage.pick('folder'),
      onSelect: (item) => this.#select(item),
      onMark: (item, mark) => this.#mark(item, mark),
      onDrop: (item) => this.#drop(item),
      onRetry: (item) => {
        if (item.state === 'failed' || item.state === 'cancelled') this.#runner.ask([item]);
        else this.#teach.ask([item]);
      },
      onCancelAll: () => this.#cancel(this.#list.items),
      onClear: () => this.#remove(this.#list.items),
      onCsv: () => this.#exports.csv(),
    });
    this.#samples = new SampleStrip((file, sample) => this.#takeSample(file, sample));
    setTimeout(() => this.#samples.draw(), SAMPLES_PATIENCE_MS);
    this.#teach = new TeachPanel(this.#list, this.#stage, styles, {
      model: () => this.#session.model,
      selected: () => this.#selected,
      onSelect: (item) => this.#select(item),
      onHead: (head) => this.#panel.offerTaught(head),
      onOver: () => this.#presenter.redraw(),
      onError: (error) => this.#alert.show(error),
    });
    const tabs = [
      { label: 'answers.title', panel: 'answers' },
      { label: 'teach.title', panel: 'teach' },
    ] as const;
    new Tabs(byId('tabs'), tabs, (panel) => {
      this.#teach.open = panel === 'teach';
    });
    listenToListKeys({
      onStep: (step) => this.#step(step),
      onMark: (mark) => {
        if (this.#selected !== null) this.#mark(this.#selected, mark);
      },
    });
    this.#render();
  }

  get model(): Model | null {
    return this.#session.model;
  }

  /** Loads the model; whether it is there. */
  async load(): Promise<boolean> {
    await this.#session.load();
    return this.#session.model !== null;
  }

  /** What a bug report needs to know; nothing of the images themselves. */
  state(): { model: Model | null; images: Record<string, number>; lastError: string | null } {
    const images: Record<string, number> = {};
    for (const { state } of this.#list.items) images[state] = (images[state] ?? 0) + 1;
    return { model: this.#session.model, images, lastError: this.#alert.last };
  }

  /** Makes all texts that are not given by key anew, in the current language. */
  refresh(): void {
    this.#session.panel.refresh();
    this.#panel.refresh();
    this.#samples.refresh();
    this.#tasks.refresh();
    this.#stage.toolbar.refresh();
    this.#stage.brushBar.refresh();
    this.#stage.slices.stop();
    this.#teach.render(true);
    this.#shown = '';
    this.#presenter.refresh();
    this.#render();
  }

  #ready(model: Model): void {
    void this.#teach.moveTo(model);
    this.#tasks.offer(model.tasks);
    this.#panel.offer(model.tasks);
    this.#runner.wake();
    // A picture that waited for the model goes first.
    if (this.#list.items.length === 0) this.#samples.draw();
    this.#render();
  }

  #take({ files, dicom, skipped }: Intake): void {
    this.#alert.clear();
    if (skipped > 0) this.#alert.note(t('intake.skipped', { n: skipped }), t('intake.skippedAdvice'));
    this.#add(files.map((file) => ({ file, sample: null })));
    if (dicom.length > 0) void this.#open(dicom, skipped);
  }

  /** Opens DICOM files and archives: each series becomes an entry of the list. */
  async #open(files: readonly File[], skipped: number): Promise<void> {
    this.#opening?.cancel.abort();
    const opening = { cancel: new AbortController(), share: 0 };
    this.#opening = opening;
    this.#render();
    try {
      const opened = await openDicom(files, {
        signal: opening.cancel.signal,
        onProgress: ({ fraction }) => {
          opening.share = fraction;
          this.#render();
        },
      });
      if (this.#opening === opening) this.#opening = null;
      this.#listOpened(opened, skipped);
    } catch (error) {
      if (!opening.cancel.signal.aborted) this.#alert.show(error);
    } finally {
      if (this.#opening === opening) this.#opening = null;
      this.#render();
    }
  }

  #listOpened(opened: DicomFiles, skipped: number): void {
    const { series, failed, others, withoutImage } = opened;
    const images = others.filter(({ name }) => /\.(png|jpe?g)$/i.test(name));
    const passed = skipped + others.length - images.length + withoutImage;
    const [first] = failed;
    if (first !== undefined && failed.length === 1 && series.length === 0 && images.length === 0) this.#alert.show(first.error);
    else if (first !== undefined) this.#alert.note(t('intake.failed', { n: failed.length }), plain(describe(first.error).detail));
    else if (series.length === 0 && images.length === 0) this.#alert.note(t('intake.nothing'), t('intake.nothingAdvice'));
    else if (passed > 0) this.#alert.note(t('intake.skipped', { n: passed }), t('intake.skippedAdvice'));
    const shared = new SharedFiles(opened);
    if (series.length === 0) opened.dispose();
    this.#add([
      ...series.map((one) => {
        const own = new ItemSeries(one, this.#nameOf(one), shared);
        return { file: new File([], own.name), sample: null, series: own, kind: kindOf(one, this.#session.model) };
      }),
      ...images.map((file) => ({ file, sample: null })),
    ]);
  }

  /** "CT 1", "CT 2": nothing of the header but the modality is in a name. */
  #nameOf({ modality }: DicomSeries): string {
    const kind = modality ?? 'DICOM';
    const number = (this.#named.get(kind) ?? 0) + 1;
    this.#named.set(kind, number);
    return `${kind} ${number}`;
  }

  /** Goes to a slice of the series on the stage. */
  async #toSlice(at: number): Promise<void> {
    const item = this.#selected;
    if (item?.series == null || item.series.at === at) return;
    item.series.at = at;
    this.#list.update([item], { report: item.series.report });
    await this.#presenting;
  }

  /** A sample is listed once, however often it is chosen. */
  #takeSample(file: File, sample: Sample): void {
    this.#alert.clear();
    const listed = this.#list.items.find((item) => item.sample === sample);
    if (listed === undefined) this.#add([{ file, sample }]);
    else this.#select(listed);
  }


  #mark(item: Item, mark: Mark): void {
    this.#list.update([item], { mark });
    this.#unsaved.marked();
  }

  /** Goes on in the list as it is shown. */
  #step(step: number): void {
    const { shown } = this.#panel;
    const at = shown.findIndex((item) => item === this.#selected);
    const next = shown[Math.min(Math.max(at + step, 0), shown.length - 1)];
    if (next === undefined || next === this.#selected) return;
    this.#select(next);
    this.#panel.reveal(next);
  }

  #add(additions: readonly Addition[]): void {
    const [first] = this.#list.add(additions, this.#kind);
    if (first !== undefined) this.#select(first);
    this.#runner.wake();
  }

  #select(item: Item): void {
    // Chosen once more, its failure is still to be read.
    if (item !== this.#selected) this.#alert.clearError();
    this.#selected = item;
    this.#render();
  }

  #drop(item: Item): void {
    if (isOpen(item)) this.#cancel([item]);
    else this.#remove([item]);
  }

  /** Stops whatever is being asked about images. */
  #cancel(items: readonly Item[]): void {
    this.#runner.cancel(items);
    this.#teach.cancel(items);
  }

  #remove(items: readonly Item[]): void {
    const gone = [...items];
    this.#runner.cancel(gone);
    for (const item of gone) {
      this.#presenter.forget(item);
      this.#teach.forget(item);
    }
    if (this.#selected !== null && gone.includes(this.#selected)) {
      const rest = this.#panel.shown.filter((item) => !gone.includes(item));
      this.#selected = rest[0] ?? null;
      this.#alert.clearError();
    }
    this.#list.remove(gone);
    if (this.#list.items.length === 0) this.#unsaved.settled();
  }

  /** Other tasks were chosen: the image on the stage is asked again, the others when the reader says so. */
  #asked(): void {
    const item = this.#selected;
    if (item === null) return;
    this.#list.update([item], { report: null });
    // Where no task is left it waits until one is chosen.
    this.#runner.ask([item]);
    this.#shown = '';
    this.#render();
  }

  /** What was never said to be of a kind is taken to be of the same; later choices are for one image alone. */
  #setKind(item: Item, kind: string | null): void {
    const unknown = item.sample === null ? this.#list.items.filter((other) => other.sample === null && other.kind === null) : [];
    if (item.sample === null) this.#kind = kind;
    this.#list.update([item, ...unknown], { kind });
    this.#presenter.kind(item);
  }

  #previewed(item: Item, preview: Preview): void {
    this.#presenter.keep(item, preview);
    this.#shown = '';
    this.#render();
  }

  #render(): void {
    const item = this.#selected;
    this.#panel.render(this.#list.items, item);
    this.#teach.render();
    this.#stage.busy(this.#openingText() ?? (item === null ? null : this.#busyText(item)));
    document.body.dataset['images'] = this.#list.items.length === 0 ? 'none' : 'some';
    this.#header.show(item?.series ?? null);
    const series = item?.series ?? null;
    if (item !== null && series !== null && this.#presenter.shows(item)) this.#stage.caption(item);
    const slice = series === null ? '' : `${series.at} ${series.report !== null} ${series.analysis !== null}`;
    const early = item !== null && item.early !== null;
    const shown = item === null ? 'none' : `${item.id} ${item.state} ${early} ${this.#session.model !== null} ${slice}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (item === null) this.#presenter.nothing(t('answers.empty'));
    else this.#presenting = this.#attempt(item);
  }

  async #attempt(item: Item): Promise<void> {
    const { model } = this.#session;
    try {
      await this.#present(item);
    } catch (error) {
      // What a model that was let go of did not finish is begun anew with the next one.
      if (this.#session.model === model) this.#alert.show(error);
    }
  }

  /** Brings the stage and the answers to where the selected image is. */
  async #present(item: Item): Promise<void> {
    const { model } = this.#session;
    if (item.state === 'failed') {
      this.#presenter.nothing(t('answers.failed'));
      this.#alert.show(item.error);
      return;
    }
    if (item.series !== null) return this.#presentSeries(item, item.series);
    const there = this.#presenter.has(item) || this.#presenter.shows(item);
    if (item.size !== null && !there && model !== null) {
      this.#presenter.keep(item, await model.preview(item.file, { maxSide: PREVIEW_SIDE }));
      if (this.#selected !== item) return;
    }
    if (this.#presenter.has(item)) this.#presenter.picture(item);
    else if (!this.#presenter.shows(item)) this.#presenter.nothing('');
    const answered = item.state === 'done' && item.report !== null;
    if ((answered || item.early !== null) && model !== null) {
      this.#presenter.answers(item, model.metadata);
    } else if (item.report === null) {
      this.#presenter.message(this.#whyNoAnswers(item));
    }
  }

  async #presentSeries(item: Item, series: ItemSeries): Promise<void> {
    const { at } = series;
    const picture = await series.picture(PREVIEW_SIDE);
    if (this.#selected !== item || series.at !== at) return;
    if (item.size === null) this.#list.update([item], { size: { width: picture.width, height: picture.height } });
    this.#presenter.slice(item, picture);
    const { model } = this.#session;
    if (series.report === null) this.#presenter.message(this.#whyNoAnswers(item));
    else if (model !== null) this.#presenter.answers(item, model.metadata);
  }

  #openingText(): string | null {
    return this.#opening === null ? null : t('busy.opening', { share: Math.round(100 * this.#opening.share) });
  }

  #whyNoAnswers(item: Item): string {
    if (this.#tasks.chosen.length === 0 && this.#session.model !== null) return t('answers.noTask');
    if (item.state === 'cancelled') return t('answers.cancelled');
    return this.#busyText(item) ?? t('answers.noModel');
  }

  #busyText(item: Item): string | null {
    if (item.state === 'running') {
      const { series } = item;
      if (series === null || series.length === 1) return t('busy.running');
      return t('busy.slice', { n: Math.min(series.answered + 1, series.length), all: series.length });
    }
    if (item.state !== 'waiting') return null;
    if (this.#session.model !== null) return this.#tasks.chosen.length > 0 ? t('busy.waiting', { name: fileName(item.file) }) : null;
    return this.#session.waiting ? t('busy.model') : null;
  }
}

/** The kind of image that a modality stands for, where the model knows just that one by this name. */
const KINDS: Readonly<Record<string, string>> = { CT: 'CT', MR: 'MRI', US: 'ultrasound', CR: 'radiograph', DX: 'radiograph', RG: 'radiograph', OP: 'fundus photograph' };

function kindOf({ modality }: DicomSeries, model: Model | null): string | null {
  const kind = KINDS[modality ?? ''] ?? null;
  return model === null || model.tasks.some((task) => task.modality === kind) ? kind : null;
}
