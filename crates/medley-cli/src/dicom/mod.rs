//! `medley dicom`: what DICOM files hold.

mod info;

use anyhow::Result;
use clap::Subcommand;
use medley_package::NOTICE;

use crate::exit::Exit;

/// Say what DICOM files hold, without a word that identifies anybody (docs/dicom.md)
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  medley dicom info slice.dcm
  medley dicom info --json study/ | jq .transfer_syntax";

#[derive(Subcommand)]
enum Command {
    Info(info::Options),
}

/// Runs the subcommand.
///
/// # Errors
/// Those of the subcommand.
pub fn run(options: &Options) -> Result<Exit> {
    match &options.command {
        Command::Info(options) => info::run(options),
    }
}
