//! `medley evaluate`: figures of a model on the task database.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;
use medley_data::{Database, Example, Role, Split};
use medley_infer::Medley;
use medley_package::{Calibration, NOTICE, TaskSpec};
use medley_train::{Score, evaluate};

use crate::database::{DataArgs, tell_shared_groups};
use crate::device::DeviceArgs;
use crate::exit::{BadInput, Exit};
use crate::few_shot::{Asked, FewShotArgs, Weights};
use crate::json_file::write_json;
use crate::model::{self, ModelArgs};
use crate::run::Run;
use crate::table::Table;
use crate::{progress, say};

/// Measure a model: macro-F1, Dice, mAP at IoU 0.5 on a split of the task database
///
/// Every image goes the whole way of `medley predict`; masks and boxes are compared in the image's own pixels.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    #[command(flatten)]
    model: ModelArgs,
    /// Measure the newest checkpoint of this training run (float weights) in place of a package
    #[arg(long, value_name = "RUN", conflicts_with = "model")]
    run: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// A task to measure; may be given several times. All pretraining tasks that the model has without it
    #[arg(long = "task", value_name = "NAME")]
    tasks: Vec<String>,
    /// How to measure: `split` measures the model as it is; `few-shot` learns tasks that it was not pretrained on
    #[arg(long, value_enum, value_name = "WAY", default_value_t = Protocol::Split)]
    protocol: Protocol,
    /// The split: train, val or test
    #[arg(long, value_name = "SPLIT", default_value = "test", value_parser = split)]
    split: Split,
    /// At most so many images of each task, spread evenly over the split; all without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Write the figures to this file, as a JSON array of rows (docs/formats.md)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write to this file, for `medley export --calibration`, the temperature of each classification at which its probabilities
    /// fit the split best; of the test split none is taken
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    #[command(flatten)]
    few_shot: FewShotArgs,
}

/// See `--protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// The model's own heads on a split
    Split,
    /// Learning from parts of the training split (docs/few-shot.md)
    FewShot,
}

const EXAMPLES: &str = "\
Examples:
  medley evaluate --json quality.json
  medley evaluate --run runs/medley-nano --split val --limit 50 --task lungs
  medley evaluate --split val --calibration calibration.json
  medley evaluate --protocol few-shot --task pneumonia-adults --fractions 1,10,100 --json rows.json
  medley evaluate --zero-shot nuclei:nuclei-tissue --json rows.json";

fn split(text: &str) -> Result<Split, String> {
    Split::from_name(text).ok_or_else(|| "expected train, val or test".into())
}

/// Measures and prints the figures.
///
/// # Errors
/// A model, database, task or image that is not there or not right; a file that cannot be written.
pub fn run(options: &Options) -> Result<Exit> {
    let device = options.device.open()?;
    let weights = Weights { run: options.run.as_deref(), model: &options.model, device: &device };
    let asked =
        Asked { tasks: &options.tasks, split: options.split, json: options.json.as_deref() };
    let few_shot = options.protocol == Protocol::FewShot;
    options.few_shot.check(few_shot, options.split, options.limit)?;
    check_calibration(options, few_shot || options.few_shot.is_zero_shot())?;
    let database = options.data.open()?;
    if few_shot {
        return options.few_shot.learn(&database, &weights, &asked);
    }
    if options.few_shot.is_zero_shot() {
        return options.few_shot.zero_shot(&database, &weights, &asked);
    }
    let medley = match &options.run {
        Some(folder) => {
            let run = Run::read(folder, &database, &device)?;
            Medley::from_parts(run.model, run.tasks, &device)
        }
        None => model::load(&options.model.folder()?, &device)?,
    };
    let tasks = wanted(&medley, &database, &options.tasks)?;
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    tell_shared_groups(&database, &names)?;
    let (scores, calibration) = measure(&medley, &database, &tasks, options)?;
    if let Some(file) = &options.json {
        write_json(file, &scores)?;
    }
    if let Some(file) = &options.calibration {
        write_json(file, &calibration)?;
    }
    say::print(table(&scores))?;
    say::print(format_args!("\n{NOTICE}"))?;
    Ok(Exit::Done)
}

