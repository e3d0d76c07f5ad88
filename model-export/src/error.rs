//! Why a model was not exported.

use medley_infer::InferError;
use medley_model::ConfigError;
use medley_package::PackageError;
use thiserror::Error;

/// Why a model was not exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A weight that could not be read from the model.
    #[error("weight {name}: expected 32-bit floats, found: {found}; export a trained float model")]
    Weight {
        /// The weight's path in the model.
        name: String,
        /// What was found.
        found: String,
    },

    /// The configuration describes no model.
    #[error("the model's configuration: {0}")]
    Config(#[from] ConfigError),

    /// The architecture could not be written as JSON.
    #[error("the model's configuration could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),

    /// The package would be refused by its readers.
    #[error("the package cannot be made: {0}")]
    Package(#[from] PackageError),

    /// The package does not load, or its tasks and heads do not match, or it does not run.
    #[error("the exported model does not run: {0}")]
    Run(#[from] InferError),

    /// The package has no ONNX graph.
    #[error("no ONNX graph can be written: {reason}")]
    Onnx {
        /// What is missing or not known.
        reason: String,
    },

    /// The package, read back, answers otherwise than it should.
    #[error(
        "self-test of task {task}: expected answers within {tolerance}, found {worst} off; the \
         device or the reader computes wrongly: report this"
    )]
    SelfTest {
        /// The task with the largest difference.
        task: String,
        /// The difference allowed.
        tolerance: f64,
        /// The difference found.
        worst: f64,
    },
}
