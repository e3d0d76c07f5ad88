//! One task: what its runs share, and a run from drawing to figure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use medley_data::{Example, Loader, LoaderPlan, TaskPlan};
use medley_infer::Medley;
use medley_model::{MedleyModel, NormKind};
use medley_package::{TaskKind, TaskSpec};

use super::begin_head::begin_head;
use super::build::{pretrained, random};
use super::census::{Shown, shown};
use super::embed::{Cache, embeddings};
use super::file_name;
use super::fit::{Fit, calibrate, unfold};
use super::foundation::Foundation;
use super::mode::Mode;
use super::neighbours::Neighbours;
use super::presentation::presentation;
use super::probe::{Probe, TrainingPart};
use super::protocol::{Protocol, Run, Watcher};
use super::rates::Trained;
use super::rows::Row;
use super::subset::GroupOrder;
use crate::error::TrainError;
use crate::evaluate::{CommonClasses, classification_figures, measure};

/// The embedding of each image, by the image's id.
type Embeddings = BTreeMap<String, Vec<f32>>;

/// A task under measurement.
pub(crate) struct Work<'a> {
    foundation: &'a Foundation,
    protocol: &'a Protocol,
    /// Of the whole training split, shown whole.
    plan: TaskPlan,
    /// Of the split that is measured.
    measured: Vec<Example>,
    metric: String,
    /// What each training label shows.
    shown: Option<Vec<Shown>>,
    /// Of the pretrained encoder.
    pretrained: Option<Embeddings>,
    /// Of the random encoder of each seed.
    random: BTreeMap<u64, Embeddings>,
    /// What earlier runs answered: with small data sets several fractions draw the same images.
    answered: BTreeMap<(Mode, u64, Vec<usize>), Learned>,
}

impl<'a> Work<'a> {
    /// `plan`: of the whole training split, shown whole; `metric`: by which the database measures the task.
    pub(crate) fn new(
        foundation: &'a Foundation,
        protocol: &'a Protocol,
        plan: TaskPlan,
        measured: Vec<Example>,
        metric: String,
    ) -> Self {
        Self {
            foundation,
            protocol,
            plan,
            measured,
            metric,
            shown: None,
            pretrained: None,
            random: BTreeMap::new(),
            answered: BTreeMap::new(),
        }
    }

    /// Draws, learns, measures. `row`: the run's row without figures. None if `stop` was set.
    ///
    /// # Errors
    /// An image or mask that cannot be read, a loss that is no number.
    pub(crate) fn run(
        &mut self,
        run: &Run,
        row: &Row,
        watcher: &mut dyn Watcher,
        stop: &AtomicBool,
    ) -> Result<Option<Vec<Row>>, TrainError> {
        let Some(drawn) = self.draw(run, watcher, stop)? else { return Ok(None) };
        let question = (run.mode, run.seed, drawn.examples.clone());
        let figures = match self.answered.get(&question) {
            Some(known) => known.clone(),
            None => {
                let Some(learned) = self.learn(run, &drawn, watcher, stop)? else {
                    return Ok(None);
                };
                self.answered.insert(question, learned.clone());
                learned
            }
        };
        let rows = figures.into_iter().filter_map(|(mode, all)| {
            let row = Row { mode, n_train: drawn.examples.len(), ..row.clone() };
            row.answered(&all, &self.metric)
        });
        Ok(Some(rows.collect()))
    }

    fn learn(
        &mut self,
        run: &Run,
        drawn: &Drawn,
        watcher: &mut dyn Watcher,
        stop: &AtomicBool,
    ) -> Result<Option<Learned>, TrainError> {
        let is_classification = self.plan.spec.kind == TaskKind::Classification;
        match run.mode {
            Mode::Frozen | Mode::Random if is_classification => {
                self.by_probe(run, drawn, watcher, stop)
            }
            _ => self.by_gradient(run, drawn, watcher, stop),
        }
    }

