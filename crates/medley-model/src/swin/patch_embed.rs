//! From pixels to tokens.

use burn::module::{Module, Param};
use burn::nn::LayerNorm;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
#[cfg(feature = "train")]
use medley_kernels::linear_over_rows;
use medley_kernels::{Activation, PackedConv};

#[cfg(feature = "train")]
use super::apply_norm;
use super::norm_config;
use super::packed::norm;
use crate::conv_norm::packed_for;

/// Side of a patch in pixels, and the stride of s1.
const PATCH: usize = 4;

/// Cuts the image into patches of 4×4 pixels and embeds each.
#[derive(Module, Debug)]
pub(super) struct PatchEmbed {
    proj: Conv2d,
    norm: LayerNorm,
    /// The convolution once more, laid out for inference on the CPU.
    #[module(skip)]
    packed: Option<PackedConv>,
}

impl PatchEmbed {
    pub(super) fn new(channels: usize, device: &Device) -> Self {
        Self {
            proj: Conv2dConfig::new([3, channels], [PATCH, PATCH])
                .with_stride([PATCH, PATCH])
                .init(device),
            norm: norm_config(channels).init(device),
            packed: None,
        }
    }

    /// # Shapes
    ///
    /// - image: `[batch, 3, height, width]`
    /// - output: `[batch, ⌊height/4⌋, ⌊width/4⌋, channels]`
    pub(super) fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        if let Some(packed) = packed_for(&self.packed, &image) {
            let image = image.permute([0, 2, 3, 1]);
            return norm(&self.norm, packed.forward_inside(image, None, Activation::None));
        }
        #[cfg(feature = "train")]
        return self.forward_unpacked(image);
        #[cfg(not(feature = "train"))]
        unreachable!("browsers lay the patches' layer out")
    }

    /// The same in training, and wherever the layer is not packed.
    #[cfg(feature = "train")]
    fn forward_unpacked(&self, image: Tensor<4>) -> Tensor<4> {
        let map = if image.device().is_autodiff() {
            self.embed_in_training(image)
        } else {
            self.proj.forward(image).permute([0, 2, 3, 1])
        };
        apply_norm(&self.norm, map)
    }

    /// The convolution as a linear layer over the patches, which do not overlap: on a GPU, one thread of burn's gradient of
    /// the weights adds up a whole batch's patches.
    #[cfg(feature = "train")]
    fn embed_in_training(&self, image: Tensor<4>) -> Tensor<4> {
        let [batch, colours, height, width] = image.dims();
        let [rows, columns] = [height / PATCH, width / PATCH];
        let patches = image
            .slice([0..batch, 0..colours, 0..rows * PATCH, 0..columns * PATCH])
            .reshape([batch, colours, rows, PATCH, columns, PATCH])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([batch, rows, columns, colours * PATCH * PATCH]);
        let weight = self.proj.weight.val();
        let [channels, ..] = weight.dims();
        let weight = weight.reshape([channels, colours * PATCH * PATCH]).transpose();
        linear_over_rows(patches, weight, self.proj.bias.as_ref().map(Param::val))
    }

    pub(super) fn prepare(&mut self) {
        let bias = self.proj.bias.as_ref().map(Param::val);
        self.packed = PackedConv::new(self.proj.weight.val(), bias, PATCH, 0);
    }
}
