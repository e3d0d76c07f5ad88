//! The loop over steps.
//!
//! Both ways of design are here. Mixed: one batch holds every task, one backward pass, one step.
//! Alternating: one batch of each task in turn; its activations are freed, its head's gradients wait
//! and the shared blocks' add up until the round is over, so that a round whose images cannot be read
//! changes nothing. AdamW keeps its moments for each parameter alone, so the one [`ModuleOptimizer`]
//! here is every head's own optimizer and the shared blocks' in one object.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use medley_data::{Database, Loader, LoaderPlan, MixedBatch, Split};
use medley_model::MedleyModel;
use medley_package::TaskSpec;
use serde::Serialize;

use crate::average::Average;
use crate::beside::{Beside, BesideLoss};
use crate::checkpoint::{Checkpoint, RunState};
use crate::config::{TrainConfig, Way};
use crate::error::TrainError;
use crate::evaluate::{Score, evaluate};
use crate::lock::RunLock;
use crate::log::Log;
use crate::optimizer::adamw;
use crate::step::{TaskLoss, head_losses, take_images};
use crate::warm_start::warm_start;
use crate::{files, plot};

/// Batches made ahead of the training, at least: with more threads, as many that none of them waits.
const AHEAD: usize = 3;

/// Memory for decoded pictures, in bytes.
const CACHE_BYTES: u64 = 3 << 30;

/// What happened in one step; also one line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// The step, from 0.
    pub step: u64,
    /// The learning rate.
    pub learning_rate: f64,
    /// The loss of each task that took part, by name.
    pub losses: Vec<(String, f32)>,
    /// Images of the step.
    pub images: usize,
    /// Seconds that the step took, waiting for its images included.
    pub seconds: f64,
    /// Seconds of waiting for images.
    pub waited: f64,
}

/// Hears of a run's progress.
pub trait Observer {
    /// A step is done.
    fn step(&mut self, report: &StepReport);
    /// The validation splits were measured after so many steps.
    fn validated(&mut self, step: u64, scores: &[Score]);
    /// A checkpoint was written after so many steps.
    fn saved(&mut self, step: u64);
}

/// How a run ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// It was asked to stop; a checkpoint was written after so many steps.
    Stopped {
        /// Steps done.
        step: u64,
    },
}

/// The losses of a batch, on the device, out of the graph.
struct BatchLosses {
    /// The tasks, and what the losses beside theirs are called.
    names: Vec<String>,
    /// `[1]` each.
    values: Vec<Tensor<1>>,
}

/// A run: weights, optimizer and position.
pub struct Trainer {
    config: TrainConfig,
    tasks: Vec<TaskSpec>,
    plan: LoaderPlan,
    beside: Beside,
    model: MedleyModel,
    /// From the first step on, where the configuration asks for it.
    average: Option<Average>,
    optimizer: ModuleOptimizer,
    device: Device,
    folder: PathBuf,
    step: u64,
    /// Until this is dropped no other process trains the run.
    _lock: RunLock,
}

