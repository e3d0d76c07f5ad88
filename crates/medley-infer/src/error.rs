//! What can go wrong between a package and an answer.

use medley_head::HeadError;
use medley_model::{ConfigError, ModelError};
use thiserror::Error;

/// Why a model was not loaded or a picture not analysed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InferError {
    /// The description of the architecture is not one that this version knows.
    #[error(
        "metadata.model: {reason}; use the version of Medley that wrote the package, or export it again"
    )]
    Architecture {
        /// What is wrong with it.
        reason: String,
    },
    /// The architecture describes no possible model.
    #[error("metadata.model: {0}")]
    Config(#[from] ConfigError),
    /// A task without a head, or with one that does not fit it.
    #[error("task {task}: expected a {expected}, found {found}; export the package again")]
    Head {
        /// The task.
        task: String,
        /// Kind and classes that the task asks for.
        expected: String,
        /// Kind and classes of the head, or "no head".
        found: String,
    },
    /// The architecture has a weight that the package does not hold.
    #[error(
        "tensor {name}: expected shape {shape:?}, found no such tensor; export the package again"
    )]
    MissingTensor {
        /// The weight's path in the model.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The package holds a tensor that the architecture has no place for.
    #[error(
        "tensor {name}: the model has no such weight; the architecture in the metadata does not fit the weights: export the package again"
    )]
    UnusedTensor {
        /// The tensor.
        name: String,
    },
    /// A tensor of another shape than the weight.
    #[error(
        "tensor {name}: expected shape {expected:?}, found {found:?}; export the package again"
    )]
    TensorShape {
        /// The tensor.
        name: String,
        /// The weight's shape.
        expected: Vec<usize>,
        /// The tensor's.
        found: Vec<usize>,
    },
    /// A tensor could not become a weight for another reason.
    #[error("tensor {name}: {reason}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What the loader says.
        reason: String,
    },
    /// Tasks that the model does not have.
    #[error("no task {name:?}; this model has: {}", existing.join(", "))]
    UnknownTask {
        /// The name asked for.
        name: String,
        /// The names that exist.
        existing: Vec<String>,
    },
    /// The score threshold is no probability.
    #[error("score threshold: expected a number in 0..=1, found {found}")]
    Threshold {
        /// The value given.
        found: f32,
    },
    /// A head that was taught with examples cannot be used.
    #[error(transparent)]
    Taught(#[from] HeadError),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// The model cannot answer the request.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device failed to compute or to hand back a result.
    #[error("the device failed while computing {what}: {reason}; try another device")]
    Device {
        /// The result, in words.
        what: String,
        /// What the device says.
        reason: String,
    },
    /// A result that is no number: the device computes wrongly, or the weights are broken.
    #[error(
        "{what} holds values that are not finite numbers; try another device, or another package"
    )]
    NotFinite {
        /// The result, in words.
        what: String,
    },
    /// A package without a self-test was asked to prove itself.
    #[error("the package has no self-test; export it again")]
    NoSelfTest,
    /// The self-test's tensors do not have the shapes that its heads answer with.
    #[error("{name}: expected shape {expected:?}, found {found:?}; export the package again")]
    SelfTestShape {
        /// The tensor.
        name: String,
        /// The shape that the model gives or takes.
        expected: Vec<usize>,
        /// The shape in the package.
        found: Vec<usize>,
    },
    /// A result could not be written as a report.
    #[error("the report could not be written: {reason}")]
    Report {
        /// What the encoder says.
        reason: String,
    },
}