/// Options that would do nothing, or harm, are refused.
fn check_calibration(options: &Options, learns: bool) -> Result<()> {
    let words = match options.calibration {
        None => return Ok(()),
        Some(_) if learns => "--calibration is of the model's own heads; leave it out",
        Some(_) if options.split == Split::Test => {
            "a temperature that is fitted to the test split leaves nothing to measure it on; add --split val"
        }
        Some(_) => return Ok(()),
    };
    Err(BadInput(words.into()).into())
}

/// The figures as people read them.
pub fn table(scores: &[Score]) -> Table {
    let mut table = Table::new(&["task", "split", "metric", "value", "images"]);
    for Score { task, split, metric, value, n } in scores {
        let value = format!("{value:.3}");
        table.row([task.clone(), split.clone(), metric.clone(), value, n.to_string()]);
    }
    table
}

/// The tasks to measure, each with the classes that the database has too.
fn wanted<'a>(
    medley: &'a Medley,
    database: &Database,
    asked: &[String],
) -> Result<Vec<&'a TaskSpec>> {
    let of_model = |name: &str| medley.tasks().iter().find(|task| task.name == name);
    let tasks: Vec<&TaskSpec> = if asked.is_empty() {
        let pretraining = database.tasks().iter().filter(|task| task.role == Role::Pretrain);
        pretraining.filter_map(|task| of_model(&task.name)).collect()
    } else {
        let mut tasks: Vec<&TaskSpec> = Vec::new();
        for name in asked {
            let task = of_model(name).ok_or_else(|| medley_infer::InferError::UnknownTask {
                name: name.clone(),
                existing: medley.tasks().iter().map(|task| task.name.clone()).collect(),
            })?;
            if !tasks.iter().any(|known| known.name == task.name) {
                tasks.push(task);
            }
        }
        tasks
    };
    if tasks.is_empty() {
        let found = "the model and the database share no pretraining task; name one with --task";
        return Err(BadInput(found.into()).into());
    }
    for task in &tasks {
        let record = database.task(&task.name)?;
        if record.kind != task.kind || record.classes != task.classes {
            return Err(BadInput(format!(
                "task {:?}: the model answers {:?} with {:?}, the database has {:?} with {:?}; use the database \
                 that the model was trained on",
                task.name, task.kind, task.classes, record.kind, record.classes
            ))
            .into());
        }
    }
    Ok(tasks)
}

fn measure(
    medley: &Medley,
    database: &Database,
    tasks: &[&TaskSpec],
    options: &Options,
) -> Result<(Vec<Score>, Vec<Calibration>)> {
    let limit = options.limit.map_or(usize::MAX, |limit| limit as usize);
    let mut work = Vec::with_capacity(tasks.len());
    for &task in tasks {
        work.push((task, spread(database.examples(&task.name, options.split)?, limit)));
    }
    let bar = progress::bar(work.iter().map(|(_, examples)| examples.len()).sum(), "images");
    let (mut scores, mut calibration) = (Vec::new(), Vec::new());
    for (task, examples) in work {
        if examples.is_empty() {
            let note = format!("{}: no images in the split {}", task.name, options.split);
            bar.suspend(|| say::note(note));
            continue;
        }
        bar.set_prefix(format!("{} ", task.name));
        let before = bar.position();
        let found = evaluate(medley, task, &examples, options.split, &mut |done| {
            bar.set_position(before + done as u64);
            true
        })?;
        if bar.is_hidden() {
            let figures: Vec<String> =
                found.scores.iter().map(|s| format!("{} {:.3}", s.metric, s.value)).collect();
            say::note(format_args!("{}: {}", task.name, figures.join(", ")));
        }
        scores.extend(found.scores);
        calibration.extend(
            found
                .temperature
                .map(|temperature| Calibration { task: task.name.clone(), temperature }),
        );
    }
    bar.finish_and_clear();
    Ok((scores, calibration))
}

/// At most `limit` of them, evenly over the list: neighbours in a file are alike.
fn spread(examples: Vec<Example>, limit: usize) -> Vec<Example> {
    let all = examples.len();
    let count = limit.min(all);
    (0..count).map(|index| examples[index * all / count].clone()).collect()
}
