//! The pretrained weights that few-shot learning begins with, and what they were pretrained on.

use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use medley_data::Database;
use medley_infer::read_model;
use medley_model::{HeadConfig, MedleyModel, ModelConfig, NormKind};
use medley_package::{Package, digest};

use crate::checkpoint::Checkpoint;
use crate::error::TrainError;

/// A pretrained model. Its heads serve as the beginning of others.
///
/// From a run it keeps its batch normalisation, which decoders and fine-tuning learn faster with. In a package that is
/// folded into the convolutions, and made anew from pictures of the task that is learned.
pub struct Foundation {
    /// The shape without heads.
    pub(crate) config: ModelConfig,
    pub(crate) model: MedleyModel,
    /// The heads of `model`.
    pub(crate) heads: Vec<HeadConfig>,
    pub(crate) device: Device,
    /// Names of the tasks that it was pretrained on.
    pub(crate) tasks: Vec<String>,
    /// Names of the data sets that it was pretrained on, where they are known.
    pub(crate) datasets: Vec<String>,
    /// Side of its square input, in pixels.
    pub(crate) size: u32,
    /// Digest of all weights, heads included.
    pub(crate) digest: String,
}

impl Foundation {
    /// That of a weight package. `device`: without autodiff.
    ///
    /// # Errors
    /// A package that does not load, one without tasks.
    pub fn of_package(package: &Package, device: &Device) -> Result<Self, TrainError> {
        let (model, config) = read_model(package.clone(), device)?;
        let metadata = &package.metadata;
        let size = input_size(metadata.tasks.first().map(|task| task.presentation.size()))?;
        Ok(Self {
            tasks: metadata.tasks.iter().map(|task| task.name.clone()).collect(),
            datasets: metadata.provenance.datasets.iter().map(|set| set.name.clone()).collect(),
            ..Self::of_model(config, model, size, device)
        })
    }

    /// That of the newest checkpoint of a training run's folder, whose heads are known where `database` has all of its
    /// tasks. `device`: without autodiff.
    ///
    /// # Errors
    /// No checkpoint, one that cannot be read.
    pub fn of_run(folder: &Path, database: &Database, device: &Device) -> Result<Self, TrainError> {
        let checkpoint = Checkpoint::of(folder);
        let state = checkpoint.state()?.ok_or_else(|| {
            TrainError::file(
                folder,
                "no checkpoint of a run; name a folder that `medley pretrain` made",
            )
        })?;
        let specs = state.config.tasks.iter().map(|task| {
            database.task(&task.name).ok().map(|record| record.spec(task.presentation))
        });
        let (config, model) = match specs.collect::<Option<Vec<_>>>() {
            Some(specs) => {
                let config = state.config.model(&specs);
                let model = checkpoint.answering_weights(config.init(device)?, &state)?;
                (config, model)
            }
            None => {
                let config = state.config.model(&[]);
                let model = checkpoint.shared_weights(config.init(device)?, &state)?;
                (config, model)
            }
        };
        let tasks = state.config.tasks.iter().map(|task| task.name.clone()).collect();
        let size = input_size(Some(state.config.size()))?;
        Ok(Self { tasks, ..Self::of_model(config, model, size, device) })
    }

    /// A model as if it were pretrained on nothing.
    pub(super) fn of_model(
        config: ModelConfig,
        model: MedleyModel,
        size: u32,
        device: &Device,
    ) -> Self {
        let digest = weights_digest(&model);
        let (tasks, datasets) = (Vec::new(), Vec::new());
        let heads = config.heads.clone();
        let config = ModelConfig { heads: Vec::new(), ..config };
        Self { config, model, heads, device: device.clone(), tasks, datasets, size, digest }
    }

    /// The shape of the same architecture for training from random weights: with the normalisation that it was
    /// pretrained with, and no head yet.
    pub(crate) fn fresh_config(&self) -> ModelConfig {
        let norm =
            if self.config.norm == NormKind::Folded { NormKind::Batch } else { self.config.norm };
        ModelConfig { norm, ..self.config.clone() }
    }
}

/// The side of the input, of the first task's presentation.
fn input_size(of_task: Option<u32>) -> Result<u32, TrainError> {
    of_task.filter(|size| *size > 0 && size % 32 == 0).ok_or_else(|| {
        TrainError::Protocol(
            "the model has no task, so the size of its input is not known; use a model with its tasks".into(),
        )
    })
}

/// SHA-256 over every weight, with its path.
pub(crate) fn weights_digest(model: &MedleyModel) -> String {
    struct Bytes {
        path: Vec<String>,
        all: Vec<u8>,
    }
    impl ModuleVisitor for Bytes {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.all.extend(self.path.join(".").as_bytes());
            self.all.extend(param.val().into_data().as_bytes());
        }
    }
    let mut bytes = Bytes { path: Vec::new(), all: Vec::new() };
    model.visit(&mut bytes);
    digest(&bytes.all)
}
