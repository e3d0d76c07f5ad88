//! `cargo xtask bench`: measurements that are printed and drawn, never asserted.

use std::ffi::OsString;
use std::path::{PathBuf, absolute};

use anyhow::Result;
use clap::Subcommand;

use crate::command::Command;
use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{chromium, counts, demo, npm, readers};

/// What can be measured.
#[derive(Subcommand)]
pub enum Bench {
    /// Peak memory of training against the number of tasks, by the loop and by the plain way
    Memory,
    /// Instructions of one pass, of preparation and of an answer; writes the figures that the tests compare with
    Counts,
    /// Medley beside ONNX Runtime on this processor: load, warm runs, memory
    Native {
        /// Write the rows (engine, backend, threads, model, measure, median, low, high, unit) to this file and not below target/bench
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// Medley beside ONNX Runtime Web in one run of Chromium: load, first and warm runs, memory, bytes; and the page until its first answer
    Web {
        /// Only print this part: warm, memory, cold, bytes, radiograph or first-answer (may be given several times)
        #[arg(long, value_name = "PART")]
        only: Vec<String>,
        /// Write the rows (engine, backend, threads, model, measure, median, low, high, unit) to this file and not below target/bench
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
}

/// Builds and runs a benchmark; tables and plots go below `docs/results/`.
pub fn run(bench: &Bench) -> Result<()> {
    let workspace = Workspace::find()?;
    match bench {
        Bench::Counts => counts::update(&workspace),
        // What is measured is this process' own work.
        Bench::Memory => binary(&workspace, &["--release", "--bin", "memory"]).run(),
        Bench::Native { json } => {
            readers::prepare(&workspace)?;
            binary(&workspace, &["--release", "--bin", "native", "--"])
                .args(rows_file(json)?)
                .env(readers::VARIABLE, readers::python(&workspace))
                .run()
        }
        Bench::Web { only, json } => {
            demo::build(&workspace, &mut Steps::new(demo::BUILD_STEPS))?;
            chromium::find_or_install(&workspace)?;
            npm::npm(&workspace, &["ci", "--prefix", "bench/web", "--no-audit", "--no-fund"])
                .run()?;
            // What is measured is the browser's work; with the workspace's own features nothing is compiled for this alone.
            Command::new("cargo", &workspace.root)
                .args(["build", "--workspace", "--all-targets"])
                .run()?;
            Command::new(workspace.target.join("debug/web"), &workspace.root)
                .args(only.iter().flat_map(|part| ["--only", part.as_str()]))
                .args(rows_file(json)?)
                .run()
        }
    }
}

/// The benchmark's own option. It runs in the workspace's folder, wherever the path was meant.
fn rows_file(json: &Option<PathBuf>) -> Result<Vec<OsString>> {
    Ok(match json {
        Some(file) => vec!["--json".into(), absolute(file)?.into()],
        None => Vec::new(),
    })
}

fn binary(workspace: &Workspace, arguments: &[&str]) -> Command {
    Command::new("cargo", &workspace.root)
        .args(["run", "--package", "medley-bench"])
        .args(arguments)
        .hint("the message above says what could not be measured")
}
