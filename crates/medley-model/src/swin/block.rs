//! One transformer block.

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::activation::gelu;
use burn::tensor::{Device, Tensor};

use super::linear;
use super::window_attention::WindowAttention;
use super::windows::Windows;

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
}

#[derive(Module, Debug)]
struct Mlp {
    fc1: Linear,
    fc2: Linear,
}

impl SwinBlock {
    pub(super) fn new(channels: usize, heads: usize, window: usize, device: &Device) -> Self {
        Self {
            attn: WindowAttention::new(channels, heads, window, device),
            norm1: LayerNormConfig::new(channels).init(device),
            mlp: Mlp {
                fc1: linear(channels, MLP_RATIO * channels, true, device),
                fc2: linear(MLP_RATIO * channels, channels, true, device),
            },
            norm2: LayerNormConfig::new(channels).init(device),
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
        let attended = windows.join(self.attn.forward(windows.cut(tokens.clone()), mask));
        let tokens = tokens + self.norm1.forward(attended);
        let hidden = gelu(self.mlp.fc1.forward(tokens.clone()));
        tokens + self.norm2.forward(self.mlp.fc2.forward(hidden))
    }

    pub(super) fn freeze_position_bias(&mut self) {
        self.attn.freeze_position_bias();
    }
}
