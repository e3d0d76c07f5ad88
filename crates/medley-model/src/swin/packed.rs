//! A block and its surroundings for inference on the CPU: the same sums in fewer passes over memory.

use std::sync::Arc;

use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use medley_kernels::{PackedLinear, PackedSwinBlock, SwinBlockParts, is_plain_cpu, layer_norm};

use super::NORM_EPSILON;
use super::block::Mlp;
use super::window_attention::WindowAttention;
use super::windows::Windows;
use crate::conv_norm::{Packed, handed_over};

/// The normalisation of a map, where its layer's surroundings are packed.
pub(super) fn norm(layer: &LayerNorm, map: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "wgpu")]
    if medley_kernels::serves_gpu(&map) {
        return super::norm_on_gpu(layer, map, None);
    }
    let [gamma, beta] = scales(layer);
    layer_norm(map, gamma, beta, NORM_EPSILON)
}

/// γ and β.
pub(super) fn scales(layer: &LayerNorm) -> [Tensor<1>; 2] {
    let gamma = layer.gamma.val();
    let beta = layer.beta.as_ref().map_or_else(|| gamma.zeros_like(), Param::val);
    [gamma, beta]
}

/// Lays a layer out, with another bias where there is one, and lets its own weights go.
fn take(layer: &mut Linear, bias: Option<Tensor<1>>) -> Option<PackedLinear> {
    let bias = bias.or_else(|| layer.bias.as_ref().map(Param::val));
    PackedLinear::new(handed_over(&mut layer.weight), bias)
}

/// A [`SwinBlock`](super::block::SwinBlock) as one operation.
#[derive(Debug, Clone)]
pub(super) struct PackedBlock(PackedSwinBlock);

impl PackedBlock {
    /// `None` where the weights are not on the CPU; where they are, the layers' own are let go.
    pub(super) fn take(
        attention: &mut WindowAttention,
        mlp: &mut Mlp,
        norms: [&LayerNorm; 2],
    ) -> Option<Self> {
        let parts = attention.parts_mut();
        let block = PackedSwinBlock::new(SwinBlockParts {
            qkv: take(parts.qkv, Some(parts.qkv_bias))?,
            scale: parts.scale,
            position_bias: parts.position_bias,
            proj: take(parts.proj, None)?,
            norms: norms.map(scales),
            perceptron: [take(&mut mlp.fc1, None)?, take(&mut mlp.fc2, None)?],
            epsilon: NORM_EPSILON,
        })?;
        Some(Self(block))
    }

    /// # Shapes
    /// - tokens and output: `[batch, height, width, channels]`
    pub(super) fn forward(&self, tokens: Tensor<4>, windows: &Windows) -> Tensor<4> {
        let regions = Arc::new(windows.regions().unwrap_or_default());
        self.0.forward(tokens, windows.grid(), regions)
    }
}

impl Packed for PackedBlock {
    fn takes(&self, map: &Tensor<4>) -> bool {
        is_plain_cpu(map)
    }
}
