//! Measures a model on a split of a task, through the same steps as every user's image.

use medley_data::{Example, Split, Target};
use medley_infer::{AnalyzeOptions, EVALUATION_THRESHOLD, Medley, Output};
use medley_package::{TaskKind, TaskSpec};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::metrics::{Detected, DiceTally, PooledDice, Truth, macro_f1, mean_average_precision};

/// Overlap from which a box counts as found.
const LEAST_IOU: f32 = 0.5;

/// One figure; also a row of `medley evaluate --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The task.
    pub task: String,
    /// "train", "val" or "test".
    pub split: String,
    /// "macro-f1", "accuracy", "dice", "dice-pooled" or "map50".
    pub metric: String,
    /// The figure, 0..1.
    pub value: f64,
    /// Images measured.
    pub n: usize,
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
) -> Result<Vec<Score>, TrainError> {
    let classes = task.classes.len();
    let options = AnalyzeOptions {
        tasks: Some(vec![task.name.clone()]),
        score_threshold: EVALUATION_THRESHOLD,
        ..AnalyzeOptions::default()
    };
    let mut pairs = Vec::new();
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
                    let best = answer
                        .iter()
                        .enumerate()
                        .max_by(|a, b| a.1.probability.total_cmp(&b.1.probability))
                        .map_or(0, |(class, _)| class);
                    pairs.push((*truth, best));
                }
                (Output::Mask(answer), Target::Mask(_)) => {
                    let truth = example.read_mask(classes)?.unwrap_or_default();
                    dice.add(&truth, &answer.indices);
                    pooled.add(&truth, &answer.indices);
                }
                (Output::Boxes(answer), Target::Boxes(truth)) => {
                    there.extend(truth.iter().map(|&[x0, y0, x1, y1, class]| Truth {
                        image,
                        bbox: [x0, y0, x1, y1],
                        class: class as usize,
                    }));
                    found.extend(answer.iter().filter_map(|answer| {
                        let class = task.classes.iter().position(|name| *name == answer.class)?;
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
    let figures: Vec<(&str, f64)> = match task.kind {
        TaskKind::Classification => {
            let right = pairs.iter().filter(|(truth, answer)| truth == answer).count();
            vec![
                ("macro-f1", macro_f1(&pairs, classes)),
                ("accuracy", right as f64 / pairs.len().max(1) as f64),
            ]
        }
        TaskKind::Segmentation => {
            vec![("dice", dice.value()), ("dice-pooled", pooled.value())]
        }
        TaskKind::Detection => {
            vec![("map50", mean_average_precision(&found, &there, classes, LEAST_IOU))]
        }
    };
    Ok(figures
        .into_iter()
        .map(|(metric, value)| Score {
            task: task.name.clone(),
            split: split.name().to_owned(),
            metric: metric.to_owned(),
            value,
            n: done,
        })
        .collect())
}
