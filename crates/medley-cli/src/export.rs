//! `medley export`: from a training run to a weight package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use burn::tensor::Device;
use medley_data::Database;
use medley_export::{Description, export, model_card, to_onnx};
use medley_package::{
    Calibration, DatasetSource, NOTICE, Package, Provenance, Quality, TaskSpec, read_dir, write_dir,
};
use medley_train::RunState;
use serde::de::DeserializeOwned;

use crate::database::DataArgs;
use crate::exit::{BadInput, Exit};
use crate::model::ModelArgs;
use crate::run::Run;
use crate::{progress, say};

/// Name of the model card in a package's folder.
const CARD: &str = "README.md";

/// Make a weight package (int8) of a training run, with self-test and model card; or an ONNX graph of a package
///
/// The newest checkpoint is folded, quantized, read back and made to pass its own self-test before anything is
/// written. README.md in the folder is the model card. Without a run, the package that --model names is written anew with
/// other figures or another name; its weights stay as they are.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    /// Folder of the run, as runs/medley-nano
    #[arg(value_name = "RUN", required_unless_present_any = ["onnx", "out"], requires = "out")]
    run: Option<PathBuf>,
    /// Folder to write the package into; a package that lies there is replaced
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Name of the package; without it that of the run, or of the package that --model names
    #[arg(long, value_name = "NAME", requires = "out")]
    name: Option<String>,
    /// Write an ONNX graph (32-bit floats, operator set 17) for other engines: of the run's package, or without RUN of the
    /// package that --model names
    #[arg(long, value_name = "FILE.onnx")]
    onnx: Option<PathBuf>,
    /// A task whose head the ONNX graph has; may be given several times. All of them without it
    #[arg(long = "task", value_name = "NAME", requires = "onnx")]
    tasks: Vec<String>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Measured figures to state in the package: what `medley evaluate --json` wrote
    #[arg(long, value_name = "FILE.json", requires = "out")]
    quality: Option<PathBuf>,
    /// Temperatures by which the package's probabilities are calibrated: what `medley evaluate --calibration` wrote
    #[arg(long, value_name = "FILE.json", requires = "out")]
    calibration: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Example:
  medley export runs/medley-nano --out /tmp/nano
  medley evaluate --model /tmp/nano --split val --calibration calibration.json
  medley export --model /tmp/nano --calibration calibration.json --out /tmp/nano
  medley evaluate --model /tmp/nano --json quality.json
  medley export --model /tmp/nano --quality quality.json --out www/models/medley-nano
  medley export --onnx nano.onnx --task lungs";

/// Writes the package and its card.
///
/// # Errors
/// No checkpoint, figures of other tasks, a model that its own reader would refuse, a full disk.
pub fn run(options: &Options) -> Result<Exit> {
    let mut package = match &options.run {
        Some(run) => from_run(options, run)?,
        None => {
            let folder = options.model.folder()?;
            read_dir(&folder).with_context(|| folder.display().to_string())?
        }
    };
    if let Some(out) = &options.out {
        if let Some(name) = &options.name {
            package.metadata.name.clone_from(name);
        }
        if let Some(file) = &options.quality {
            let tasks = &package.metadata.tasks;
            package.metadata.quality = read_rows(file, "--json", tasks, |row: &Quality| &row.task)?;
        }
        if let Some(file) = &options.calibration {
            let tasks = &package.metadata.tasks;
            package.metadata.calibration =
                read_rows(file, "--calibration", tasks, |row: &Calibration| &row.task)?;
        }
        write_package(&package, out)?;
    }
    if let Some(file) = &options.onnx {
        write_onnx(&package, &options.tasks, file)?;
    }
    Ok(Exit::Done)
}

fn write_onnx(package: &Package, tasks: &[String], file: &Path) -> Result<()> {
    let all = package.metadata.tasks.iter().map(|task| &task.name);
    let tasks: Vec<&str> = match tasks.is_empty() {
        true => all.map(String::as_str).collect(),
        false => tasks.iter().map(String::as_str).collect(),
    };
    let bytes = to_onnx(package, &tasks)?;
    fs::write(file, &bytes).with_context(|| format!("{} cannot be written", file.display()))?;
    let (place, size) = (file.display(), bytes.len() as f64 / 1e6);
    say::note(format_args!("wrote {place}, {size:.1} MB. {NOTICE}"));
    Ok(())
}

