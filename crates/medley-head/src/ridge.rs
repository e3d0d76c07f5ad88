//! Ridge regression of one-hot classes, and what it becomes: one linear layer on raw features.

use crate::estimate::Estimate;
use crate::scaling::Scaling;

/// Penalties, as shares of the features' total variance, strongest first.
pub(crate) const STRENGTHS: [f64; 13] =
    [1.0, 3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6];

/// Where nothing can be held out: strong, so that a class lies where its examples' mean does.
pub(crate) const WITHOUT_CHOICE: usize = 2;

/// The bias of a class without examples: its probability is zero at any precision.
const NEVER: f32 = -1e3;

/// One linear layer, and how well it is likely to do.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// `[classes, width]`: logits from raw features.
    pub(crate) weights: Vec<f32>,
    /// `[classes]`
    pub(crate) bias: Vec<f32>,
    /// Examples of each class: images, or pixels.
    pub(crate) counts: Vec<usize>,
    /// From held-out examples; none where no class has two.
    pub estimate: Option<Estimate>,
    /// For each example (image, or stroke) the class that it would be given had it not been learned; none where it is
    /// the only one of its class, or where a stroke's pixels are spread over classes without one ahead.
    pub held_out: Vec<Option<usize>>,
}

/// A solution on scaled features.
pub(crate) struct Solution {
    pub(crate) scaling: Scaling,
    /// What is subtracted from scaled features, `[width]`.
    pub(crate) centre: Vec<f64>,
    /// `[width, classes]`
    pub(crate) weights: Vec<f64>,
    /// The scores at the centre, `[classes]`.
    pub(crate) bias: Vec<f64>,
}

impl Solution {
    /// Logits of raw features: scaling, centre and temperature become part of the layer.
    pub(crate) fn fold(&self, temperature: f64, counts: Vec<usize>) -> Fitted {
        let classes = self.bias.len();
        let width = self.centre.len();
        let mut weights = vec![0.0; classes * width];
        let mut bias = vec![NEVER; classes];
        let offset = self.scaling.apply(&vec![0.0; width]);
        let factors = self.scaling.factors();
        for class in (0..classes).filter(|&class| counts[class] > 0) {
            let mut at_zero = self.bias[class];
            for feature in 0..width {
                let slope = self.weights[feature * classes + class];
                at_zero += slope * (offset[feature] - self.centre[feature]);
                weights[class * width + feature] = (slope * factors[feature] / temperature) as f32;
            }
            bias[class] = (at_zero / temperature) as f32;
        }
        Fitted { weights, bias, counts, estimate: None, held_out: Vec::new() }
    }
}

/// The class of the largest score among those that have examples.
pub(crate) fn best(scores: &[f64], counts: &[usize]) -> usize {
    let present = scores.iter().enumerate().filter(|(class, _)| counts[*class] > 0);
    present.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
}
