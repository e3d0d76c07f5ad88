//! Scaled cosine attention within windows.

use burn::module::{Module, Param};
use burn::nn::Linear;
#[cfg(feature = "train")]
use burn::tensor::module::attention;
#[cfg(feature = "train")]
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Tensor};
#[cfg(feature = "train")]
use medley_kernels::MIN_LENGTH;

#[cfg(any(feature = "train", feature = "wgpu"))]
use super::apply_linear;
use super::linear;
use super::position_bias::PositionBias;
#[cfg(feature = "wgpu")]
use super::windows::Windows;

/// The scale of the cosines is at most this.
const MAX_SCALE: f64 = 100.0;
/// The scale of the cosines at the start of a training.
const INITIAL_SCALE: f64 = 10.0;

/// Attention of the tokens of a window to each other: the cosine of query and key, times a
/// learned scale, plus a bias for their relative position (Swin V2, §3.2 and §3.3).
#[derive(Module, Debug)]
pub(super) struct WindowAttention {
    qkv: Linear,
    proj: Linear,
    /// Logarithm of the scale, `[heads, 1, 1]`.
    logit_scale: Param<Tensor<3>>,
    cpb_mlp: PositionBias,
    frozen: Option<Constants>,
    window: usize,
}

/// The layers of a [`WindowAttention`] and what depends on its weights alone.
pub(super) struct Parts<'a> {
    pub qkv: &'a mut Linear,
    pub proj: &'a mut Linear,
    /// `[3·channels]`, the key third zero.
    pub qkv_bias: Tensor<1>,
    /// Factor of the cosines, `[heads]`.
    pub scale: Tensor<1>,
    /// `[heads, window², window²]`.
    pub position_bias: Tensor<3>,
}

/// What depends on the weights alone.
#[derive(Module, Debug)]
struct Constants {
    /// `[3·channels]`, the key third zero.
    qkv_bias: Tensor<1>,
    /// Factor of the cosines, `[heads]`.
    scale: Tensor<1>,
    /// `[1, heads, window², window²]`.
    position_bias: Tensor<4>,
}

impl WindowAttention {
    /// `heads` divides `channels`.
    pub(super) fn new(channels: usize, heads: usize, window: usize, device: &Device) -> Self {
        let logit_scale = Tensor::full([heads, 1, 1], INITIAL_SCALE.ln(), device);
        Self {
            qkv: linear(channels, 3 * channels, true, device),
            proj: linear(channels, channels, true, device),
            logit_scale: Param::from_tensor(logit_scale),
            cpb_mlp: PositionBias::new(heads, device),
            frozen: None,
            window,
        }
    }

    /// In training, and for inference where blocks are not packed; browsers have their own ways.
    ///
    /// # Shapes
    ///
    /// - windows: `[maps·windows, window², channels]`
    /// - mask, added to the attention: `[windows, 1, window², window²]`
    /// - output: like `windows`
    #[cfg(feature = "train")]
    pub(super) fn forward(
        &self,
        windows: Tensor<3>,
        maps: usize,
        mask: Option<Tensor<4>>,
    ) -> Tensor<3> {
        let [count, tokens, channels] = windows.dims();
        let Constants { qkv_bias, scale, position_bias } = match &self.frozen {
            Some(constants) => constants.clone(),
            None => self.constants(&windows.device()),
        };
        let [heads] = scale.dims();
        let head_channels = channels / heads;
        let weight = self.qkv.weight.val();
        if windows.device().is_autodiff() {
            let qkv = medley_kernels::linear_over_rows(windows, weight, Some(qkv_bias));
            let bias = match mask {
                Some(mask) => position_bias + mask,
                None => position_bias,
            };
            let attended = medley_kernels::cosine_attention(qkv, scale, bias);
            return apply_linear(&self.proj, attended);
        }
        let qkv = burn::tensor::module::linear(windows, weight, Some(qkv_bias));
        let qkv = qkv.reshape([count, tokens, 3, heads, head_channels]).permute([2, 0, 3, 1, 4]);
        let scale = scale.reshape([1, 1, heads, 1, 1]);
        let scale = Tensor::cat(vec![scale.clone(), scale.ones_like()], 0);
        let queries_keys = normalize(qkv.clone().slice(0..2), scale);
        let part = |of: &Tensor<5>, index: usize| {
            of.clone().slice(index..index + 1).reshape([count, heads, tokens, head_channels])
        };
        let bias = match mask {
            Some(mask) => (position_bias + mask).repeat_dim(0, maps),
            None => position_bias,
        };
        let attended = attention(
            part(&queries_keys, 0),
            part(&queries_keys, 1),
            part(&qkv, 2),
            None,
            Some(bias),
            AttentionModuleOptions { scale: Some(1.0), ..Default::default() },
        );
        apply_linear(&self.proj, attended.swap_dims(1, 2).reshape([count, tokens, channels]))
    }

