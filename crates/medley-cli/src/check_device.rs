//! `medley check-device`: whether a device computes as the processor does.

use anyhow::{Context, Result};
use medley_train::{Agreement, agreement};

use crate::device::DeviceArgs;
use crate::exit::Exit;
use crate::table::Table;
use crate::{progress, say};

/// Compare a device with the processor: losses, gradients and a short training
///
/// Both encoders' families, every kind of task, on drawn pictures and the same weights. Exit code 1 if a difference is
/// above its tolerance: do not use the device then, and report it with the table. Takes a minute or two.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    device: DeviceArgs,
}

/// Compares, and prints a table.
///
/// # Errors
/// A device that this build or machine does not have, or that does not answer.
pub fn run(options: &Options) -> Result<Exit> {
    let device = options.device.open()?;
    let busy = progress::busy("Comparing");
    let mut table = Table::new(&["encoder", "compared", "processor", "difference", "at most", ""]);
    let mut holds = true;
    agreement(&device, &mut |found: &Agreement| {
        holds &= found.holds();
        table.row([
            found.variant.to_owned(),
            found.what.clone(),
            format!("{:.4}", found.expected),
            format!("{:.1e}", found.difference),
            format!("{:.0e}", found.tolerance),
            if found.holds() { "ok".to_owned() } else { "TOO FAR".to_owned() },
        ]);
    })
    .with_context(|| options.device.name())?;
    drop(busy);
    say::print(&table)?;
    say::print(format_args!(
        "{}: {}",
        options.device.name(),
        if holds {
            "computes as the processor does"
        } else {
            "do not use it: differences above the tolerance"
        }
    ))?;
    Ok(if holds { Exit::Done } else { Exit::Failed })
}
