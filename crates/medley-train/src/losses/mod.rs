//! Losses of the three kinds, each scaled so that a blind guess costs about 1.

mod assign;
mod classification;
mod detection;
mod relations;
mod resize;
mod segmentation;
mod views;

pub use assign::{Assignment, LevelShape, assign};
pub use classification::{Label, cross_entropy, multi_label};
pub use detection::detection_loss;
pub(crate) use detection::{DetectionParts, detection_parts};
pub use relations::relations;
pub use segmentation::segmentation_loss;
pub use views::agreement_of_views;
