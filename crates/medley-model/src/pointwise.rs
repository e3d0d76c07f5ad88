//! A 1×1 convolution, computed as a matrix product.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor};
use medley_kernels::{Activation, PackedConv};

use crate::conv_norm::{forget, packed_for};

/// A 1×1 convolution with bias.
///
/// On the CPU the gradient of a matrix product is several times faster than that of burn's 1×1
/// convolution, which goes through a transposed convolution.
#[derive(Module, Debug)]
pub(crate) struct Pointwise {
    /// `[channels_out, channels_in, 1, 1]`
    weight: Param<Tensor<4>>,
    /// `[channels_out]`
    bias: Param<Tensor<1>>,
    /// The convolution once more, laid out for inference on the CPU.
    #[module(skip)]
    packed: Option<PackedConv>,
}

impl Pointwise {
    pub(crate) fn new(channels_in: usize, channels_out: usize, device: &Device) -> Self {
        let initializer = Initializer::KaimingUniform { gain: 1.0, fan_out_only: false };
        let weight = initializer.init_with(
            [channels_out, channels_in, 1, 1],
            Some(channels_in),
            Some(channels_out),
            device,
        );
        Self { weight, bias: Initializer::Zeros.init([channels_out], device), packed: None }
    }

    /// As [`MedleyModel::prepare`](crate::MedleyModel::prepare).
    pub(crate) fn prepare(&mut self) {
        self.packed = PackedConv::new(self.weight.val(), Some(self.bias.val()), 1, 0);
        if self.packed.is_some() {
            forget(&mut self.weight);
        }
    }

    /// # Shapes
    /// - input: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`
    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        if let Some(packed) = packed_for(&self.packed, &input) {
            return packed.forward(input, None, Activation::None);
        }
        let [channels_out, channels_in, _, _] = self.weight.dims();
        let weight = self.weight.val().reshape([channels_out, channels_in]);
        #[cfg(feature = "train")]
        if input.device().is_autodiff() {
            return self.in_training(input, weight);
        }
        let input = input.permute([0, 2, 3, 1]);
        let output = medley_kernels::dense(input, weight.transpose(), Some(self.bias.val()));
        output.permute([0, 3, 1, 2])
    }

    /// The same as one product for each picture, whose gradients are products too.
    #[cfg(feature = "train")]
    fn in_training(&self, input: Tensor<4>, weight: Tensor<2>) -> Tensor<4> {
        let [batch, channels_in, height, width] = input.dims();
        let [channels_out, _] = weight.dims();
        let output = weight.unsqueeze().matmul(input.reshape([batch, channels_in, height * width]))
            + self.bias.val().reshape([1, channels_out, 1]);
        output.reshape([batch, channels_out, height, width])
    }
}
