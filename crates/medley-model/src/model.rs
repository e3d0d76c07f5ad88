//! The whole model: one encoder, the shared decoders, a head for each task.

use std::ops::Range;

use burn::module::{Module, ParamId, list_param_ids};
use burn::tensor::{Device, Tensor};
use medley_kernels::PackedConv;
use serde::{Deserialize, Serialize};

use crate::conv_norm::{ConvNorm, NormKind, pack_and_forget, packed_or_same};
use crate::encoder::{Encoder, EncoderConfig};
use crate::error::{ConfigError, ModelError};
use crate::fcos::{DetectionDecoder, LevelOutput, TOWER_GROUPS, TowerOutput};
use crate::heads::{Head, HeadConfig, HeadKind};
use crate::nano::NanoConfig;
use crate::squeezer::Squeezer;
use crate::swin::SwinConfig;
use crate::unet::SegmentationDecoder;

/// Everything that the shape of a model depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// Channels of the embedding.
    pub squeezer: usize,
    /// Normalisation in the convolutional encoder and in the segmentation decoder.
    pub norm: NormKind,
    /// Channels of the detection decoder.
    pub detection_channels: usize,
    /// Layers in each tower of the detection decoder.
    pub detection_depth: usize,
    /// One entry for each task.
    pub heads: Vec<HeadConfig>,
}

impl ModelConfig {
    /// The browser's default model. Its detection decoder is half as wide and half as deep as the
    /// larger models': at 256² it would otherwise cost more than the encoder.
    pub fn nano(heads: Vec<HeadConfig>) -> Self {
        Self {
            encoder: EncoderConfig::Nano(NanoConfig::nano()),
            squeezer: 256,
            norm: NormKind::Batch,
            detection_channels: 64,
            detection_depth: 2,
            heads,
        }
    }

    /// A convolutional model small enough for tests.
    pub fn micro(heads: Vec<HeadConfig>) -> Self {
        Self {
            encoder: EncoderConfig::Nano(NanoConfig::micro()),
            squeezer: 32,
            norm: NormKind::Batch,
            detection_channels: 16,
            detection_depth: 1,
            heads,
        }
    }

    /// A model on a Swin V2 encoder.
    pub fn swin(encoder: SwinConfig, heads: Vec<HeadConfig>) -> Self {
        Self {
            encoder: EncoderConfig::Swin(encoder),
            squeezer: 512,
            norm: NormKind::Group,
            detection_channels: 128,
            detection_depth: 4,
            heads,
        }
    }

    /// Makes a model with random weights.
    ///
    /// # Errors
    /// A width of 0, heads of one name, a head without classes.
    pub fn init(&self, device: &Device) -> Result<MedleyModel, ConfigError> {
        if self.squeezer == 0 || self.detection_channels == 0 {
            return Err(ConfigError::ZeroChannels { part: "squeezer or detection decoder" });
        }
        for (index, head) in self.heads.iter().enumerate() {
            if self.heads[..index].iter().any(|other| other.name == head.name) {
                return Err(ConfigError::DuplicateHead { name: head.name.clone() });
            }
            let least = if head.kind == HeadKind::Segmentation { 2 } else { 1 };
            if head.classes < least {
                return Err(ConfigError::HeadClasses {
                    name: head.name.clone(),
                    classes: head.classes,
                    expected: "at least 1, and 2 with the background in segmentation",
                });
            }
        }
        if !self.detection_channels.is_multiple_of(TOWER_GROUPS) {
            return Err(ConfigError::DetectionChannels {
                channels: self.detection_channels,
                groups: TOWER_GROUPS,
            });
        }
        let widths = self.encoder.widths();
        Ok(MedleyModel {
            encoder: self.encoder.init(self.norm, device)?,
            squeezer: Squeezer::new(widths[3], self.squeezer, device),
            segmentation: SegmentationDecoder::new(
                [widths[0], widths[1], widths[2]],
                self.squeezer,
                self.norm,
                device,
            ),
            detection: DetectionDecoder::new(
                [widths[1], widths[2], self.squeezer],
                self.detection_channels,
                self.detection_depth,
                device,
            ),
            heads: self
                .heads
                .iter()
                .map(|head| Head::new(head, self.squeezer, self.detection_channels, device))
                .collect(),
            names: self.heads.iter().map(|head| head.name.clone()).collect(),
            packed: vec![None; self.heads.len()],
        })
    }
}

