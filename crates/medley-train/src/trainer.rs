//! The loop over steps.
//!
//! Both ways of design are here. Mixed: one batch holds every task, one backward pass, one step.
//! Alternating: one batch of each task in turn; its activations are freed, its head's gradients wait
//! and the shared blocks' add up until the round is over, so that a round whose images cannot be read
//! changes nothing. AdamW keeps its moments for each parameter alone, so the one optimizer of a replica is every head's own and
//! the shared blocks' in one object.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use medley_data::{Database, Loader, LoaderPlan, MixedBatch, Split};
use medley_model::MedleyModel;
use medley_package::TaskSpec;
use serde::Serialize;

use crate::average::Average;
use crate::checkpoint::{Checkpoint, RunState};
use crate::config::{TrainConfig, Way};
use crate::crew::Crew;
use crate::error::TrainError;
use crate::evaluate::{Score, evaluate};
use crate::exchange::Member;
use crate::lock::RunLock;
use crate::log::Log;
use crate::optimizer::adamw;
use crate::replica::{NamedLosses, Recipe, Replica, draw};
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

/// A run: weights, optimizer and position.
pub struct Trainer {
    recipe: Arc<Recipe>,
    plan: LoaderPlan,
    /// On the first device: the one that is saved and measured.
    replica: Replica,
    /// On the others.
    crew: Crew,
    /// From the first step on, where the configuration asks for it.
    average: Option<Average>,
    folder: PathBuf,
    step: u64,
    /// Until this is dropped no other process trains the run.
    _lock: RunLock,
}

