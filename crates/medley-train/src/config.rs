//! The configuration of a pretraining run. `preset` reads it; docs/configuration.md has a row for each key.

use medley_model::{EncoderConfig, HeadConfig, HeadKind, ModelConfig, NanoConfig, SwinConfig};
use medley_package::{Presentation, TaskKind, TaskSpec};
use serde::{Deserialize, Serialize};

use crate::schedule::{cosine, warm_up};

/// Which model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// The convolutional encoder of the browser.
    Nano,
    /// A convolutional encoder small enough for tests.
    Micro,
    /// Swin V2, 24 channels.
    SwinMicro,
    /// Swin V2, 48 channels.
    SwinNano,
    /// Swin V2, 96 channels.
    SwinTiny,
    /// Swin V2, 128 channels.
    SwinBase,
}

impl Variant {
    /// The name, as in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nano => "nano",
            Self::Micro => "micro",
            Self::SwinMicro => "swin-micro",
            Self::SwinNano => "swin-nano",
            Self::SwinTiny => "swin-tiny",
            Self::SwinBase => "swin-base",
        }
    }

    /// The model of this variant with the heads that `tasks` need.
    pub fn model(self, tasks: &[TaskSpec]) -> ModelConfig {
        let heads = tasks.iter().map(head).collect();
        match self {
            Self::Nano => ModelConfig::nano(heads),
            Self::Micro => ModelConfig::micro(heads),
            Self::SwinMicro => ModelConfig::swin(SwinConfig::micro(), heads),
            Self::SwinNano => ModelConfig::swin(SwinConfig::nano(), heads),
            Self::SwinTiny => ModelConfig::swin(SwinConfig::tiny(), heads),
            Self::SwinBase => ModelConfig::swin(SwinConfig::base(), heads),
        }
    }
}

pub(crate) fn head(task: &TaskSpec) -> HeadConfig {
    let kind = match task.kind {
        TaskKind::Classification => HeadKind::Classification,
        TaskKind::Segmentation => HeadKind::Segmentation,
        TaskKind::Detection => HeadKind::Detection,
    };
    HeadConfig { name: task.name.clone(), kind, classes: task.classes.len() }
}

/// How the tasks take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Every batch holds a few images of every task; the shared blocks run once over all of them.
    /// For encoders with batch normalisation.
    Mixed,
    /// One batch of each task in turn; the shared blocks' gradients add up over a round. Memory
    /// holds one task's activations at a time.
    Alternating,
}

/// AdamW and its schedule: linear warm-up, then a cosine down to a hundredth, which may begin anew
/// (Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts*, 2017).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Steps until the highest rate is reached.
    pub warmup: u64,
    /// Largest norm of one parameter's gradient.
    pub clip: f32,
    /// Steps at which the cosine begins anew at the highest rate, rising; none by default. A run that
    /// is done can go on by one more, with `steps` raised.
    #[serde(default)]
    pub restarts: Vec<u64>,
    /// Decay of the moving average of the weights, which validation, evaluation and export then use;
    /// 0 for none.
    #[serde(default)]
    pub average: f64,
}

/// One task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// Its name in the database.
    pub name: String,
    /// Its images in one batch.
    pub per_batch: usize,
    /// Factor on its loss.
    #[serde(default = "one")]
    pub weight: f64,
    /// Draw classes with equal probability (classification).
    #[serde(default)]
    pub balance: bool,
    /// How its images are shown to the encoder.
    pub presentation: Presentation,
}

fn one() -> f64 {
    1.0
}

/// A pretraining run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Name of the model and of its folder below `runs/`.
    pub name: String,
    /// Which model.
    pub variant: Variant,
    /// The shape of the convolutional encoder, in place of the variant's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nano: Option<NanoConfig>,
    /// Decides the first weights, the order of images and their augmentation.
    pub seed: u64,
    /// Steps of the shared blocks' optimizer.
    pub steps: u64,
    /// How the tasks take turns.
    pub way: Way,
    /// Strength of the augmentation, 0..=1.
    pub augmentation: f32,
    /// Threads that prepare images.
    pub threads: usize,
    /// Steps between measurements on the validation splits; 0 for none.
    pub validate_every: u64,
    /// Largest number of validation images of each task in such a measurement.
    pub validate_images: usize,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// The tasks.
    pub tasks: Vec<TaskConfig>,
}