/// Writes a package into a folder with its card.
fn write_package(package: &Package, out: &Path) -> Result<()> {
    write_dir(out, package)?;
    let card = out.join(CARD);
    fs::write(&card, model_card(&package.metadata))
        .with_context(|| format!("{} cannot be written", card.display()))?;
    say::note(format_args!("wrote {0}. See: medley info {0}", out.display()));
    Ok(())
}

/// The package of a run, which has passed its self-test.
fn from_run(options: &Options, folder: &Path) -> Result<Package> {
    let database = options.data.open()?;
    let run = Run::read(folder, &database, &Device::flex())?;
    let RunState { step, config } = &run.state;
    if *step < config.steps {
        say::note(format_args!("note: the run is at step {step} of {}", config.steps));
    }
    let description = Description {
        name: config.name.clone(),
        variant: config.variant.name().into(),
        tasks: run.tasks.clone(),
        provenance: provenance(&run, &database)?,
        quality: Vec::new(),
        calibration: Vec::new(),
    };
    let busy = progress::busy("Folding, quantizing and testing");
    let package = export(&run.model, &run.shape, description)?;
    drop(busy);
    say::note("folded and quantized; the self-test passes");
    Ok(package)
}

/// Data sets with their terms, code and configuration.
fn provenance(run: &Run, database: &Database) -> Result<Provenance> {
    let mut datasets: Vec<DatasetSource> = Vec::new();
    for task in &run.tasks {
        let name = &database.task(&task.name)?.dataset;
        if datasets.iter().any(|known| known.name == *name) {
            continue;
        }
        let info = database.dataset(name)?;
        datasets.push(DatasetSource {
            name: name.clone(),
            licence: info.licence.clone(),
            attribution: info.attribution.clone(),
        });
    }
    // By way of text, where a 32-bit 0.35 is 0.35; as a 64-bit value it would be 0.3499999940395355.
    let config: serde_json::Value =
        serde_json::from_str(&serde_json::to_string(&run.state.config)?)?;
    Ok(Provenance {
        datasets,
        code_version: code_version(),
        created: today(),
        training: serde_json::json!({ "steps_done": run.state.step, "config": config }),
    })
}

/// The rows that `medley evaluate` wrote with this option; those of a task that the package does not have are refused.
fn read_rows<T: DeserializeOwned>(
    file: &Path,
    option: &str,
    tasks: &[TaskSpec],
    task_of: fn(&T) -> &str,
) -> Result<Vec<T>> {
    let place = file.display();
    let text = fs::read(file).map_err(|error| BadInput(format!("{place}: {error}")))?;
    let rows: Vec<T> = serde_json::from_slice(&text).map_err(|error| {
        BadInput(format!("{place}: expected what `medley evaluate {option}` writes: {error}"))
    })?;
    let stranger = rows.iter().map(task_of).find(|row| !tasks.iter().any(|task| task.name == *row));
    match stranger {
        Some(task) => {
            let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
            let names = names.join(", ");
            Err(BadInput(format!("{place}: the package has no task {task:?}, only: {names}"))
                .into())
        }
        None => Ok(rows),
    }
}

/// This program's version, and the commit of the checkout that it was built from where that is still there.
fn code_version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let commit = Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short=12", "HEAD"])
        .output();
    match commit {
        Ok(output) if output.status.success() => {
            format!("{version} ({})", String::from_utf8_lossy(&output.stdout).trim())
        }
        _ => version.into(),
    }
}

/// The date, ISO 8601, UTC.
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs() / 86_400)
}

/// Days since 1970-01-01 as a date (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + 400 * era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(20_454), "2026-01-01");
        assert_eq!(date(20_453), "2025-12-31");
    }

    #[test]
    fn figures_of_strangers_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("q.json");
        let rows = r#"[{"task":"x","split":"test","metric":"dice","value":0.5,"n":3}]"#;
        fs::write(&file, rows).unwrap();
        let read = || read_rows(&file, "--json", &[], |row: &Quality| &row.task);
        assert_eq!(Exit::of(&read().unwrap_err()), Exit::BadInput);
        fs::write(&file, "{}").unwrap();
        assert_eq!(Exit::of(&read().unwrap_err()), Exit::BadInput);
    }
}
