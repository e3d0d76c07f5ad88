//! How much memory training takes with more and more tasks.
//!
//! Two ways, each in a process of its own for every number of tasks: the loop, which takes one task's batch after the
//! other and adds up the shared gradients (`way = "alternating"`), and the plain way, in which all tasks' losses are
//! summed and go backward at once (`way = "mixed"` with as many images of every task). Reported is the largest resident
//! memory of the process, as Linux counts it (VmHWM).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail, ensure};
use burn::module::Module;
use burn::tensor::Device;
use clap::{Parser, Subcommand};
use medley_bench::peak_memory;
use medley_data::{Database, ExtraAugmentation};
use medley_model::{HeadConfig, HeadKind, ModelConfig};
use medley_package::Presentation;
use medley_tests::{Drawn, Silent};
use medley_train::{OptimizerConfig, TaskConfig, TrainConfig, Trainer, Variant, Way};
use plotters::prelude::*;
use serde_json::{Value, json};

/// Numbers of tasks that are measured.
const COUNTS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// The drawn task that is copied. All copies are of one kind: a second kind would bring a second decoder, which the number
/// of tasks has no part in.
const TASK: &str = "area";

/// Its classes, the background counted.
const CLASSES: usize = 2;

/// Images of each task in a batch, and their side in pixels.
const IMAGES: usize = 4;
const SIDE: u32 = 160;

/// Rounds: the first allocates, the second has the optimizer's moments too, the third shows that nothing grows.
const ROUNDS: u64 = 3;

/// Weight, gradient and two moments of one parameter of a head.
const BYTES_PER_PARAMETER: usize = 4 * 4;

/// What the loop may grow by beyond the heads themselves.
const MARGIN: f64 = 0.05;

const MIB: f64 = 1024.0 * 1024.0;

#[derive(Parser)]
#[command(about = "Peak memory of training against the number of tasks")]
struct Arguments {
    /// Folder for memory.md and memory.svg
    #[arg(long, default_value = "docs/results")]
    out: PathBuf,
    #[command(subcommand)]
    child: Option<Child>,
}

#[derive(Subcommand)]
enum Child {
    /// One measurement, in this process
    #[command(hide = true)]
    Measure { data: PathBuf, way: String, tasks: Vec<String> },
}

/// One number of tasks: peak bytes of the loop and of the plain way.
struct Row {
    tasks: usize,
    by_loop: f64,
    plain: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match &arguments.child {
        Some(Child::Measure { data, way, tasks }) => measure(data, way, tasks),
        None => compare(&arguments.out),
    }
}

fn compare(out: &Path) -> Result<()> {
    let drawn = Drawn::new(32);
    let names = copy_tasks(drawn.path())?;
    let mut rows = Vec::with_capacity(COUNTS.len());
    for tasks in COUNTS {
        let names = &names[..tasks];
        let row = Row {
            tasks,
            by_loop: peak(drawn.path(), "alternating", names)?,
            plain: peak(drawn.path(), "mixed", names)?,
        };
        eprintln!("{tasks} tasks: {:.0} MiB, {:.0} MiB", row.by_loop / MIB, row.plain / MIB);
        rows.push(row);
    }
    let text = report(&rows)?;
    println!("{text}");
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    fs::write(out.join("memory.md"), text).with_context(|| out.display().to_string())?;
    draw(&rows, &out.join("memory.svg"))
}

