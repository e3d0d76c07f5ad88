// Written by `MEDLEY_WRITE_TYPES=1 cargo test --workspace --test web_types` from the Rust types; not to be edited.

import type { TaskResult } from './types.js';

/**
 * What a head answers with.
 */
export type TaskKind = "classification" | "segmentation" | "detection";

/**
 * How an image is shown to the encoder; the same in training and in inference.
 */
export type Presentation = { "way": "whole", 
/**
 * Side of the square input, in pixels; a multiple of 32.
 */
size: number, } | { "way": "tiles", 
/**
 * Side of one square tile, in pixels; a multiple of 32.
 */
size: number, 
/**
 * The longer side of the image after scaling, in pixels.
 */
long_side: number, 
/**
 * How many pixels neighbouring tiles share at least; less than `size`.
 */
overlap: number, };

/**
 * One task that a model answers.
 */
export type TaskSpec = { 
/**
 * The name by which the task is asked for, unique in a package.
 */
name: string, 
/**
 * What the head answers with.
 */
kind: TaskKind, 
/**
 * Names of the classes, in the order of the logits. In segmentation class 0 is the background.
 */
classes: Array<string>, 
/**
 * Whether several classes may hold for one image (classification only).
 */
multi_label?: boolean, 
/**
 * The kind of image, in words: "radiograph", "CT", "ultrasound"…
 */
modality: string, 
/**
 * How images of this task are shown to the encoder.
 */
presentation: Presentation, };

/**
 * One measured figure.
 */
export type Quality = { 
/**
 * The task.
 */
task: string, 
/**
 * The split it was measured on: "val" or "test".
 */
split: string, 
/**
 * "macro-f1", "dice", "map50"…
 */
metric: string, 
/**
 * The figure; finite.
 */
value: number, 
/**
 * How many images it was measured on.
 */
n: number, };

/**
 * How a task's logits become probabilities that can be taken at their word.
 */
export type Calibration = { 
/**
 * The task.
 */
task: string, 
/**
 * Logits are divided by it; finite and above 0.
 */
temperature: number, };

/**
 * One data set, and the terms under which it was used.
 */
export type DatasetSource = { 
/**
 * Name in the task database.
 */
name: string, 
/**
 * Licence, as "CC BY 4.0".
 */
licence: string, 
/**
 * Who made it, as its licence asks to be named.
 */
attribution: string, };

/**
 * Where a model comes from.
 */
export type Provenance = { 
/**
 * The data sets it was trained on.
 */
datasets: Array<DatasetSource>, 
/**
 * Version or commit of the code that trained it.
 */
code_version: string, 
/**
 * When it was exported, ISO 8601.
 */
created: string, 
/**
 * The training's configuration and length, as JSON.
 */
training: unknown, };

/**
 * How exactly a device must reproduce the self-test's outputs.
 */
export type SelfTestSpec = { 
/**
 * Largest absolute difference allowed on any output; finite and above 0.
 */
tolerance: number, };

/**
 * Everything in a package but the tensors.
 */
export type Metadata = { 
/**
 * [`FORMAT_VERSION`] of the writer.
 */
format_version: number, 
/**
 * The model's name, as "medley-nano".
 */
name: string, 
/**
 * The encoder's variant, as "nano" or "swin-tiny".
 */
variant: string, 
/**
 * The architecture: `medley_model::ModelConfig`. This crate does not look into it.
 */
model: unknown, 
/**
 * The tasks that the model answers; each has a head of the same name.
 */
tasks: Array<TaskSpec>, 
/**
 * What it was trained on, by which code, how.
 */
provenance: Provenance, 
/**
 * Measured quality, one row per task, split and metric.
 */
quality: Array<Quality>, 
/**
 * Temperatures of classification tasks; 1 where a task is not listed.
 */
calibration: Array<Calibration>, 
/**
 * How exactly the self-test must be met; none before the package was exported.
 */
self_test: SelfTestSpec | null, 
/**
 * [`NOTICE`].
 */
notice: string, };

/**
 * A class and how probable it is.
 */
export type ClassProbability = { 
/**
 * The class.
 */
name: string, 
/**
 * 0..=1, calibrated if the package says how.
 */
probability: number, };

/**
 * A thing found in the picture.
 */
export type DetectedBox = { 
/**
 * `[x0, y0, x1, y1]` in pixels of the source picture.
 */
box: [number, number, number, number], 
/**
 * Name of the class.
 */
class: string, 
/**
 * 0..=1: the square root of class probability times centerness.
 */
score: number, };

/**
 * A mask as a picture.
 */
export type ReportMask = { 
/**
 * Width of the source picture.
 */
width: number, 
/**
 * Height of the source picture.
 */
height: number, 
/**
 * An 8-bit grey PNG in base64; a pixel's value is the index of its class.
 */
png_base64: string, 
/**
 * How many pixels each class has.
 */
pixels: { [key in string]: number }, };

/**
 * Milliseconds of each stage.
 */
export type Timing = { 
/**
 * Scaling and cutting windows.
 */
prepare: number, 
/**
 * The encoder.
 */
encode: number, 
/**
 * Decoders and heads, with the reading of their outputs.
 */
heads: number, 
/**
 * From outputs to results.
 */
finish: number, 
/**
 * All of it, with what lies between.
 */
total: number, };

/**
 * An analysis in the form that leaves the program.
 */
export type Report = { 
/**
 * [`REPORT_FORMAT`].
 */
format: number, 
/**
 * [`NOTICE`]: every export carries it.
 */
notice: string, 
/**
 * Name of the analysed file, as the caller calls it.
 */
file: string, 
/**
 * Name of the model.
 */
model: string, 
/**
 * What computed it, as "cpu" or "webgpu".
 */
backend: string, 
/**
 * One entry per task.
 */
results: TaskResult[], 
/**
 * Where the time went.
 */
timing_ms: Timing, };

/**
 * Share of held-out examples that were answered rightly, with its uncertainty.
 */
export type Estimate = { 
/**
 * Share of right answers, 0..=1.
 */
accuracy: number, 
/**
 * The lower end of Wilson's 95 % interval (Wilson, 1927).
 */
low: number, 
/**
 * Its upper end.
 */
high: number, 
/**
 * How many examples were held out: images, or strokes.
 */
heldOut: number, };