/// What one encoder pass leaves for the decoders and heads.
#[derive(Debug, Clone)]
pub struct Features {
    /// `[batch, widths[0], height / 4, width / 4]`
    pub s1: Tensor<4>,
    /// `[batch, widths[1], height / 8, width / 8]`
    pub s2: Tensor<4>,
    /// `[batch, widths[2], height / 16, width / 16]`
    pub s3: Tensor<4>,
    /// `[batch, squeezer, height / 32, width / 32]`, in place of s4
    pub squeezed: Tensor<4>,
    /// `[batch, squeezer]`
    pub embedding: Tensor<2>,
}

impl Features {
    /// The same for a range of the batch: what one task's head sees of a mixed batch.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            s1: self.s1.clone().slice([range.clone()]),
            s2: self.s2.clone().slice([range.clone()]),
            s3: self.s3.clone().slice([range.clone()]),
            squeezed: self.squeezed.clone().slice([range.clone()]),
            embedding: self.embedding.clone().slice([range]),
        }
    }
}

impl Features {
    /// What a small classifier on another task learns from: mean and standard deviation over the pixels of each
    /// channel of s1, s2 and s3, `[batch, 2 (widths[0] + widths[1] + widths[2])]`.
    ///
    /// Not [`Self::embedding`], which serves the pretrained heads: what they have no use for is gone from it. A probe
    /// of a task that pretraining did not know is right far more often on these (docs/results.md).
    pub fn descriptor(&self) -> Tensor<2> {
        let maps = [&self.s1, &self.s2, &self.s3];
        let parts = maps.into_iter().flat_map(|map| {
            let [batch, channels, height, width] = map.dims();
            let pixels = map.clone().reshape([batch, channels, height * width]);
            let mean = pixels.clone().mean_dim(2);
            let deviation = (pixels - mean.clone()).square().mean_dim(2).sqrt();
            [mean, deviation].map(|part| part.reshape([batch, channels]))
        });
        Tensor::cat(parts.collect(), 1)
    }

    /// One batch after the other.
    pub fn cat(pieces: Vec<Self>) -> Self {
        fn join<const D: usize>(
            pieces: &[Features],
            part: impl Fn(&Features) -> &Tensor<D>,
        ) -> Tensor<D> {
            Tensor::cat(pieces.iter().map(|piece| part(piece).clone()).collect(), 0)
        }
        Self {
            s1: join(&pieces, |piece| &piece.s1),
            s2: join(&pieces, |piece| &piece.s2),
            s3: join(&pieces, |piece| &piece.s3),
            squeezed: join(&pieces, |piece| &piece.squeezed),
            embedding: join(&pieces, |piece| &piece.embedding),
        }
    }
}

/// The model.
#[derive(Module, Debug)]
pub struct MedleyModel {
    encoder: Encoder,
    squeezer: Squeezer,
    segmentation: SegmentationDecoder,
    detection: DetectionDecoder,
    heads: Vec<Head>,
    #[module(skip)]
    names: Vec<String>,
    /// The segmentation heads' convolutions once more, laid out for inference on the CPU; one entry for each head.
    #[module(skip)]
    packed: Vec<Option<PackedConv>>,
}

impl MedleyModel {
    /// The same model, whose heads drop no channel in training: for comparing devices, which draw differently.
    pub fn without_dropout(mut self) -> Self {
        self.heads = self.heads.into_iter().map(Head::without_dropout).collect();
        self
    }

