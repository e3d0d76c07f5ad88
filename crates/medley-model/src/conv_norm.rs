//! A convolution and its normalisation, which fold into one convolution for inference.

use std::sync::{Arc, Mutex, PoisonError};

use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, GroupNorm, GroupNormConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use medley_kernels::{Activation, PackedConv, is_plain_cpu};
use serde::{Deserialize, Serialize};

/// Which normalisation follows a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NormKind {
    /// Batch normalisation; folded into the convolution at export.
    Batch,
    /// Group normalisation in groups of 8 channels; independent of the batch.
    Group,
    /// None: the convolution has a bias instead. What `Batch` becomes when it is folded.
    Folded,
}

/// Channels that share one group's statistics in [`NormKind::Group`].
const CHANNELS_PER_GROUP: usize = 8;

#[derive(Module, Debug)]
enum Norm {
    Batch(BatchNorm),
    Group(GroupNorm),
}

/// A 2-D convolution followed by a normalisation, "same" padding.
#[derive(Module, Debug)]
pub(crate) struct ConvNorm {
    conv: Conv2d,
    norm: Option<Norm>,
    /// The convolution once more, laid out for inference on the CPU.
    #[module(skip)]
    packed: Option<PackedConv>,
    /// Where a pass leaves the statistics of its outputs, if somebody wants them.
    #[module(skip)]
    heard: Option<Heard>,
}

/// Mean and variance of each channel of the convolution's outputs, over a batch and its pixels.
type Heard = Arc<Mutex<Option<[Tensor<1>; 2]>>>;

/// Shape of a [`ConvNorm`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConvNormConfig {
    pub channels_in: usize,
    pub channels_out: usize,
    /// Side of the square kernel, odd.
    pub kernel: usize,
    pub stride: usize,
    /// One kernel for each channel; the channels then stay as many as they are.
    pub depthwise: bool,
    pub norm: NormKind,
}

impl ConvNormConfig {
    /// Every output channel from all input channels.
    pub(crate) fn dense(
        channels_in: usize,
        channels_out: usize,
        kernel: usize,
        stride: usize,
        norm: NormKind,
    ) -> Self {
        Self { channels_in, channels_out, kernel, stride, depthwise: false, norm }
    }

    pub(crate) fn init(&self, device: &Device) -> ConvNorm {
        let conv =
            Conv2dConfig::new([self.channels_in, self.channels_out], [self.kernel, self.kernel])
                .with_stride([self.stride, self.stride])
                .with_padding(same_padding(self.kernel))
                .with_groups(if self.depthwise { self.channels_in } else { 1 })
                .with_bias(self.norm == NormKind::Folded)
                .init(device);
        let norm = match self.norm {
            NormKind::Batch => {
                Some(Norm::Batch(BatchNormConfig::new(self.channels_out).init(device)))
            }
            NormKind::Group => {
                let groups = (self.channels_out / CHANNELS_PER_GROUP).max(1);
                Some(Norm::Group(GroupNormConfig::new(groups, self.channels_out).init(device)))
            }
            NormKind::Folded => None,
        };
        ConvNorm { conv, norm, packed: None, heard: None }
    }
}

/// Padding that keeps the side at stride 1 for an odd `kernel`.
pub(crate) fn same_padding(kernel: usize) -> PaddingConfig2d {
    let pad = kernel / 2;
    PaddingConfig2d::Explicit(pad, pad, pad, pad)
}

/// Frees a weight that was laid out elsewhere.
pub(crate) fn forget<const D: usize>(weight: &mut Param<Tensor<D>>) {
    *weight = Param::from_tensor(Tensor::zeros([0; D], &weight.val().device()));
}

/// A weight for whoever lays it out. On the CPU, where every one can be, its place here is freed before: nobody else holds it then,
/// and it is read without a copy.
pub(crate) fn handed_over<const D: usize>(weight: &mut Param<Tensor<D>>) -> Tensor<D> {
    let value = weight.val();
    if is_plain_cpu(&value) {
        forget(weight);
    }
    value
}

