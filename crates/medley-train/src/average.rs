//! The moving average of a run's weights.
//!
//! Polyak and Juditsky, *Acceleration of stochastic approximation by averaging* (1992): the mean over the last steps
//! lies nearer to the middle of the valley in which single steps jump to and fro, so it answers better, above all while
//! the rate is high.

use std::collections::VecDeque;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use medley_model::MedleyModel;

/// `average ← d · average + (1 − d) · weights` after each step t, with d = min(decay, (1 + t) / (10 + t)), so that the
/// random first weights are soon forgotten.
#[derive(Debug, Clone)]
pub(crate) struct Average {
    model: MedleyModel,
    decay: f64,
}

impl Average {
    /// Begins with these weights, on the device without gradients.
    pub(crate) fn new(model: &MedleyModel, decay: f64) -> Self {
        Self { model: model.valid(), decay }
    }

    /// The averaged model, for inference.
    pub(crate) fn model(&self) -> &MedleyModel {
        &self.model
    }

    /// Takes in the weights after `step` steps.
    pub(crate) fn update(&mut self, weights: &MedleyModel, step: u64) {
        let mut newest = Values::default();
        weights.valid().visit(&mut newest);
        let step = step as f64;
        let decay = self.decay.min((1.0 + step) / (10.0 + step));
        self.model = self.model.clone().map(&mut Towards { newest, decay });
    }
}

/// Every float of a model, flat, batch normalisation's running statistics among them, in the order in which modules are
/// walked: identifiers are given anew when a checkpoint is read.
#[derive(Default)]
struct Values(VecDeque<Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let count = value.shape().num_elements();
        self.0.push_back(value.reshape([count]));
    }
}

struct Towards {
    newest: Values,
    decay: f64,
}

impl ModuleMapper for Towards {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(newest) = self.newest.0.pop_front() else { return param };
        let decay = self.decay;
        param.map(|average| {
            let newest = newest.reshape(average.shape());
            medley_kernels::towards(average, newest, decay as f32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use medley_model::ModelConfig;

    fn floats(model: &MedleyModel) -> Vec<Vec<f32>> {
        let mut values = Values::default();
        model.visit(&mut values);
        let floats = |value: Tensor<1>| value.into_data().try_into_vec::<f32>().expect("f32");
        values.0.into_iter().map(floats).collect()
    }

    struct Add(f64);

    impl ModuleMapper for Add {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|value| value + self.0)
        }
    }

    #[test]
    fn every_float_moves_by_the_same_share_and_the_weights_stay() {
        let _alone = crate::alone::alone();
        let device = Device::flex().autodiff();
        let model = ModelConfig::micro(Vec::new()).init(&device).expect("a model");
        let mut average = Average::new(&model, 0.75);
        let before = floats(average.model());
        let moved = model.valid().map(&mut Add(1.0));
        let there = floats(&moved);
        // Late enough for the full decay.
        average.update(&moved, 1000);
        let after = floats(average.model());
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            for (before, after) in before.iter().zip(after) {
                // A quarter of the way; rounding of f32 near one.
                assert!((after - before - 0.25).abs() < 1e-5, "{before} to {after}");
            }
        }
        assert_eq!(floats(&moved), there);
    }
}
