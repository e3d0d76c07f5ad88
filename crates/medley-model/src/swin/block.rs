//! One transformer block.

use burn::module::Module;
#[cfg(feature = "wgpu")]
use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Tensor};
#[cfg(feature = "train")]
use medley_kernels::{gelu, in_parts};

#[cfg(feature = "wgpu")]
use super::apply_linear;
#[cfg(feature = "wgpu")]
use super::norm_on_gpu;
use super::packed::PackedBlock;
use super::window_attention::WindowAttention;
use super::windows::Windows;
#[cfg(feature = "train")]
use super::{apply_linear, apply_norm};
use super::{linear, norm_config};
use crate::conv_norm::packed_for;

/// The hidden layer of the perceptron is this many times as wide as the block.
const MLP_RATIO: usize = 4;

/// Attention within windows, then a perceptron per token. V2 norms what each adds, not what each
/// reads: `x + norm1(attn(x))`, `x + norm2(mlp(x))`.
#[derive(Module, Debug)]
pub(super) struct SwinBlock {
    attn: WindowAttention,
    norm1: LayerNorm,
    mlp: Mlp,
    norm2: LayerNorm,
    /// The block once more, laid out for inference on the CPU.
    #[module(skip)]
    packed: Option<PackedBlock>,
}

#[derive(Module, Debug)]
pub(super) struct Mlp {
    pub(super) fc1: Linear,
    pub(super) fc2: Linear,
}

impl SwinBlock {
    pub(super) fn new(channels: usize, heads: usize, window: usize, device: &Device) -> Self {
        Self {
            attn: WindowAttention::new(channels, heads, window, device),
            norm1: norm_config(channels).init(device),
            mlp: Mlp {
                fc1: linear(channels, MLP_RATIO * channels, true, device),
                fc2: linear(MLP_RATIO * channels, channels, true, device),
            },
            norm2: norm_config(channels).init(device),
            packed: None,
        }
    }

    /// # Shapes
    ///
    /// - tokens and output: `[batch, height, width, channels]`
    /// - windows: how this map is cut; mask: `windows.mask()`
    pub(super) fn forward(
        &self,
        tokens: Tensor<4>,
        windows: &Windows,
        mask: Option<Tensor<4>>,
    ) -> Tensor<4> {
        if let Some(packed) = packed_for(&self.packed, &tokens) {
            return packed.forward(tokens, windows);
        }
        #[cfg(feature = "train")]
        return self.forward_unpacked(tokens, windows, mask);
        #[cfg(not(feature = "train"))]
        {
            let _ = mask;
            unreachable!("browsers lay blocks out for the CPU, or ask their GPU");
        }
    }

    /// The same in training, and wherever the block is not packed.
    #[cfg(feature = "train")]
    fn forward_unpacked(
        &self,
        tokens: Tensor<4>,
        windows: &Windows,
        mask: Option<Tensor<4>>,
    ) -> Tensor<4> {
        let maps = tokens.dims()[0];
        let attended = windows.join(self.attn.forward(windows.cut(tokens.clone()), maps, mask));
        if tokens.device().is_autodiff() {
            let shape = tokens.dims();
            return self.add(in_parts(tokens), in_parts(attended)).reshape(shape);
        }
        self.add(tokens, attended)
    }

    /// The same on a browser's GPU; regions: those of the windows, see [`Windows::regions`].
    #[cfg(feature = "wgpu")]
    pub(super) fn forward_on_gpu(
        &self,
        tokens: Tensor<4>,
        windows: &Windows,
        regions: Option<Tensor<2>>,
    ) -> Tensor<4> {
        let attended = self.attn.forward_in_map(tokens.clone(), windows, regions);
        let tokens = norm_on_gpu(&self.norm1, attended, Some(tokens));
        let Mlp { fc1, fc2 } = &self.mlp;
        let bias = fc1.bias.as_ref().map(Param::val);
        let hidden = medley_kernels::gpu_linear(
            tokens.clone(),
            fc1.weight.val(),
            bias,
            medley_kernels::Activation::Gelu,
        );
        norm_on_gpu(&self.norm2, apply_linear(fc2, hidden), Some(tokens))
    }

    /// What follows the attention, token by token.
    #[cfg(feature = "train")]
    fn add<const D: usize>(&self, tokens: Tensor<D>, attended: Tensor<D>) -> Tensor<D> {
        let tokens = tokens + apply_norm(&self.norm1, attended);
        let hidden = gelu(apply_linear(&self.mlp.fc1, tokens.clone()));
        tokens + apply_norm(&self.norm2, apply_linear(&self.mlp.fc2, hidden))
    }

    #[cfg(feature = "train")]
    pub(super) fn is_packed_for(&self, tokens: &Tensor<4>) -> bool {
        packed_for(&self.packed, tokens).is_some()
    }

    pub(super) fn prepare(&mut self) {
        self.attn.freeze_position_bias();
        let norms = [&self.norm1, &self.norm2];
        self.packed = PackedBlock::take(&mut self.attn, &mut self.mlp, norms);
        if self.packed.is_some() {
            self.attn.forget_constants();
        }
    }
}
