//! The convolutional encoder: a residual network of dense 3×3 convolutions.
//!
//! Dense convolutions by default: depthwise ones save multiply-adds but hardly any time, neither in
//! WebAssembly nor in training (docs/results.md has the candidates). Residual blocks after He et
//! al., *Deep residual learning* (2016); the stem of two small convolutions and the pooled shortcut
//! after He et al., *Bag of tricks* (2019).

use burn::module::Module;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Distribution, Tensor};
use serde::{Deserialize, Serialize};

use crate::conv_norm::{ConvNorm, ConvNormConfig, NormKind};
use crate::error::ConfigError;

/// What a stage is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockKind {
    /// Two dense 3×3 convolutions around a shortcut.
    #[default]
    Residual,
    /// To four times the channels, a depthwise 3×3 convolution there, and back (Sandler et al., *MobileNetV2*, 2018).
    Inverted,
}

/// Added to the variance of a picture's values in 0..1, so that an even picture is not blown up into noise.
const LEAST_VARIANCE: f64 = 1e-4;

/// Times the channels inside a [`BlockKind::Inverted`].
const EXPANSION: usize = 4;

/// Shape of the convolutional encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NanoConfig {
    /// Channels after the first convolution, at stride 2.
    pub stem: usize,
    /// Channels of s1..s4.
    pub widths: [usize; 4],
    /// Blocks in each stage.
    pub depths: [usize; 4],
    /// What each stage is made of.
    #[serde(default)]
    pub blocks: [BlockKind; 4],
}

impl NanoConfig {
    /// The shipped encoder: 2.8 M parameters, 0.50 G multiply-adds at 256².
    pub fn nano() -> Self {
        Self {
            stem: 16,
            widths: [32, 64, 128, 256],
            depths: [1, 2, 2, 2],
            blocks: [BlockKind::Residual; 4],
        }
    }

    /// A small one for tests.
    pub fn micro() -> Self {
        Self {
            stem: 8,
            widths: [8, 16, 16, 24],
            depths: [1, 1, 1, 1],
            blocks: [BlockKind::Residual; 4],
        }
    }

    pub(crate) fn init(&self, norm: NormKind, device: &Device) -> Result<NanoEncoder, ConfigError> {
        if self.stem == 0 || self.widths.contains(&0) {
            return Err(ConfigError::ZeroChannels { part: "nano encoder" });
        }
        let conv = |channels_in, channels_out, stride| {
            ConvNormConfig::dense(channels_in, channels_out, 3, stride, norm).init(device)
        };
        let stem = vec![conv(3, self.stem, 2), conv(self.stem, self.widths[0], 2)];
        let mut channels = self.widths[0];
        let mut stages = Vec::with_capacity(4);
        for (stage, (&width, &depth)) in self.widths.iter().zip(&self.depths).enumerate() {
            let mut blocks = Vec::with_capacity(depth);
            for block in 0..depth {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let kind = self.blocks[stage];
                blocks.push(Block::new(kind, [channels, width], stride, norm, device));
                channels = width;
            }
            if channels != width {
                return Err(ConfigError::EmptyStage { stage: stage + 1 });
            }
            stages.push(Stage { blocks });
        }
        Ok(NanoEncoder { stem, stages })
    }
}

/// One block of either kind.
#[derive(Module, Debug)]
struct Block {
    conv1: ConvNorm,
    conv2: ConvNorm,
    /// Back to the outer channels, in an inverted block.
    conv3: Option<ConvNorm>,
    /// 1×1 convolution on the shortcut where the shape changes.
    shortcut: Option<ConvNorm>,
    /// Average pooling before it where the stride is 2.
    pool: Option<AvgPool2d>,
    /// Probability that training passes a picture by the shortcut alone.
    #[module(skip)]
    drop: f64,
}

