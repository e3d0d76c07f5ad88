//! A run of `medley pretrain`, as evaluation and export read it.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use medley_data::Database;
use medley_model::{MedleyModel, ModelConfig};
use medley_package::TaskSpec;
use medley_train::{Checkpoint, RunState};

use crate::exit::BadInput;
use crate::progress;

/// The newest checkpoint of a run, on the CPU, for inference.
pub struct Run {
    /// Its position and configuration.
    pub state: RunState,
    /// Its tasks.
    pub tasks: Vec<TaskSpec>,
    /// Its model's shape.
    pub shape: ModelConfig,
    /// Its weights.
    pub model: MedleyModel,
}

impl Run {
    /// Reads the checkpoint of the run in `folder`; the database knows the classes of its tasks.
    ///
    /// # Errors
    /// No checkpoint, one that cannot be read, a task that the database does not have.
    pub fn read(folder: &Path, database: &Database, device: &Device) -> Result<Self> {
        let _busy = progress::busy("Reading the checkpoint");
        let place = || folder.display().to_string();
        let checkpoint = Checkpoint::of(folder);
        let state = checkpoint.state().with_context(place)?.ok_or_else(|| {
            BadInput(format!(
                "{}: no checkpoint of a run; name a folder that `medley pretrain` made, as runs/medley-nano",
                folder.display()
            ))
        })?;
        let tasks = state
            .config
            .tasks
            .iter()
            .map(|task| Ok(database.task(&task.name)?.spec(task.presentation)))
            .collect::<Result<Vec<_>>>()?;
        let shape = state.config.model(&tasks);
        let model = shape.init(device).with_context(place)?;
        let model = checkpoint.answering_weights(model, &state).with_context(place)?;
        Ok(Self { state, tasks, shape, model })
    }
}
