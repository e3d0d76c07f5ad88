//! Medley beside ONNX Runtime Web, and the page that is opened until its first answer: makes the models, has a Chromium measure, and
//! writes the tables and the chart.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use medley_bench::{Row, alone, chart, make_models, table, visits};

#[derive(Parser)]
#[command(
    about = "Medley beside ONNX Runtime Web in one run of Chromium, and the page's first answer"
)]
struct Arguments {
    /// Measure this part alone (may be given several times), print its table and leave `out` as it is
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Folder with swin_v2_{nano,tiny}_256.onnx; without it only the nano is measured
    #[arg(long, default_value = "../shared/bench")]
    graphs: PathBuf,
    /// Write the rows here
    #[arg(long, default_value = "target/bench/web.json")]
    json: PathBuf,
    /// Folder for web.md and web.svg
    #[arg(long, default_value = "docs/results")]
    out: PathBuf,
}

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Warm runs of both engines
    Warm,
    /// Memory after some runs of both engines
    Memory,
    /// Both engines from a fresh page to their first answer
    Cold,
    /// Bytes of weights and code
    Bytes,
    /// What surrounds the encoder's pass for a large radiograph, of Medley alone
    Radiograph,
    /// The built page from its opening to its first answer: cold, warm and offline
    FirstAnswer,
}

fn main() -> Result<()> {
    let Arguments { only, graphs, json, out } = Arguments::parse();
    let (page, engines): (Vec<Part>, Vec<Part>) =
        only.iter().copied().partition(|part| *part == Part::FirstAnswer);
    let mut rows = Vec::new();
    let mut tables = Vec::new();
    if only.is_empty() || !engines.is_empty() {
        rows.extend(compare(&engines, &graphs)?);
        tables.push(table(&rows, "ONNX Runtime Web 1.30")?);
        tables.extend(alone(&rows)?);
    }
    if only.is_empty() || !page.is_empty() {
        rows.extend(measured(Command::new("node").arg("bench/web/first-answer.mjs"))?);
        tables.push(visits(&rows)?);
    }
    if let Some(parent) = json.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&json, serde_json::to_string_pretty(&rows)?)?;
    let text = tables.join("\n");
    println!("{text}");
    if !only.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(&out)?;
    fs::write(out.join("web.md"), text)?;
    let title = "Encoder, wasm, one thread, median ms";
    chart(&rows, title, "ONNX Runtime Web", &out.join("web.svg"))
}

/// Both engines in turn; all parts where none is named.
fn compare(parts: &[Part], graphs: &Path) -> Result<Vec<Row>> {
    let models = tempfile::tempdir()?;
    make_models(models.path(), graphs)?;
    let mut command = Command::new("node");
    command.arg("bench/web/compare.mjs").arg(models.path());
    for part in parts.iter().filter_map(Part::to_possible_value) {
        command.args(["--only", part.get_name()]);
    }
    measured(&mut command)
}

/// The rows that a script writes into the file that is its last argument.
fn measured(script: &mut Command) -> Result<Vec<Row>> {
    let file = tempfile::NamedTempFile::new()?;
    let status = script.arg(file.path()).status().with_context(|| format!("{script:?}"))?;
    ensure!(status.success(), "{script:?} failed; its message is above");
    Ok(serde_json::from_slice(&fs::read(file.path())?)?)
}
