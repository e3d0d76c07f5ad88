//! From pixels to tokens.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};

/// Side of a patch in pixels, and the stride of s1.
const PATCH: usize = 4;

/// Cuts the image into patches of 4×4 pixels and embeds each.
#[derive(Module, Debug)]
pub(super) struct PatchEmbed {
    proj: Conv2d,
    norm: LayerNorm,
}

impl PatchEmbed {
    pub(super) fn new(channels: usize, device: &Device) -> Self {
        Self {
            proj: Conv2dConfig::new([3, channels], [PATCH, PATCH])
                .with_stride([PATCH, PATCH])
                .init(device),
            norm: LayerNormConfig::new(channels).init(device),
        }
    }

    /// # Shapes
    ///
    /// - image: `[batch, 3, height, width]`
    /// - output: `[batch, ⌊height/4⌋, ⌊width/4⌋, channels]`
    pub(super) fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.proj.forward(image).permute([0, 2, 3, 1]))
    }
}