/// Makes as many copies of the task as are measured; their names.
fn copy_tasks(data: &Path) -> Result<Vec<String>> {
    let path = data.join("tasks.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let tasks = file["tasks"].as_array().context("tasks.json has no tasks")?;
    let task = tasks.iter().find(|task| task["name"] == TASK);
    let task = task.with_context(|| format!("no task {TASK}"))?;
    let names: Vec<String> = (0..COUNTS.iter().copied().max().unwrap_or(1))
        .map(|index| format!("{TASK}-{index}"))
        .collect();
    let copy = |name: &String| {
        let mut copy = task.clone();
        copy["name"] = json!(name);
        copy
    };
    let copies = names.iter().map(copy).collect();
    file["tasks"] = Value::Array(copies);
    fs::write(&path, file.to_string())?;
    Ok(names)
}

/// Peak bytes of a process that trains these tasks.
fn peak(data: &Path, way: &str, tasks: &[String]) -> Result<f64> {
    let output = Command::new(std::env::current_exe()?)
        .arg("measure")
        .arg(data)
        .arg(way)
        .args(tasks)
        // One arena: otherwise what lies free in another thread's arena counts as used.
        .env("MALLOC_ARENA_MAX", "1")
        .output()?;
    if !output.status.success() {
        bail!("{way}, {} tasks: {}", tasks.len(), String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().with_context(|| format!("the child answered {text:?}"))
}

/// Trains, and prints this process's peak in bytes.
fn measure(data: &Path, way: &str, tasks: &[String]) -> Result<()> {
    let way = match way {
        "alternating" => Way::Alternating,
        "mixed" => Way::Mixed,
        other => bail!("way {other:?}; expected alternating or mixed"),
    };
    let task = |name: &String| TaskConfig {
        name: name.clone(),
        per_batch: IMAGES,
        weight: 1.0,
        balance: false,
        views: 1,
        presentation: Presentation::Whole { size: SIDE },
    };
    let config = TrainConfig {
        name: "memory".into(),
        variant: Variant::Nano,
        nano: None,
        seed: 1,
        steps: ROUNDS,
        way,
        augmentation: 0.0,
        augment: ExtraAugmentation::default(),
        sizes: Vec::new(),
        stochastic_depth: 0.0,
        self_supervision: None,
        warm_start: None,
        distillation: None,
        threads: 1,
        validate_every: 0,
        validate_images: 0,
        checkpoint_every: ROUNDS + 1,
        optimizer: OptimizerConfig {
            learning_rate: 1e-4,
            weight_decay: 0.0,
            warmup: 0,
            clip: 1.0,
            restarts: Vec::new(),
            average: 0.0,
        },
        tasks: tasks.iter().map(task).collect(),
        leave_out: Vec::new(),
    };
    let database = Database::open(data)?;
    let folder = tempfile::tempdir()?;
    let mut trainer = Trainer::open(config, &database, &[Device::flex()], folder.path())?;
    trainer.run(&database, &mut Silent, &AtomicBool::new(false))?;
    println!("{}", peak_memory()?);
    Ok(())
}

/// Parameters of the heads of so many tasks.
fn head_parameters(tasks: usize) -> Result<usize> {
    let heads = |count: usize| -> Vec<HeadConfig> {
        let kind = HeadKind::Segmentation;
        (0..count)
            .map(|index| HeadConfig { name: index.to_string(), kind, classes: CLASSES })
            .collect()
    };
    let count = |tasks: usize| -> Result<usize> {
        Ok(ModelConfig::nano(heads(tasks)).init(&Device::flex())?.num_params())
    };
    Ok(count(tasks)? - count(0)?)
}

fn report(rows: &[Row]) -> Result<String> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { bail!("nothing measured") };
    ensure!(first.tasks < last.tasks, "one number of tasks shows no growth");
    let heads =
        (head_parameters(last.tasks)? - head_parameters(first.tasks)?) * BYTES_PER_PARAMETER;
    let allowed = (first.by_loop + heads as f64) * (1.0 + MARGIN);
    let mut text = format!(
        "Peak resident memory of training the nano, {IMAGES} images of {SIDE}² of each segmentation task, {ROUNDS} rounds, MiB:\n\n\
         | tasks | loop | all losses at once | ratio |\n|---:|---:|---:|---:|\n"
    );
    for row in rows {
        writeln!(
            text,
            "| {} | {:.0} | {:.0} | {:.2} |",
            row.tasks,
            row.by_loop / MIB,
            row.plain / MIB,
            row.plain / row.by_loop
        )?;
    }
    let verdict = if last.by_loop <= allowed { "holds" } else { "is missed" };
    writeln!(
        text,
        "\nThe heads of {} tasks, with gradients and moments, take {:.1} MiB more than that of one. With {:.0} % on top of all \
         {:.0} MiB are allowed, {:.0} MiB were taken: the goal {verdict}.",
        last.tasks,
        heads as f64 / MIB,
        MARGIN * 100.0,
        allowed / MIB,
        last.by_loop / MIB,
    )?;
    Ok(text)
}

fn draw(rows: &[Row], path: &Path) -> Result<()> {
    let most = rows.iter().map(|row| row.plain.max(row.by_loop)).fold(0.0, f64::max) / MIB;
    let tasks = 0..rows.last().map_or(1, |row| row.tasks) as i32 + 1;
    let area = SVGBackend::new(path, (640, 400)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .caption("Peak memory of training", ("sans-serif", 18))
        .build_cartesian_2d(tasks, 0.0..most * 1.05)?;
    chart.configure_mesh().x_desc("tasks").y_desc("MiB").light_line_style(WHITE).draw()?;
    // Blue and orange are told apart by every kind of eye (Okabe and Ito, 2008).
    let by_loop: Vec<f64> = rows.iter().map(|row| row.by_loop).collect();
    let plain: Vec<f64> = rows.iter().map(|row| row.plain).collect();
    for (name, colour, bytes) in [
        ("one task after the other", RGBColor(0, 114, 178), by_loop),
        ("all losses at once", RGBColor(230, 159, 0), plain),
    ] {
        let places = rows.iter().map(|row| row.tasks as i32);
        let points: Vec<(i32, f64)> =
            places.zip(bytes).map(|(tasks, bytes)| (tasks, bytes / MIB)).collect();
        let line = LineSeries::new(points, colour.stroke_width(2)).point_size(3);
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2));
        chart.draw_series(line)?.label(name).legend(legend);
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
