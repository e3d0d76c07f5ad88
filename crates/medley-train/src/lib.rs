//! Multi-task training of Medley: losses, loops, checkpoints, metrics. Native only.
//!
//! [`Trainer`] runs a [`TrainConfig`] over a task database; [`evaluate`] measures a model on a
//! split through the same steps as a user's image takes; [`few_shot`] measures how little data a
//! task needs that pretraining never saw.

mod agreement;
#[cfg(test)]
mod alone;
mod average;
mod beside;
mod checkpoint;
mod config;
mod crew;
mod error;
mod evaluate;
mod exchange;
pub mod few_shot;
mod files;
mod lock;
mod log;
pub mod losses;
pub mod metrics;
mod optimizer;
mod packaged;
mod plot;
mod preset;
mod quietly;
mod replica;
mod schedule;
mod step;
mod trainer;
mod warm_start;

pub use agreement::{Agreement, COMPARED_VARIANTS, agreement};
pub use checkpoint::{Checkpoint, RunState};
pub use config::{
    DistillationConfig, OptimizerConfig, SelfSupervisionConfig, TaskConfig, TrainConfig, Variant,
    WarmStartConfig, Way,
};
pub use error::TrainError;
pub use evaluate::{Evaluation, Score, evaluate};
pub use lock::is_training;
pub use log::History;
pub use optimizer::adamw;
pub use preset::PRESETS;
pub use quietly::quietly;
pub use trainer::{Observer, Outcome, StepReport, Trainer};
