import { MedleyError } from '../errors.js';
import { maskPixels } from '../masks.js';
import type { Model } from '../model.js';
import type { MaskResult, Report, TaskSpec } from '../types.js';
import type { SeriesAnalysis } from './analyze.js';
import type { ResultContext } from './protocol.js';

/** What is said of a result. */
export interface ResultOptions {
  /** The model that answered: its name, version, digest and self-test go into the object. */
  model: Model;
  /**
   * Leaves out what identifies the patient, by the basic profile of DICOM PS3.15. New identifiers are derived from
   * this word, which is to be kept secret: results of one study belong together if they share it.
   */
  deidentify?: string;
  /** When the result was made; default: now. */
  created?: Date;
  /** Names of the tasks that go into the object; default: all that were answered. */
  tasks?: readonly string[];
  /** Cancels: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What DICOM objects are called on the web. */
const MEDIA_TYPE = 'application/dicom';

/**
 * The masks of a series as a DICOM Segmentation: the object that `medley predict --dicom-seg` writes.
 *
 * @throws {@link MedleyError} `dicom` where no answer is a mask, or slices do not fit together.
 */
export async function toSegmentation(analysis: SeriesAnalysis, options: ResultOptions): Promise<Blob> {
  return write('segmentation', analysis, options);
}

/**
 * All answers of a series as a DICOM Structured Report (TID 1500): the object that `medley predict --dicom-sr` writes.
 *
 * @throws {@link MedleyError} `dicom` where slices do not fit together.
 */
export async function toReport(analysis: SeriesAnalysis, options: ResultOptions): Promise<Blob> {
  return write('report', analysis, options);
}

async function write(
  what: 'segmentation' | 'report',
  { series, slices }: SeriesAnalysis,
  options: ResultOptions,
): Promise<Blob> {
  const { model, deidentify, created = new Date(), tasks, signal } = options;
  if (deidentify === '') throw new MedleyError('dicom', 'to de-identify, give a word that nobody can guess');
  const context: ResultContext = {
    model: model.identity,
    created: Math.floor(created.getTime() / 1000),
    deidentify: deidentify ?? null,
  };
  const { channel } = series;
  const results = await channel.call('begin', null, { signal });
  try {
    for (const { slice, report } of slices) {
      const kept = report.results.filter(
        ({ task, kind }) => (tasks?.includes(task) ?? true) && (what === 'report' || kind === 'segmentation'),
      );
      const masks: Uint8Array[] = [];
      for (const result of kept) if (result.kind === 'segmentation') masks.push(await maskPixels(result));
      const { source, frame } = slice.description;
      const answered = { source, frame, results: kept.map((result) => named(result, model.tasks)), masks };
      await channel.call('add', { results, slice: answered }, { signal, transfer: masks.map(({ buffer }) => buffer) });
    }
    return new Blob([await channel.call('write', { results, what, context }, { signal })], { type: MEDIA_TYPE });
  } finally {
    await channel.call('drop', { results }).catch(() => {});
  }
}

/** A mask carries the names of its classes, in the order of their indices; not its picture. */
function named(result: Report['results'][number], tasks: readonly TaskSpec[]): Report['results'][number] {
  if (result.kind !== 'segmentation') return result;
  const classes = tasks.find(({ name }) => name === result.task)?.classes ?? [];
  return { ...result, mask: { classes } } as unknown as MaskResult;
}
