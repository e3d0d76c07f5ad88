//! Medley beside ONNX Runtime Web: makes the models, has a Chromium measure both engines, and writes the table and the chart.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use medley_bench::{Row, chart, make_models, table};

#[derive(Parser)]
#[command(about = "Medley beside ONNX Runtime Web in one run of Chromium")]
struct Arguments {
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

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let models = tempfile::tempdir()?;
    make_models(models.path(), &arguments.graphs)?;
    if let Some(parent) = arguments.json.parent() {
        fs::create_dir_all(parent)?;
    }
    let status = Command::new("node")
        .arg("bench/web/compare.mjs")
        .args([models.path(), &arguments.json])
        .status()
        .context("node, for bench/web/compare.mjs")?;
    ensure!(status.success(), "bench/web/compare.mjs failed; its message is above");
    let rows: Vec<Row> = serde_json::from_slice(&fs::read(&arguments.json)?)?;
    let text = table(&rows, "ONNX Runtime Web 1.30")?;
    println!("{text}");
    fs::create_dir_all(&arguments.out)?;
    fs::write(arguments.out.join("web.md"), text)?;
    let title = "Encoder, wasm, one thread, median ms";
    chart(&rows, title, "ONNX Runtime Web", &arguments.out.join("web.svg"))
}
