//! `medley evaluate --protocol few-shot` and `--zero-shot`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use indicatif::ProgressBar;
use medley_data::{Database, Split};
use medley_infer::Medley;
use medley_package::{NOTICE, read_dir};
use medley_train::few_shot::{
    ClassMap, Ended, Foundation, Ledger, Mode, Protocol, Recipe, Row, Run as FewShotRun, Twins,
    Watcher, few_shot, plot, summarise, zero_shot,
};

use crate::database::tell_shared_groups;
use crate::exit::{BadInput, Exit};
use crate::model::{self, ModelArgs};
use crate::run::Run;
use crate::table::Table;
use crate::{interrupt, progress, say};

/// The options of both.
#[derive(clap::Args)]
#[command(next_help_heading = "Few-shot (--protocol few-shot) and zero-shot")]
pub struct FewShotArgs {
    /// How to learn, separated by commas: the encoder frozen (classification: with nearest neighbours beside it),
    /// everything fine-tuned, from scratch, on a frozen random encoder
    #[arg(
        long,
        value_parser = mode,
        value_name = "MODE",
        value_delimiter = ',',
        default_value = "frozen,finetune,scratch,random"
    )]
    mode: Vec<Mode>,
    /// Parts of the training split's groups, in per cent
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_value = "1,5,10,25,50,100")]
    fractions: Vec<f64>,
    /// How often each is repeated with other groups, weights and order
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Steps of each training
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Highest learning rate, in place of each mode's own (docs/few-shot.md)
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Fine-tuning: factor on the rate for the deepest stage of the encoder, above 0 and at most 1
    #[arg(long, value_name = "FACTOR")]
    encoder_factor: Option<f64>,
    /// Fine-tuning: factor from each stage of the encoder to the one before, above 0 and at most 1
    #[arg(long, value_name = "FACTOR")]
    stage_factor: Option<f64>,
    /// Strength of the augmentation, 0 to 1, in place of the recipe's
    #[arg(long, value_name = "STRENGTH")]
    augmentation: Option<f32>,
    /// Threads that prepare images
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    threads: u32,
    /// Keep the embeddings of the pretrained encoder in this folder
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Ask the head of a pretrained task about another centre's test images, without learning; may be given
    /// several times
    #[arg(long = "zero-shot", value_name = "SOURCE:TARGET", conflicts_with = "protocol")]
    zero_shot: Vec<Twins>,
    /// Classes of a source that stand for one of its target, where the names differ
    #[arg(long, value_name = "SOURCE=TARGET,…", requires = "zero_shot")]
    map: Option<ClassMap>,
    /// Write the rows to this file, as CSV too
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draw fraction against metric into this folder, an SVG file for each task
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

fn mode(text: &str) -> Result<Mode, String> {
    let found = Mode::LEARNED.into_iter().find(|mode| mode.name() == text);
    found.ok_or_else(|| format!("expected of {}", Mode::LEARNED.map(Mode::name).join(", ")))
}

/// Where the weights come from.
pub struct Weights<'a> {
    /// A training run, in place of a package.
    pub run: Option<&'a Path>,
    /// The package.
    pub model: &'a ModelArgs,
    /// What computes.
    pub device: &'a Device,
}

/// What `medley evaluate` was asked for by options that all its ways share.
pub struct Asked<'a> {
    /// The tasks.
    pub tasks: &'a [String],
    /// The split that is measured.
    pub split: Split,
    /// Where the rows go.
    pub json: Option<&'a Path>,
}

impl Weights<'_> {
    fn foundation(&self, database: &Database) -> Result<Foundation> {
        let _busy = progress::busy("Loading the model");
        Ok(match self.run {
            Some(folder) => Foundation::of_run(folder, database, self.device)?,
            None => {
                let folder = self.model.folder()?;
                let place = || folder.display().to_string();
                Foundation::of_package(&read_dir(&folder).with_context(place)?, self.device)
                    .with_context(place)?
            }
        })
    }

    fn medley(&self, database: &Database) -> Result<Medley> {
        match self.run {
            Some(folder) => {
                let run = Run::read(folder, database, self.device)?;
                Ok(Medley::from_parts(run.model, run.tasks, self.device))
            }
            None => model::load(&self.model.folder()?, self.device),
        }
    }
}

impl FewShotArgs {
    /// Whether heads are asked about other centres.
    pub fn is_zero_shot(&self) -> bool {
        !self.zero_shot.is_empty()
    }

    /// Options that would do nothing are refused, so that nobody believes they did.
    ///
    /// # Errors
    /// An output of rows without anything that makes them; a part of a split, where whole splits are measured.
    pub fn check(&self, few_shot: bool, split: Split, limit: Option<u32>) -> Result<()> {
        if (few_shot || self.is_zero_shot()) && limit.is_some() {
            let words =
                "few-shot and zero-shot figures are those of a whole split; leave --limit out";
            return Err(BadInput(words.into()).into());
        }
        if self.is_zero_shot() && split != Split::Test {
            let words = "zero-shot figures are those of the test split; leave --split out";
            return Err(BadInput(words.into()).into());
        }
        if !few_shot && !self.is_zero_shot() && (self.csv.is_some() || self.plots.is_some()) {
            let words =
                "--csv and --plots belong to --protocol few-shot or --zero-shot; add one of them";
            return Err(BadInput(words.into()).into());
        }
        Ok(())
    }

