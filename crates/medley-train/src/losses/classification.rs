//! Losses of classification.

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Tensor, TensorData};

/// What an image shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// Its class.
    pub class: usize,
    /// The class of what is mixed into it; its own where nothing is.
    pub other: usize,
    /// Weight of the other, 0..=1.
    pub share: f32,
}

impl From<usize> for Label {
    fn from(class: usize) -> Self {
        Self { class, other: class, share: 0.0 }
    }
}

/// Cross-entropy divided by ln C.
///
/// # Shapes
/// - logits: `[batch, classes]`, at least two classes
/// - labels: one for each image
pub fn cross_entropy(logits: Tensor<2>, labels: &[Label]) -> Tensor<1> {
    let [batch, classes] = logits.dims();
    let mut target = vec![0f32; batch * classes];
    for (row, label) in target.chunks_exact_mut(classes).zip(labels) {
        row[label.class] += 1.0 - label.share;
        row[label.other] += label.share;
    }
    let target =
        Tensor::<2>::from_data(TensorData::new(target, [batch, classes]), &logits.device());
    let scale = -1.0 / (batch as f64 * (classes.max(2) as f64).ln());
    (log_softmax(logits, 1) * target).sum() * scale
}

/// Binary cross-entropy of every class divided by ln 2, for tasks whose classes do not exclude
/// each other.
///
/// # Shapes
/// - logits, target: `[batch, classes]`; the target is 0 or 1
pub fn multi_label(logits: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    let positive = log_sigmoid(logits.clone()) * target.clone();
    let negative = log_sigmoid(-logits) * (-target + 1.0);
    (positive + negative).mean() * (-1.0 / std::f64::consts::LN_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn a_blind_guess_costs_one() {
        let device = Device::flex();
        let loss = cross_entropy(Tensor::zeros([3, 7], &device), &[0, 3, 6].map(Label::from));
        // Rounding of ln in f32.
        assert!((loss.into_scalar::<f32>() - 1.0).abs() < 1e-6);
        let loss = multi_label(Tensor::zeros([2, 5], &device), Tensor::ones([2, 5], &device));
        assert!((loss.into_scalar::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_mixture_costs_the_shares_of_both_classes() {
        let device = Device::flex();
        let logits = || Tensor::<2>::from_floats([[2.0, -1.0, 0.5]], &device);
        let cost = |label: Label| cross_entropy(logits(), &[label]).into_scalar::<f32>();
        let mixed = cost(Label { class: 0, other: 2, share: 0.3 });
        let expected = 0.7 * cost(0.into()) + 0.3 * cost(2.into());
        assert!((mixed - expected).abs() < 1e-6, "{mixed} {expected}");
    }

    #[test]
    fn a_large_wrong_logit_stays_finite() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[1e4, -1e4]], &device);
        let wrong = Tensor::<2>::from_floats([[0.0, 1.0]], &device);
        assert!(multi_label(logits.clone(), wrong).into_scalar::<f32>().is_finite());
        assert!(cross_entropy(logits, &[1.into()]).into_scalar::<f32>() > 1e3);
    }
}
