//! Multi-task training of Medley: losses, loops, checkpoints, metrics. Native only.
//!
//! [`Trainer`] runs a [`TrainConfig`] over a task database; [`evaluate`] measures a model on a
//! split through the same steps as a user's image takes; [`few_shot`] measures how little data a
//! task needs that pretraining never saw.

mod average;
mod checkpoint;
mod config;
mod error;
mod evaluate;
pub mod few_shot;
mod files;
pub mod losses;
pub mod metrics;
mod schedule;
mod step;
mod trainer;

pub use checkpoint::{Checkpoint, RunState};
pub use config::{OptimizerConfig, TaskConfig, TrainConfig, Variant, Way};
pub use error::TrainError;
pub use evaluate::{Score, evaluate};
pub use trainer::{Observer, Outcome, StepReport, Trainer};
