import type { BackendKind } from './device.js';

/** What a head answers with. */
export type TaskKind = 'classification' | 'segmentation' | 'detection';

/** How an image is shown to the encoder. */
export type Presentation =
  | { way: 'whole'; size: number }
  | { way: 'tiles'; size: number; long_side: number; overlap: number };

/** One task that a model answers. */
export interface TaskSpec {
  /** The name by which the task is asked for. */
  name: string;
  kind: TaskKind;
  /** In the order of the answers; in segmentation class 0 is the background. */
  classes: string[];
  /** Whether several classes may hold for one image (classification only). */
  multi_label?: boolean;
  /** The kind of image, in words: "radiograph", "CT", "ultrasound"… An answer about another kind means nothing. */
  modality: string;
  presentation: Presentation;
}

/** What a task measured on held-out images. */
export interface Quality {
  task: string;
  /** "val" or "test". */
  split: string;
  /** "macro-f1", "dice" or "map50". */
  metric: string;
  /** 0..1, higher is better. */
  value: number;
  /** How many images the figure was measured on. */
  n: number;
}

/** What a package says of itself. */
export interface Metadata {
  format_version: number;
  name: string;
  variant: string;
  tasks: TaskSpec[];
  provenance: {
    datasets: { name: string; licence: string; attribution: string }[];
    code_version: string;
    created: string;
  };
  quality: Quality[];
  notice: string;
}

export interface ClassProbability {
  name: string;
  /** 0..1; over the classes of a task they add up to 1 unless it is multi-label. */
  probability: number;
}

/** The classes of one image, in the order of the task's class list. */
export interface ClassesResult {
  task: string;
  kind: 'classification';
  classes: ClassProbability[];
}

/** A class for every pixel of the image. */
export interface MaskResult {
  task: string;
  kind: 'segmentation';
  mask: {
    /** The image's own size, in pixels. */
    width: number;
    height: number;
    /** The mask as an 8-bit PNG of class indices, base64. */
    png_base64: string;
    /** How many pixels each class has. */
    pixels: Record<string, number>;
  };
}

export interface DetectedBox {
  /** `[x0, y0, x1, y1]` in pixels of the image, origin top left. */
  box: [number, number, number, number];
  /** The class's name. */
  class: string;
  /** 0..1. */
  score: number;
}

/** Boxes, highest score first. */
export interface BoxesResult {
  task: string;
  kind: 'detection';
  boxes: DetectedBox[];
}

export type TaskResult = ClassesResult | MaskResult | BoxesResult;

/** Milliseconds per stage. */
export interface Timing {
  /** Scaling and cutting windows. */
  prepare: number;
  /** The encoder. */
  encode: number;
  /** Decoders and heads. */
  heads: number;
  /** From outputs to results. */
  finish: number;
  /** All of it. */
  total: number;
}

/** The same object that `medley predict --json` prints for the same image. */
export interface Report {
  /** Version of this form. */
  format: number;
  /** "Research use only. Not for diagnostic use." */
  notice: string;
  /** Name of the image, or "" where it has none. */
  file: string;
  model: string;
  backend: string;
  results: TaskResult[];
  /** Where the time went, in milliseconds. */
  timing_ms: Timing;
}

/** A mask as pixels. */
export interface Mask {
  width: number;
  height: number;
  /** Class index per pixel, row by row. */
  indices: Uint8Array;
}

/** What {@link Model.analyze} answers with. */
export interface Analysis {
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
      ran: true;
      /** What answered, and what it was compared with. */
      backends: [BackendKind, BackendKind];
      /** One entry per task, in the order of the results. */
      heads: HeadDifference[];
    }
  | {
      ran: false;
      /** Why the other backend could not be had. */
      reason: string;
    };

/** The largest difference between two backends' answers of one task. */
export interface HeadDifference {
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

/** The share of held-out examples that were answered rightly, with its uncertainty. */
export interface Estimate {
  /** 0..1. */
  accuracy: number;
  /** The lower end of Wilson's 95 % interval. */
  low: number;
  /** Its upper end. */
  high: number;
  /** How many examples were held out: images, or strokes. */
  heldOut: number;
}
