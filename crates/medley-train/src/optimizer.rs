//! The optimizer of every training: AdamW, a parameter's clipping and update as one operation.

use burn::optim::{AdamWState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use medley_kernels::AdamWStep;

/// Decay of the first and second moment, those of the paper.
const BETAS: [f32; 2] = [0.9, 0.999];

/// Smaller than the gradients of single weights, also once the mean over many tasks is taken: one as large as they
/// are, as burn's default of 1e-5 is, would shorten their steps.
const EPSILON: f32 = 1e-8;

/// AdamW for a whole model. `weight_decay`: decoupled; `clip`: largest norm of one parameter's gradient, infinite for none.
///
/// Its moments are saved as burn's own AdamW saves them.
pub fn adamw(weight_decay: f32, clip: f32) -> ModuleOptimizer {
    AdamW { weight_decay, clip }.into()
}

#[derive(Debug, Clone)]
struct AdamW {
    weight_decay: f32,
    clip: f32,
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let (moments, time) = match state {
            Some(AdamWState { momentum }) => {
                ([momentum.moment_1, momentum.moment_2], momentum.time)
            }
            None => ([weight.zeros_like(), weight.zeros_like()], 0),
        };
        let time = time + 1;
        let step = AdamWStep {
            learning_rate,
            weight_decay: self.weight_decay,
            betas: BETAS,
            epsilon: EPSILON,
            clip: self.clip,
            time,
        };
        let (weight, [moment_1, moment_2]) = medley_kernels::adamw(weight, gradient, moments, step);
        let momentum = AdaptiveMomentumState { time, moment_1, moment_2, max_moment_2: None };
        (weight, Some(AdamWState { momentum }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdamWState { momentum: state.momentum.to_device(device) }
    }
}
