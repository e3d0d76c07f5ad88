//! The JSON of a package: what the model is, where it comes from, how good it is.

use serde::{Deserialize, Serialize};

use crate::spec::TaskSpec;

/// The sentence that every package, page and export carries.
pub const NOTICE: &str = "Research use only. Not for diagnostic use.";

/// The version of package and manifest that is written and read here.
pub const FORMAT_VERSION: u32 = 1;

/// Everything in a package but the tensors.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// The model's name, as "medley-nano".
    pub name: String,
    /// The encoder's variant, as "nano" or "swin-tiny".
    pub variant: String,
    /// The architecture: `medley_model::ModelConfig`. This crate does not look into it.
    #[cfg_attr(feature = "types", ts(type = "unknown"))]
    pub model: serde_json::Value,
    /// The tasks that the model answers; each has a head of the same name.
    pub tasks: Vec<TaskSpec>,
    /// What it was trained on, by which code, how.
    pub provenance: Provenance,
    /// Measured quality, one row per task, split and metric.
    pub quality: Vec<Quality>,
    /// Temperatures of classification tasks; 1 where a task is not listed.
    pub calibration: Vec<Calibration>,
    /// How exactly the self-test must be met; none before the package was exported.
    pub self_test: Option<SelfTestSpec>,
    /// [`NOTICE`].
    pub notice: String,
}

impl Metadata {
    /// What logits of this task are divided by for its probabilities.
    pub fn temperature(&self, task: &str) -> f64 {
        let found = self.calibration.iter().find(|calibration| calibration.task == task);
        found.map_or(1.0, |calibration| calibration.temperature)
    }
}

/// Where a model comes from.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The data sets it was trained on.
    pub datasets: Vec<DatasetSource>,
    /// Version or commit of the code that trained it.
    pub code_version: String,
    /// When it was exported, ISO 8601.
    pub created: String,
    /// The training's configuration and length, as JSON.
    #[cfg_attr(feature = "types", ts(type = "unknown"))]
    pub training: serde_json::Value,
}

/// One data set, and the terms under which it was used.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetSource {
    /// Name in the task database.
    pub name: String,
    /// Licence, as "CC BY 4.0".
    pub licence: String,
    /// Who made it, as its licence asks to be named.
    pub attribution: String,
}

/// One measured figure.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// The task.
    pub task: String,
    /// The split it was measured on: "val" or "test".
    pub split: String,
    /// "macro-f1", "dice", "map50"…
    pub metric: String,
    /// The figure; finite.
    pub value: f64,
    /// How many images it was measured on.
    pub n: usize,
}

/// How a task's logits become probabilities that can be taken at their word.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The task.
    pub task: String,
    /// Logits are divided by it; finite and above 0.
    pub temperature: f64,
}

/// How exactly a device must reproduce the self-test's outputs.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelfTestSpec {
    /// Largest absolute difference allowed on any output; finite and above 0.
    pub tolerance: f64,
}