/// A layer that was laid out for inference.
pub(crate) trait Packed {
    /// Whether it can be asked about this map.
    fn takes(&self, map: &Tensor<4>) -> bool;
}

impl Packed for PackedConv {
    fn takes(&self, map: &Tensor<4>) -> bool {
        self.takes(map)
    }
}

/// What was packed, if it can take this input.
pub(crate) fn packed_for<'a, T: Packed>(packed: &'a Option<T>, input: &Tensor<4>) -> Option<&'a T> {
    packed.as_ref().filter(|packed| packed.takes(input))
}

/// A convolution with a square odd kernel and "same" padding, as it was packed if it was.
pub(crate) fn packed_or_same(
    packed: &Option<PackedConv>,
    conv: &Conv2d,
    input: Tensor<4>,
) -> Tensor<4> {
    match packed_for(packed, &input) {
        Some(packed) => packed.forward(input, None, Activation::None),
        None => same_conv2d(conv, input),
    }
}

/// Lays a convolution with "same" padding out for inference, where that is known; it then forgets its weights. `None` where they
/// stay as they are.
pub(crate) fn pack_and_forget(conv: &mut Conv2d) -> Option<PackedConv> {
    if conv.groups != 1 {
        return None;
    }
    let bias = conv.bias.as_ref().map(Param::val);
    let (stride, pad) = (conv.stride[0], conv.kernel_size[0] / 2);
    let packed = PackedConv::new(handed_over(&mut conv.weight), bias, stride, pad)?;
    forget(&mut conv.weight);
    Some(packed)
}

/// A convolution with a square odd kernel and "same" padding, by the project's own kernels.
pub(crate) fn same_conv2d(conv: &Conv2d, input: Tensor<4>) -> Tensor<4> {
    let weight = conv.weight.val();
    let bias = conv.bias.as_ref().map(Param::val);
    if conv.groups == 1 {
        return medley_kernels::conv2d(input, weight, bias, conv.stride[0]);
    }
    let output = medley_kernels::depthwise_conv2d(input, weight, conv.stride[0]);
    match bias {
        Some(bias) => {
            let [channels] = bias.dims();
            output + bias.reshape([1, channels, 1, 1])
        }
        None => output,
    }
}

