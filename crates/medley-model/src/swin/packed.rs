//! A block and its surroundings for inference on the CPU: the same sums in fewer passes over memory.

use std::sync::Arc;

use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use medley_kernels::{Activation, PackedConv, layer_norm};

use super::NORM_EPSILON;
use super::block::Mlp;
use super::window_attention::WindowAttention;
use super::windows::Windows;

/// A linear layer, as the 1×1 convolution that it is on a map.
pub(super) fn pack_linear(layer: &Linear, bias: Option<Tensor<1>>) -> Option<PackedConv> {
    let weight = layer.weight.val();
    let [channels, channels_out] = weight.dims();
    PackedConv::new(weight.transpose().reshape([channels_out, channels, 1, 1]), bias, 1, 0)
}

fn with_own_bias(layer: &Linear) -> Option<PackedConv> {
    pack_linear(layer, layer.bias.as_ref().map(Param::val))
}

/// The normalisation of a map, plus what its block adds to.
pub(super) fn norm(layer: &LayerNorm, map: Tensor<4>, residual: Option<Tensor<4>>) -> Tensor<4> {
    let beta = layer.beta.as_ref().map_or_else(|| layer.gamma.val().zeros_like(), Param::val);
    layer_norm(map, residual, layer.gamma.val(), beta, NORM_EPSILON)
}

/// A [`SwinBlock`](super::block::SwinBlock) whose windows are never cut out of the map.
#[derive(Debug, Clone)]
pub(super) struct PackedBlock {
    qkv: PackedConv,
    attention: medley_kernels::WindowAttention,
    proj: PackedConv,
    fc1: PackedConv,
    fc2: PackedConv,
    norms: [LayerNorm; 2],
}

impl PackedBlock {
    /// `None` where the weights are not on the CPU.
    pub(super) fn new(
        attention: &WindowAttention,
        mlp: &Mlp,
        norms: [&LayerNorm; 2],
    ) -> Option<Self> {
        let parts = attention.parts();
        Some(Self {
            qkv: pack_linear(parts.qkv, Some(parts.qkv_bias.clone()))?,
            attention: medley_kernels::WindowAttention::new(
                parts.qkv_bias,
                parts.scale,
                parts.position_bias,
            )?,
            proj: with_own_bias(parts.proj)?,
            fc1: with_own_bias(&mlp.fc1)?,
            fc2: with_own_bias(&mlp.fc2)?,
            norms: norms.map(Clone::clone),
        })
    }

    /// # Shapes
    /// - tokens and output: `[batch, height, width, channels]`
    pub(super) fn forward(&self, tokens: Tensor<4>, windows: &Windows) -> Tensor<4> {
        let linear =
            |layer: &PackedConv, map, activation| layer.forward_inside(map, None, activation);
        let qkv = linear(&self.qkv, tokens.clone(), Activation::None);
        let regions = Arc::new(windows.regions().unwrap_or_default());
        let attended = self.attention.forward(qkv, windows.grid(), regions);
        let attended = linear(&self.proj, attended, Activation::None);
        let tokens = norm(&self.norms[0], attended, Some(tokens));
        let hidden = linear(&self.fc1, tokens.clone(), Activation::Gelu);
        let answer = linear(&self.fc2, hidden, Activation::None);
        norm(&self.norms[1], answer, Some(tokens))
    }
}
