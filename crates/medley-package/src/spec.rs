//! What a package says of a task: its name, its kind, its classes and how its images are presented.

use serde::{Deserialize, Serialize};

/// What a head answers with.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// One class for the whole image, or several where the task is multi-label.
    Classification,
    /// One class for every pixel; class 0 is the background.
    Segmentation,
    /// Boxes, each with a class and a score.
    Detection,
}

/// How an image is shown to the encoder; the same in training and in inference.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "lowercase", deny_unknown_fields)]
pub enum Presentation {
    /// Scaled until the longer side fills the square, aspect kept, padded right and bottom.
    Whole {
        /// Side of the square input, in pixels; a multiple of 32.
        size: u32,
    },
    /// Scaled to a stated size, then cut into overlapping squares that are blended where they meet.
    Tiles {
        /// Side of one square tile, in pixels; a multiple of 32.
        size: u32,
        /// The longer side of the image after scaling, in pixels.
        long_side: u32,
        /// How many pixels neighbouring tiles share at least; less than `size`.
        overlap: u32,
    },
}

impl Presentation {
    /// Side of the square that the encoder sees, in pixels.
    pub fn size(&self) -> u32 {
        match *self {
            Self::Whole { size } | Self::Tiles { size, .. } => size,
        }
    }
}

/// One task that a model answers.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// The name by which the task is asked for, unique in a package.
    pub name: String,
    /// What the head answers with.
    pub kind: TaskKind,
    /// Names of the classes, in the order of the logits. In segmentation class 0 is the background.
    pub classes: Vec<String>,
    /// Whether several classes may hold for one image (classification only).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "types", ts(as = "Option<bool>", optional))]
    pub multi_label: bool,
    /// The kind of image, in words: "radiograph", "CT", "ultrasound"…
    pub modality: String,
    /// How images of this task are shown to the encoder.
    pub presentation: Presentation,
}
