//! Linear layers whose weights are not laid out beforehand: heads, and layers in training.
//!
//! A build for browsers has no matrix product of burn's in it: those for types and sizes that nobody asks for would be a third of
//! the code for WebGPU.

use burn::tensor::Tensor;

use crate::inference::{PackedConv, is_plain_cpu};
use crate::packed::Activation;

/// `input · weight + bias` on any device, with gradients or without.
///
/// # Shapes
/// - input: `[…, channels]`; weight: `[channels, channels_out]`; bias: `[channels_out]`
/// - output: `[…, channels_out]`
///
/// # Panics
/// Shapes that do not fit each other, an input of less than two dimensions: mistakes of the program.
pub fn dense<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    #[cfg(feature = "train")]
    if input.device().is_autodiff() {
        return crate::linear_over_rows(input, weight, bias);
    }
    #[cfg(feature = "wgpu")]
    if crate::serves_gpu(&input) {
        return crate::gpu_linear(input, weight, bias, Activation::None);
    }
    let [channels, channels_out] = weight.dims();
    let mut dims = input.dims();
    let rows = dims[..D - 1].iter().product();
    if is_plain_cpu(&input) {
        let kernel = weight.clone().transpose().reshape([channels_out, channels, 1, 1]);
        if let Some(layer) = PackedConv::new(kernel, bias.clone(), 1, 0) {
            dims[D - 1] = channels_out;
            let input = input.reshape([1, 1, rows, channels]);
            return layer.forward_inside(input, None, Activation::None).reshape(dims);
        }
    }
    #[cfg(feature = "train")]
    return burn::tensor::module::linear(input, weight, bias);
    #[cfg(not(feature = "train"))]
    unreachable!("browsers compute in f32, on the CPU or on their GPU")
}
