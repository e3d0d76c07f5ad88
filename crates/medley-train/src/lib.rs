//! Multi-task training of Medley: losses, loops, checkpoints, metrics. Native only.
//!
//! [`Trainer`] runs a [`TrainConfig`] over a task database; [`evaluate`] measures a model on a
//! split through the same steps as a user's image takes.

mod average;
mod checkpoint;
mod config;
mod error;
mod evaluate;
mod files;
mod lock;
mod log;
pub mod losses;
pub mod metrics;
mod plot;
mod preset;
mod step;
mod trainer;

pub use checkpoint::{Checkpoint, RunState};
pub use config::{OptimizerConfig, TaskConfig, TrainConfig, Variant, Way};
pub use error::TrainError;
pub use evaluate::{Score, evaluate};
pub use lock::is_training;
pub use log::History;
pub use preset::PRESETS;
pub use trainer::{Observer, Outcome, StepReport, Trainer};