impl ConvNorm {
    /// # Shapes
    /// - input: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, ⌈height / stride⌉, ⌈width / stride⌉]`
    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.apply(input, false)
    }

    /// The same, and a rectifier after it.
    pub(crate) fn forward_relu(&self, input: Tensor<4>) -> Tensor<4> {
        self.apply(input, true)
    }

    /// The same with something added before the rectifier.
    pub(crate) fn forward_add_relu(&self, input: Tensor<4>, residual: Tensor<4>) -> Tensor<4> {
        match packed_for(&self.packed, &input) {
            Some(packed) => packed.forward(input, Some(residual), Activation::Relu),
            None => relu(self.apply(input, false) + residual),
        }
    }

    /// For weights that will not change any more: lays them out for inference on the CPU, in place of the module's own.
    pub(crate) fn prepare(&mut self) {
        if self.norm.is_none() {
            self.packed = pack_and_forget(&mut self.conv);
        }
    }

    fn apply(&self, input: Tensor<4>, rectify: bool) -> Tensor<4> {
        if let Some(packed) = packed_for(&self.packed, &input) {
            let activation = if rectify { Activation::Relu } else { Activation::None };
            return packed.forward(input, None, activation);
        }
        let output = same_conv2d(&self.conv, input);
        if let Some(heard) = &self.heard {
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(statistics(&output));
        }
        let output = match &self.norm {
            #[cfg(feature = "train")]
            Some(Norm::Batch(norm))
                if norm.training.is_enabled() && output.device().is_autodiff() =>
            {
                return batch_norm_train(norm, output, rectify);
            }
            Some(Norm::Batch(norm)) => norm.forward(output),
            Some(Norm::Group(norm)) => norm.forward(output),
            None => output,
        };
        if rectify { relu(output) } else { output }
    }

    /// Multiplies a batch normalisation into the convolution's weights:
    /// `w' = w·γ/√(σ²+ε)`, `b' = β − μ·γ/√(σ²+ε)`.
    pub(crate) fn fold(&self) -> Self {
        let Some(Norm::Batch(norm)) = &self.norm else {
            return self.clone();
        };
        let factor = norm.gamma.val() / (norm.running_var.value_sync() + norm.epsilon).sqrt();
        let bias = norm.beta.val() - norm.running_mean.value_sync() * factor.clone();
        let channels = factor.dims()[0];
        let mut conv = self.conv.clone();
        conv.weight =
            Param::from_tensor(self.conv.weight.val() * factor.reshape([channels, 1, 1, 1]));
        conv.bias = Some(Param::from_tensor(bias));
        Self { conv, norm: None, packed: None, heard: None }
    }

    /// The same, whose next pass keeps the statistics that [`Self::unfold`] needs.
    pub(crate) fn listening(&self) -> Self {
        Self { packed: None, heard: Some(Heard::default()), ..self.clone() }
    }

    /// The reverse of [`Self::fold`] after a pass of [`Self::listening`]: a batch normalisation again, which gives the
    /// same outputs as before on the batch of that pass, in training as well as after it.
    ///
    /// What was folded is lost, but any γ, β, μ and σ² with the same product fold into the same weights. Those chosen
    /// here, γ = √(σ²+ε) and β − μ = the bias, with μ and σ² of the batch itself, leave the weights as they are.
    pub(crate) fn unfold(&self) -> Self {
        let heard = self
            .heard
            .as_ref()
            .and_then(|heard| heard.lock().unwrap_or_else(PoisonError::into_inner).take());
        let (None, Some(bias), Some([mean, variance])) = (&self.norm, &self.conv.bias, heard)
        else {
            return Self { heard: None, ..self.clone() };
        };
        let bias = bias.val();
        let mut norm = BatchNormConfig::new(bias.dims()[0]).init(&bias.device());
        norm.gamma = Param::from_tensor((variance.clone() + norm.epsilon).sqrt());
        norm.beta = Param::from_tensor(mean.clone());
        norm.running_mean = RunningState::new(mean - bias);
        norm.running_var = RunningState::new(variance);
        let conv = Conv2d { bias: None, ..self.conv.clone() };
        Self { conv, norm: Some(Norm::Batch(norm)), packed: None, heard: None }
    }
}

/// Mean and variance of each channel of `[batch, channels, height, width]`.
fn statistics(map: &Tensor<4>) -> [Tensor<1>; 2] {
    let [batch, channels, height, width] = map.dims();
    let flat = map.clone().swap_dims(0, 1).reshape([channels, batch * height * width]);
    let mean = flat.clone().mean_dim(1);
    let variance = (flat - mean.clone()).square().mean_dim(1);
    [mean, variance].map(|value| value.reshape([channels]))
}

/// Normalises with the batch's own statistics and moves the running ones towards them, as
/// [`BatchNorm`] does in training.
#[cfg(feature = "train")]
fn batch_norm_train(norm: &BatchNorm, input: Tensor<4>, rectify: bool) -> Tensor<4> {
    let result =
        medley_kernels::batch_norm(input, norm.gamma.val(), norm.beta.val(), norm.epsilon, rectify);
    let keep = (1.0 - norm.momentum) as f32;
    let step = |running: &RunningState<Tensor<1>>, of_batch: Tensor<1>| {
        let new = medley_kernels::towards(running.value_sync().inner(), of_batch.inner(), keep);
        running.update(Tensor::from_inner(new));
    };
    step(&norm.running_mean, result.mean);
    step(&norm.running_var, result.variance);
    result.output
}
