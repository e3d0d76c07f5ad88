//! `medley data check`: what a task database holds, and what is wrong with it.

use std::path::PathBuf;

use anyhow::Result;
use medley_data::Database;
use medley_data::check::{Check, CheckReport, ClassCount, Leak, NEAR, SetReport, TaskCount, Twins};
use medley_package::{NOTICE, TaskKind};

use crate::exit::Exit;
use crate::json_file::write_json;
use crate::table::Table;
use crate::{progress, say};

/// How many of a kind are printed of each data set; --json has all.
const SHOWN: usize = 10;

/// Check a task database: counts, class balance, groups in several splits, near-duplicates, bad files
///
/// Every image and mask is decoded.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    /// Folder of the task database (with tasks.json)
    #[arg(value_name = "DATABASE")]
    database: PathBuf,
    /// A task to check; may be given several times. All without it
    #[arg(long = "task", value_name = "NAME")]
    tasks: Vec<String>,
    /// Images of different splits are compared more closely if at most N of the 64 bits of their hashes (dHash)
    /// differ
    #[arg(long, value_name = "N", default_value_t = NEAR, value_parser = clap::value_parser!(u32).range(0..=32))]
    near: u32,
    /// Write what was found to this file, as one JSON object (docs/data.md)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  medley data check data
  medley data check data --task lesions --json check.json

Exit code 2: a group is in several splits, or a record, image or mask is wrong. Near-duplicates and classes
that a split lacks are warnings: look at them.";

/// Checks, and prints what was found.
///
/// # Errors
/// A database that cannot be opened, an unknown task, a file that cannot be written.
pub fn run(options: &Options) -> Result<Exit> {
    let database = Database::open(&options.database)?;
    let check = Check::open(&database, &options.tasks, options.near)?;
    let bar = progress::bar(check.pictures(), "images");
    let report = check.run(&|| bar.inc(1));
    bar.finish_and_clear();
    if let Some(file) = &options.json {
        write_json(file, &report)?;
    }
    say::print(text(&report))?;
    Ok(if report.is_wrong() { Exit::BadInput } else { Exit::Done })
}

fn text(report: &CheckReport) -> String {
    let mut parts: Vec<String> = report.tasks.iter().map(balance).collect();
    for set in &report.datasets {
        let missing = report.tasks.iter().filter(|task| task.dataset == set.dataset);
        let missing: Vec<String> = missing
            .flat_map(|task| {
                let name = &task.task;
                task.missing()
                    .into_iter()
                    .map(move |(split, class)| format!("{name}: nothing of {class:?} in {split}"))
            })
            .collect();
        parts.extend(findings(set, &missing));
    }
    parts.push(total(report));
    parts.join("\n\n")
}

/// How many of each class a task's splits have.
fn balance(task: &TaskCount) -> String {
    let (kind, cell): (_, fn(&ClassCount) -> String) = match task.kind {
        TaskKind::Classification => ("images", |class| amount(class.count, class.share)),
        TaskKind::Segmentation => ("images with it, part of all pixels", |class| {
            amount(class.records as u64, class.share)
        }),
        TaskKind::Detection => ("boxes", |class| amount(class.count, class.share)),
    };
    let mut table = Table::new(&[kind, "train", "val", "test"]);
    let column =
        |value: &dyn Fn(usize) -> String| (0..task.splits.len()).map(value).collect::<Vec<_>>();
    for (index, class) in task.splits[0].classes.iter().enumerate() {
        let cells = column(&|split| cell(&task.splits[split].classes[index]));
        table.row([class.class.clone()].into_iter().chain(cells));
    }
    for (name, value) in [
        ("all images", &|split: usize| task.splits[split].records.to_string()),
        ("groups", &|split: usize| task.splits[split].groups.to_string()),
    ] as [(&str, &dyn Fn(usize) -> String); 2]
    {
        table.row([name.to_string()].into_iter().chain(column(value)));
    }
    format!("{} ({})\n{table}", task.task, task.dataset)
}

fn amount(count: u64, share: f64) -> String {
    let percent = 100.0 * share;
    // Thin structures are less than a percent of an image.
    let digits = if count > 0 && percent < 1.0 { 2 } else { 0 };
    format!("{count} ({percent:.digits$} %)")
}

/// What is the matter with a data set, if anything.
fn findings(set: &SetReport, missing: &[String]) -> Option<String> {
    let mut lines = Vec::new();
    let mut list = |what: &str, all: Vec<String>| {
        lines.extend(all.iter().take(SHOWN).map(|one| format!("  {what}: {one}")));
        if all.len() > SHOWN {
            lines.push(format!("  {what}: and {} more; --json FILE has all", all.len() - SHOWN));
        }
    };
    list("wrong", set.faults.clone());
    list("wrong", set.leaks.iter().map(leak).collect());
    list("warning", set.near_duplicates.iter().map(near).collect());
    list("warning", missing.to_vec());
    (!lines.is_empty()).then(|| format!("{}\n{}", set.dataset, lines.join("\n")))
}

fn leak(leak: &Leak) -> String {
    let splits: Vec<String> =
        leak.splits.iter().map(|(split, count)| format!("{split} ({count})")).collect();
    format!("the group {:?} is in {}", leak.group, splits.join(" and "))
}

fn near(twins: &Twins) -> String {
    let Twins { distance, likeness, first, second } = twins;
    format!(
        "{} ({}) looks like {} ({}): {distance} of 64 bits differ, detail {likeness:.2} alike",
        first.image, first.split, second.image, second.split
    )
}

fn total(report: &CheckReport) -> String {
    let sum = |count: fn(&SetReport) -> usize| report.datasets.iter().map(count).sum::<usize>();
    format!(
        "{} images in {} data sets: {} wrong, {} groups in several splits; {} pairs of near-duplicates between \
         splits (at most {} of 64 bits), {} images too even to be compared",
        sum(|set| set.records),
        report.datasets.len(),
        sum(|set| set.faults.len()),
        sum(|set| set.leaks.len()),
        sum(|set| set.near_duplicates.len()),
        report.near,
        sum(|set| set.even),
    )
}
