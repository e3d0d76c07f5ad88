//! `medley runs`: what was trained, how far and how well.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::HumanDuration;
use medley_package::NOTICE;
use medley_train::{Checkpoint, History, TrainConfig, Variant, is_training};
use serde::Serialize;

use crate::exit::{BadInput, Exit};
use crate::say;
use crate::table::Table;

/// Version of what `--json` prints.
const FORMAT: u32 = 1;

/// Steps over which the newest loss is averaged: one step's depends on its few images.
const NEWEST: usize = 20;

/// List the runs: how far each is, its newest loss and validation, and whether it is being trained
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    /// Folder of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// Print one JSON object (docs/formats.md)
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  medley runs
  medley runs --json | jq '.runs[] | select(.state == \"stopped\") | .name'

loss is the mean over the tasks and the last 20 steps, validation the mean over the tasks of macro-F1, Dice or mAP50.";

/// One run; an element of `--json`.
#[derive(Serialize)]
struct Run {
    name: String,
    variant: Variant,
    step: u64,
    steps: u64,
    loss: Option<f64>,
    validation: Option<f64>,
    age_seconds: Option<u64>,
    state: State,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Training,
    Stopped,
    Finished,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
        }
    }
}

/// Prints the runs by name.
///
/// # Errors
/// A folder or a run that cannot be read.
pub fn run(options: &Options) -> Result<Exit> {
    let runs = list(&options.runs)?;
    if options.json {
        let json = serde_json::json!({ "format": FORMAT, "runs": runs });
        say::print(json)?;
    } else if runs.is_empty() {
        let folder = options.runs.display();
        say::note(format_args!("no runs in {folder}; medley pretrain makes one"));
    } else {
        say::print(table(&runs))?;
    }
    Ok(Exit::Done)
}

fn list(folder: &Path) -> Result<Vec<Run>> {
    let entries = fs::read_dir(folder).map_err(|error| {
        BadInput(format!("{}: {error}; name the folder of the runs with --runs", folder.display()))
    })?;
    let mut runs = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        runs.extend(read(&path)?);
    }
    runs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(runs)
}

/// None where the folder holds no run.
fn read(folder: &Path) -> Result<Option<Run>> {
    let state = Checkpoint::of(folder).state()?;
    let saved = state.as_ref().map_or(0, |state| state.step);
    let file = folder.join("config.toml");
    // What it was last started with, which the checkpoint may not know yet.
    let config = if file.is_file() {
        TrainConfig::read(&file)?
    } else if let Some(state) = state {
        state.config
    } else {
        return Ok(None);
    };
    let history = History::read(folder)?;
    let state = match () {
        () if is_training(folder) => State::Training,
        () if saved >= config.steps => State::Finished,
        () => State::Stopped,
    };
    Ok(Some(Run {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        variant: config.variant,
        step: history.steps().max(saved),
        steps: config.steps,
        loss: history.mean_loss(NEWEST),
        validation: history.mean_validation(),
        age_seconds: age(folder).map(|age| age.as_secs()),
        state,
    }))
}

/// Time since log or checkpoint were last written.
fn age(folder: &Path) -> Option<Duration> {
    let ages = ["metrics.jsonl", "checkpoint", "config.toml"]
        .iter()
        .filter_map(|name| fs::metadata(folder.join(name)).ok()?.modified().ok()?.elapsed().ok());
    ages.min()
}

fn table(runs: &[Run]) -> Table {
    let mut table =
        Table::new(&["run", "variant", "step", "of", "loss", "validation", "written", "state"]);
    let figure = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
    for run in runs {
        let age = run.age_seconds.map(Duration::from_secs);
        table.row([
            run.name.clone(),
            run.variant.name().into(),
            run.step.to_string(),
            run.steps.to_string(),
            figure(run.loss),
            figure(run.validation),
            age.map_or("–".into(), |age| format!("{} ago", HumanDuration(age))),
            run.state.name().into(),
        ]);
    }
    table
}