    /// The same model, whose convolutional encoder leaves out branches of its blocks in training, at random for each
    /// picture: with probability `rate` in the last block, evenly less before it, never in the first.
    pub fn with_stochastic_depth(mut self, rate: f64) -> Self {
        self.encoder = self.encoder.with_stochastic_depth(rate);
        self
    }

    /// One pass of the encoder and the squeezer.
    ///
    /// # Shapes
    /// - images: `[batch, 3, height, width]`, RGB, 0..1
    ///
    /// # Errors
    /// A side that is not a multiple of 32.
    pub fn encode(&self, images: Tensor<4>) -> Result<Features, ModelError> {
        let [_, _, height, width] = images.dims();
        if height == 0 || width == 0 || height % 32 != 0 || width % 32 != 0 {
            return Err(ModelError::InputSize { width, height });
        }
        let [s1, s2, s3, s4] = self.encoder.forward(images);
        let (squeezed, embedding) = self.squeezer.forward(s4);
        Ok(Features { s1, s2, s3, squeezed, embedding })
    }

    /// The segmentation decoder: `[batch, 16, height / 2, width / 2]`.
    pub fn pixel_embedding(&self, features: &Features) -> Tensor<4> {
        self.segmentation.forward(
            features.s1.clone(),
            features.s2.clone(),
            features.s3.clone(),
            features.squeezed.clone(),
        )
    }

    /// The detection decoder, one entry for each of the strides 8 to 128.
    pub fn detection_towers(&self, features: &Features) -> Vec<TowerOutput> {
        self.detection.forward(features.s2.clone(), features.s3.clone(), features.squeezed.clone())
    }

    /// Logits of a classification head: `[batch, classes]`.
    ///
    /// # Errors
    /// No classification head of that name.
    pub fn classify(&self, head: &str, embedding: Tensor<2>) -> Result<Tensor<2>, ModelError> {
        self.find(head)
            .and_then(|found| found.classify(embedding))
            .ok_or_else(|| self.no_head(head, HeadKind::Classification))
    }

    /// Logits of a segmentation head on [`Self::pixel_embedding`]:
    /// `[batch, classes, height / 2, width / 2]`.
    ///
    /// # Errors
    /// No segmentation head of that name.
    pub fn segment(&self, head: &str, pixels: Tensor<4>) -> Result<Tensor<4>, ModelError> {
        match self.place(head).map(|place| (&self.heads[place], &self.packed[place])) {
            Some((Head::Segmentation(conv), packed)) => Ok(packed_or_same(packed, conv, pixels)),
            _ => Err(self.no_head(head, HeadKind::Segmentation)),
        }
    }

    /// A detection head on [`Self::detection_towers`].
    ///
    /// # Errors
    /// No detection head of that name.
    pub fn detect(
        &self,
        head: &str,
        towers: &[TowerOutput],
    ) -> Result<Vec<LevelOutput>, ModelError> {
        match self.find(head) {
            Some(Head::Detection(head)) => Ok(head.forward(towers)),
            _ => Err(self.no_head(head, HeadKind::Detection)),
        }
    }

    /// The same model with every batch normalisation multiplied into its convolution, and the
    /// configuration that goes with it.
    pub fn fold(&self, config: &ModelConfig) -> (Self, ModelConfig) {
        if config.norm != NormKind::Batch {
            return (self.clone(), config.clone());
        }
        (self.map_convs(ConvNorm::fold), ModelConfig { norm: NormKind::Folded, ..config.clone() })
    }

