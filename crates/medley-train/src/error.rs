//! What can go wrong in a run.

use std::path::PathBuf;

/// Why a run did not begin, or ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration cannot be read or does not fit together.
    #[error("configuration {place}: {reason}")]
    Config {
        /// The file, or the part of the configuration.
        place: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// The task database.
    #[error(transparent)]
    Data(#[from] medley_data::DataError),
    /// The shape of the model.
    #[error(transparent)]
    Model(#[from] medley_model::ConfigError),
    /// A request to the model.
    #[error(transparent)]
    Request(#[from] medley_model::ModelError),
    /// Inference, while measuring.
    #[error(transparent)]
    Infer(#[from] medley_infer::InferError),
    /// A loss is no number any more.
    #[error(
        "the loss of task “{task}” is {value} in step {step}; the last checkpoint is unharmed. Lower \
         `learning_rate`, lengthen `warmup` or lower `clip`, then resume"
    )]
    NotFinite {
        /// The task.
        task: String,
        /// The step, from 0.
        step: u64,
        /// The value found.
        value: f32,
    },
    /// A value could not be read back from the device.
    #[error("reading a result from the device failed: {0}")]
    Device(String),
    /// A replica of the model that goes on while another one ended.
    #[error(
        "another device of this training ended, so that this one cannot go on; the last checkpoint is unharmed"
    )]
    Alone,
    /// A file of the run.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong and what to do.
        reason: String,
    },
    /// A file of the run that cannot be written.
    #[error(
        "{}: writing failed: {reason}; make room or allow writing there, then the same command goes on from \
         what was last written, which is unharmed", path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A run that another process trains.
    #[error("{}: another process trains this run; wait for it, stop it, or give the run another name", path.display())]
    Busy {
        /// The run's folder.
        path: PathBuf,
    },
    /// A checkpoint that does not belong to this configuration.
    #[error(
        "{}: the checkpoint was written with another configuration ({what}); start a new run under another \
         name, or restore the old configuration", path.display()
    )]
    ForeignCheckpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// What is asked of a measurement does not fit together.
    #[error("{0}")]
    Protocol(String),
    /// A task to be learned few-shot whose labels the model knows already.
    #[error("task “{task}”: {reason}; its figure would be a leak and not few-shot")]
    Leak {
        /// The task.
        task: String,
        /// How the model knows its labels.
        reason: String,
    },
    /// A few-shot training whose loss is no number any more.
    #[error("{run}: the loss is {value} in step {step}; give a lower --learning-rate")]
    Diverged {
        /// Task, mode, fraction and seed.
        run: String,
        /// The step, from 0.
        step: u64,
        /// The value found.
        value: f32,
    },
}

impl TrainError {
    pub(crate) fn file(path: impl Into<PathBuf>, error: impl std::fmt::Display) -> Self {
        Self::File { path: path.into(), reason: error.to_string() }
    }

    pub(crate) fn write(path: impl Into<PathBuf>, error: impl std::fmt::Display) -> Self {
        Self::Write { path: path.into(), reason: error.to_string() }
    }
}
