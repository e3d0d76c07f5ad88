//! The command `medley`: pretrains, measures, exports and runs models for biomedical images.
//!
//! One file for each command; what several share is in `database`, `model` and `run` (what they read),
//! `say`, `table` and `progress` (what they show) and `exit` (how they end).

mod answered_series;
mod answers;
mod check_device;
mod data;
mod database;
mod device;
mod dicom;
mod dicom_args;
mod dicom_results;
mod evaluate;
mod exit;
mod export;
mod few_shot;
mod info;
mod inputs;
mod interrupt;
mod json_file;
mod model;
mod overlay;
mod picture;
mod predict;
mod pretrain;
mod progress;
mod rows;
mod run;
mod runs;
mod say;
mod shares;
mod survey;
mod table;
mod table_file;
mod training_display;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use medley_package::NOTICE;

/// One model for biomedical images: classes, masks and boxes, computed on your own device.
#[derive(Parser)]
#[command(
    name = "medley",
    version,
    after_help = format!("{EXAMPLES}\n\n{NOTICE}"),
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  medley predict chest.png                     all tasks of the shipped model
  medley predict --json *.png > answers.jsonl  one JSON object a line and image
  medley dicom info slice.dcm                  what a DICOM file holds, without names
  medley help predict                          the options of a command

Exit codes: 0 fine, 1 something failed, 2 bad input (an option, a file, a package, an unknown task),
130 stopped with Ctrl-C. No image leaves this machine.";

#[derive(Subcommand)]
enum Command {
    Predict(predict::Options),
    Info(info::Options),
    Evaluate(Box<evaluate::Options>),
    Pretrain(pretrain::Options),
    Runs(runs::Options),
    Export(export::Options),
    Data(data::Options),
    CheckDevice(check_device::Options),
    Dicom(dicom::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Predict(options) => predict::run(&options),
        Command::Info(options) => info::run(&options),
        Command::Evaluate(options) => evaluate::run(&options),
        Command::Pretrain(options) => pretrain::run(&options),
        Command::Runs(options) => runs::run(&options),
        Command::Export(options) => export::run(&options),
        Command::Data(options) => data::run(&options),
        Command::CheckDevice(options) => check_device::run(&options),
        Command::Dicom(options) => dicom::run(&options),
    };
    result.unwrap_or_else(|error| exit::report(&error)).into()
}
