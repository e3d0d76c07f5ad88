//! Training a model on the drawn part of one task.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use medley_data::{Loader, LoaderPlan, MixedBatch, TaskPlan};
use medley_model::{Features, MedleyModel, ModelConfig, NormKind};

use super::rates::{Trained, rate_groups};
use super::recipe::Recipe;
use crate::error::TrainError;
use crate::optimizer::adamw;
use crate::step::{head_losses, images, take_images};

/// One training.
pub(crate) struct Fit<'a> {
    /// The drawn examples, with their presentation.
    pub(crate) plan: TaskPlan,
    pub(crate) trained: Trained,
    pub(crate) recipe: &'a Recipe,
    /// Threads that prepare images.
    pub(crate) threads: usize,
    pub(crate) seed: u64,
    /// Without autodiff.
    pub(crate) device: &'a Device,
    /// Task, mode, fraction and seed, for messages.
    pub(crate) name: String,
}

impl Fit<'_> {
    /// Trains `model`, which has the task's head and no autodiff, and answers it without autodiff; none if `stop`
    /// was set before the last step. `progress` hears of the steps done.
    ///
    /// # Errors
    /// An image that cannot be read, a loss that is no number.
    pub(crate) fn run(
        self,
        model: MedleyModel,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<MedleyModel>, TrainError> {
        let recipe = self.recipe;
        let frozen = (self.trained == Trained::AfterEncoder).then(|| model.valid());
        let mut model = model.train();
        let groups = rate_groups(&model, self.trained, recipe);
        let mut optimizer = adamw(recipe.weight_decay, recipe.clip);
        let device = self.device.clone().autodiff();
        let tasks = [self.plan.spec.clone()];
        let size = self.plan.spec.presentation.size();
        let mut loader = Loader::start(LoaderPlan {
            threads: self.threads,
            ..LoaderPlan::mixed(vec![self.plan], size, self.seed)
        })?;
        for step in 0..recipe.steps {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let mut batch = loader.next()?;
            // Dropout draws from the device.
            device.seed(self.seed.wrapping_mul(1 << 20).wrapping_add(step));
            let features = match &frozen {
                Some(encoder) => lifted(encoder.encode(take_images(&mut batch, self.device))?),
                None => model.encode(take_images(&mut batch, &device))?,
            };
            let found = head_losses(&model, &tasks, &batch, &features)?;
            let Some(found) = found.into_iter().next() else { continue };
            let value = found.value()?;
            if !value.is_finite() {
                return Err(TrainError::Diverged { run: self.name, step, value });
            }
            let mut gradients = found.loss.backward();
            let share = recipe.share(step);
            for group in &groups {
                let own = GradientsParams::from_params(&mut gradients, &model, &group.parameters);
                model = optimizer.step(group.rate * share, model, own);
            }
            progress(step + 1);
        }
        Ok(Some(model.valid()))
    }
}

/// Takes the normalisation statistics of a model with random weights from batches of plain images, whose labels
/// are not looked at, and answers the model without autodiff. A model without such statistics stays as it is.
///
/// # Errors
/// An image that cannot be read.
pub(crate) fn calibrate(
    model: MedleyModel,
    plan: TaskPlan,
    batches: u64,
    seed: u64,
    device: &Device,
) -> Result<MedleyModel, TrainError> {
    // Without gradients: a graph that no backward pass ever walks is kept for good.
    let model = model.train().no_grad();
    let device = device.clone().autodiff();
    let size = plan.spec.presentation.size();
    let mut loader = Loader::start(LoaderPlan::mixed(vec![plan], size, seed))?;
    for _ in 0..batches {
        let batch = loader.next()?;
        let _ = model.encode(images(&batch, &device))?;
    }
    // Whoever trains it afterwards wants its gradients.
    Ok(model.set_require_grad(true).valid())
}

/// A model whose batch normalisations were folded, with trainable ones again that change nothing of what it answers on
/// one batch of the pictures that it is about to learn from, without augmentation. Others stay as they are.
///
/// # Errors
/// A side that is not a multiple of 32.
pub(crate) fn unfold(
    model: MedleyModel,
    config: &ModelConfig,
    batch: &MixedBatch,
    device: &Device,
) -> Result<MedleyModel, TrainError> {
    if config.norm != NormKind::Folded {
        return Ok(model);
    }
    Ok(model.unfold(config, images(batch, device), &[])?.0)
}

/// Features that were computed without autodiff, as constants of the graph.
fn lifted(features: Features) -> Features {
    Features {
        s1: Tensor::from_inner(features.s1),
        s2: Tensor::from_inner(features.s2),
        s3: Tensor::from_inner(features.s3),
        squeezed: Tensor::from_inner(features.squeezed),
        embedding: Tensor::from_inner(features.embedding),
    }
}