    /// Learns the tasks and measures each.
    ///
    /// # Errors
    /// As [`few_shot`]; no task; a file that cannot be written.
    pub fn learn(
        &self,
        database: &Database,
        weights: &Weights<'_>,
        asked: &Asked<'_>,
    ) -> Result<Exit> {
        if asked.tasks.is_empty() {
            let words = "--protocol few-shot: name what is to be learned with --task";
            return Err(BadInput(words.into()).into());
        }
        let names: Vec<&str> = asked.tasks.iter().map(String::as_str).collect();
        tell_shared_groups(database, &names)?;
        let mut recipe = Recipe::default();
        recipe.steps = self.steps.unwrap_or(recipe.steps);
        if let Some(rate) = self.learning_rate {
            (recipe.frozen_rate, recipe.finetune_rate, recipe.scratch_rate) = (rate, rate, rate);
        }
        recipe.encoder_factor = self.encoder_factor.unwrap_or(recipe.encoder_factor);
        recipe.stage_factor = self.stage_factor.unwrap_or(recipe.stage_factor);
        recipe.augmentation = self.augmentation.unwrap_or(recipe.augmentation);
        let protocol = Protocol {
            tasks: asked.tasks.to_vec(),
            modes: self.mode.clone(),
            fractions: self.fractions.clone(),
            seeds: self.seeds,
            recipe,
            split: asked.split,
            threads: self.threads as usize,
            cache: self.cache.clone(),
        };
        let foundation = weights.foundation(database)?;
        self.watched(asked, |ledger, display, stop| {
            Ok(few_shot(&foundation, database, &protocol, ledger, display, stop)?)
        })
    }

    /// Asks heads about other centres' images.
    ///
    /// # Errors
    /// As [`zero_shot`]; a file that cannot be written.
    pub fn zero_shot(
        &self,
        database: &Database,
        weights: &Weights<'_>,
        asked: &Asked<'_>,
    ) -> Result<Exit> {
        if !asked.tasks.is_empty() {
            let words = "--zero-shot names its tasks itself; leave --task out";
            return Err(BadInput(words.into()).into());
        }
        let foundation = weights.foundation(database)?;
        let medley = weights.medley(database)?;
        let map = self.map.clone().unwrap_or_default();
        self.watched(asked, |ledger, display, stop| {
            let pairs = &self.zero_shot;
            Ok(zero_shot(&foundation, &medley, database, pairs, &map, ledger, display, stop)?)
        })
    }

    /// Measures with progress and Ctrl-C, and shows what came out.
    fn watched(
        &self,
        asked: &Asked<'_>,
        work: impl FnOnce(&mut Ledger, &mut Display, &std::sync::atomic::AtomicBool) -> Result<Ended>,
    ) -> Result<Exit> {
        let mut ledger = Ledger::open(asked.json, self.csv.as_deref())?;
        let stop = interrupt::stop_on_ctrl_c(
            "stopping; what is measured stays. Ctrl-C again stops at once",
        )?;
        let mut display = Display::default();
        let ended = work(&mut ledger, &mut display, &stop);
        display.clear();
        let ended = ended?;
        if let Some(folder) = &self.plots {
            for file in plot(ledger.rows(), folder)? {
                say::note(format_args!("drew {}", file.display()));
            }
        }
        say::print(table(ledger.rows()))?;
        say::print(format_args!("\n{NOTICE}"))?;
        if ended == Ended::Complete {
            return Ok(Exit::Done);
        }
        let next = match asked.json {
            Some(file) => format!("the same command goes on from the rows in {}", file.display()),
            None => "with --json the same command could have gone on".into(),
        };
        say::note(format_args!("stopped; {next}"));
        Ok(Exit::Interrupted)
    }
}

/// Mean and spread as people read them.
fn table(rows: &[Row]) -> Table {
    let mut table =
        Table::new(&["task", "mode", "groups %", "images", "metric", "mean", "spread", "seeds"]);
    for line in summarise(rows) {
        let mode = match &line.source {
            Some(source) => format!("{} ({source})", line.mode),
            None => line.mode.to_string(),
        };
        table.row([
            line.task,
            mode,
            line.fraction.to_string(),
            format!("{:.0}", line.n_train),
            line.metric,
            format!("{:.3}", line.mean),
            format!("{:.3}", line.deviation),
            line.seeds.to_string(),
        ]);
    }
    table
}

/// Parts of a run on the bar, so that a long run moves it too.
const PARTS: u64 = 100;

/// Shows a measurement's progress on stderr: a bar over all runs, or a line for each where stderr is no terminal.
#[derive(Default)]
struct Display {
    bar: Option<ProgressBar>,
    done: u64,
}

impl Display {
    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say::note(text)),
            None => say::note(text),
        }
    }
}

impl Watcher for Display {
    fn remark(&mut self, text: &str) {
        self.note(&format!("note: {text}"));
    }

    fn planned(&mut self, runs: usize, there_already: usize) {
        let before = if there_already > 0 {
            format!(" ({there_already} are in the file already)")
        } else {
            String::new()
        };
        self.note(&format!("{runs} runs to do{before}"));
        self.bar = Some(progress::parts(runs as u64 * PARTS));
    }

    fn begin(&mut self, run: &FewShotRun) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("{run} "));
        }
    }

    fn progress(&mut self, what: &'static str, done: usize, of: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{what} {done}/{of}"));
            // Training first, then measuring: half of a run each, roughly.
            let share = PARTS as usize / 2 * done / of.max(1);
            let first = if what == "images" { PARTS / 2 } else { 0 };
            let now = self.done * PARTS + first + share as u64;
            bar.set_position(now.max(bar.position()));
        }
    }

    fn finished(&mut self, run: &FewShotRun, rows: &[Row]) {
        self.done += 1;
        let Some(bar) = &self.bar else { return };
        bar.set_position(self.done * PARTS);
        if bar.is_hidden() {
            let figures: Vec<String> = rows
                .iter()
                .map(|row| format!("{} {} {:.3}", row.mode, row.metric, row.value))
                .collect();
            say::note(format_args!("{run}: {}", figures.join(", ")));
        }
    }
}
