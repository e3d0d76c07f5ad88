//! What a run leaves on disk, so that it can go on as if it had never stopped.
//!
//! A checkpoint is a folder: the weights, their moving average where the run keeps one, the
//! optimizer's moments, and the step with the configuration. Everything random in a step follows from the seed and the step's
//! number, so no random state is stored.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use medley_model::MedleyModel;
use serde::{Deserialize, Serialize};

use crate::config::TrainConfig;
use crate::error::TrainError;

const WEIGHTS: &str = "weights.bpk";
const AVERAGE: &str = "average.bpk";
const MOMENTS: &str = "moments.bpk";
const STATE: &str = "state.json";

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// Steps done.
    pub step: u64,
    /// What the run was started with.
    pub config: TrainConfig,
}

/// The folder of a run's checkpoint below the run's folder.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    folder: PathBuf,
}

impl Checkpoint {
    /// That of the run in `run`.
    pub fn of(run: &Path) -> Self {
        Self { folder: run.join("checkpoint") }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.folder.with_extension(ending)
    }

    /// The newest whole checkpoint: a crash between two renames leaves the former one aside.
    fn whole(&self) -> Option<PathBuf> {
        [self.folder.clone(), self.beside("old")].into_iter().find(|path| path.join(STATE).exists())
    }

    /// Where the run stands, or none if it never wrote a checkpoint.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn state(&self) -> Result<Option<RunState>, TrainError> {
        let Some(folder) = self.whole() else { return Ok(None) };
        let path = folder.join(STATE);
        let text = fs::read(&path).map_err(|error| TrainError::file(&path, error))?;
        serde_json::from_slice(&text).map(Some).map_err(|error| TrainError::file(&path, error))
    }

    /// Writes beside the former checkpoint and puts it in its place at the end.
    ///
    /// # Errors
    /// A file that cannot be written; the former checkpoint is unharmed.
    pub fn write(
        &self,
        model: &MedleyModel,
        average: Option<&MedleyModel>,
        optimizer: &ModuleOptimizer,
        state: &RunState,
    ) -> Result<(), TrainError> {
        let new = self.beside("new");
        let old = self.beside("old");
        remove(&new)?;
        fs::create_dir_all(&new).map_err(|error| TrainError::write(&new, error))?;
        for (file, model) in [(WEIGHTS, Some(model)), (AVERAGE, average)] {
            let Some(model) = model else { continue };
            let path = new.join(file);
            let saved = model.clone().into_record().save(&path);
            saved.map_err(|error| TrainError::write(&path, error))?;
        }
        let path = new.join(MOMENTS);
        optimizer.save(&path).map_err(|error| TrainError::write(&path, error))?;
        // The state is written last: a folder without it is no checkpoint.
        let path = new.join(STATE);
        let text =
            serde_json::to_vec_pretty(state).map_err(|error| TrainError::write(&path, error))?;
        fs::write(&path, text).map_err(|error| TrainError::write(&path, error))?;

        if self.folder.join(STATE).exists() {
            remove(&old)?;
            rename(&self.folder, &old)?;
        } else {
            remove(&self.folder)?;
        }
        rename(&new, &self.folder)?;
        remove(&old)
    }

    /// The weights with which training goes on.
    ///
    /// # Errors
    /// No checkpoint, a file that cannot be read, weights of another shape.
    pub fn weights(&self, model: MedleyModel) -> Result<MedleyModel, TrainError> {
        self.load(WEIGHTS, model, false)
    }

    /// The weights that answer: their moving average where the run of `state` keeps one.
    ///
    /// # Errors
    /// As [`Self::weights`].
    pub fn answering_weights(
        &self,
        model: MedleyModel,
        state: &RunState,
    ) -> Result<MedleyModel, TrainError> {
        self.load(answering(state), model, false)
    }

    fn load(
        &self,
        file: &str,
        model: MedleyModel,
        without_heads: bool,
    ) -> Result<MedleyModel, TrainError> {
        let folder = self.whole().ok_or_else(|| {
            TrainError::file(&self.folder, "there is no checkpoint; run `medley pretrain` first")
        })?;
        let path = folder.join(file);
        let failed = |error| TrainError::file(&path, format!("{error:?}"));
        let record = ModuleRecord::load(&path).map_err(failed)?.allow_unused(without_heads);
        model.try_load_record(record).map_err(failed)
    }

    /// The weights of encoder, squeezer and decoders that answer, for a model without heads.
    ///
    /// # Errors
    /// As [`Self::weights`].
    pub fn shared_weights(
        &self,
        model: MedleyModel,
        state: &RunState,
    ) -> Result<MedleyModel, TrainError> {
        self.load(answering(state), model, true)
    }

    /// The optimizer's moments.
    ///
    /// # Errors
    /// No checkpoint, a file that cannot be read.
    pub fn moments(&self, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer, TrainError> {
        let folder =
            self.whole().ok_or_else(|| TrainError::file(&self.folder, "there is no checkpoint"))?;
        let path = folder.join(MOMENTS);
        optimizer.load(&path).map_err(|error| TrainError::file(&path, format!("{error:?}")))
    }
}

/// The file of the weights that answer.
fn answering(state: &RunState) -> &'static str {
    if state.config.optimizer.average > 0.0 { AVERAGE } else { WEIGHTS }
}

fn remove(folder: &Path) -> Result<(), TrainError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(TrainError::write(folder, error))
        }
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), TrainError> {
    fs::rename(from, to).map_err(|error| TrainError::write(from, error))
}
