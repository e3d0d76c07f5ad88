//! What is measured, and the loop over it.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use medley_data::{Database, Example, Split, Target, TaskPlan};
use medley_package::{Presentation, TaskKind, digest};

use super::foundation::Foundation;
use super::leak::refuse_leak;
use super::mode::Mode;
use super::recipe::Recipe;
use super::rows::{Ledger, Row};
use super::work::Work;
use crate::error::TrainError;

/// Raised when the same settings would give other figures: rows of an older one are not gone on with.
const VERSION: u32 = 4;

/// The same for how pictures of masks and boxes are shown, which their labels decide. 2: each picture's objects weigh the same, and the pixels
/// that pictures have are used.
const SHOWN: u32 = 2;

/// Digits of a row's setup.
const SETUP_CHARS: usize = 16;

/// A short digest of all that a row's figure depends on beside its own fields.
pub(crate) fn setup(text: &str) -> String {
    digest(format!("{VERSION} {text}").as_bytes())[..SETUP_CHARS].to_owned()
}

/// A digest of examples: their ids, groups and labels.
pub(crate) fn data_digest<'a>(examples: impl Iterator<Item = &'a Example>) -> String {
    let mut text = String::new();
    for example in examples {
        let label = match &example.target {
            Target::Class(class) => class.to_string(),
            Target::Boxes(boxes) => format!("{boxes:?}"),
            // The file's place is no part of what was measured.
            Target::Mask(_) => "mask".into(),
        };
        text += &format!("{} {} {label}\n", example.id, example.group);
    }
    digest(text.as_bytes())
}

/// What is measured: every task in every mode, at every fraction, with every seed.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// The tasks, by their names in the database.
    pub tasks: Vec<String>,
    /// The modes, of [`Mode::LEARNED`].
    pub modes: Vec<Mode>,
    /// Fractions of the training groups in per cent, above 0 and at most 100.
    pub fractions: Vec<f64>,
    /// How many seeds; they count from 1.
    pub seeds: u64,
    /// How the modes that train by gradient do it.
    pub recipe: Recipe,
    /// The split that is measured: test, or val to choose a recipe by.
    pub split: Split,
    /// Threads that prepare images.
    pub threads: usize,
    /// A folder that keeps embeddings between measurements.
    pub cache: Option<PathBuf>,
}

impl Protocol {
    fn check(&self) -> Result<(), TrainError> {
        let fault = |reason: String| Err(TrainError::Protocol(reason));
        if self.tasks.is_empty() || self.modes.is_empty() || self.fractions.is_empty() {
            return fault("expected at least one task, one mode and one fraction".into());
        }
        if self.seeds == 0 {
            return fault("expected at least one seed".into());
        }
        if self.split == Split::Train {
            return fault("split train is what is learned from; expected test or val".into());
        }
        if let Some(mode) = self.modes.iter().find(|mode| !Mode::LEARNED.contains(mode)) {
            let all: Vec<&str> = Mode::LEARNED.iter().map(|mode| mode.name()).collect();
            return fault(format!(
                "mode {mode} cannot be asked for; expected of {}",
                all.join(", ")
            ));
        }
        let outside = |fraction: &&f64| !(**fraction > 0.0 && **fraction <= 100.0);
        if let Some(fraction) = self.fractions.iter().find(outside) {
            return fault(format!(
                "fraction {fraction}: expected per cent, above 0 and at most 100"
            ));
        }
        self.recipe.check().or_else(fault)
    }
}

/// One training and measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The task.
    pub task: String,
    /// The mode.
    pub mode: Mode,
    /// Per cent of the training groups.
    pub fraction: f64,
    /// The seed.
    pub seed: u64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, mode, fraction, seed } = self;
        write!(f, "{task}, {mode}, {fraction} %, seed {seed}")
    }
}

/// Hears of a measurement's progress.
pub trait Watcher {
    /// Something that the reader of the figures should know.
    fn remark(&mut self, text: &str);
    /// So many runs are to do; others lie in the ledger already.
    fn planned(&mut self, runs: usize, there_already: usize);
    /// A run begins.
    fn begin(&mut self, run: &Run);
    /// A run is so far: steps of training, then images that are measured.
    fn progress(&mut self, what: &'static str, done: usize, of: usize);
    /// A run is done and its rows are in the ledger.
    fn finished(&mut self, run: &Run, rows: &[Row]);
}

/// How a measurement ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All runs are done.
    Complete,
    /// It was asked to stop; the ledger holds the runs that were done.
    Stopped,
}

/// A task that is measured, before anything is read of its pictures.
struct Asked {
    task: String,
    /// Of the whole training split, shown whole.
    plan: TaskPlan,
    /// Of the split that is measured.
    measured: Vec<Example>,
    data: String,
}

