import type { Model, RawImage, Report } from '@medley/web';
import {
  analyzeSeries,
  type DicomFiles,
  type DicomSeries,
  type DicomSlice,
  type SeriesAnalysis,
  type SliceAnalysis,
} from '@medley/web/dicom';
import { type Picture, valuePicture, wholePicture } from '../viewer/picture.js';

/** So many bytes of decoded slices are kept: going back and forth, and the cine, decode each once. */
const KEPT_BYTES = 96 * 1024 * 1024;

/** A DICOM series in the work list: which slice is on the stage, and what the model says of each. */
export class ItemSeries {
  readonly series: DicomSeries;
  /** How the page calls it. Nothing of the header but the modality is in it. */
  readonly name: string;
  /** All answers, once the series is done. */
  analysis: SeriesAnalysis | null = null;
  readonly #files: SharedFiles;
  readonly #answers = new Map<number, SliceAnalysis>();
  readonly #pictures = new Map<number, Picture>();
  #at: number;

  constructor(series: DicomSeries, name: string, files: SharedFiles) {
    this.series = series;
    this.name = name;
    this.#files = files;
    files.take();
    // The middle shows most of what there is.
    this.#at = Math.floor((series.slices.length - 1) / 2);
  }

  get length(): number {
    return this.series.slices.length;
  }

  /** The slice on the stage, from 0. */
  get at(): number {
    return this.#at;
  }

  set at(at: number) {
    this.#at = Math.min(Math.max(at, 0), this.length - 1);
  }

  get slice(): DicomSlice {
    return this.#sliceAt(this.#at);
  }

  /** How many slices are answered. */
  get answered(): number {
    return this.#answers.size;
  }

  /** What the model says of the slice on the stage; `null` while it does not. */
  get report(): Report | null {
    return this.#answers.get(this.#at)?.report ?? null;
  }

  /** A slice as the model sees it; without a number the one on the stage. */
  async image(at = this.#at): Promise<RawImage> {
    return { ...(await this.#sliceAt(at).image()), name: this.sliceName(at) };
  }

  sliceName(at: number): string {
    return this.length === 1 ? this.name : `${this.name}, ${at + 1}/${this.length}`;
  }

  /** The slice on the stage for the screen, with its values where it has some. */
  async picture(maxSide: number): Promise<Picture> {
    const { slice } = this;
    const at = this.#at;
    const kept = this.#pictures.get(at);
    if (kept !== undefined) return kept;
    const picture = await pictureOf(slice, maxSide);
    this.#pictures.set(at, picture);
    const bytes = 8 * slice.width * slice.height;
    for (const old of this.#pictures.keys()) {
      if (this.#pictures.size * bytes <= KEPT_BYTES || this.#pictures.size === 1) break;
      this.#pictures.delete(old);
    }
    return picture;
  }

  /** Asks the model about every slice; `onSlice` hears of each answer. */
  async analyze(model: Model, tasks: readonly string[], signal: AbortSignal, onSlice: () => void): Promise<void> {
    this.forgetAnswers();
    this.analysis = await analyzeSeries(model, this.series, {
      tasks,
      signal,
      name: (_, at) => this.sliceName(at),
      onSlice: (analysis, at) => {
        if (signal.aborted) return;
        this.#answers.set(at, analysis);
        onSlice();
      },
    });
  }

  forgetAnswers(): void {
    this.#answers.clear();
    this.analysis = null;
  }

  #sliceAt(at: number): DicomSlice {
    const slice = this.series.slices[at];
    if (slice === undefined) throw new Error(`the series has no slice ${at}`);
    return slice;
  }

  /** The last series of the files that were opened together frees them. */
  release(): void {
    this.#pictures.clear();
    this.forgetAnswers();
    this.#files.leave();
  }
}

/** Files that several series share. */
export class SharedFiles {
  readonly #files: DicomFiles;
  #users = 0;

  constructor(files: DicomFiles) {
    this.#files = files;
  }

  take(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#files.dispose();
  }
}

/** Grey with its values and the file's windows; colours, and grey by a table or a curve, as the file shows it. */
export async function pictureOf(slice: DicomSlice, maxSide: number): Promise<Picture> {
  const { grey, table, unit, windows, width, height } = slice.description;
  const linear = windows.length > 0 ? windows[0]?.shape !== 'sigmoid' : !table;
  if (grey && linear) {
    const values = await slice.values();
    const usable = windows.filter(({ shape }) => shape !== 'sigmoid');
    return valuePicture(values, { windows: usable, unit, maxSide });
  }
  return wholePicture({ width, height, pixels: await slice.render(), values: null });
}
