//! Medley beside ONNX Runtime on this machine's processor: an engine is a process that runs its encoder whenever it is told to, so that
//! both take turns and what else the machine does falls on both.

use std::fs;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::{Parser, Subcommand};
use medley_bench::{MEDLEY, Row, chart, make_models, peak_memory, spread, table};
use medley_infer::{AnalyzeOptions, Image, Medley};
use medley_package::{Presentation, TaskSpec, read_dir};
use pollster::block_on;

/// Warm runs of each engine.
const ROUNDS: usize = 50;

/// Runs of an engine before it is the other's turn.
const TURN: usize = 5;

/// Between turns: both engines' threads stay awake for a while after a run, and would take the other's processors.
const PAUSE: Duration = Duration::from_millis(100);

/// The first passes fill caches.
const WARM_UP: usize = TURN;

#[derive(Parser)]
#[command(
    about = "Medley beside ONNX Runtime on the CPU; MEDLEY_PYTHON names a Python with onnxruntime"
)]
struct Arguments {
    #[command(subcommand)]
    engine: Option<Engine>,
    /// Folder with swin_v2_{nano,tiny}_256.onnx; without it only the nano is measured
    #[arg(long, default_value = "../shared/bench")]
    graphs: PathBuf,
    /// Write the rows here
    #[arg(long, default_value = "target/bench/native.json")]
    json: PathBuf,
    /// Folder for native.md and native.svg
    #[arg(long, default_value = "docs/results")]
    out: PathBuf,
}

#[derive(Subcommand)]
enum Engine {
    /// What bench/native/onnx.py does, for a package
    Medley { package: PathBuf },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Engine::Medley { package }) = &arguments.engine {
        return obey(package);
    }
    let models = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for name in make_models(models.path(), &arguments.graphs)? {
        for threads in [1, 2] {
            measure(models.path(), &name, threads, &mut rows)?;
            eprintln!("{name}, {threads} thread(s): measured");
        }
    }
    let text = table(&rows, "ONNX Runtime 1.32")?;
    println!("{text}");
    if let Some(parent) = arguments.json.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&arguments.json, serde_json::to_string_pretty(&rows)?)?;
    fs::create_dir_all(&arguments.out)?;
    fs::write(arguments.out.join("native.md"), text)?;
    let title = "Encoder, CPU, one thread, median ms";
    chart(&rows, title, "ONNX Runtime", &arguments.out.join("native.svg"))
}

/// Both engines in turn.
fn measure(models: &Path, name: &str, threads: u32, rows: &mut Vec<Row>) -> Result<()> {
    let package = models.join(name);
    let side = side(&read_dir(&package)?.metadata.tasks)?.to_string();
    let mut medley = Command::new(std::env::current_exe()?);
    medley.arg("medley").arg(&package).env("RAYON_NUM_THREADS", threads.to_string());
    let python = std::env::var_os("MEDLEY_PYTHON").unwrap_or_else(|| "python3".into());
    let mut onnx = Command::new(python);
    onnx.arg("bench/native/onnx.py").arg(models.join(format!("{name}.onnx")));
    onnx.args([side, threads.to_string()]);
    let mut engines = [
        (MEDLEY, Running::start(medley)?, Vec::new()),
        ("onnxruntime", Running::start(onnx)?, Vec::new()),
    ];
    for _ in 0..(WARM_UP + ROUNDS).div_ceil(TURN) {
        for (_, running, times) in &mut engines {
            sleep(PAUSE);
            for _ in 0..TURN {
                times.push(running.run()?);
            }
        }
    }
    for (engine, running, times) in engines {
        let mut add = |measure: &str, values: &[f64], unit: &str| {
            let [median, low, high] = spread(values);
            rows.push(Row {
                engine: engine.into(),
                backend: "cpu".into(),
                threads,
                model: name.into(),
                measure: measure.into(),
                median,
                low,
                high,
                unit: unit.into(),
            });
        };
        add("load and first run", &[running.load_ms + times[0]], "ms");
        add("warm", &times[WARM_UP..], "ms");
        add("peak memory", &[running.finish()? / 1e6], "MB");
    }
    Ok(())
}

/// Side of the picture that the first task looks at, in pixels.
fn side(tasks: &[TaskSpec]) -> Result<u32> {
    match tasks.first().context("the model has no task")?.presentation {
        Presentation::Whole { size } | Presentation::Tiles { size, .. } => Ok(size),
    }
}

/// An engine in a process of its own.
struct Running {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    load_ms: f64,
}

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{program} could not be started"))?;
        let orders = child.stdin.take().context("no input")?;
        let answers = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut running = Self { child, orders, answers, load_ms: 0.0 };
        running.load_ms = running.answer()?;
        Ok(running)
    }

    /// One run, in milliseconds.
    fn run(&mut self) -> Result<f64> {
        writeln!(self.orders)?;
        self.answer()
    }

    /// Ends it; its peak of memory, in bytes.
    fn finish(self) -> Result<f64> {
        let Self { mut child, orders, mut answers, .. } = self;
        drop(orders);
        let peak = answers.next().context("the engine said no peak")??.trim().parse()?;
        child.wait()?;
        Ok(peak)
    }

    fn answer(&mut self) -> Result<f64> {
        let line =
            self.answers.next().context("the engine ended early; its message is above")??;
        line.trim().parse().with_context(|| format!("the engine answered {line:?}"))
    }
}

/// Medley's side of what bench/native/onnx.py does.
fn obey(package: &Path) -> Result<()> {
    let before = peak_memory()?;
    let begin = Instant::now();
    let medley = block_on(Medley::load(read_dir(package)?, &Device::flex()))?;
    println!("{}", begin.elapsed().as_secs_f64() * 1000.0);
    let side = side(medley.tasks())?;
    // Noise: nothing in the arithmetic may profit from zeros.
    let pixels: Vec<u8> =
        (0..3 * side * side).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let image = Image::from_rgb8(side, side, &pixels)?;
    let options = AnalyzeOptions { tasks: Some(Vec::new()), ..AnalyzeOptions::default() };
    for line in io::stdin().lines() {
        line?;
        println!("{}", block_on(medley.analyze(&image, &options))?.timing.encode_ms);
    }
    println!("{}", peak_memory()? - before);
    Ok(())
}