    fn draw(
        &mut self,
        run: &Run,
        watcher: &mut dyn Watcher,
        stop: &AtomicBool,
    ) -> Result<Option<Drawn>, TrainError> {
        let train = &self.plan.examples;
        let classes = self.plan.spec.classes.len();
        if self.shown.is_none() {
            let mut all = Vec::with_capacity(train.len());
            for (done, example) in train.iter().enumerate() {
                all.push(shown(example, classes)?);
                watcher.progress("labels", done + 1, train.len());
                if stop.load(Ordering::Relaxed) {
                    return Ok(None);
                }
            }
            self.shown = Some(all);
        }
        let shown = self.shown.as_deref().unwrap_or_default();
        let of_each: Vec<BTreeSet<usize>> =
            shown.iter().map(|shown| shown.classes.clone()).collect();
        let kind = self.plan.spec.kind;
        let one_image = kind != TaskKind::Classification;
        let examples = GroupOrder::draw(train, &of_each, one_image, run.seed).take(run.fraction);
        let size = self.foundation.size;
        let sides = examples.iter().filter_map(|&index| shown[index].side);
        let longest = |&index: &usize| train[index].width.max(train[index].height);
        let shortest = examples.iter().map(longest).min().unwrap_or(size);
        let spec = TaskSpec {
            presentation: presentation(size, sides, shortest),
            ..self.plan.spec.clone()
        };
        Ok(Some(Drawn { examples, spec }))
    }

    /// The drawn examples themselves.
    fn examples(&self, drawn: &Drawn) -> impl Iterator<Item = &Example> {
        drawn.examples.iter().map(|&index| &self.plan.examples[index])
    }

    /// The training part's plan for the loader.
    fn training(&self, drawn: &Drawn) -> TaskPlan {
        let recipe = &self.protocol.recipe;
        let is_classification = drawn.spec.kind == TaskKind::Classification;
        TaskPlan {
            spec: drawn.spec.clone(),
            examples: self.examples(drawn).cloned().collect(),
            per_batch: if is_classification { recipe.images } else { recipe.dense_images },
            augment: true,
            strength: recipe.augmentation,
            balance: is_classification,
            ..self.plan.clone()
        }
    }

    /// A random encoder whose normalisation has seen the whole training split without its labels, which is more
    /// than a small fraction would give it: in the baseline's favour, and the same for every fraction.
    fn random_model(&self, run: &Run, spec: &TaskSpec) -> Result<MedleyModel, TrainError> {
        let recipe = &self.protocol.recipe;
        let plan = TaskPlan {
            spec: spec.clone(),
            per_batch: recipe.images,
            augment: false,
            ..self.plan.clone()
        };
        let model = random(self.foundation, spec, run.seed)?;
        calibrate(model, plan, recipe.calibration, run.seed, &self.foundation.device)
    }

    /// The pretrained model with a head for the task, ready to be trained.
    fn pretrained_model(&self, run: &Run, drawn: &Drawn) -> Result<MedleyModel, TrainError> {
        let foundation = self.foundation;
        let model = pretrained(foundation, &drawn.spec, run.seed)?;
        let is_folded = foundation.config.norm == NormKind::Folded;
        if drawn.spec.kind == TaskKind::Classification && !is_folded {
            return Ok(model);
        }
        // Both kinds of tasks take their statistics from as many pictures.
        let per_batch = self.protocol.recipe.images;
        let plan = TaskPlan { augment: false, per_batch, ..self.training(drawn) };
        let plain =
            Loader::start(LoaderPlan::mixed(vec![plan], foundation.size, run.seed))?.next()?;
        let model = begin_head(foundation, model, &drawn.spec, &plain)?;
        unfold(model, &foundation.config, &plain, &foundation.device)
    }

    fn by_gradient(
        &self,
        run: &Run,
        drawn: &Drawn,
        watcher: &mut dyn Watcher,
        stop: &AtomicBool,
    ) -> Result<Option<Learned>, TrainError> {
        let foundation = self.foundation;
        let (model, trained) = match run.mode {
            Mode::Frozen => (self.pretrained_model(run, drawn)?, Trained::AfterEncoder),
            Mode::Random => (self.random_model(run, &drawn.spec)?, Trained::AfterEncoder),
            Mode::Scratch => (random(foundation, &drawn.spec, run.seed)?, Trained::Everything),
            _ => (self.pretrained_model(run, drawn)?, Trained::Graded),
        };
        let fit = Fit {
            plan: self.training(drawn),
            trained,
            recipe: &self.protocol.recipe,
            threads: self.protocol.threads,
            seed: run.seed,
            device: &foundation.device,
            name: run.to_string(),
        };
        let steps = self.protocol.recipe.steps as usize;
        let model = fit.run(model, stop, &mut |done| {
            watcher.progress("steps", done as usize, steps);
        })?;
        let Some(model) = model else { return Ok(None) };
        let medley = Medley::from_parts(model, vec![drawn.spec.clone()], &foundation.device);
        let common = CommonClasses::same(drawn.spec.classes.len());
        let of = self.measured.len();
        let found = measure(&medley, &drawn.spec, &common, &self.measured, &mut |done| {
            watcher.progress("images", done, of);
            !stop.load(Ordering::Relaxed)
        })?;
        Ok((found.n == of).then(|| vec![(run.mode, found.figures)]))
    }

