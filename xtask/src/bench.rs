//! `cargo xtask bench`: measurements that are printed and drawn, never asserted.

use anyhow::Result;
use clap::Subcommand;

use crate::command::Command;
use crate::workspace::Workspace;

/// What can be measured.
#[derive(Subcommand)]
pub enum Bench {
    /// Peak memory of training against the number of tasks, by the loop and by the plain way
    Memory,
}

/// Builds and runs a benchmark; tables and plots go below `docs/results/`.
pub fn run(bench: &Bench) -> Result<()> {
    let workspace = Workspace::find()?;
    let binary = match bench {
        Bench::Memory => "memory",
    };
    Command::new("cargo", &workspace.root)
        .args(["run", "--release", "--package", "medley-bench", "--bin", binary])
        .hint("the message above says what could not be measured")
        .run()
}
