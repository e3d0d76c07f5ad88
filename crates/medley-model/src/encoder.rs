//! Either encoder behind one type; the rest of the model does not know which it has.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::conv_norm::{ConvNorm, NormKind};
use crate::error::ConfigError;
use crate::nano::{NanoConfig, NanoEncoder};
use crate::swin::{SwinConfig, SwinEncoder};

/// Which encoder, and its shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "lowercase")]
pub enum EncoderConfig {
    /// The convolutional one.
    Nano(NanoConfig),
    /// Swin V2.
    Swin(SwinConfig),
}

impl EncoderConfig {
    /// Channels of s1..s4.
    pub fn widths(&self) -> [usize; 4] {
        match self {
            Self::Nano(config) => config.widths,
            Self::Swin(config) => std::array::from_fn(|stage| config.embed_dim() << stage),
        }
    }

    pub(crate) fn init(&self, norm: NormKind, device: &Device) -> Result<Encoder, ConfigError> {
        Ok(match self {
            Self::Nano(config) => Encoder::Nano(config.init(norm, device)?),
            Self::Swin(config) => Encoder::Swin(config.init(device)),
        })
    }
}

/// The encoder of a model.
#[derive(Module, Debug)]
// A model holds a handful of these at most: a box would save nothing.
#[allow(clippy::large_enum_variant)]
pub enum Encoder {
    /// The convolutional one.
    Nano(NanoEncoder),
    /// Swin V2.
    Swin(SwinEncoder),
}

impl Encoder {
    /// # Shapes
    /// - images: `[batch, 3, height, width]`, RGB, 0..1, sides multiples of 32
    /// - output: the pyramid s1..s4 at strides 4, 8, 16, 32
    pub fn forward(&self, images: Tensor<4>) -> [Tensor<4>; 4] {
        match self {
            Self::Nano(encoder) => encoder.forward(images),
            Self::Swin(encoder) => encoder.forward(images),
        }
    }

    /// See [`NanoEncoder::with_stochastic_depth`]; a Swin stays as it is.
    pub(crate) fn with_stochastic_depth(self, rate: f64) -> Self {
        match self {
            Self::Nano(encoder) => Self::Nano(encoder.with_stochastic_depth(rate)),
            Self::Swin(encoder) => Self::Swin(encoder),
        }
    }

    /// Changes every convolution with a normalisation; a Swin has none.
    pub(crate) fn map_convs(&self, change: fn(&ConvNorm) -> ConvNorm) -> Self {
        match self {
            Self::Nano(encoder) => Self::Nano(encoder.map_convs(change)),
            Self::Swin(encoder) => Self::Swin(encoder.clone()),
        }
    }
}
