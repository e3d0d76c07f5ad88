//! The squeezer: from the deepest feature map to the image's embedding.

use burn::module::Module;
use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::{Device, Tensor};

use crate::group_norm::norm_gelu;
use crate::pointwise::Pointwise;

/// 1×1 convolution, one-group normalisation and GELU, on the pooled map and on the map itself.
#[derive(Module, Debug)]
pub(crate) struct Squeezer {
    conv: Pointwise,
    norm: GroupNorm,
}

impl Squeezer {
    pub(crate) fn new(channels_in: usize, channels_out: usize, device: &Device) -> Self {
        Self {
            conv: Pointwise::new(channels_in, channels_out, device),
            norm: GroupNormConfig::new(1, channels_out).init(device),
        }
    }

    pub(crate) fn prepare(&mut self) {
        self.conv.prepare();
    }

    /// # Shapes
    /// - s4: `[batch, channels_in, height, width]`
    /// - output: the map `[batch, channels_out, height, width]` that the decoders see in place of
    ///   s4, and the embedding `[batch, channels_out]`
    pub(crate) fn forward(&self, s4: Tensor<4>) -> (Tensor<4>, Tensor<2>) {
        let [batch, _, height, width] = s4.dims();
        let map = self.conv.forward(s4);
        let [_, channels, _, _] = map.dims();
        // The convolution is linear: pooling after it equals pooling before it.
        let pooled = map.clone().reshape([batch, channels, height * width]).mean_dim(2);
        let map = norm_gelu(&self.norm, map);
        let embedding = norm_gelu(&self.norm, pooled).reshape([batch, channels]);
        (map, embedding)
    }
}
