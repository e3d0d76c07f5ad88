//! Measures a model on a split of a task, through the same steps as every user's image.

use medley_data::{Example, IGNORE, Split, Target};
use medley_infer::{AnalyzeOptions, EVALUATION_THRESHOLD, Medley, Output};
use medley_package::{Presentation, TaskKind, TaskSpec};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::metrics::{
    Answered, Detected, DiceTally, PooledDice, Truth, calibration_error, macro_f1,
    mean_average_precision, temperature,
};

/// Overlap from which a box counts as found.
const LEAST_IOU: f32 = 0.5;

/// One figure; also a row of `medley evaluate --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The task.
    pub task: String,
    /// "train", "val" or "test".
    pub split: String,
    /// "macro-f1", "accuracy", "calibration-error", "dice", "dice-pooled" or "map50".
    pub metric: String,
    /// The figure, 0..1.
    pub value: f64,
    /// Images measured.
    pub n: usize,
}

/// What was found of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The figures, the main one first.
    pub scores: Vec<Score>,
    /// The temperature at which the probabilities of a classification fit these examples best, with that which the package has
    /// already in it; none of other kinds of tasks, of labels that do not exclude each other, and of pictures in tiles, whose
    /// probabilities are a mean.
    pub temperature: Option<f64>,
}

/// Measures `task` on `examples`. `progress` hears of the number of images done and may end it by
/// answering false; the figures are then those of the images done.
///
/// # Errors
/// An image or mask that cannot be read.
pub fn evaluate(
    model: &Medley,
    task: &TaskSpec,
    examples: &[Example],
    split: Split,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Evaluation, TrainError> {
    let common = CommonClasses::same(task.classes.len());
    let Measured { mut figures, n, answers } = measure(model, task, &common, examples, progress)?;
    let exclusive = task.kind == TaskKind::Classification && !task.multi_label;
    if exclusive {
        figures.push(("calibration-error", calibration_error(&answers)));
    }
    let score = |(metric, value): (&'static str, f64)| Score {
        task: task.name.clone(),
        split: split.name().to_owned(),
        metric: metric.to_owned(),
        value,
        n,
    };
    let whole = matches!(task.presentation, Presentation::Whole { .. });
    let had = model.metadata().temperature(&task.name);
    let temperature = if exclusive && whole { temperature(&answers, had) } else { None };
    Ok(Evaluation { scores: figures.into_iter().map(score).collect(), temperature })
}

/// The classes in which answers and labels are compared, where those of the model and of the examples differ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CommonClasses {
    /// How many there are; the background of a mask is class 0.
    pub(crate) count: usize,
    /// The common class of each class that the model answers. Of several with one common class the
    /// probabilities add up; a class with none is no answer (the background in a mask).
    pub(crate) answers: Vec<Option<usize>>,
    /// The common class of each class of the examples' labels. Images, pixels and boxes of a class with
    /// none do not count.
    pub(crate) labels: Vec<Option<usize>>,
}

impl CommonClasses {
    /// Model and examples have the same classes.
    pub(crate) fn same(classes: usize) -> Self {
        let all: Vec<Option<usize>> = (0..classes).map(Some).collect();
        Self { count: classes, answers: all.clone(), labels: all }
    }
}

/// What [`measure`] found.
pub(crate) struct Measured {
    /// The figures of the task, the main one first.
    pub(crate) figures: Vec<(&'static str, f64)>,
    /// The number of images measured.
    pub(crate) n: usize,
    /// Answers of a classification.
    pub(crate) answers: Vec<Answered>,
}

/// What [`evaluate`] does, in common classes.
pub(crate) fn measure(
    model: &Medley,
    task: &TaskSpec,
    common: &CommonClasses,
    examples: &[Example],
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Measured, TrainError> {
    let classes = common.count;
    let options = AnalyzeOptions {
        tasks: Some(vec![task.name.clone()]),
        score_threshold: EVALUATION_THRESHOLD,
        ..AnalyzeOptions::default()
    };
    let mut answers = Vec::new();
    let mut dice = DiceTally::new(classes);
    let mut pooled = PooledDice::new(classes);
    let mut found = Vec::new();
    let mut there = Vec::new();
    let mut done = 0;
    for (image, example) in examples.iter().enumerate() {
        let picture = example.read_image()?;
        let analysis = pollster::block_on(model.analyze(&picture, &options))?;
        for result in analysis.results {
            match (result.output, &example.target) {
                (Output::Classes(answer), Target::Class(truth)) => {
                    let Some(truth) = common.labels.get(*truth).copied().flatten() else {
                        continue;
                    };
                    let mut sums = vec![0.0; classes];
                    for (answer, class) in answer.iter().zip(&common.answers) {
                        if let Some(class) = class {
                            sums[*class] += answer.probability;
                        }
                    }
                    answers.push(Answered { probabilities: sums, truth });
                }
                (Output::Mask(answer), Target::Mask(_)) => {
                    let mut truth = example.read_mask(common.labels.len())?.unwrap_or_default();
                    let mut answer = answer.indices;
                    rename(&mut truth, &common.labels, IGNORE);
                    rename(&mut answer, &common.answers, 0);
                    dice.add(&truth, &answer);
                    pooled.add(&truth, &answer);
                }
                (Output::Boxes(answer), Target::Boxes(truth)) => {
                    there.extend(truth.iter().filter_map(|&[x0, y0, x1, y1, class]| {
                        let class = common.labels.get(class as usize).copied().flatten()?;
                        Some(Truth { image, bbox: [x0, y0, x1, y1], class })
                    }));
                    found.extend(answer.iter().filter_map(|answer| {
                        let class = common.answers.get(answer.class_index).copied().flatten()?;
                        Some(Detected { image, bbox: answer.bbox, class, score: answer.score })
                    }));
                }
                _ => {}
            }
        }
        done = image + 1;
        if !progress(done) {
            break;
        }
    }
    let figures = match task.kind {
        TaskKind::Classification => {
            let pairs: Vec<(usize, usize)> =
                answers.iter().map(|answer| (answer.truth, answer.class())).collect();
            classification_figures(&pairs, classes)
        }
        TaskKind::Segmentation => {
            vec![("dice", dice.value()), ("dice-pooled", pooled.value())]
        }
        TaskKind::Detection => {
            vec![("map50", mean_average_precision(&found, &there, classes, LEAST_IOU))]
        }
    };
    Ok(Measured { figures, n: done, answers })
}

/// The figures of classification. `pairs`: (truth, answer).
pub(crate) fn classification_figures(
    pairs: &[(usize, usize)],
    classes: usize,
) -> Vec<(&'static str, f64)> {
    let right = pairs.iter().filter(|(truth, answer)| truth == answer).count();
    vec![
        ("macro-f1", macro_f1(pairs, classes)),
        ("accuracy", right as f64 / pairs.len().max(1) as f64),
    ]
}

/// Class numbers of pixels in common classes; `other` for those without one.
fn rename(mask: &mut [u8], classes: &[Option<usize>], other: u8) {
    for pixel in mask {
        let class = classes.get(usize::from(*pixel)).copied().flatten();
        // A mask's classes are below 255.
        *pixel = class.map_or(other, |class| class as u8);
    }
}
