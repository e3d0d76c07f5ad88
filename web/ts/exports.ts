/** What both entries of the package export. */

export { cacheSize, clearCache } from './cache.js';
export type { Detail, DetailCode, DetailValue } from './detail.js';
export type { Backend, BackendKind, DeviceChoice } from './device.js';
export type { BackendChange, ModelEvents } from './engine.js';
export { MedleyError, type MedleyErrorCode } from './errors.js';
export { ImageHead, type Lesson, PixelHead } from './head.js';
export type { ImageInput, RawImage } from './images.js';
export { maskPixels } from './masks.js';
export { type AnalyzeOptions, type CallOptions, Model, type ModelIdentity, type Preview, type PreviewOptions, type PreviewValues } from './model.js';
export { NOTICE } from './notice.js';
export type { AssetUrls, LoadOptions } from './options.js';
export type { Progress, ProgressPhase } from './progress.js';
export { type BrowserFacts, DiagnosticReport } from './report.js';
export type {
  Analysis,
  BoxesResult,
  ClassesResult,
  Calibration,
  ClassProbability,
  DatasetSource,
  DetectedBox,
  Estimate,
  HeadDifference,
  Mask,
  MaskResult,
  Metadata,
  Presentation,
  Provenance,
  Quality,
  Report,
  ReportMask,
  SelfTestSpec,
  TaskKind,
  TaskResult,
  TaskSpec,
  Timing,
  Verification,
} from './types.js';
export { VERSION } from './version.js';