/// Runs the protocol. The rows of each run are in the ledger, and on disk, before the next begins; runs that the
/// ledger has already are passed over.
///
/// # Errors
/// A protocol that does not fit together, a task whose labels the model was pretrained on, an image that cannot be
/// read, rows of another setup in the ledger, a loss that is no number.
pub fn few_shot(
    foundation: &Foundation,
    database: &Database,
    protocol: &Protocol,
    ledger: &mut Ledger,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Result<Ended, TrainError> {
    protocol.check()?;
    // All that can be wrong with what is asked is found before the first run.
    let mut asked: Vec<Asked> = Vec::new();
    for task in &protocol.tasks {
        if asked.iter().any(|known| known.task == *task) {
            continue;
        }
        // A leak is one of pretraining's labels: random weights know none.
        if protocol.modes.iter().any(|mode| mode.is_pretrained())
            && let Some(remark) = refuse_leak(foundation, database, task)?
        {
            watcher.remark(&remark);
        }
        asked.push(Asked::read(foundation, database, task, protocol.split)?);
    }
    let mut to_do = Vec::new();
    let mut there_already = 0;
    for asked in asked {
        let mut runs = Vec::new();
        for &fraction in &protocol.fractions {
            for seed in 1..=protocol.seeds {
                for &mode in &protocol.modes {
                    let run = Run { task: asked.task.clone(), mode, fraction, seed };
                    let row = template(foundation, database, protocol, &asked, &run)?;
                    if ledger.has(&row)? || runs.iter().any(|(known, _)| *known == run) {
                        there_already += 1;
                    } else {
                        runs.push((run, row));
                    }
                }
            }
        }
        to_do.push((asked, runs));
    }
    watcher.planned(to_do.iter().map(|(_, runs)| runs.len()).sum(), there_already);

    for (asked, runs) in to_do {
        if runs.is_empty() {
            continue;
        }
        let metric = database.task(&asked.task)?.metric.clone();
        let mut work = Work::new(foundation, protocol, asked.plan, asked.measured, metric);
        for (run, row) in runs {
            if stop.load(Ordering::Relaxed) {
                return Ok(Ended::Stopped);
            }
            watcher.begin(&run);
            let Some(rows) = work.run(&run, &row, watcher, stop)? else {
                return Ok(Ended::Stopped);
            };
            ledger.add(rows.clone())?;
            watcher.finished(&run, &rows);
        }
    }
    Ok(Ended::Complete)
}

impl Asked {
    fn read(
        foundation: &Foundation,
        database: &Database,
        task: &str,
        split: Split,
    ) -> Result<Self, TrainError> {
        let whole = Presentation::Whole { size: foundation.size };
        let plan = database.plan(task, Split::Train, whole, 1)?;
        let measured = database.examples(task, split)?;
        for (split, examples) in [(Split::Train, &plan.examples), (split, &measured)] {
            if examples.is_empty() {
                return Err(TrainError::Protocol(format!(
                    "task “{task}” has no image in the split {}; few-shot learns from train and measures another",
                    split.name()
                )));
            }
        }
        let all = data_digest(plan.examples.iter().chain(&measured));
        let data = format!("{} {} {all}", plan.examples.len(), measured.len());
        Ok(Self { task: task.to_owned(), plan, measured, data })
    }
}

/// The row of a run without its figure. Its setup says what else the figure depends on.
fn template(
    foundation: &Foundation,
    database: &Database,
    protocol: &Protocol,
    asked: &Asked,
    run: &Run,
) -> Result<Row, TrainError> {
    let record = database.task(&asked.task)?;
    let json = |value: Result<String, serde_json::Error>| {
        value.map_err(|error| TrainError::Protocol(error.to_string()))
    };
    // Baselines from random weights stay the same whatever was pretrained.
    let weights = if run.mode.is_pretrained() {
        foundation.digest.clone()
    } else {
        json(serde_json::to_string(&foundation.fresh_config()))?
    };
    // The probe on a pretrained embedding has no recipe.
    let by_probe = run.mode == Mode::Frozen && record.kind == TaskKind::Classification;
    let recipe = if by_probe { None } else { Some(&protocol.recipe) };
    let recipe = json(serde_json::to_string(&recipe))?;
    let mut text = format!(
        "{} {} {weights} {recipe} {:?} {:?} {}",
        run.mode, foundation.size, record.kind, record.classes, asked.data
    );
    if record.kind != TaskKind::Classification {
        text += &format!(" shown {SHOWN}");
    }
    let split = (protocol.split != Split::Test).then(|| protocol.split.name().to_owned());
    Ok(Row { split, ..Row::unanswered(run, setup(&text)) })
}
