/** What analyses are made of. What Rust writes as JSON is in `rust-types.ts`; here is what is only here. */

import type { BackendKind } from './device.js';
import type { ClassProbability, DetectedBox, Report, ReportMask } from './rust-types.js';

export type * from './rust-types.js';

/** The classes of one image, in the order of the task's class list. */
export interface ClassesResult {
  /** The task. */
  task: string;
  /** What the task answers with. */
  kind: 'classification';
  /** Their probabilities; they add up to 1 unless several may hold at once. */
  classes: ClassProbability[];
}

/** A class for every pixel of the image. */
export interface MaskResult {
  /** The task. */
  task: string;
  /** What the task answers with. */
  kind: 'segmentation';
  /** As a PNG, with the area of each class. */
  mask: ReportMask;
}

/** Boxes, highest score first. */
export interface BoxesResult {
  /** The task. */
  task: string;
  /** What the task answers with. */
  kind: 'detection';
  /** In pixels of the image. */
  boxes: DetectedBox[];
}

/** The answer to one task; `kind` says which it is. */
export type TaskResult = ClassesResult | MaskResult | BoxesResult;

/** A mask as pixels. */
export interface Mask {
  /** In pixels, the image's own. */
  width: number;
  /** In pixels, the image's own. */
  height: number;
  /** Class index per pixel, row by row. */
  indices: Uint8Array;
}

/** What {@link Model.analyze} answers with. */
export interface Analysis {
  /** All answers, as `medley predict --json` prints them. */
  report: Report;
  /** The masks of the segmentation tasks, by task name. */
  masks: Record<string, Mask>;
  /** One vector per image, to compare or to train on: mean and deviation of each channel of the encoder's first three maps. */
  embedding: Float32Array;
  /** How the other backend answers the same image, where `verify` was asked for. */
  verification?: Verification;
}

/** Two backends' answers to one image, compared. */
export type Verification =
  | {
      /** The other backend answered too. */
      ran: true;
      /** What answered, and what it was compared with. */
      backends: [BackendKind, BackendKind];
      /** One entry per task, in the order of the results. */
      heads: HeadDifference[];
    }
  | {
      /** It could not be had. */
      ran: false;
      /** Why not. */
      reason: string;
    };

/** The largest difference between two backends' answers of one task. */
export interface HeadDifference {
  /** The task. */
  task: string;
  /**
   * What `difference` is of: the probability of a class, the share of pixels whose class differs, or the
   * score of a box that both found; `missing` where one of them did not answer.
   */
  measure: 'probability' | 'pixels' | 'score' | 'missing';
  /** 0..1, the largest of the image. */
  difference: number;
  /** Boxes that only one of them found (detection only); those near the display threshold come and go. */
  unmatched?: number;
}

