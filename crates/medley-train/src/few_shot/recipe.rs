//! How the modes that train by gradient do it.

use serde::{Deserialize, Serialize};

use crate::schedule::{cosine, warm_up};

/// Length, rates and images of a few-shot training. The same for every task, fraction and seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Steps of the optimizer, in every mode.
    pub steps: u64,
    /// Steps until the highest rate is reached; a cosine to a hundredth follows.
    pub warmup: u64,
    /// Images in a batch of classification.
    pub images: usize,
    /// Images in a batch of segmentation or detection.
    pub dense_images: usize,
    /// Strength of the augmentation, 0..=1, whose operations are those of pretraining.
    pub augmentation: f32,
    /// Highest rate of decoders and head on a frozen encoder (frozen, random).
    pub frozen_rate: f64,
    /// Highest rate of decoders and head in fine-tuning.
    pub finetune_rate: f64,
    /// Factor on it for the deepest stage of the encoder and the squeezer, in fine-tuning.
    pub encoder_factor: f64,
    /// Factor from each stage of the encoder to the one before, in fine-tuning (Howard and Ruder, *ULMFiT*, 2018).
    pub stage_factor: f64,
    /// Highest rate from scratch, of everything.
    pub scratch_rate: f64,
    /// AdamW's decoupled weight decay.
    pub weight_decay: f32,
    /// Largest norm of one parameter's gradient.
    pub clip: f32,
    /// Batches over which a random encoder's normalisation statistics are taken (random).
    pub calibration: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            steps: 200,
            warmup: 20,
            images: 16,
            dense_images: 8,
            augmentation: 0.35,
            frozen_rate: 1e-3,
            finetune_rate: 1e-3,
            encoder_factor: 1.0,
            stage_factor: 0.7,
            scratch_rate: 1e-3,
            weight_decay: 0.05,
            clip: 1.0,
            calibration: 30,
        }
    }
}

impl Recipe {
    /// The share of the highest rate in a step, 0..=1.
    pub(crate) fn share(&self, step: u64) -> f64 {
        let warmup = self.warmup.min(self.steps / 2);
        if step < warmup {
            warm_up(1.0, warmup, step)
        } else {
            cosine(1.0, warmup..self.steps, step)
        }
    }

    /// Whether the values fit together; the reason if not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let rates = [self.frozen_rate, self.finetune_rate, self.scratch_rate];
        if let Some(rate) = rates.iter().find(|rate| !(**rate > 0.0 && **rate < 1.0)) {
            return Err(format!("the learning rate {rate} is not in 0..1"));
        }
        let factors = [self.encoder_factor, self.stage_factor];
        if let Some(factor) = factors.iter().find(|factor| !(**factor > 0.0 && **factor <= 1.0)) {
            return Err(format!(
                "the factor {factor} on a learning rate is not above 0 and at most 1"
            ));
        }
        if self.steps == 0 || self.images == 0 || self.dense_images == 0 {
            return Err("steps and images in a batch must be at least 1".into());
        }
        if !(0.0..=1.0).contains(&self.augmentation) {
            return Err(format!("augmentation {} is not in 0..=1", self.augmentation));
        }
        Ok(())
    }
}
