import type { ClassesResult, Metadata, Preview, Report } from '@medley/web';
import type { SeriesAnalysis } from '@medley/web/dicom';
import { LOWEST_SCORE } from './answers/box-rows.js';
import { Results } from './answers/results.js';
import type { Item } from './list/item.js';
import type { Stage } from './stage.js';
import type { PaintedOver } from './teach/painter.js';
import { type Layer, makeLayers, type MaskLayer } from './viewer/layers.js';
import { type Picture, wholePicture } from './viewer/picture.js';
import type { Styles } from './viewer/style.js';

/** So many decoded images are kept: going back and forth costs nothing, hundreds would fill the memory. */
const KEPT_PICTURES = 4;

/** Shows one image of the list: on the stage, and its answers beside it. */
export class Presenter {
  readonly #stage: Stage;
  readonly #results = new Results();
  readonly #styles: Styles;
  readonly #pictures = new Map<number, Picture>();
  readonly #onKind: (item: Item, kind: string | null) => void;
  /** What lies over an image in place of the answers. */
  readonly #over: (item: Item) => PaintedOver | null;
  #item: Item | null = null;
  #report: Report | null = null;
  #metadata: Metadata | null = null;
  /** Of the series that the slice on the stage is in. */
  #analysis: SeriesAnalysis | null = null;
  /** The series whose layers the reader has chosen from. */
  #chosenFor: Item | null = null;
  #layers: Layer[] = [];
  #visible = new Set<string>();
  #threshold = LOWEST_SCORE;

  constructor(
    stage: Stage,
    styles: Styles,
    hooks: { onKind: (item: Item, kind: string | null) => void; over: (item: Item) => PaintedOver | null },
  ) {
    this.#stage = stage;
    this.#styles = styles;
    this.#onKind = hooks.onKind;
    this.#over = hooks.over;
  }

  /** Keeps a decoded image. */
  keep(item: Item, preview: Preview): void {
    this.#pictures.set(item.id, wholePicture(preview));
    for (const id of this.#pictures.keys()) {
      if (this.#pictures.size <= KEPT_PICTURES) break;
      this.#pictures.delete(id);
    }
  }

  forget(item: Item): void {
    this.#pictures.delete(item.id);
  }

  has(item: Item): boolean {
    return this.#pictures.has(item.id);
  }

  /** The image on the stage, if it is this one. */
  shows(item: Item): boolean {
    return this.#item === item;
  }

  /** Puts a kept image on the stage; its answers are still to come. */
  picture(item: Item): void {
    const picture = this.#pictures.get(item.id);
    if (picture === undefined || this.#item === item) return;
    this.#item = item;
    this.#report = null;
    this.#layers = [];
    this.#stage.show(item, picture);
    this.redraw();
  }

  /** Puts a slice of a series on the stage; its answers are still to come. */
  slice(item: Item, picture: Picture): void {
    if (this.#item === item) {
      if (this.#stage.viewer.picture === picture) return;
      this.#report = null;
      this.#layers = [];
      this.#stage.next(item, picture);
      this.redraw();
      return;
    }
    this.#item = item;
    this.#report = null;
    this.#chosenFor = null;
    this.#layers = [];
    this.#stage.show(item, picture);
    this.redraw();
  }

  /** Shows no image, and says why there are no answers. */
  nothing(text: string): void {
    this.#item = null;
    this.#stage.clear();
    this.message(text);
  }

  /** Shows no answers, and says why. */
  message(text: string): void {
    this.#report = null;
    this.#layers = [];
    this.#results.placeholder(text);
    this.redraw();
  }

  /** Shows the answers to the image on the stage. */
  answers(item: Item, metadata: Metadata): void {
    const report = item.report ?? item.early;
    const analysis = item.series?.analysis ?? null;
    if (report === null || this.#item !== item) return;
    if (this.#report === report && this.#analysis === analysis) return;
    const fresh = this.#report !== report;
    this.#report = report;
    this.#analysis = analysis;
    this.#metadata = metadata;
    if (fresh) this.#layers = makeLayers(report, metadata.tasks, this.#styles);
    // From slice to slice, and from the first answers to all of them, the reader's choice of what is shown stays.
    if (this.#chosenFor === item) this.refresh();
    else this.kind(item);
    this.#chosenFor = item.series === null && item.early === null ? null : item;
  }

  /**
   * Narrows the answers down. Of one kind every layer is shown (over a sample those that it is meant for), of
   * all kinds none but what is asked for.
   */
  kind(item: Item): void {
    if (this.#item !== item || this.#report === null || this.#metadata === null) return;
    const { kind, sample } = item;
    const ofKind = this.#metadata.tasks.filter((task) => task.modality === kind).map((task) => task.name);
    this.#visible = new Set(sample?.modality === kind ? sample.shows : ofKind);
    this.refresh();
  }

  /** Makes the answers anew, in the current language. */
  refresh(): void {
    const [item, report, metadata] = [this.#item, this.#report, this.#metadata];
    if (item === null) return;
    this.#stage.caption(item);
    if (report === null || metadata === null) return;
    this.#results.show({
      report,
      metadata,
      layers: this.#layers,
      whole: wholeOf(item),
      kind: item.kind,
      early: report === item.early,
      isVisible: (task) => this.#visible.has(task),
      onKind: (kind) => this.#onKind(item, kind),
      onVisible: (task, visible) => {
        if (visible) this.#visible.add(task);
        else this.#visible.delete(task);
        this.redraw();
      },
      onStyle: () => this.redraw(),
      threshold: this.#threshold,
      onThreshold: (threshold) => {
        this.#threshold = threshold;
        this.redraw();
      },
    });
    this.redraw();
  }

  /** Draws what lies over the image on the stage anew. */
  redraw(): void {
    const over = this.#item === null ? null : this.#over(this.#item);
    const layers = over?.layers ?? this.#layers.filter((layer) => this.#visible.has(layer.task));
    this.#results.countBoxes(this.#threshold);
    this.#stage.viewer.setBrush(over?.brush ?? null);
    this.#stage.viewer.setLook({ layers, threshold: this.#threshold });
    void this.#load(layers.filter((layer) => layer.kind === 'mask'));
  }

  /** Unpacks the masks that are shown, one after the other, and draws each. */
  async #load(layers: readonly MaskLayer[]): Promise<void> {
    for (const layer of layers) {
      if (layer.loaded) continue;
      await layer.load();
      if (this.#stage.viewer.look.layers.includes(layer)) this.#stage.viewer.setLook(this.#stage.viewer.look);
    }
  }
}

/** The classes of a series of several slices, once all of them are answered. */
function wholeOf({ series }: Item): { classes: readonly ClassesResult[]; slices: number } | null {
  if (series === null || series.length < 2 || series.analysis === null) return null;
  return { classes: series.analysis.classes, slices: series.length };
}
