//! Convolution on GPUs in training: patches side by side, then matrix products.
//!
//! burn's own gradients of a convolution there are either direct ones, which leave the tensor cores idle, or chosen among a dozen
//! kernels for each shape, which takes minutes of compiling before the first step (docs/known-issues.md). Matrix products are one
//! kernel for all shapes, forward and backward, at the price of memory: `kernel²` times the input.

use burn::tensor::Tensor;

use crate::patch_ops::unroll;

/// Multiply-adds below which the launches of this way cost more than a direct convolution's slower gradients.
const LEAST_PRODUCTS: usize = 400_000_000;

/// Places over which the gradient of one weight is summed by one thread in a direct convolution; more take it too long.
const MOST_PLACES: usize = 16_384;

/// Whether a convolution is large enough for this way.
pub(crate) fn pays(input: &Tensor<4>, weight: &Tensor<4>, stride: usize) -> bool {
    let [batch, channels, height, width] = input.dims();
    let [channels_out, _, kernel, _] = weight.dims();
    let places = batch * height.div_ceil(stride) * width.div_ceil(stride);
    places > MOST_PLACES || places * kernel * kernel * channels * channels_out >= LEAST_PRODUCTS
}

/// See [`crate::conv2d`].
pub(crate) fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
) -> Tensor<4> {
    let [batch, channels, height, width] = input.dims();
    let [channels_out, _, kernel, _] = weight.dims();
    let sides = [height.div_ceil(stride), width.div_ceil(stride)];
    let area = sides[0] * sides[1];
    let patches = if kernel == 1 && stride == 1 {
        input.reshape([batch, channels, area])
    } else {
        unroll(input, kernel, stride)
    };
    let weight = weight.reshape([1, channels_out, channels * kernel * kernel]);
    let output = weight.matmul(patches).reshape([batch, channels_out, sides[0], sides[1]]);
    match bias {
        Some(bias) => output + bias.reshape([1, channels_out, 1, 1]),
        None => output,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Device, Distribution, Tolerance};

    use super::*;

    #[test]
    fn values_and_gradients_are_those_of_burns_convolution() {
        let device = Device::flex().autodiff();
        for (kernel, stride, [height, width]) in
            [(3, 1, [5, 7]), (3, 2, [8, 6]), (3, 2, [7, 5]), (1, 1, [4, 4]), (1, 2, [4, 5])]
        {
            let normal = Distribution::Normal(0.0, 1.0);
            let input = Tensor::<4>::random([2, 3, height, width], normal, &device).require_grad();
            let weight =
                Tensor::<4>::random([4, 3, kernel, kernel], normal, &device).require_grad();
            let bias = Tensor::<1>::random([4], normal, &device).require_grad();
            let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1; 2], 1);
            let theirs = burn::tensor::module::conv2d(
                input.clone(),
                weight.clone(),
                Some(bias.clone()),
                options,
            );
            let ours = conv2d(input.clone(), weight.clone(), Some(bias.clone()), stride);
            let factors = Tensor::random(theirs.dims(), normal, &device);
            let [ours, theirs] = [ours, theirs].map(|output| {
                let gradients = (output.clone() * factors.clone()).sum().backward();
                [
                    output.inner().into_data(),
                    input.grad(&gradients).unwrap().into_data(),
                    weight.grad(&gradients).unwrap().into_data(),
                    bias.grad(&gradients).unwrap().into_data(),
                ]
            });
            for (ours, theirs) in ours.iter().zip(&theirs) {
                ours.assert_approx_eq::<f32>(theirs, Tolerance::rel_abs(1e-4, 1e-4));
            }
        }
    }
}
