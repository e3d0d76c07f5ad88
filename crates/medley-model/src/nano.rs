//! The convolutional encoder: a residual network of dense 3×3 convolutions.
//!
//! Dense convolutions by default: depthwise ones save multiply-adds but hardly any time, neither in
//! WebAssembly nor in training (docs/results.md has the candidates). Residual blocks after He et
//! al., *Deep residual learning* (2016); the stem of two small convolutions and the pooled shortcut
//! after He et al., *Bag of tricks* (2019).

use burn::module::Module;
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
pub const LEAST_VARIANCE: f64 = 1e-4;

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
    /// Averages of 2×2 values before it: where the stride is 2.
    #[module(skip)]
    halved: bool,
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
                Self {
                    conv1: dense(channels_in, channels_out, 3, stride).init(device),
                    conv2: dense(channels_out, channels_out, 3, 1).init(device),
                    conv3: None,
                    shortcut: changes.then(|| dense(channels_in, channels_out, 1, 1).init(device)),
                    halved: stride == 2,
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
                    halved: false,
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
            if output.dims() != input.dims() {
                return output;
            }
            return match self.kept(&output) {
                Some(kept) => output * kept + input,
                None => output + input,
            };
        }
        let mut shortcut = input;
        if self.halved {
            shortcut = medley_kernels::halve(shortcut);
        }
        if let Some(conv) = &self.shortcut {
            shortcut = conv.forward(shortcut);
        }
        match self.kept(&shortcut) {
            Some(kept) => relu(self.conv2.forward(output) * kept + shortcut),
            None => self.conv2.forward_add_relu(output, shortcut),
        }
    }

    fn prepare(&mut self) {
        self.conv1.prepare();
        self.conv2.prepare();
        for conv in [&mut self.conv3, &mut self.shortcut].into_iter().flatten() {
            conv.prepare();
        }
    }

    /// In training a factor on the branch, `[batch, 1, 1, 1]`: zero for some pictures, and more than one for the others so that
    /// the mean stays.
    fn kept(&self, map: &Tensor<4>) -> Option<Tensor<4>> {
        let device = map.device();
        if self.drop <= 0.0 || !device.is_autodiff() {
            return None;
        }
        let share = 1.0 - self.drop;
        let [batch, ..] = map.dims();
        let kept = Tensor::random([batch, 1, 1, 1], Distribution::Bernoulli(share), &device);
        Some(kept / share)
    }

    fn map_convs(&self, change: fn(&ConvNorm) -> ConvNorm) -> Self {
        Self {
            conv1: change(&self.conv1),
            conv2: change(&self.conv2),
            conv3: self.conv3.as_ref().map(change),
            shortcut: self.shortcut.as_ref().map(change),
            ..self.clone()
        }
    }
}

#[derive(Module, Debug)]
struct Stage {
    blocks: Vec<Block>,
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
        // A batch mixes dark ultrasound with bright smears: batch normalisation over it would spend its range on telling the
        // kinds of pictures apart, and leave little for what differs within a kind. All channels together, so that hues stay.
        let mut map = medley_kernels::standardize(images, LEAST_VARIANCE);
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

    pub(crate) fn prepare(&mut self) {
        self.stem.iter_mut().for_each(ConvNorm::prepare);
        self.stages.iter_mut().flat_map(|stage| &mut stage.blocks).for_each(Block::prepare);
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

    pub(crate) fn map_convs(&self, change: fn(&ConvNorm) -> ConvNorm) -> Self {
        let of_block = |block: &Block| block.map_convs(change);
        Self {
            stem: self.stem.iter().map(change).collect(),
            stages: self
                .stages
                .iter()
                .map(|stage| Stage { blocks: stage.blocks.iter().map(of_block).collect() })
                .collect(),
        }
    }
}