impl Trainer {
    /// Begins a run in `folder`, or goes on where its checkpoint stands. `devices`: without autodiff, at least one. With several,
    /// each has the weights and takes its own batch of every step, and the mean of their gradients trains all.
    ///
    /// # Errors
    /// No device, a task that the database does not have, a checkpoint of another configuration, a run that another process
    /// trains.
    pub fn open(
        config: TrainConfig,
        database: &Database,
        devices: &[Device],
        folder: &Path,
    ) -> Result<Self, TrainError> {
        let [first, further @ ..] = devices else {
            return Err(TrainError::Device("expected at least one device, found none".into()));
        };
        let plan = loader_plan(&config, database)?;
        let tasks: Vec<TaskSpec> = plan.tasks.iter().map(|task| task.spec.clone()).collect();
        let device = first.clone().autodiff();
        device.seed(config.seed);
        let mut model = config.model(&tasks).init(&device)?;
        draw(&model);
        if config.stochastic_depth > 0.0 {
            model = model.with_stochastic_depth(config.stochastic_depth);
        }
        fs::create_dir_all(folder).map_err(|error| TrainError::write(folder, error))?;
        let _lock = RunLock::take(folder)?;
        let checkpoint = Checkpoint::of(folder);
        let mut average = None;
        let state = checkpoint.state()?;
        if let (Some(asked), None) = (&config.warm_start, &state) {
            let first = || Ok(Loader::start(plan.clone())?.next()?);
            model = warm_start(asked, &config.model(&tasks), first, config.seed, model)?;
        }
        if let Some(state) = &state {
            if let Some(what) = difference(&state.config, &config) {
                return Err(TrainError::ForeignCheckpoint { path: folder.to_owned(), what });
            }
            let decay = config.optimizer.average;
            if decay > 0.0 {
                let averaged = config.model(&tasks).init(&device)?;
                let averaged = checkpoint.answering_weights(averaged, state)?;
                average = Some(Average::new(&averaged, decay));
            }
            model = checkpoint.weights(model)?;
        }
        let path = folder.join("config.toml");
        let text = toml::to_string(&config).map_err(|error| TrainError::write(&path, error))?;
        files::replace(&path, text.as_bytes())?;
        let recipe = Arc::new(Recipe { config, tasks });
        let optimizer = || {
            let optimizer = &recipe.config.optimizer;
            let new = adamw(optimizer.weight_decay, optimizer.clip);
            if state.is_some() { checkpoint.moments(new) } else { Ok(new) }
        };
        let members = if further.is_empty() { Vec::new() } else { Member::of_all(devices) };
        let mut members = members.into_iter();
        let member = members.next();
        let mut others = Vec::with_capacity(further.len());
        for (further, member) in further.iter().zip(members) {
            let device = further.clone().autodiff();
            let model = model.clone().fork(&device);
            let recipe = Arc::clone(&recipe);
            others.push(Replica::new(recipe, model, optimizer()?, device, Some(member))?);
        }
        let replica = Replica::new(Arc::clone(&recipe), model, optimizer()?, device, member)?;
        Ok(Self {
            recipe,
            plan,
            replica,
            crew: Crew::start(others),
            average,
            folder: folder.to_owned(),
            step: state.map_or(0, |state| state.step),
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
        self.replica.model.valid()
    }

    /// The tasks, in the order of the configuration.
    pub fn tasks(&self) -> &[TaskSpec] {
        &self.recipe.tasks
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
        while self.step < self.recipe.config.steps {
            if stop.load(Ordering::Relaxed) {
                self.save(observer)?;
                return Ok(Outcome::Stopped { step: self.step });
            }
            let report = self.advance(&mut loader)?;
            log.step(&report)?;
            observer.step(&report);
            if self.step.is_multiple_of(self.recipe.config.checkpoint_every) {
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
        let every = self.recipe.config.validate_every;
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

    /// Batches that all devices take in one step.
    fn batches_per_step(&self) -> u64 {
        self.recipe.batches_per_step() * (1 + self.crew.len() as u64)
    }

    /// One step of the shared blocks' optimizer.
    fn advance(&mut self, loader: &mut Loader) -> Result<StepReport, TrainError> {
        let begin = Instant::now();
        let learning_rate = self.recipe.config.learning_rate(self.step);
        let (mut images, mut waited) = (0, 0.0);
        let mut next = || -> Result<MixedBatch, TrainError> {
            let waiting = Instant::now();
            let batch = loader.next()?;
            waited += waiting.elapsed().as_secs_f64();
            images += batch.n;
            Ok(batch)
        };
        // One device makes no batch before it needs it. Of several, none begins before all have theirs: a picture that cannot be
        // read is found while nobody waits for anybody.
        let each = if self.crew.len() == 0 { 0 } else { self.recipe.batches_per_step() };
        let mut own = take(each, &mut next)?.into_iter();
        let others: Result<_, _> = (0..self.crew.len()).map(|_| take(each, &mut next)).collect();
        self.crew.begin(self.step, others?);
        let stepped = self.replica.step(self.step, &mut || own.next().map_or_else(&mut next, Ok));
        let losses = match (stepped, self.crew.end()) {
            (Err(error), Ok(_) | Err(TrainError::Alone)) | (_, Err(error)) => return Err(error),
            (Ok(own), Ok(others)) => mean_losses(own, &others),
        };
        self.step += 1;
        match (&mut self.average, self.recipe.config.optimizer.average) {
            (Some(average), _) => average.update(&self.replica.model, self.step),
            (none, decay) if decay > 0.0 => *none = Some(Average::new(&self.replica.model, decay)),
            _ => {}
        }
        let seconds = begin.elapsed().as_secs_f64();
        Ok(StepReport { step: self.step - 1, learning_rate, losses, images, seconds, waited })
    }

    fn save(&self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        // burn holds the last batch's statistics back until they are asked for, and its records do not ask:
        // without this a checkpoint would miss them.
        let _ = self.last_model();
        let state = RunState { step: self.step, config: self.recipe.config.clone() };
        let average = self.average.as_ref().map(Average::model);
        Checkpoint::of(&self.folder).write(
            &self.replica.model,
            average,
            &self.replica.optimizer,
            &state,
        )?;
        observer.saved(self.step);
        Ok(())
    }

    fn validate(&self, database: &Database, stop: &AtomicBool) -> Result<Vec<Score>, TrainError> {
        let model = medley_infer::Medley::from_parts(
            self.model(),
            self.recipe.tasks.clone(),
            &self.replica.device.clone().inner(),
        );
        let mut scores = Vec::new();
        for task in &self.recipe.tasks {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let examples = database.examples(&task.name, Split::Val)?;
            if examples.is_empty() {
                continue;
            }
            // Evenly over the split, as neighbours in the file are alike.
            let count = self.recipe.config.validate_images.min(examples.len()).max(1);
            let some: Vec<_> =
                (0..count).map(|index| examples[index * examples.len() / count].clone()).collect();
            scores.extend(evaluate(&model, task, &some, Split::Val, &mut |_| true)?.scores);
        }
        Ok(scores)
    }
}

/// So many batches of the loader.
fn take(
    count: u64,
    next: &mut dyn FnMut() -> Result<MixedBatch, TrainError>,
) -> Result<Vec<MixedBatch>, TrainError> {
    (0..count).map(|_| next()).collect()
}

/// Each loss's mean over the devices, whose batches hold the same tasks.
fn mean_losses(own: NamedLosses, others: &[NamedLosses]) -> NamedLosses {
    let mean = |(place, (name, value)): (usize, (String, f32))| {
        let further: f32 = others.iter().map(|losses| losses[place].1).sum();
        (name, (value + further) / (1 + others.len()) as f32)
    };
    own.into_iter().enumerate().map(mean).collect()
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
