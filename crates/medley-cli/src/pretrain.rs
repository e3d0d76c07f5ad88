//! `medley pretrain`: trains a model, or goes on with a run that was stopped.

use std::path::{Path, PathBuf};

use anyhow::Result;
use medley_package::NOTICE;
use medley_train::{Outcome, TrainConfig, Trainer};

use crate::database::{DataArgs, tell_shared_groups};
use crate::device::DevicesArgs;
use crate::exit::Exit;
use crate::training_display::TrainingDisplay;
use crate::{interrupt, progress, say};

/// Train a model on the tasks of a configuration, all together
///
/// A run lies in a folder of its own, below --runs: its configuration in full, its checkpoint, metrics.jsonl with a
/// line for each step, and losses.svg. Where a checkpoint lies there already, the run goes on from it as if it had
/// never stopped.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    /// The configuration: a preset (smoke, nano-cpu, nano-gpu, tiny-gpu) or a TOML file (docs/configuration.md)
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    devices: DevicesArgs,
    /// Folder for the runs; this one's is named after the configuration's `name`
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  medley pretrain smoke --data ../shared/data
  medley pretrain configs/medley-nano-160.toml --data ../shared/data
  medley export runs/medley-nano-160 --out nano-160

Ctrl-C writes a checkpoint and stops, with exit code 130; the same command goes on. A second Ctrl-C
stops at once, and the last checkpoint stays.";

/// Trains until the configuration's last step, or until Ctrl-C.
///
/// # Errors
/// A configuration, database or image that is not right, a loss that is no number, a full disk.
pub fn run(options: &Options) -> Result<Exit> {
    let config = TrainConfig::named(&options.config)?;
    let database = options.data.open()?;
    let names: Vec<&str> = config.tasks.iter().map(|task| task.name.as_str()).collect();
    tell_shared_groups(&database, &names)?;
    let folder = options.runs.join(&config.name);
    let devices = options.devices.open()?;
    let busy = progress::busy("Opening the run");
    let mut trainer = Trainer::open(config.clone(), &database, &devices, &folder)?;
    drop(busy);
    let steps = config.steps;
    match trainer.step() {
        0 => say::note(format_args!("new run in {}, {steps} steps", folder.display())),
        step if step < steps => {
            say::note(format_args!("resuming {} after step {step} of {steps}", folder.display()));
        }
        _ => say::note(format_args!("{} is finished already", folder.display())),
    }
    let stop = interrupt::stop_on_ctrl_c(
        "stopping after this step, with a checkpoint; Ctrl-C again stops at once",
    )?;
    let mut display = TrainingDisplay::new(&config, trainer.step());
    let outcome = trainer.run(&database, &mut display, &stop)?;
    display.finish();
    match outcome {
        Outcome::Finished => {
            say::note(finished(&folder));
            Ok(Exit::Done)
        }
        Outcome::Stopped { step } => {
            say::note(format_args!(
                "stopped after step {step} of {steps}; the same command goes on from here"
            ));
            Ok(Exit::Interrupted)
        }
    }
}

fn finished(folder: &Path) -> String {
    let run = folder.display();
    format!(
        "finished; next: medley evaluate --run {run} --split val, medley export {run} --out DIR"
    )
}
