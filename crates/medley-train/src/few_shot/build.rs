//! Models for one task: from pretrained weights, or from random ones.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use medley_model::{MedleyModel, ModelConfig};
use medley_package::TaskSpec;

use super::foundation::Foundation;
use crate::config::head;
use crate::error::TrainError;

/// The pretrained model with a fresh head for the task, without autodiff. The seed decides the head.
pub(crate) fn pretrained(
    foundation: &Foundation,
    task: &TaskSpec,
    seed: u64,
) -> Result<MedleyModel, TrainError> {
    let config = ModelConfig { heads: vec![head(task)], ..foundation.config.clone() };
    let fresh = drawn(&config, seed, &foundation.device)?;
    Ok(fresh.with_weights_of(&foundation.model, &[]))
}

/// The same architecture with random weights throughout, without autodiff.
pub(crate) fn random(
    foundation: &Foundation,
    task: &TaskSpec,
    seed: u64,
) -> Result<MedleyModel, TrainError> {
    let config = ModelConfig { heads: vec![head(task)], ..foundation.fresh_config() };
    drawn(&config, seed, &foundation.device)
}

/// A model whose weights all follow from the seed.
fn drawn(config: &ModelConfig, seed: u64, device: &Device) -> Result<MedleyModel, TrainError> {
    device.seed(seed);
    let model = config.init(device)?;
    // burn draws each weight when it is first used: here, before anything else draws from the device.
    model.visit(&mut Touch);
    Ok(model)
}

struct Touch;

impl ModuleVisitor for Touch {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let _ = param.val();
    }
}
