//! Medley beside ONNX Runtime Web: makes the models, has a Chromium measure both engines, and writes the table and the chart.
//!
//! The nano is the shipped one; of the Swin encoders only the time is of interest, so that Medley's have random weights and
//! ONNX Runtime's are the constant graphs of `shared/bench`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use clap::Parser;
use medley_export::{Description, export, to_onnx};
use medley_model::{HeadConfig, HeadKind, ModelConfig, SwinConfig};
use medley_package::{Presentation, TaskKind, TaskSpec, read_dir, write_dir};
use plotters::prelude::*;
use serde::Deserialize;

/// Side of the Swin encoders' input, in pixels, as in their graphs.
const SWIN_SIDE: u32 = 256;

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

/// One figure, as `compare.mjs` writes it.
#[derive(Debug, Clone, Deserialize)]
struct Row {
    engine: String,
    threads: u32,
    model: String,
    measure: String,
    median: f64,
    low: f64,
    high: f64,
    unit: String,
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
    let text = table(&rows)?;
    println!("{text}");
    fs::create_dir_all(&arguments.out)?;
    fs::write(arguments.out.join("web.md"), text)?;
    chart(&rows, &arguments.out.join("web.svg"))
}

fn make_models(folder: &Path, graphs: &Path) -> Result<()> {
    let shipped = read_dir(Path::new("www/models/medley-nano"))?;
    fs::write(folder.join("nano.onnx"), to_onnx(&shipped, &[])?)?;
    // The first task shows whole images and is what the page asks; the other heads stay in both figures' bytes.
    write_dir(folder.join("nano"), &shipped)?;
    for (name, config) in [("swin-nano", SwinConfig::nano()), ("swin-tiny", SwinConfig::tiny())] {
        let graph = graphs.join(format!("swin_v2_{}_256.onnx", name.trim_start_matches("swin-")));
        if !graph.is_file() {
            eprintln!("{}: not there; {name} is left out", graph.display());
            continue;
        }
        fs::copy(&graph, folder.join(format!("{name}.onnx")))?;
        let task = TaskSpec {
            name: "any".into(),
            kind: TaskKind::Classification,
            classes: vec!["a".into(), "b".into()],
            multi_label: false,
            modality: "none".into(),
            presentation: Presentation::Whole { size: SWIN_SIDE },
        };
        let head = HeadConfig { name: "any".into(), kind: HeadKind::Classification, classes: 2 };
        let shape = ModelConfig::swin(config, vec![head]);
        let model = shape.init(&Device::flex())?;
        let description = Description {
            name: name.into(),
            variant: name.into(),
            tasks: vec![task],
            ..Description::default()
        };
        write_dir(folder.join(name), &export(&model, &shape, description)?)?;
    }
    Ok(())
}

/// Medley's median beside the other's, row by row. Where Medley has no threads, one thread stands beside the other's two.
fn table(rows: &[Row]) -> Result<String> {
    let mut text = String::from(
        "| model | measure | threads of ORT | Medley | ONNX Runtime Web 1.30 | ratio |\n|---|---|---:|---:|---:|---:|\n",
    );
    for other in rows.iter().filter(|row| row.engine != "medley") {
        let ours = rows.iter().find(|row| {
            row.engine == "medley" && row.model == other.model && row.measure == other.measure
        });
        let Some(ours) = ours else { continue };
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.2} |",
            other.model,
            other.measure,
            other.threads,
            figure(ours),
            figure(other),
            ours.median / other.median
        )?;
    }
    Ok(text)
}

fn figure(row: &Row) -> String {
    if row.unit == "MB" {
        return format!("{:.2} MB", row.median);
    }
    format!("{:.1} {} ({:.1}–{:.1})", row.median, row.unit, row.low, row.high)
}

/// Bars of the warm medians on one thread.
fn chart(rows: &[Row], path: &Path) -> Result<()> {
    let mut by_model: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.measure == "warm" && row.threads == 1) {
        by_model.entry(&row.model).or_default()[usize::from(row.engine != "medley")] = row.median;
    }
    let most = by_model.values().flatten().copied().fold(0.0, f64::max);
    let area = SVGBackend::new(path, (640, 120 + 90 * by_model.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    // Blue and orange are told apart by every kind of eye (Okabe and Ito, 2008).
    let engines = [("Medley", RGBColor(0, 114, 178)), ("ONNX Runtime Web", RGBColor(230, 159, 0))];
    let style = ("sans-serif", 15).into_font();
    area.draw_text("Encoder, wasm, one thread, median ms", &style.clone().into(), (16, 16))?;
    for (index, (name, colour)) in engines.iter().enumerate() {
        let x = 330 + 110 * index as i32;
        area.draw(&Rectangle::new([(x, 18), (x + 12, 30)], colour.filled()))?;
        area.draw_text(name, &style.clone().into(), (x + 18, 16))?;
    }
    for (place, (model, medians)) in by_model.iter().enumerate() {
        let top = 56 + 90 * place as i32;
        area.draw_text(model, &style.clone().into(), (16, top + 18))?;
        for (index, (median, (_, colour))) in medians.iter().zip(engines).enumerate() {
            let y = top + 30 * index as i32;
            let end = 110 + (median / most * 430.0) as i32;
            area.draw(&Rectangle::new([(110, y), (end, y + 24)], colour.filled()))?;
            area.draw_text(&format!("{median:.0}"), &style.clone().into(), (end + 6, y + 4))?;
        }
    }
    area.present()?;
    Ok(())
}
