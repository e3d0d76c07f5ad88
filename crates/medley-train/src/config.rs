//! The configuration of a pretraining run. `preset` reads it; docs/configuration.md has a row for each key.

use std::path::PathBuf;

use medley_data::ExtraAugmentation;
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
    /// Views of each drawn image in a batch, each augmented on its own; `per_batch` counts them.
    #[serde(default = "one_view")]
    pub views: usize,
    /// How its images are shown to the encoder.
    pub presentation: Presentation,
}

fn one() -> f64 {
    1.0
}

fn one_view() -> usize {
    1
}

/// A loss without labels beside the tasks: views of one picture are to be nearer to each other than to all else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfSupervisionConfig {
    /// Factor on it; the mean over the tasks has 1.
    pub weight: f64,
    /// By which similarities of -1..=1 are divided.
    #[serde(default = "temperature")]
    pub temperature: f64,
}

fn temperature() -> f64 {
    0.2
}

/// A loss against the embedding of a model that is trained already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistillationConfig {
    /// Folder of its package.
    pub package: PathBuf,
    /// Factor on the loss; the mean over the tasks has 1.
    #[serde(default = "one")]
    pub weight: f64,
}

/// Weights of a package to begin with, in place of random ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmStartConfig {
    /// Its folder.
    pub package: PathBuf,
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
    /// Changes to images beyond those, none by default.
    #[serde(default)]
    pub augment: ExtraAugmentation,
    /// Sides of the input from which each batch draws its own, in pixels; that of the tasks' presentations if empty.
    #[serde(default)]
    pub sizes: Vec<u32>,
    /// Probability with which the last block of a convolutional encoder is passed by in training; evenly less before.
    #[serde(default)]
    pub stochastic_depth: f64,
    /// A loss without labels beside the tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_supervision: Option<SelfSupervisionConfig>,
    /// The first weights, if they are not random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_start: Option<WarmStartConfig>,
    /// A loss against another model's embedding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distillation: Option<DistillationConfig>,
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
    /// Tasks of the list that do not take part; reading a configuration takes them out of `tasks` and leaves this empty.
    #[serde(default, skip_serializing)]
    pub leave_out: Vec<String>,
}

impl TrainConfig {
    /// The same with the tasks of `leave_out` taken out.
    pub(crate) fn without_left_out(mut self) -> Result<Self, String> {
        for name in std::mem::take(&mut self.leave_out) {
            let before = self.tasks.len();
            self.tasks.retain(|task| task.name != name);
            if self.tasks.len() == before {
                let names: Vec<&str> = self.tasks.iter().map(|task| task.name.as_str()).collect();
                return Err(format!("leave_out names “{name}”, expected of {}", names.join(", ")));
            }
        }
        Ok(self)
    }

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
        for &size in [size].iter().chain(&self.sizes) {
            if size == 0 || size % 32 != 0 {
                return Err(format!("size {size} is not a multiple of 32"));
            }
        }
        self.check_levers()?;
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

    /// The same for what is off by default.
    fn check_levers(&self) -> Result<(), String> {
        self.augment.check().map_err(|reason| format!("augment: {reason}"))?;
        if !(0.0..1.0).contains(&self.stochastic_depth) {
            return Err(format!("stochastic_depth {} is not in 0..1", self.stochastic_depth));
        }
        let is_convolutional = matches!(self.variant, Variant::Nano | Variant::Micro);
        if self.stochastic_depth > 0.0 && !is_convolutional {
            return Err(format!(
                "stochastic_depth is for convolutional encoders; the variant {} is none",
                self.variant.name()
            ));
        }
        for TaskConfig { name, per_batch, views, .. } in &self.tasks {
            if *views == 0 || !per_batch.is_multiple_of(*views) {
                return Err(format!(
                    "task “{name}”: per_batch {per_batch} is no multiple of its {views} views"
                ));
            }
        }
        let positive = |key: &str, value: f64| {
            let fits = value.is_finite() && value > 0.0;
            if fits { Ok(()) } else { Err(format!("{key} {value} is not above 0")) }
        };
        if let Some(SelfSupervisionConfig { weight, temperature }) = self.self_supervision {
            positive("self_supervision.weight", weight)?;
            positive("self_supervision.temperature", temperature)?;
            if self.tasks.iter().all(|task| task.views < 2) {
                return Err(
                    "self_supervision compares views of one picture; give tasks views = 2".into()
                );
            }
            if self.augment.mixup > 0.0 {
                return Err(
                    "self_supervision compares views of one picture, and augment.mixup mixes two"
                        .into(),
                );
            }
        }
        self.distillation.as_ref().map_or(Ok(()), |it| positive("distillation.weight", it.weight))
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
            augment: ExtraAugmentation::default(),
            sizes: Vec::new(),
            stochastic_depth: 0.0,
            self_supervision: None,
            warm_start: None,
            distillation: None,
            threads: 1,
            validate_every: 0,
            validate_images: 1,
            checkpoint_every: 1,
            optimizer,
            tasks: Vec::new(),
            leave_out: Vec::new(),
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

    fn refused(change: impl FnOnce(&mut TrainConfig)) -> String {
        let mut config = config(20, Vec::new());
        config.tasks = vec![TaskConfig {
            name: "lungs".into(),
            per_batch: 4,
            weight: 1.0,
            balance: false,
            views: 2,
            presentation: Presentation::Whole { size: 64 },
        }];
        config.self_supervision = Some(SelfSupervisionConfig { weight: 0.5, temperature: 0.2 });
        assert_eq!(config.check(), Ok(()));
        change(&mut config);
        config.check().unwrap_err()
    }

    #[test]
    fn values_that_do_not_fit_together_are_told() {
        assert!(refused(|config| config.tasks[0].views = 3).contains("no multiple of its 3 views"));
        assert!(refused(|config| config.tasks[0].views = 1).contains("give tasks views = 2"));
        assert!(refused(|config| config.augment.mixup = 0.2).contains("augment.mixup mixes two"));
        assert!(refused(|config| config.augment.crop = 0.0).contains("augment: crop 0"));
        assert!(refused(|config| config.sizes = vec![64, 70]).contains("size 70"));
        assert!(refused(|config| config.stochastic_depth = 1.0).contains("stochastic_depth 1"));
        let swin = |config: &mut TrainConfig| {
            (config.variant, config.stochastic_depth) = (Variant::SwinMicro, 0.1);
        };
        assert!(refused(swin).contains("swin-micro is none"));
        let distillation = DistillationConfig { package: "teacher".into(), weight: 0.0 };
        let refusal = refused(|config| config.distillation = Some(distillation));
        assert!(refusal.contains("distillation.weight 0"), "{refusal}");
    }
}
