//! The shared detection decoder and the heads on it.
//!
//! Tian et al., *FCOS: fully convolutional one-stage object detection* (2019), on a feature
//! pyramid (Lin et al., 2017) at strides 8 to 128.

use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use medley_kernels::PackedConv;

use crate::conv_norm::{pack_and_forget, packed_or_same, same_padding};
use crate::group_norm::norm_gelu;
use crate::pointwise::Pointwise;

/// Strides of the five levels, in pixels of the input.
pub const STRIDES: [usize; 5] = [8, 16, 32, 64, 128];

/// Groups of the group normalisation in the towers.
pub const TOWER_GROUPS: usize = 16;

/// Probability that an untrained head gives to every class at every location: as few locations
/// hold an object, the loss would otherwise begin with the background alone (Lin et al., *Focal
/// loss*, 2017, §4.1).
const PRIOR: f64 = 0.01;

/// Largest exponent of a distance, so that no logit overflows: e⁶ strides = 3 227 pixels at P3.
pub const MAX_EXPONENT: f64 = 6.0;

/// FPN and the two towers.
#[derive(Module, Debug)]
pub(crate) struct DetectionDecoder {
    lateral: Vec<Pointwise>,
    output: Vec<Conv2d>,
    down: Vec<Conv2d>,
    class_tower: Vec<TowerLayer>,
    box_tower: Vec<TowerLayer>,
    /// `output` and `down` once more, laid out for inference on the CPU.
    #[module(skip)]
    packed: [Vec<Option<PackedConv>>; 2],
}

#[derive(Module, Debug)]
struct TowerLayer {
    conv: Conv2d,
    norm: GroupNorm,
    /// The convolution once more, laid out for inference on the CPU.
    #[module(skip)]
    packed: Option<PackedConv>,
}

/// What the towers answer for one level.
#[derive(Debug, Clone)]
pub struct TowerOutput {
    /// `[batch, channels, height / stride, width / stride]`
    pub class_features: Tensor<4>,
    /// The same shape.
    pub box_features: Tensor<4>,
    /// Pixels between neighbouring locations.
    pub stride: usize,
}

impl TowerOutput {
    /// The same for a range of the batch.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            class_features: self.class_features.clone().slice([range.clone()]),
            box_features: self.box_features.clone().slice([range]),
            stride: self.stride,
        }
    }
}

fn conv3x3(channels_in: usize, channels_out: usize, stride: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([channels_in, channels_out], [3, 3])
        .with_stride([stride, stride])
        .with_padding(same_padding(3))
        .init(device)
}

impl DetectionDecoder {
    /// `widths`: channels of s2, s3 and the squeezed map; `depth`: layers in each tower.
    pub(crate) fn new(widths: [usize; 3], channels: usize, depth: usize, device: &Device) -> Self {
        let tower = || {
            (0..depth)
                .map(|_| TowerLayer {
                    conv: conv3x3(channels, channels, 1, device),
                    norm: GroupNormConfig::new(TOWER_GROUPS, channels).init(device),
                    packed: None,
                })
                .collect()
        };
        Self {
            lateral: widths.iter().map(|&w| Pointwise::new(w, channels, device)).collect(),
            output: (0..3).map(|_| conv3x3(channels, channels, 1, device)).collect(),
            down: (0..2).map(|_| conv3x3(channels, channels, 2, device)).collect(),
            class_tower: tower(),
            box_tower: tower(),
            packed: [vec![None; 3], vec![None; 2]],
        }
    }

    /// As [`MedleyModel::prepare`](crate::MedleyModel::prepare).
    pub(crate) fn prepare(&mut self) {
        self.lateral.iter_mut().for_each(Pointwise::prepare);
        self.packed = [&mut self.output, &mut self.down]
            .map(|convs| convs.iter_mut().map(pack_and_forget).collect());
        for layer in self.class_tower.iter_mut().chain(&mut self.box_tower) {
            layer.packed = pack_and_forget(&mut layer.conv);
        }
    }

