//! A taught head.

use medley_package::Presentation;
use serde::{Deserialize, Serialize};

use crate::error::HeadError;
use crate::estimate::Estimate;
use crate::ridge::Fitted;
use crate::softmax::softmax;

/// The most classes of a head: the indices of a mask are bytes, and 255 means "ignore".
pub const MAX_CLASSES: usize = 255;

/// What a head answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One class for the whole image.
    Image,
    /// One class for every pixel.
    Pixel,
}

/// What a head is about, and on what it was taught.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    /// What it answers for.
    pub scope: Scope,
    /// Its name.
    pub name: String,
    /// Names of its classes, in the order of the logits; of a pixel head the first is the background.
    pub classes: Vec<String>,
    /// Digest of the encoder and the decoders (`medley_package::Package::shared_digest`).
    pub encoder: String,
    /// How images are shown to the encoder.
    pub presentation: Presentation,
}

impl Lesson {
    /// # Errors
    /// Fewer than two classes, more than [`MAX_CLASSES`], a name that is empty or twice there.
    pub fn check(&self) -> Result<(), HeadError> {
        let refuse = |expected: String, found: String| Err(HeadError::Classes { expected, found });
        if !(2..=MAX_CLASSES).contains(&self.classes.len()) {
            return refuse(format!("2 to {MAX_CLASSES}"), self.classes.len().to_string());
        }
        for (index, class) in self.classes.iter().enumerate() {
            if class.trim().is_empty() {
                return refuse("names".into(), format!("an empty one, the {}.", index + 1));
            }
            if self.classes[..index].contains(class) {
                return refuse("each name once".into(), format!("{class:?} twice"));
            }
        }
        Ok(())
    }
}

/// One linear layer on an encoder's features, taught with a few examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// What it is about.
    pub lesson: Lesson,
    /// Examples of each class: images, or pixels under strokes.
    pub examples: Vec<usize>,
    /// From held-out examples; none where no class had two.
    pub estimate: Option<Estimate>,
    /// `[classes, width]`
    pub(crate) weights: Vec<f32>,
    /// `[classes]`
    pub(crate) bias: Vec<f32>,
}

impl Head {
    /// # Errors
    /// A lesson that cannot be, or with another number of classes than was learned.
    pub fn new(lesson: Lesson, fitted: Fitted) -> Result<Self, HeadError> {
        lesson.check()?;
        if lesson.classes.len() != fitted.bias.len() {
            return Err(HeadError::Classes {
                expected: fitted.bias.len().to_string(),
                found: lesson.classes.len().to_string(),
            });
        }
        let Fitted { weights, bias, counts, estimate, .. } = fitted;
        Ok(Self { lesson, examples: counts, estimate, weights, bias })
    }

    /// Features that it takes.
    pub fn width(&self) -> usize {
        self.weights.len() / self.bias.len().max(1)
    }

    /// # Errors
    /// Taught on another encoder.
    pub fn check_encoder(&self, digest: &str) -> Result<(), HeadError> {
        if self.lesson.encoder == digest {
            return Ok(());
        }
        Err(HeadError::Encoder {
            name: self.lesson.name.clone(),
            expected: digest.into(),
            found: self.lesson.encoder.clone(),
        })
    }

    /// One logit a class.
    ///
    /// # Errors
    /// Features of another length.
    pub fn logits(&self, features: &[f32]) -> Result<Vec<f32>, HeadError> {
        let expected = self.width();
        if features.len() != expected {
            return Err(HeadError::Width { expected, found: features.len() });
        }
        Ok(logits(&self.weights, &self.bias, features))
    }

    /// One probability a class; they add up to 1.
    ///
    /// # Errors
    /// Features of another length.
    pub fn probabilities(&self, features: &[f32]) -> Result<Vec<f32>, HeadError> {
        Ok(softmax(&self.logits(features)?, 1.0))
    }
}

#[cfg(test)]
impl Fitted {
    pub(crate) fn probabilities(&self, features: &[f32]) -> Vec<f32> {
        softmax(&logits(&self.weights, &self.bias, features), 1.0)
    }

    pub(crate) fn answer(&self, features: &[f32]) -> usize {
        let all = self.probabilities(features);
        (0..all.len()).max_by(|&a, &b| all[a].total_cmp(&all[b])).unwrap_or(0)
    }
}

/// Sums in f64: raw features may lie far from zero.
fn logits(weights: &[f32], bias: &[f32], features: &[f32]) -> Vec<f32> {
    let width = features.len();
    weights
        .chunks_exact(width.max(1))
        .zip(bias)
        .map(|(own, bias)| {
            let sum: f64 =
                own.iter().zip(features).map(|(w, v)| f64::from(*w) * f64::from(*v)).sum();
            (sum + f64::from(*bias)) as f32
        })
        .collect()
}