impl Trainer {
    /// Begins a run in `folder`, or goes on where its checkpoint stands. `device`: without autodiff.
    ///
    /// # Errors
    /// A task that the database does not have, a checkpoint of another configuration, a run that another
    /// process trains.
    pub fn open(
        config: TrainConfig,
        database: &Database,
        device: &Device,
        folder: &Path,
    ) -> Result<Self, TrainError> {
        let plan = loader_plan(&config, database)?;
        let tasks: Vec<TaskSpec> = plan.tasks.iter().map(|task| task.spec.clone()).collect();
        let beside = Beside::of(&config, device)?;
        let device = device.clone().autodiff();
        // burn makes each weight when it is first used, in step 0, which seeds the device as every
        // step does: the first weights follow from the seed too.
        let mut model = config.model(&tasks).init(&device)?;
        if config.stochastic_depth > 0.0 {
            model = model.with_stochastic_depth(config.stochastic_depth);
        }
        let mut optimizer = adamw(config.optimizer.weight_decay, config.optimizer.clip);
        fs::create_dir_all(folder).map_err(|error| TrainError::write(folder, error))?;
        let _lock = RunLock::take(folder)?;
        let checkpoint = Checkpoint::of(folder);
        let mut step = 0;
        let mut average = None;
        let state = checkpoint.state()?;
        if let (Some(asked), None) = (&config.warm_start, &state) {
            let first = || Ok(Loader::start(plan.clone())?.next()?);
            model = warm_start(asked, &config.model(&tasks), first, config.seed, model)?;
        }
        if let Some(state) = state {
            if let Some(what) = difference(&state.config, &config) {
                return Err(TrainError::ForeignCheckpoint { path: folder.to_owned(), what });
            }
            let decay = config.optimizer.average;
            if decay > 0.0 {
                let averaged = config.model(&tasks).init(&device)?;
                let averaged = checkpoint.answering_weights(averaged, &state)?;
                average = Some(Average::new(&averaged, decay));
            }
            model = checkpoint.weights(model)?;
            optimizer = checkpoint.moments(optimizer)?;
            step = state.step;
        }
        let path = folder.join("config.toml");
        let text = toml::to_string(&config).map_err(|error| TrainError::write(&path, error))?;
        files::replace(&path, text.as_bytes())?;
        let folder = folder.to_owned();
        Ok(Self {
            config,
            tasks,
            plan,
            beside,
            model,
            average,
            optimizer,
            device,
            folder,
            step,
            _lock,
        })
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The model as it stands, for inference: the moving average where the run keeps one.
    pub fn model(&self) -> MedleyModel {
        self.average.as_ref().map_or_else(|| self.last_model(), |average| average.model().clone())
    }

    /// The weights of the last step, for inference.
    pub fn last_model(&self) -> MedleyModel {
        use burn::module::Module;
        self.model.valid()
    }

    /// The tasks, in the order of the configuration.
    pub fn tasks(&self) -> &[TaskSpec] {
        &self.tasks
    }

    /// Trains until all steps are done or `stop` is set.
    ///
    /// # Errors
    /// An image that cannot be read, a loss that is no number, a checkpoint that cannot be written.
    pub fn run(
        &mut self,
        database: &Database,
        observer: &mut dyn Observer,
        stop: &AtomicBool,
    ) -> Result<Outcome, TrainError> {
        let mut saved = self.step;
        let ended = self.train(database, observer, stop, &mut saved);
        match &ended {
            Ok(_) => plot::draw(&self.folder)?,
            // An image that cannot be read takes nothing away from the steps before it.
            Err(TrainError::Data(_)) if saved != self.step => self.save(observer)?,
            Err(_) => {}
        }
        ended
    }

    /// See [`Self::run`]; `saved` is the step of the last checkpoint.
    fn train(
        &mut self,
        database: &Database,
        observer: &mut dyn Observer,
        stop: &AtomicBool,
        saved: &mut u64,
    ) -> Result<Outcome, TrainError> {
        let mut loader = Loader::start_at(self.plan.clone(), self.step * self.batches_per_step())?;
        let mut log = Log::resume(&self.folder, self.step)?;
        self.validate_if_due(database, &mut log, observer, stop)?;
        while self.step < self.config.steps {
            if stop.load(Ordering::Relaxed) {
                self.save(observer)?;
                return Ok(Outcome::Stopped { step: self.step });
            }
            let report = self.advance(&mut loader)?;
            log.step(&report)?;
            observer.step(&report);
            if self.step.is_multiple_of(self.config.checkpoint_every) {
                self.save(observer)?;
                *saved = self.step;
            }
            self.validate_if_due(database, &mut log, observer, stop)?;
        }
        if *saved != self.step {
            self.save(observer)?;
            *saved = self.step;
        }
        Ok(Outcome::Finished)
    }

    /// Measures where the configuration asks for it after this step, unless the log has it already.
    fn validate_if_due(
        &self,
        database: &Database,
        log: &mut Log,
        observer: &mut dyn Observer,
        stop: &AtomicBool,
    ) -> Result<(), TrainError> {
        let every = self.config.validate_every;
        let due = self.step > 0 && every > 0 && self.step.is_multiple_of(every);
        if !due || log.has_validation(self.step) {
            return Ok(());
        }
        let scores = self.validate(database, stop)?;
        // Cut short it is no measurement; the run that goes on from here makes it anew.
        if !stop.load(Ordering::Relaxed) {
            observer.validated(self.step, &scores);
            log.validation(self.step, &scores)?;
            plot::draw(&self.folder)?;
        }
        Ok(())
    }

    fn batches_per_step(&self) -> u64 {
        match self.config.way {
            Way::Mixed => 1,
            Way::Alternating => self.tasks.len() as u64,
        }
    }

    /// One step of the shared blocks' optimizer.
    fn advance(&mut self, loader: &mut Loader) -> Result<StepReport, TrainError> {
        let begin = Instant::now();
        let learning_rate = self.config.learning_rate(self.step);
        let mut report = StepReport {
            step: self.step,
            learning_rate,
            losses: Vec::with_capacity(self.tasks.len()),
            images: 0,
            seconds: 0.0,
            waited: 0.0,
        };
        let mut shared = GradientsAccumulator::new();
        let mut of_heads = Vec::new();
        let mut pending = Vec::new();
        let mut model = self.model.clone();
        for _ in 0..self.batches_per_step() {
            let waiting = Instant::now();
            let mut batch = loader.next()?;
            report.waited += waiting.elapsed().as_secs_f64();
            report.images += batch.n;
            // Dropout draws from the device: what it draws must follow from the batch's number alone.
            self.device.seed(self.config.seed.wrapping_add(batch.step));
            let pictures = take_images(&mut batch, &self.device);
            let (total, of_batch) = self.total_loss(&model, &batch, pictures)?;
            pending.push(of_batch);
            let mut gradients = total.backward();
            match self.config.way {
                Way::Mixed => {
                    let gradients = GradientsParams::from_grads(gradients, &model);
                    model = self.optimizer.step(learning_rate, model, gradients);
                }
                Way::Alternating => {
                    let heads: Vec<_> = batch
                        .parts
                        .iter()
                        .flat_map(|part| model.head_parameters(&self.tasks[part.task].name))
                        .collect();
                    of_heads.push(GradientsParams::from_params(&mut gradients, &model, &heads));
                    let rest = model.shared_parameters();
                    let of_shared = GradientsParams::from_params(&mut gradients, &model, &rest);
                    shared.accumulate(&model, of_shared);
                }
            }
        }
        for gradients in of_heads {
            model = self.optimizer.step(learning_rate, model, gradients);
        }
        if self.config.way == Way::Alternating {
            model = self.optimizer.step(learning_rate, model, shared.grads());
        }
        // Read once all work of the step is handed over: a GPU would stand still at each reading before that.
        for of_batch in pending {
            report.losses.extend(self.read(of_batch)?);
        }
        self.model = model;
        self.step += 1;
        match (&mut self.average, self.config.optimizer.average) {
            (Some(average), _) => average.update(&self.model, self.step),
            (none, decay) if decay > 0.0 => *none = Some(Average::new(&self.model, decay)),
            _ => {}
        }
        report.seconds = begin.elapsed().as_secs_f64();
        Ok(report)
    }

    /// The weighted mean over the batch's tasks with what is beside it, and each loss alone.
    fn total_loss(
        &self,
        model: &MedleyModel,
        batch: &MixedBatch,
        pictures: Tensor<4>,
    ) -> Result<(Tensor<1>, BatchLosses), TrainError> {
        let features = model.encode(pictures.clone())?;
        let all = head_losses(model, &self.tasks, batch, &features)?;
        let count = all.len().max(1) as f64;
        let mut total = Tensor::<1>::zeros([1], &self.device);
        let mut read = BatchLosses { names: Vec::new(), values: Vec::new() };
        for TaskLoss { task, loss } in all {
            read.names.push(self.tasks[task].name.clone());
            read.values.push(loss.clone().detach());
            total = total + loss * (self.config.tasks[task].weight / count);
        }
        for BesideLoss { name, loss, weight } in self.beside.losses(batch, pictures, &features)? {
            read.names.push(name.to_owned());
            read.values.push(loss.clone().detach());
            total = total + loss * weight;
        }
        Ok((total, read))
    }

    /// The losses by name; each must be a number.
    fn read(&self, losses: BatchLosses) -> Result<Vec<(String, f32)>, TrainError> {
        let BatchLosses { names, values } = losses;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let values = Tensor::cat(values, 0).try_into_data_as::<f32>();
        let failed = |error: String| TrainError::Device(error);
        let values = values.map_err(|error| failed(format!("{error:?}")))?;
        let values = values.try_into_vec::<f32>().map_err(|error| failed(format!("{error:?}")))?;
        let named = names.into_iter().zip(values).map(|(name, value)| {
            if value.is_finite() {
                Ok((name, value))
            } else {
                Err(TrainError::NotFinite { task: name, step: self.step, value })
            }
        });
        named.collect()
    }

    fn save(&self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        // burn holds the last batch's statistics back until they are asked for, and its records do not ask:
        // without this a checkpoint would miss them.
        let _ = self.last_model();
        let state = RunState { step: self.step, config: self.config.clone() };
        let average = self.average.as_ref().map(Average::model);
        Checkpoint::of(&self.folder).write(&self.model, average, &self.optimizer, &state)?;
        observer.saved(self.step);
        Ok(())
    }

    fn validate(&self, database: &Database, stop: &AtomicBool) -> Result<Vec<Score>, TrainError> {
        let model = medley_infer::Medley::from_parts(
            self.model(),
            self.tasks.clone(),
            &self.device.clone().inner(),
        );
        let mut scores = Vec::new();
        for task in &self.tasks {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let examples = database.examples(&task.name, Split::Val)?;
            if examples.is_empty() {
                continue;
            }
            // Evenly over the split, as neighbours in the file are alike.
            let count = self.config.validate_images.min(examples.len()).max(1);
            let some: Vec<_> =
                (0..count).map(|index| examples[index * examples.len() / count].clone()).collect();
            scores.extend(evaluate(&model, task, &some, Split::Val, &mut |_| true)?);
        }
        Ok(scores)
    }
}

fn loader_plan(config: &TrainConfig, database: &Database) -> Result<LoaderPlan, TrainError> {
    let mut tasks = Vec::with_capacity(config.tasks.len());
    for task in &config.tasks {
        let mut plan =
            database.plan(&task.name, Split::Train, task.presentation, task.per_batch)?;
        plan.balance = task.balance;
        plan.strength = config.augmentation;
        plan.extra = config.augment;
        plan.views = task.views;
        tasks.push(plan);
    }
    let order = (0..tasks.len()).collect();
    Ok(LoaderPlan {
        threads: config.threads,
        ahead: AHEAD.max(config.threads + 1),
        way: match config.way {
            Way::Mixed => medley_data::Way::Mixed { slots: None },
            Way::Alternating => medley_data::Way::Alternating { order },
        },
        cache_bytes: CACHE_BYTES,
        sizes: config.sizes.clone(),
        ..LoaderPlan::mixed(tasks, config.size(), config.seed)
    })
}

/// The first thing in which two configurations differ that changes what a run computes.
fn difference(old: &TrainConfig, new: &TrainConfig) -> Option<String> {
    // How often is measured and saved, and by how many threads images are made, changes no weight.
    let plain = |config: &TrainConfig| TrainConfig {
        threads: 0,
        validate_every: 0,
        validate_images: 0,
        checkpoint_every: 1,
        ..config.clone()
    };
    let (old, mut new) = (plain(old), plain(new));
    // A restart where the old run ended leaves every step before it as it was.
    if new.optimizer.restarts.last() == Some(&old.steps) {
        new.optimizer.restarts.pop();
        new.steps = old.steps;
    }
    if old == new {
        return None;
    }
    let text = |config: &TrainConfig| serde_json::to_value(config).unwrap_or_default();
    let (old, new) = (text(&old), text(&new));
    let keys = old.as_object()?.keys();
    let key = keys.into_iter().find(|key| old.get(key) != new.get(key))?;
    Some(format!("{key}: then {}, now {}", old[key], new[key]))
}