    /// # Shapes
    /// - s2, s3, squeezed: `[batch, widths[i], height / 8, 16, 32, …]`
    /// - output: one entry for each of [`STRIDES`]
    pub(crate) fn forward(
        &self,
        s2: Tensor<4>,
        s3: Tensor<4>,
        squeezed: Tensor<4>,
    ) -> Vec<TowerOutput> {
        let mut merged: Vec<Tensor<4>> = Vec::with_capacity(3);
        for (lateral, map) in self.lateral.iter().zip([s2, s3, squeezed]).rev() {
            let map = lateral.forward(map);
            let map = match merged.last() {
                Some(above) => map + medley_kernels::double(above.clone(), None),
                None => map,
            };
            merged.push(map);
        }
        merged.reverse();
        let [output, down] = &self.packed;
        let mut levels: Vec<Tensor<4>> = merged
            .into_iter()
            .zip(output.iter().zip(&self.output))
            .map(|(map, (packed, conv))| packed_or_same(packed, conv, map))
            .collect();
        for (index, (packed, conv)) in down.iter().zip(&self.down).enumerate() {
            let below = levels[levels.len() - 1].clone();
            let below = if index == 0 { below } else { relu(below) };
            levels.push(packed_or_same(packed, conv, below));
        }
        levels
            .into_iter()
            .zip(STRIDES)
            .map(|(level, stride)| TowerOutput {
                class_features: climb(&self.class_tower, level.clone()),
                box_features: climb(&self.box_tower, level),
                stride,
            })
            .collect()
    }
}

fn climb(tower: &[TowerLayer], level: Tensor<4>) -> Tensor<4> {
    tower.iter().fold(level, |map, layer| {
        norm_gelu(&layer.norm, packed_or_same(&layer.packed, &layer.conv, map))
    })
}

/// A task's own outputs on the shared towers.
#[derive(Module, Debug)]
pub(crate) struct DetectionHead {
    pub(crate) class: Conv2d,
    pub(crate) distance: Conv2d,
    pub(crate) centerness: Conv2d,
    /// One factor for each level, on the exponent of the distances.
    pub(crate) scale: Param<Tensor<1>>,
    /// The convolutions once more, in this order, laid out for inference on the CPU.
    #[module(skip)]
    packed: [Option<PackedConv>; 3],
}

/// What a detection head answers for one level. Location (x, y) lies at
/// ((x + 0.5)·stride, (y + 0.5)·stride) pixels of the input.
#[derive(Debug, Clone)]
pub struct LevelOutput {
    /// `[batch, classes, height, width]`; a sigmoid makes them probabilities.
    pub class_logits: Tensor<4>,
    /// Distances to the left, top, right and bottom side in pixels of the input, ≥ 0:
    /// `[batch, 4, height, width]`.
    pub distances: Tensor<4>,
    /// `[batch, 1, height, width]`; a logit.
    pub centerness: Tensor<4>,
    /// Pixels between neighbouring locations.
    pub stride: usize,
}

impl DetectionHead {
    pub(crate) fn new(channels: usize, classes: usize, device: &Device) -> Self {
        let mut class = conv3x3(channels, classes, 1, device);
        let bias = -((1.0 - PRIOR) / PRIOR).ln();
        class.bias = Some(Initializer::Constant { value: bias }.init([classes], device));
        Self {
            class,
            distance: conv3x3(channels, 4, 1, device),
            centerness: conv3x3(channels, 1, 1, device),
            scale: Initializer::Ones.init([STRIDES.len()], device),
            packed: [const { None }; 3],
        }
    }

    /// As [`MedleyModel::prepare`](crate::MedleyModel::prepare).
    pub(crate) fn prepare(&mut self) {
        self.packed =
            [&mut self.class, &mut self.distance, &mut self.centerness].map(pack_and_forget);
    }

    pub(crate) fn forward(&self, towers: &[TowerOutput]) -> Vec<LevelOutput> {
        let [class, distance, centerness] = &self.packed;
        towers
            .iter()
            .enumerate()
            .map(|(level, tower)| {
                let [of_class, of_box] = [&tower.class_features, &tower.box_features];
                let scale = self.scale.val().narrow(0, level, 1).reshape([1, 1, 1, 1]);
                let exponent = packed_or_same(distance, &self.distance, of_box.clone()) * scale;
                LevelOutput {
                    class_logits: packed_or_same(class, &self.class, of_class.clone()),
                    distances: exponent.clamp_max(MAX_EXPONENT).exp() * tower.stride as f64,
                    centerness: packed_or_same(centerness, &self.centerness, of_box.clone()),
                    stride: tower.stride,
                }
            })
            .collect()
    }
}
