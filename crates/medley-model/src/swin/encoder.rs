//! The encoder: patches, four stages, the pyramid.

use burn::module::Module;
use burn::nn::LayerNorm;
use burn::tensor::{Device, Tensor};

use super::config::{STAGES, SwinConfig};
use super::norm_config;
use super::patch_embed::PatchEmbed;
use super::stage::SwinStage;

/// Swin Transformer V2, from an image to a pyramid. Made by [`SwinConfig::init`].
#[derive(Module, Debug)]
pub struct SwinEncoder {
    patch_embed: PatchEmbed,
    stages: Vec<SwinStage>,
    /// Norm over the channels of s4 that torchvision's classifier applies before it pools. It is
    /// stored so that foreign weights survive a round trip; [`Self::forward`] does not apply it.
    pub norm: LayerNorm,
}

impl SwinEncoder {
    pub(super) fn new(config: &SwinConfig, device: &Device) -> Self {
        let stages = (0..STAGES).map(|index| SwinStage::new(config, index, device)).collect();
        Self {
            patch_embed: PatchEmbed::new(config.embed_dim(), device),
            stages,
            norm: norm_config(config.channels()[STAGES - 1]).init(device),
        }
    }

    /// The pyramid s1..s4 at strides 4, 8, 16, 32.
    ///
    /// Sides that are multiples of 32 need no padding. Others are possible from 32 pixels up: the
    /// up to 3 pixels at the right and bottom that fill no 4×4 patch are cut, and an odd side is
    /// padded with zeros where a stage halves it, so that stage's side is rounded up.
    ///
    /// # Shapes
    ///
    /// - image: `[batch, 3, height, width]`, RGB, 0..1
    /// - s1..s4: `[batch, embed_dim·2^k, ⌈height/(4·2^k)⌉, ⌈width/(4·2^k)⌉]` with k = 0..3
    pub fn forward(&self, image: Tensor<4>) -> [Tensor<4>; STAGES] {
        let mut tokens = self.patch_embed.forward(image);
        std::array::from_fn(|stage| {
            tokens = self.stages[stage].forward(tokens.clone());
            tokens.clone().permute([0, 3, 1, 2])
        })
    }

    /// Computes once what depends on the weights alone, the position bias of every block above
    /// all, lays the weights out where they are on the CPU, and keeps both (they are no parameters,
    /// and are not stored).
    ///
    /// For inference, after the weights are loaded: weights that change later do not change what
    /// is kept, and gradients do not reach the weights behind it. Training does without.
    pub fn prepare(&mut self) {
        self.patch_embed.prepare();
        // The largest layers first: the room that they need while they are laid out serves all others afterwards.
        self.stages.iter_mut().rev().for_each(SwinStage::prepare);
    }
}
