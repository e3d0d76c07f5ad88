//! A model on one device and its optimizer: what of a step is done there.

use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use medley_data::MixedBatch;
use medley_model::MedleyModel;
use medley_package::TaskSpec;

use crate::beside::{Beside, BesideLoss};
use crate::config::{TrainConfig, Way};
use crate::error::TrainError;
use crate::exchange::Member;
use crate::step::{TaskLoss, floats, head_losses, take_images};

/// What all replicas of a run train by.
pub(crate) struct Recipe {
    /// The run's configuration.
    pub(crate) config: TrainConfig,
    /// Its tasks, in the configuration's order.
    pub(crate) tasks: Vec<TaskSpec>,
}

impl Recipe {
    /// Batches that a replica takes in one step.
    pub(crate) fn batches_per_step(&self) -> u64 {
        match self.config.way {
            Way::Mixed => 1,
            Way::Alternating => self.tasks.len() as u64,
        }
    }
}

/// Losses by name: of the tasks, then those beside them.
pub(crate) type NamedLosses = Vec<(String, f32)>;

/// The losses of a batch, on the device, out of the graph.
struct BatchLosses {
    names: Vec<String>,
    /// `[1]` each.
    values: Vec<Tensor<1>>,
}

/// One of them.
pub(crate) struct Replica {
    recipe: Arc<Recipe>,
    beside: Beside,
    pub(crate) model: MedleyModel,
    pub(crate) optimizer: ModuleOptimizer,
    /// With autodiff.
    pub(crate) device: Device,
    /// Its place among several.
    member: Option<Member>,
}

impl Replica {
    /// `device`: with autodiff, where `model` is.
    ///
    /// # Errors
    /// A teacher's package that cannot be read.
    pub(crate) fn new(
        recipe: Arc<Recipe>,
        model: MedleyModel,
        optimizer: ModuleOptimizer,
        device: Device,
        member: Option<Member>,
    ) -> Result<Self, TrainError> {
        let beside = Beside::of(&recipe.config, &device.clone().inner())?;
        Ok(Self { recipe, beside, model, optimizer, device, member })
    }

    /// One step of the shared blocks' optimizer, its number from 0; `next`: its batches, one after the other.
    ///
    /// # Errors
    /// A batch that cannot be had, a loss that is no number, another replica that ended. The weights are those of before.
    pub(crate) fn step(
        &mut self,
        step: u64,
        next: &mut dyn FnMut() -> Result<MixedBatch, TrainError>,
    ) -> Result<NamedLosses, TrainError> {
        let stepped = self.try_step(step, next);
        if let (Err(_), Some(member)) = (&stepped, &self.member) {
            member.leave();
        }
        stepped
    }

    fn try_step(
        &mut self,
        step: u64,
        next: &mut dyn FnMut() -> Result<MixedBatch, TrainError>,
    ) -> Result<NamedLosses, TrainError> {
        let learning_rate = self.recipe.config.learning_rate(step);
        let mut shared = GradientsAccumulator::new();
        let mut of_heads = Vec::new();
        let mut pending = Vec::new();
        let mut model = self.model.clone();
        for _ in 0..self.recipe.batches_per_step() {
            let mut batch = next()?;
            // Dropout draws from the device: what it draws must follow from the batch's number alone.
            self.device.seed(self.recipe.config.seed.wrapping_add(batch.step));
            let pictures = take_images(&mut batch, &self.device);
            let (total, of_batch) = self.total_loss(&model, &batch, pictures)?;
            pending.push(of_batch);
            let mut gradients = total.backward();
            match self.recipe.config.way {
                Way::Mixed => {
                    let gradients = GradientsParams::from_grads(gradients, &model);
                    let gradients = self.mean(gradients, &model)?;
                    model = self.optimizer.step(learning_rate, model, gradients);
                }
                Way::Alternating => {
                    let heads: Vec<_> = batch
                        .parts
                        .iter()
                        .flat_map(|part| model.head_parameters(&self.recipe.tasks[part.task].name))
                        .collect();
                    of_heads.push(GradientsParams::from_params(&mut gradients, &model, &heads));
                    let rest = model.shared_parameters();
                    let of_shared = GradientsParams::from_params(&mut gradients, &model, &rest);
                    shared.accumulate(&model, of_shared);
                }
            }
        }
        if self.recipe.config.way == Way::Alternating {
            for gradients in of_heads.into_iter().chain([shared.grads()]) {
                let gradients = self.mean(gradients, &model)?;
                model = self.optimizer.step(learning_rate, model, gradients);
            }
        }
        // Read once all work of the step is handed over: a GPU would stand still at each reading before that.
        let mut losses = Vec::new();
        for of_batch in pending {
            losses.extend(read(of_batch, step)?);
        }
        self.model = model;
        Ok(losses)
    }

    /// The mean over all replicas; of one alone its own.
    fn mean(
        &self,
        gradients: GradientsParams,
        model: &MedleyModel,
    ) -> Result<GradientsParams, TrainError> {
        match &self.member {
            Some(member) => member.mean(gradients, model),
            None => Ok(gradients),
        }
    }

    /// The weighted mean over the batch's tasks with what is beside it, and each loss alone.
    fn total_loss(
        &self,
        model: &MedleyModel,
        batch: &MixedBatch,
        pictures: Tensor<4>,
    ) -> Result<(Tensor<1>, BatchLosses), TrainError> {
        let Recipe { config, tasks } = &*self.recipe;
        let features = model.encode(pictures.clone())?;
        let all = head_losses(model, tasks, batch, &features)?;
        let count = all.len().max(1) as f64;
        let mut total = Tensor::<1>::zeros([1], &self.device);
        let mut read = BatchLosses { names: Vec::new(), values: Vec::new() };
        for TaskLoss { task, loss } in all {
            read.names.push(tasks[task].name.clone());
            read.values.push(loss.clone().detach());
            total = total + loss * (config.tasks[task].weight / count);
        }
        for BesideLoss { name, loss, weight } in self.beside.losses(batch, pictures, &features)? {
            read.names.push(name.to_owned());
            read.values.push(loss.clone().detach());
            total = total + loss * weight;
        }
        Ok((total, read))
    }
}

/// Draws all weights of a new model now: burn draws each when it is first asked for, and another one on another device.
pub(crate) fn draw(model: &MedleyModel) {
    struct Ask;
    impl ModuleVisitor for Ask {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let _ = param.val();
        }
    }
    model.visit(&mut Ask);
}

/// The losses by name; each must be a number.
fn read(losses: BatchLosses, step: u64) -> Result<NamedLosses, TrainError> {
    let BatchLosses { names, values } = losses;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let values = floats(Tensor::cat(values, 0))?;
    let named = names.into_iter().zip(values).map(|(name, value)| {
        if value.is_finite() {
            Ok((name, value))
        } else {
            Err(TrainError::NotFinite { task: name, step, value })
        }
    });
    named.collect()
}