    fn by_probe(
        &mut self,
        run: &Run,
        drawn: &Drawn,
        watcher: &mut dyn Watcher,
        stop: &AtomicBool,
    ) -> Result<Option<Learned>, TrainError> {
        if run.mode == Mode::Frozen && self.pretrained.is_none() {
            let model = pretrained(self.foundation, &drawn.spec, run.seed)?;
            let cache = self
                .protocol
                .cache
                .as_deref()
                .map(|folder| Cache { folder, digest: &self.foundation.digest });
            self.pretrained = self.embed(model, &drawn.spec, cache.as_ref(), watcher, stop)?;
        }
        if run.mode == Mode::Random && !self.random.contains_key(&run.seed) {
            let model = self.random_model(run, &drawn.spec)?;
            if let Some(found) = self.embed(model, &drawn.spec, None, watcher, stop)? {
                self.random.insert(run.seed, found);
            }
        }
        let found = match run.mode {
            Mode::Frozen => self.pretrained.as_ref(),
            _ => self.random.get(&run.seed),
        };
        let Some(found) = found else { return Ok(None) };
        let row = |example: &Example| found.get(&example.id).map(Vec::as_slice).unwrap_or_default();
        let examples: Vec<&Example> = self.examples(drawn).collect();
        let rows: Vec<&[f32]> = examples.iter().map(|example| row(example)).collect();
        let labels: Vec<usize> = examples.iter().map(|example| label(example)).collect();
        let groups: Vec<&str> = examples.iter().map(|example| example.group.as_str()).collect();
        let classes = drawn.spec.classes.len();
        let part = TrainingPart { rows: &rows, labels: &labels, groups: &groups, classes };

        let figures = |answer: &dyn Fn(&[f32]) -> usize| {
            let pairs: Vec<(usize, usize)> = self
                .measured
                .iter()
                .map(|example| (label(example), answer(row(example))))
                .collect();
            classification_figures(&pairs, classes)
        };
        let probe = Probe::fit(part, run.seed);
        let mut learned = vec![(run.mode, figures(&|row| probe.answer(row)))];
        if run.mode == Mode::Frozen {
            let neighbours = Neighbours::fit(part);
            learned.push((Mode::Knn, figures(&|row| neighbours.answer(row))));
        }
        Ok(Some(learned))
    }

    /// The embeddings of all training and measured images; none if `stop` was set.
    fn embed(
        &self,
        model: MedleyModel,
        spec: &TaskSpec,
        cache: Option<&Cache<'_>>,
        watcher: &mut dyn Watcher,
        stop: &AtomicBool,
    ) -> Result<Option<Embeddings>, TrainError> {
        let medley = Medley::from_parts(model, vec![spec.clone()], &self.foundation.device);
        let all: Vec<&Example> = self.plan.examples.iter().chain(&self.measured).collect();
        let of = all.len();
        embeddings(&medley, &spec.name, &file_name(&spec.name), &all, cache, &mut |done| {
            watcher.progress("embeddings", done, of);
            !stop.load(Ordering::Relaxed)
        })
    }
}

/// Figures of each mode that a run answers for.
type Learned = Vec<(Mode, Vec<(&'static str, f64)>)>;

/// The drawn part of the training split.
struct Drawn {
    /// Places in the training split.
    examples: Vec<usize>,
    /// The task, shown as the drawn labels ask for.
    spec: TaskSpec,
}

fn label(example: &Example) -> usize {
    match example.target {
        medley_data::Target::Class(class) => class,
        _ => 0,
    }
}
