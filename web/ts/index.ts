/**
 * Medley in the browser: one encoder pass over an image, and every asked-for task answers.
 *
 * ```ts
 * import { loadModel } from '@medley/web';
 *
 * const model = await loadModel('/models/medley-nano/', { onProgress: (p) => bar.value = p.fraction });
 * const { report, masks } = await model.analyze(file, { tasks: ['lungs'] });
 * ```
 *
 * Everything runs in a worker on the user's own device; no request carries pixels or results.
 * Research use only. Not for diagnostic use.
 *
 * @packageDocumentation
 */

export { MedleyError, type MedleyErrorCode } from './errors.js';
export { loadModel, type LoadOptions } from './load.js';
export { type AnalyzeOptions, Model, type Preview } from './model.js';
export { clearCache } from './cache.js';
export type { ImageInput } from './images.js';
export type { Progress, ProgressPhase } from './progress.js';
export type { Backend, BackendKind, DeviceChoice } from './device.js';
export type {
  Analysis,
  BoxesResult,
  ClassesResult,
  ClassProbability,
  DetectedBox,
  Mask,
  MaskResult,
  Metadata,
  Presentation,
  Quality,
  Report,
  TaskKind,
  TaskResult,
  TaskSpec,
  Timing,
} from './types.js';

/** What must be visible wherever an answer of a Medley model is shown. */
export const NOTICE = 'Research use only. Not for diagnostic use.';
