//! Losses of the three kinds, each scaled so that a blind guess costs about 1.

mod assign;
mod classification;
mod detection;
mod segmentation;

pub use assign::{Assignment, LevelShape, assign};
pub use classification::{cross_entropy, multi_label};
pub use detection::detection_loss;
pub use segmentation::segmentation_loss;
