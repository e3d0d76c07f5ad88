//! `medley data`: your own pictures, and what a task database holds.

mod check;
mod import;

use anyhow::Result;
use clap::Subcommand;
use medley_package::NOTICE;

use crate::exit::Exit;

/// Bring your own images into the task database's format, and check what is in one (docs/data.md)
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  medley data import folders ~/cells --out data --name cells --modality microscopy --body blood --licence CC0
  medley data check data";

#[derive(Subcommand)]
enum Command {
    Import(Box<import::Options>),
    Check(check::Options),
}

/// Runs the subcommand.
///
/// # Errors
/// Those of the subcommand.
pub fn run(options: &Options) -> Result<Exit> {
    match &options.command {
        Command::Import(options) => import::run(options),
        Command::Check(options) => check::run(options),
    }
}
