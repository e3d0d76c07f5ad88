//! Batch normalisation on GPUs: means over the pixels of each picture first, then over the pictures.
//!
//! burn takes the mean of a channel in one reduction of millions of values to a handful of outputs, which
//! keeps as many of a GPU's thousands of threads busy as there are channels (docs/known-issues.md).

use burn::tensor::Tensor;

use crate::extension::BatchNormOutput;

/// See [`crate::batch_norm`], without the rectifier.
pub(crate) fn batch_norm(
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> BatchNormOutput {
    let [batch, channels, height, width] = input.dims();
    let per_channel = [1, channels, 1];
    let mean_of = |values: Tensor<3>| values.mean_dim(2).mean_dim(0);
    let values = input.reshape([batch, channels, height * width]);
    let mean = mean_of(values.clone());
    let centred = values - mean.clone();
    let variance = mean_of(centred.clone().square());
    let factor = gamma.reshape(per_channel) / (variance.clone() + epsilon).sqrt();
    let output = centred * factor + beta.reshape(per_channel);
    BatchNormOutput {
        output: output.reshape([batch, channels, height, width]),
        mean: mean.detach().reshape([channels]),
        variance: variance.detach().reshape([channels]),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Tolerance};

    use super::*;

    #[test]
    fn values_statistics_and_gradients_are_those_of_burn() {
        let device = Device::flex().autodiff();
        let normal = Distribution::Normal(0.5, 2.0);
        let input = Tensor::<4>::random([3, 4, 5, 6], normal, &device).require_grad();
        let gamma = Tensor::<1>::random([4], normal, &device).require_grad();
        let beta = Tensor::<1>::random([4], normal, &device).require_grad();
        let factors = Tensor::<4>::random([3, 4, 5, 6], normal, &device);
        let ours = batch_norm(input.clone(), gamma.clone(), beta.clone(), 1e-5);
        let theirs = burn::tensor::module::batch_norm_train(
            input.clone(),
            gamma.clone(),
            beta.clone(),
            1e-5,
        );
        let theirs =
            BatchNormOutput { output: theirs.output, mean: theirs.mean, variance: theirs.variance };
        let [ours, theirs] = [ours, theirs].map(|found| {
            let gradients = (found.output.clone() * factors.clone()).sum().backward();
            [
                found.output.inner().into_data(),
                found.mean.inner().into_data(),
                found.variance.inner().into_data(),
                input.grad(&gradients).unwrap().into_data(),
                gamma.grad(&gradients).unwrap().into_data(),
                beta.grad(&gradients).unwrap().into_data(),
            ]
        });
        for (ours, theirs) in ours.iter().zip(&theirs) {
            ours.assert_approx_eq::<f32>(theirs, Tolerance::rel_abs(1e-4, 1e-4));
        }
    }
}