    /// The same on a browser's GPU, of windows that are not cut from their map.
    ///
    /// # Shapes
    ///
    /// - tokens and output: `[batch, height, width, channels]`
    /// - regions: `[windows, window²]`, see [`Windows::regions`]
    #[cfg(feature = "wgpu")]
    pub(super) fn forward_in_map(
        &self,
        tokens: Tensor<4>,
        windows: &Windows,
        regions: Option<Tensor<2>>,
    ) -> Tensor<4> {
        let Constants { qkv_bias, scale, position_bias } = match &self.frozen {
            Some(constants) => constants.clone(),
            None => self.constants(&tokens.device()),
        };
        let weight = self.qkv.weight.val();
        let qkv = medley_kernels::gpu_linear(
            tokens,
            weight,
            Some(qkv_bias.clone()),
            medley_kernels::Activation::None,
        );
        let [_, heads, of_queries, of_keys] = position_bias.dims();
        let attended = medley_kernels::gpu_window_attention(
            qkv,
            scale,
            position_bias.reshape([heads, of_queries, of_keys]),
            qkv_bias,
            regions,
            windows.grid(),
        );
        apply_linear(&self.proj, attended)
    }

    /// Computes and keeps what depends on the weights alone.
    pub(super) fn freeze_position_bias(&mut self) {
        let device = self.logit_scale.val().device();
        self.frozen = Some(self.constants(&device));
    }

    /// Frees the constants, which were laid out elsewhere.
    pub(super) fn forget_constants(&mut self) {
        self.frozen = None;
    }

    /// What the attention is made of, for the layout on the CPU.
    pub(super) fn parts_mut(&mut self) -> Parts<'_> {
        let device = self.logit_scale.val().device();
        let constants = self.frozen.clone().unwrap_or_else(|| self.constants(&device));
        let [_, heads, tokens, _] = constants.position_bias.dims();
        Parts {
            qkv: &mut self.qkv,
            proj: &mut self.proj,
            qkv_bias: constants.qkv_bias,
            scale: constants.scale,
            position_bias: constants.position_bias.reshape([heads, tokens, tokens]),
        }
    }

    fn constants(&self, device: &Device) -> Constants {
        let scale = self.logit_scale.val().clamp_max(MAX_SCALE.ln()).exp();
        let [heads, _, _] = scale.dims();
        Constants {
            qkv_bias: self.qkv_bias(device),
            scale: scale.reshape([heads]),
            position_bias: self.cpb_mlp.forward(self.window, device),
        }
    }

    /// The bias of queries, keys and values. A key bias would change the cosines; the stored
    /// tensor has a place for one, which counts as zero.
    fn qkv_bias(&self, device: &Device) -> Tensor<1> {
        let [channels, triple] = self.qkv.weight.dims();
        let Some(bias) = &self.qkv.bias else {
            return Tensor::zeros([triple], device);
        };
        let bias = bias.val();
        let queries = bias.clone().slice(0..channels);
        let values = bias.slice(2 * channels..triple);
        Tensor::cat(vec![queries, Tensor::zeros([channels], device), values], 0)
    }
}

/// Gives every vector along the last axis the length `scale`.
///
/// # Shapes
///
/// - vectors: `[2, maps·windows, heads, tokens, head_channels]`
/// - scale: `[2, 1, heads, 1, 1]`
#[cfg(feature = "train")]
fn normalize(vectors: Tensor<5>, scale: Tensor<5>) -> Tensor<5> {
    let squared = vectors.clone().square().sum_dim(4);
    let least = f64::from(MIN_LENGTH).powi(2);
    vectors * (scale / squared.clamp_min(least).sqrt())
}
