//! Tasks of this repository, run as `cargo xtask <task>`.
//!
//! - `demo` prepares what is missing, builds the browser page and serves it on localhost.
//! - `test` runs every check there is: formatting, lints, Rust, TypeScript and a real browser.
//! - `bench` measures, and writes what it found below `docs/results/`.
//! - `wasm-target` does the first step of both alone.
//!
//! One file per step; [`steps`] numbers, times and reports them.

mod apt;
mod apt_sources;
mod bench;
mod bindgen;
mod chromium;
mod command;
mod counts;
mod demo;
mod http;
mod npm;
mod ohif;
mod readers;
mod rust_src;
mod serve;
mod stamp;
mod steps;
mod tally;
mod test;
mod wasm_build;
mod wasm_std;
mod wasm_target;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the Medley repository")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Prepare what is missing, build the page and serve it on localhost
    Demo(demo::Options),
    /// Formatting, lints, Rust tests, TypeScript checks and real-browser tests
    Test(test::Options),
    /// Measure memory of training; prints a table and draws a plot
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Only give the running compiler the wasm target (the first step of both others)
    WasmTarget,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo(options) => demo::run(&options).map(|()| true),
        Task::Test(options) => test::run(&options),
        Task::Bench(bench) => bench::run(&bench).map(|()| true),
        Task::WasmTarget => demo::wasm_target().map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\nerror: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}
