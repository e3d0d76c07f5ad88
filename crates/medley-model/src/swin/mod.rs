//! Swin Transformer V2 encoder.
//!
//! Liu et al., *Swin Transformer V2: Scaling Up Capacity and Resolution*, CVPR 2022. The numerics
//! are those of torchvision's `SwinTransformerBlockV2`, so that weights trained elsewhere can be
//! used; `tests/swin_parity.rs` compares every stage with torchvision's answers.
//!
//! Inside the encoder an image is `[batch, height, width, channels]`, the layout of its linear
//! layers and norms; only what leaves it is `[batch, channels, height, width]`.

mod block;
mod config;
mod encoder;
mod packed;
mod patch_embed;
mod patch_merging;
mod position_bias;
mod stage;
mod torchvision;
mod window_attention;
mod windows;

pub use config::{SwinConfig, SwinConfigError};
pub use encoder::SwinEncoder;
pub use torchvision::torchvision_name;

use burn::module::Param;
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use medley_kernels::{dense, layer_norm_over_rows};

/// Standard deviation of the initial weights of every linear layer, as in torchvision.
const LINEAR_INIT_STD: f64 = 0.02;

/// A linear layer as Swin initialises it: normal weights, no bias yet or a bias of zeros.
fn linear(channels_in: usize, channels_out: usize, bias: bool, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(channels_in, channels_out)
        .with_bias(false)
        .with_initializer(Initializer::Normal { mean: 0.0, std: LINEAR_INIT_STD })
        .init(device);
    if bias {
        layer.bias = Some(Initializer::Zeros.init([channels_out], device));
    }
    layer
}

/// Added to the variance in every norm, as in torchvision.
const NORM_EPSILON: f64 = 1e-5;

fn norm_config(channels: usize) -> LayerNormConfig {
    LayerNormConfig::new(channels).with_epsilon(NORM_EPSILON)
}

/// A linear layer over the last axis.
fn apply_linear<const D: usize>(layer: &Linear, tokens: Tensor<D>) -> Tensor<D> {
    dense(tokens, layer.weight.val(), layer.bias.as_ref().map(Param::val))
}

/// A norm over the last axis.
fn apply_norm<const D: usize>(layer: &LayerNorm, tokens: Tensor<D>) -> Tensor<D> {
    if tokens.device().is_autodiff() {
        let beta = layer.beta.as_ref().map(Param::val);
        return layer_norm_over_rows(tokens, layer.gamma.val(), beta, NORM_EPSILON);
    }
    #[cfg(feature = "wgpu")]
    if medley_kernels::serves_gpu(&tokens) {
        return norm_on_gpu(layer, tokens, None);
    }
    layer.forward(tokens)
}

/// The same on a browser's GPU, with what it is added to.
#[cfg(feature = "wgpu")]
fn norm_on_gpu<const D: usize>(
    layer: &LayerNorm,
    tokens: Tensor<D>,
    residual: Option<Tensor<D>>,
) -> Tensor<D> {
    let [gamma, beta] = packed::scales(layer);
    medley_kernels::gpu_norm(tokens, residual, gamma, beta, NORM_EPSILON)
}
