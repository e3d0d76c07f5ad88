//! The heads: what belongs to one task alone.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::conv_norm::same_padding;
use crate::fcos::DetectionHead;
use crate::unet::PIXEL_CHANNELS;

/// What a head answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// Logits of classes for the image.
    Classification,
    /// Logits of classes for every pixel.
    Segmentation,
    /// Boxes.
    Detection,
}

impl HeadKind {
    /// The kind as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::Segmentation => "segmentation",
            Self::Detection => "detection",
        }
    }
}

/// One head of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadConfig {
    /// The task's name.
    pub name: String,
    /// What it answers with.
    pub kind: HeadKind,
    /// Number of classes; in segmentation the background counts.
    pub classes: usize,
}

/// Share of the embedding's channels dropped in training.
const DROPOUT: f64 = 0.2;

/// Dropout, ReLU, Linear.
#[derive(Module, Debug)]
pub(crate) struct ClassificationHead {
    dropout: Dropout,
    linear: Linear,
}

impl ClassificationHead {
    fn forward(&self, embedding: Tensor<2>) -> Tensor<2> {
        let Linear { weight, bias, .. } = &self.linear;
        let input = relu(self.dropout.forward(embedding));
        medley_kernels::dense(input, weight.val(), bias.as_ref().map(Param::val))
    }
}

/// Heads of the three kinds; a model holds one for each task.
#[derive(Module, Debug)]
// A model holds a handful of these at most: a box would save nothing.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Head {
    Classification(ClassificationHead),
    Segmentation(Conv2d),
    Detection(DetectionHead),
}

impl Head {
    pub(crate) fn new(
        config: &HeadConfig,
        embedding: usize,
        detection: usize,
        device: &Device,
    ) -> Self {
        match config.kind {
            HeadKind::Classification => Self::Classification(ClassificationHead {
                dropout: DropoutConfig::new(DROPOUT).init(),
                linear: LinearConfig::new(embedding, config.classes).init(device),
            }),
            HeadKind::Segmentation => Self::Segmentation(
                Conv2dConfig::new([PIXEL_CHANNELS, config.classes], [3, 3])
                    .with_padding(same_padding(3))
                    .init(device),
            ),
            HeadKind::Detection => {
                Self::Detection(DetectionHead::new(detection, config.classes, device))
            }
        }
    }

    /// Drops nothing in training any more.
    pub(crate) fn without_dropout(mut self) -> Self {
        if let Self::Classification(head) = &mut self {
            head.dropout = DropoutConfig::new(0.0).init();
        }
        self
    }

    pub(crate) fn classify(&self, embedding: Tensor<2>) -> Option<Tensor<2>> {
        match self {
            Self::Classification(head) => Some(head.forward(embedding)),
            _ => None,
        }
    }
}
