//! The loss of segmentation: Dice and focal.
//!
//! Milletari et al., *V-Net* (2016); Lin et al., *Focal loss* (2017).

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use medley_data::IGNORE;

use super::resize::resize_bilinear;

/// Pixels added to both sides of the Dice fraction, so that an absent class divides by no zero.
const SMOOTHING: f64 = 1.0;

/// Dice over the foreground classes plus focal loss (γ = 2) divided by ln C. Pixels marked 255
/// count in neither.
///
/// # Shapes
/// - logits: `[batch, classes, height, width]`, at any stride; scaled to the masks here
/// - masks: one `[size, size]` mask of class numbers for each image
pub fn segmentation_loss(logits: Tensor<4>, masks: &[&[u8]], size: usize) -> Tensor<1> {
    let device = logits.device();
    let [batch, classes, _, _] = logits.dims();
    let logits = resize_bilinear(logits, size);

    let area = size * size;
    let mut one_hot = vec![0f32; batch * classes * area];
    let mut valid = vec![0f32; batch * area];
    let mut counted = 0usize;
    for (image, mask) in masks.iter().enumerate() {
        for (pixel, &class) in mask.iter().enumerate() {
            if class != IGNORE {
                one_hot[(image * classes + usize::from(class)) * area + pixel] = 1.0;
                valid[image * area + pixel] = 1.0;
                counted += 1;
            }
        }
    }
    let target =
        Tensor::<4>::from_data(TensorData::new(one_hot, [batch, classes, size, size]), &device);
    let valid = Tensor::<4>::from_data(TensorData::new(valid, [batch, 1, size, size]), &device);

    let log_probability = log_softmax(logits, 1);
    let probability = log_probability.clone().exp();

    let of_truth = (probability.clone() * target.clone()).sum_dim(1);
    let surprise = -(log_probability * target.clone()).sum_dim(1);
    let miss = -of_truth + 1.0;
    // Ignored pixels have no target, so their surprise is 0 and they add nothing.
    let focal = (miss.clone() * miss * surprise).sum()
        * (1.0 / (counted.max(1) as f64 * (classes.max(2) as f64).ln()));

    let probability = (probability * valid).slice([0..batch, 1..classes]);
    let target = target.slice([0..batch, 1..classes]);
    // The pixels of each image first: one sum of all to a few classes would keep a GPU's threads waiting.
    let over_pixels =
        |map: Tensor<4>| map.reshape([batch, classes - 1, area]).sum_dim(2).sum_dim(0);
    let overlap = over_pixels(probability.clone() * target.clone());
    let total = over_pixels(probability + target);
    let dice = (overlap * 2.0 + SMOOTHING) / (total + SMOOTHING);
    focal + (-dice + 1.0).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn logits_of(mask: &[u8], confidence: f32) -> Tensor<4> {
        let mut values = vec![0f32; 2 * mask.len()];
        for (pixel, &class) in mask.iter().enumerate() {
            if class < 2 {
                values[usize::from(class) * mask.len() + pixel] = confidence;
            }
        }
        let side = mask.len().isqrt();
        Tensor::from_data(TensorData::new(values, [1, 2, side, side]), &Device::flex())
    }

    #[test]
    fn the_right_answer_costs_nothing_and_the_wrong_one_much() {
        let mask = [[0u8, 1, 1, 0]; 4].concat();
        let right = segmentation_loss(logits_of(&mask, 20.0), &[&mask], 4).into_scalar::<f32>();
        let wrong = segmentation_loss(logits_of(&mask, -20.0), &[&mask], 4).into_scalar::<f32>();
        assert!(right < 1e-3, "{right}");
        assert!(wrong > 2.0, "{wrong}");
    }

    #[test]
    fn ignored_pixels_change_nothing() {
        let mask = [[0u8, 1, 1, 0]; 4].concat();
        let mut ignored = mask.clone();
        ignored[12..].fill(IGNORE);
        let mut logits = logits_of(&mask, 3.0);
        let before = segmentation_loss(logits.clone(), &[&ignored], 4).into_scalar::<f32>();
        let noise = Tensor::<4>::full([1, 2, 1, 4], -9.0, &Device::flex());
        logits = logits.slice_assign([0..1, 0..2, 3..4, 0..4], noise);
        let after = segmentation_loss(logits, &[&ignored], 4).into_scalar::<f32>();
        assert_eq!(before, after);
    }
}