    /// The reverse, to train a folded model further: batch normalisations that on this batch change nothing, and the
    /// configuration that goes with them. `segmented`: the images of the batch that the segmentation decoder sees.
    ///
    /// # Shapes
    /// - images: `[batch, 3, height, width]`, RGB, 0..1
    ///
    /// # Errors
    /// A side that is not a multiple of 32.
    pub fn unfold(
        &self,
        config: &ModelConfig,
        images: Tensor<4>,
        segmented: &[Range<usize>],
    ) -> Result<(Self, ModelConfig), ModelError> {
        if config.norm != NormKind::Folded {
            return Ok((self.clone(), config.clone()));
        }
        let listening = self.map_convs(ConvNorm::listening);
        let features = listening.encode(images)?;
        let pieces: Vec<_> = segmented.iter().map(|range| features.slice(range.clone())).collect();
        let of_decoder = if pieces.is_empty() { features } else { Features::cat(pieces) };
        listening.pixel_embedding(&of_decoder);
        let model = listening.map_convs(ConvNorm::unfold);
        Ok((model, ModelConfig { norm: NormKind::Batch, ..config.clone() }))
    }

    fn map_convs(&self, change: fn(&ConvNorm) -> ConvNorm) -> Self {
        Self {
            encoder: self.encoder.map_convs(change),
            segmentation: self.segmentation.map_convs(change),
            ..self.clone()
        }
    }

    /// This model with the encoder, squeezer and decoders of another, and its heads of these names. Both must have the
    /// same shape but for the other heads.
    pub fn with_weights_of(mut self, other: &Self, heads: &[&str]) -> Self {
        self.encoder = other.encoder.clone();
        self.squeezer = other.squeezer.clone();
        self.segmentation = other.segmentation.clone();
        self.detection = other.detection.clone();
        for (name, head) in self.names.iter().zip(&mut self.heads) {
            let theirs = other.find(name).filter(|_| heads.contains(&name.as_str()));
            if let Some(theirs) = theirs {
                head.clone_from(theirs);
            }
        }
        self
    }

    /// Computes once what is constant for fixed weights (Swin's position bias), and lays the weights out for inference
    /// where they are on the CPU, in place of the model's own. Call it after loading weights that will not be trained: the model
    /// then runs on the device that it is on, and that is all.
    pub fn prepare(&mut self) {
        match &mut self.encoder {
            Encoder::Nano(encoder) => encoder.prepare(),
            Encoder::Swin(encoder) => encoder.prepare(),
        }
        self.squeezer.prepare();
        self.segmentation.prepare();
        self.detection.prepare();
        for (head, packed) in self.heads.iter_mut().zip(&mut self.packed) {
            match head {
                // A matrix product of one row.
                Head::Classification(_) => {}
                Head::Segmentation(conv) => *packed = pack_and_forget(conv),
                Head::Detection(head) => head.prepare(),
            }
        }
    }

    /// The parameters of a head, empty if there is none of that name: what one task alone trains.
    pub fn head_parameters(&self, name: &str) -> Vec<ParamId> {
        self.find(name).map(list_param_ids).unwrap_or_default()
    }

    /// The parameters that all tasks train: encoder, squeezer and decoders.
    pub fn shared_parameters(&self) -> Vec<ParamId> {
        let mut ids = list_param_ids(&self.encoder);
        ids.extend(list_param_ids(&self.squeezer));
        ids.extend(list_param_ids(&self.segmentation));
        ids.extend(list_param_ids(&self.detection));
        ids
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Head> {
        self.heads.get(self.place(name)?)
    }

    pub(crate) fn find_mut(&mut self, name: &str) -> Option<&mut Head> {
        let place = self.place(name)?;
        self.heads.get_mut(place)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    fn no_head(&self, name: &str, kind: HeadKind) -> ModelError {
        let existing = self
            .names
            .iter()
            .zip(&self.heads)
            .filter(|(_, head)| {
                matches!(
                    (head, kind),
                    (Head::Classification(_), HeadKind::Classification)
                        | (Head::Segmentation(_), HeadKind::Segmentation)
                        | (Head::Detection(_), HeadKind::Detection)
                )
            })
            .map(|(name, _)| name.clone())
            .collect();
        ModelError::NoHead { name: name.to_owned(), kind: kind.name(), existing }
    }
}