impl Block {
    fn new(
        kind: BlockKind,
        [channels_in, channels_out]: [usize; 2],
        stride: usize,
        norm: NormKind,
        device: &Device,
    ) -> Self {
        let dense = |channels_in, channels_out, kernel, stride| {
            ConvNormConfig::dense(channels_in, channels_out, kernel, stride, norm)
        };
        match kind {
            BlockKind::Residual => {
                let changes = channels_in != channels_out || stride != 1;
                let pool = AvgPool2dConfig::new([2, 2]).with_strides([2, 2]);
                Self {
                    conv1: dense(channels_in, channels_out, 3, stride).init(device),
                    conv2: dense(channels_out, channels_out, 3, 1).init(device),
                    conv3: None,
                    shortcut: changes.then(|| dense(channels_in, channels_out, 1, 1).init(device)),
                    pool: (stride == 2).then(|| pool.init()),
                    drop: 0.0,
                }
            }
            BlockKind::Inverted => {
                let inner = channels_in * EXPANSION;
                let depthwise =
                    ConvNormConfig { depthwise: true, ..dense(inner, inner, 3, stride) };
                Self {
                    conv1: dense(channels_in, inner, 1, 1).init(device),
                    conv2: depthwise.init(device),
                    conv3: Some(dense(inner, channels_out, 1, 1).init(device)),
                    shortcut: None,
                    pool: None,
                    drop: 0.0,
                }
            }
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let output = self.conv1.forward_relu(input.clone());
        if let Some(conv3) = &self.conv3 {
            let output = conv3.forward(self.conv2.forward_relu(output));
            // A block that changes the shape has no shortcut.
            let has_shortcut = output.dims() == input.dims();
            return if has_shortcut { self.dropped(output) + input } else { output };
        }
        let output = self.dropped(self.conv2.forward(output));
        let mut shortcut = input;
        if let Some(pool) = &self.pool {
            shortcut = pool.forward(shortcut);
        }
        if let Some(conv) = &self.shortcut {
            shortcut = conv.forward(shortcut);
        }
        relu(output + shortcut)
    }

    /// In training zero for some pictures of the batch, and more for the others so that the mean stays.
    fn dropped(&self, branch: Tensor<4>) -> Tensor<4> {
        let device = branch.device();
        if self.drop <= 0.0 || !device.is_autodiff() {
            return branch;
        }
        let kept = 1.0 - self.drop;
        let [batch, ..] = branch.dims();
        let mask = Tensor::<4>::random([batch, 1, 1, 1], Distribution::Bernoulli(kept), &device);
        branch * (mask / kept)
    }

    fn fold(&self) -> Self {
        Self {
            conv1: self.conv1.fold(),
            conv2: self.conv2.fold(),
            conv3: self.conv3.as_ref().map(ConvNorm::fold),
            shortcut: self.shortcut.as_ref().map(ConvNorm::fold),
            ..self.clone()
        }
    }
}

#[derive(Module, Debug)]
struct Stage {
    blocks: Vec<Block>,
}

/// Each picture less its own mean, by its own standard deviation, over all channels together so that hues stay.
///
/// A batch mixes dark ultrasound with bright smears: batch normalisation over it would spend its range on telling the
/// kinds of pictures apart, and leave little for what differs within a kind.
fn standardize(images: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let flat = images.reshape([batch, channels * height * width]);
    let centred = flat.clone() - flat.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    let scaled = centred / (variance + LEAST_VARIANCE).sqrt();
    scaled.reshape([batch, channels, height, width])
}

/// The convolutional encoder.
#[derive(Module, Debug)]
pub struct NanoEncoder {
    stem: Vec<ConvNorm>,
    stages: Vec<Stage>,
}

impl NanoEncoder {
    /// # Shapes
    /// - images: `[batch, 3, height, width]`, RGB, 0..1, sides multiples of 32
    /// - output: s1..s4, `[batch, widths[i], height / 2^(i+2), width / 2^(i+2)]`
    pub fn forward(&self, images: Tensor<4>) -> [Tensor<4>; 4] {
        let mut map = standardize(images);
        for conv in &self.stem {
            map = conv.forward_relu(map);
        }
        let mut outputs = self.stages.iter().map(|stage| {
            for block in &stage.blocks {
                map = block.forward(map.clone());
            }
            map.clone()
        });
        std::array::from_fn(|_| outputs.next().unwrap_or_else(|| unreachable!("four stages")))
    }

    /// Training leaves out the branch of a block for a picture with a probability that rises evenly from 0 in the
    /// first block to `rate` in the last (Huang et al., *Deep networks with stochastic depth*, 2016).
    pub(crate) fn with_stochastic_depth(mut self, rate: f64) -> Self {
        let blocks = self.stages.iter_mut().flat_map(|stage| &mut stage.blocks);
        let blocks: Vec<&mut Block> = blocks.collect();
        let last = blocks.len().saturating_sub(1).max(1) as f64;
        for (place, block) in blocks.into_iter().enumerate() {
            block.drop = rate * place as f64 / last;
        }
        self
    }

    pub(crate) fn fold(&self) -> Self {
        Self {
            stem: self.stem.iter().map(ConvNorm::fold).collect(),
            stages: self
                .stages
                .iter()
                .map(|stage| Stage { blocks: stage.blocks.iter().map(Block::fold).collect() })
                .collect(),
        }
    }
}