impl TrainConfig {
    /// Whether the values fit together; the reason if not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Some(first) = self.tasks.first() else {
            return Err("no [[tasks]]; expected at least one".into());
        };
        let size = first.presentation.size();
        for task in &self.tasks {
            let name = &task.name;
            if task.presentation.size() != size {
                return Err(format!(
                    "task “{name}” is shown at {} pixels, “{}” at {size}; one batch has one size",
                    task.presentation.size(),
                    first.name
                ));
            }
            if !(task.weight.is_finite() && task.weight > 0.0) {
                return Err(format!("task “{name}”: weight {} is not above 0", task.weight));
            }
        }
        if size == 0 || size % 32 != 0 {
            return Err(format!("size {size} is not a multiple of 32"));
        }
        let optimizer = &self.optimizer;
        if !(optimizer.learning_rate > 0.0 && optimizer.learning_rate < 1.0) {
            return Err(format!("learning_rate {} is not in 0..1", optimizer.learning_rate));
        }
        if !(0.0..=1.0).contains(&self.augmentation) {
            return Err(format!("augmentation {} is not in 0..=1", self.augmentation));
        }
        if !(0.0..1.0).contains(&optimizer.average) {
            return Err(format!("average {} is not in 0..1", optimizer.average));
        }
        if self.nano.is_some() && !matches!(self.variant, Variant::Nano | Variant::Micro) {
            return Err(format!(
                "nano gives the shape of a convolutional encoder; the variant {} has none",
                self.variant.name()
            ));
        }
        let rising = optimizer.restarts.is_sorted_by(|a, b| a < b);
        if !rising || optimizer.restarts.iter().any(|&at| at < optimizer.warmup || at >= self.steps)
        {
            return Err(format!(
                "restarts {:?} must rise and lie between warmup {} and steps {}",
                optimizer.restarts, optimizer.warmup, self.steps
            ));
        }
        if optimizer.clip.is_nan() || optimizer.clip <= 0.0 {
            return Err(format!("clip {} is not above 0", optimizer.clip));
        }
        if self.name.is_empty() || self.name.contains(['/', '\\', '.']) {
            return Err(format!("name “{}” is no plain folder name", self.name));
        }
        if self.steps == 0 || self.checkpoint_every == 0 {
            return Err("steps and checkpoint_every must be at least 1".into());
        }
        Ok(())
    }

    /// The model of this run with the heads that `tasks` need.
    pub fn model(&self, tasks: &[TaskSpec]) -> ModelConfig {
        let model = self.variant.model(tasks);
        match (&model.encoder, &self.nano) {
            (EncoderConfig::Nano(_), Some(nano)) => {
                ModelConfig { encoder: EncoderConfig::Nano(nano.clone()), ..model }
            }
            _ => model,
        }
    }

    /// Side of the square input in pixels.
    pub fn size(&self) -> u32 {
        self.tasks.first().map_or(0, |task| task.presentation.size())
    }

    /// Learning rate of a step: linear warm-up, then half a cosine to a hundredth, from each restart anew.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let OptimizerConfig { learning_rate, warmup, ref restarts, .. } = self.optimizer;
        let begin = restarts.iter().copied().filter(|&at| at <= step).max().unwrap_or(warmup);
        let end = restarts.iter().copied().filter(|&at| at > step).min().unwrap_or(self.steps);
        if step < warmup {
            warm_up(learning_rate, warmup, step)
        } else {
            cosine(learning_rate, begin..end, step)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(steps: u64, restarts: Vec<u64>) -> TrainConfig {
        let optimizer = OptimizerConfig {
            learning_rate: 1e-3,
            weight_decay: 0.0,
            warmup: 10,
            clip: 1.0,
            restarts,
            average: 0.0,
        };
        TrainConfig {
            name: "test".into(),
            variant: Variant::Micro,
            nano: None,
            seed: 1,
            steps,
            way: Way::Mixed,
            augmentation: 1.0,
            threads: 1,
            validate_every: 0,
            validate_images: 1,
            checkpoint_every: 1,
            optimizer,
            tasks: Vec::new(),
        }
    }

    #[test]
    fn the_rate_climbs_falls_and_begins_anew() {
        let config = config(200, vec![100]);
        assert_eq!(config.learning_rate(0), 1e-4);
        assert_eq!(config.learning_rate(10), 1e-3);
        assert!(config.learning_rate(99) < 2e-5);
        assert_eq!(config.learning_rate(100), 1e-3);
        assert!(config.learning_rate(199) < 2e-5);
    }

    #[test]
    fn a_restart_leaves_the_rates_before_it_as_those_of_the_shorter_run() {
        let (short, long) = (config(100, Vec::new()), config(200, vec![100]));
        for step in 0..100 {
            assert_eq!(short.learning_rate(step), long.learning_rate(step));
        }
    }
}
