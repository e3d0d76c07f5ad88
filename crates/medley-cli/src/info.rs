//! `medley info`: what a package is.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use medley_package::{
    Calibration, MANIFEST_FILE, Manifest, NOTICE, Presentation, Provenance, Quality, TaskSpec,
    read_dir,
};
use serde::Serialize;

use crate::exit::Exit;
use crate::table::Table;
use crate::{model, say};

/// Version of what `--json` prints.
const FORMAT: u32 = 1;

/// Say what a weight package is: tasks, measured quality, data, licences, digest
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    /// Folder of the package; without it the model that `medley predict` would use
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Print one JSON object (docs/formats.md)
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  medley info
  medley info --json runs/export | jq .quality";

/// What is known of a package; the JSON of `--json`.
#[derive(Serialize)]
struct Info {
    format: u32,
    notice: &'static str,
    name: String,
    variant: String,
    /// Numbers in the weights.
    parameters: u64,
    /// Length of the one file.
    bytes: u64,
    sha256: String,
    tasks: Vec<TaskSpec>,
    quality: Vec<Quality>,
    calibration: Vec<Calibration>,
    provenance: Provenance,
}

/// Prints what the package says of itself, after checking every digest.
///
/// # Errors
/// No package, or a damaged one.
pub fn run(options: &Options) -> Result<Exit> {
    let folder = model::folder(options.folder.clone())?;
    let info = read(&folder).with_context(|| folder.display().to_string())?;
    if options.json {
        say::print(serde_json::to_string(&info)?)?;
    } else {
        say::print(text(&info))?;
    }
    Ok(Exit::Done)
}

fn read(folder: &std::path::Path) -> Result<Info> {
    let package = read_dir(folder)?;
    // `read_dir` has just found it readable and right.
    let manifest = Manifest::from_json(&fs::read(folder.join(MANIFEST_FILE))?)?;
    let weights = package.tensors.iter().filter(|(name, _)| !name.starts_with("self_test."));
    let parameters =
        weights.map(|(_, t)| t.shape().iter().map(|&d| d as u64).product::<u64>()).sum();
    let metadata = package.metadata;
    Ok(Info {
        format: FORMAT,
        notice: NOTICE,
        name: metadata.name,
        variant: metadata.variant,
        parameters,
        bytes: manifest.length,
        sha256: manifest.sha256,
        tasks: metadata.tasks,
        quality: metadata.quality,
        calibration: metadata.calibration,
        provenance: metadata.provenance,
    })
}

fn text(info: &Info) -> String {
    let Provenance { code_version, created, datasets, .. } = &info.provenance;
    let stated = |text: &str| if text.is_empty() { "not stated".into() } else { text.to_owned() };
    let mut lines = vec![
        format!("{} (variant {})", info.name, info.variant),
        format!("parameters  {:.2} million", info.parameters as f64 / 1e6),
        format!("size        {:.2} MB", info.bytes as f64 / 1e6),
        format!("sha256      {}", info.sha256),
        format!("code        {}", stated(code_version)),
        format!("exported    {}", stated(created)),
        String::new(),
    ];
    let mut tasks = Table::new(&["task", "kind", "images", "input", "classes"]);
    for task in &info.tasks {
        tasks.row([
            task.name.clone(),
            format!("{:?}", task.kind).to_lowercase(),
            task.modality.clone(),
            input(task.presentation),
            task.classes.join(", "),
        ]);
    }
    lines.push(tasks.to_string());
    lines.push(String::new());
    if info.quality.is_empty() {
        lines.push("Nothing was measured.".into());
    } else {
        let mut quality = Table::new(&["task", "split", "metric", "value", "images"]);
        for Quality { task, split, metric, value, n } in &info.quality {
            let value = format!("{value:.3}");
            quality.row([task.clone(), split.clone(), metric.clone(), value, n.to_string()]);
        }
        lines.push(quality.to_string());
    }
    if !datasets.is_empty() {
        lines.push(String::new());
        let mut data = Table::new(&["data set", "licence", "attribution"]);
        for set in datasets {
            data.row([set.name.clone(), set.licence.clone(), set.attribution.clone()]);
        }
        lines.push(data.to_string());
    }
    lines.push(String::new());
    lines.push(NOTICE.into());
    lines.join("\n")
}

fn input(presentation: Presentation) -> String {
    match presentation {
        Presentation::Whole { size } => format!("whole {size}²"),
        Presentation::Tiles { size, long_side, .. } => format!("tiles {size}² of {long_side}"),
    }
}
