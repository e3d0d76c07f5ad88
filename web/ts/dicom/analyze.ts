import type { Model } from '../model.js';
import type { ClassesResult, Report } from '../types.js';
import { MedleyError } from '../errors.js';
import type { AnsweredSlice } from './protocol.js';
import type { DicomSeries, DicomSlice } from './series.js';

/** What a model says of one slice. */
export interface SliceAnalysis {
  /** The slice that it is about. */
  slice: DicomSlice;
  /** As `medley predict --json` prints it; masks are in it as small PNGs. */
  report: Report;
  /** See `Analysis.embedding`. */
  embedding: Float32Array;
}

/** What a model says of a series. */
export interface SeriesAnalysis {
  /** The series that it is about. */
  series: DicomSeries;
  /** One entry for each slice, in their order. */
  slices: readonly SliceAnalysis[];
  /** Classes of the series as a whole: the means over its slices. */
  classes: ClassesResult[];
  /** The mean of the slices' embeddings. */
  embedding: Float32Array;
}

/** What to ask of a series. */
export interface SeriesOptions {
  /** Names of the tasks to answer; default: all of the model's. */
  tasks?: readonly string[];
  /** What reports call a slice; default: the name of its file. */
  name?: (slice: DicomSlice, index: number) => string;
  /** Cancels: the promise rejects at once with the signal's reason. */
  signal?: AbortSignal;
  /** Called before the first slice and as the work goes on. */
  onProgress?: (progress: SeriesProgress) => void;
  /** Called with each slice's answers as soon as they are known. */
  onSlice?: (analysis: SliceAnalysis, index: number) => void;
}

/** How far a series has come. */
export interface SeriesProgress {
  /** Slices that are done. */
  done: number;
  /** Slices of the series. */
  total: number;
  /** 0..1, within a slice too. */
  fraction: number;
}

/**
 * Answers about a series slice by slice, each as its file shows it first. Probabilities and embeddings are pooled over
 * the slices as the command line does. Everything stays on this device.
 *
 * @throws {@link MedleyError}; the first slice that fails ends it.
 */
export async function analyzeSeries(
  model: Model,
  series: DicomSeries,
  options: SeriesOptions = {},
): Promise<SeriesAnalysis> {
  const { tasks, name = ({ file }) => file, signal, onProgress, onSlice } = options;
  const total = series.slices.length;
  const slices: SliceAnalysis[] = [];
  onProgress?.({ done: 0, total, fraction: 0 });
  for (const slice of series.slices) {
    const image = await slice.image({ signal });
    const done = slices.length;
    const { report, embedding } = await model.analyze(
      { ...image, name: name(slice, done) },
      {
        ...(tasks === undefined ? {} : { tasks }),
        ...(signal === undefined ? {} : { signal }),
        onProgress: ({ fraction }) => onProgress?.({ done, total, fraction: (done + fraction) / total }),
      },
    );
    const analysis = { slice, report, embedding };
    slices.push(analysis);
    onSlice?.(analysis, done);
    onProgress?.({ done: slices.length, total, fraction: slices.length / total });
  }
  return pooled(series, slices, signal);
}

/** The answers of a series as a whole, from those of its slices. */
async function pooled(
  series: DicomSeries,
  slices: readonly SliceAnalysis[],
  signal: AbortSignal | undefined,
): Promise<SeriesAnalysis> {
  const width = slices[0]?.embedding.length ?? 0;
  if (width === 0) throw new MedleyError('dicom', 'the series has no slice');
  const embeddings = new Float32Array(width * slices.length);
  slices.forEach(({ embedding }, i) => embeddings.set(embedding, i * width));
  const answered = slices.map(
    ({ slice: { description }, report }): AnsweredSlice => ({
      source: description.source,
      frame: description.frame,
      results: report.results.filter(({ kind }) => kind === 'classification'),
      masks: [],
    }),
  );
  const { classes, embedding } = await series.channel.call(
    'pool',
    { slices: answered, embeddings, count: slices.length },
    { signal },
  );
  return {
    series,
    slices,
    classes: classes.map((entry) => ({ ...entry, kind: 'classification' })),
    embedding,
  };
}
