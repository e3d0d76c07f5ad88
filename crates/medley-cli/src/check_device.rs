//! `medley check-device`: whether a device computes as the processor does.

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use medley_train::{Agreement, COMPARED_VARIANTS, Variant, agreement};

use crate::device::DeviceArgs;
use crate::exit::Exit;
use crate::say;

/// Compare a device with the processor: losses, gradients and a short training
///
/// Both encoders' families, every kind of task, on drawn pictures and the same weights. Exit code 1 if a difference is
/// above its tolerance: do not use the device then, and report it with these lines. Takes a minute or two.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    device: DeviceArgs,
    /// Compare this encoder alone
    #[arg(long, value_parser = PossibleValuesParser::new(COMPARED_VARIANTS.map(Variant::name)))]
    encoder: Option<String>,
}

/// Compares, and prints a line for each comparison.
///
/// # Errors
/// A device that this build or machine does not have, or that does not answer.
pub fn run(options: &Options) -> Result<Exit> {
    let device = options.device.open()?;
    let asked =
        |variant: &Variant| options.encoder.as_ref().is_none_or(|name| variant.name() == name);
    let variants: Vec<Variant> = COMPARED_VARIANTS.into_iter().filter(asked).collect();
    let mut holds = true;
    let mut failed = Ok(());
    agreement(&device, &variants, &mut |found: &Agreement| {
        holds &= found.holds();
        // Row by row: it takes a while, and a device that hangs or breaks has then shown where.
        let row = say::print(format_args!(
            "{:<8} {:<11} {} of at most {:.0e}: {}",
            if found.holds() { "ok" } else { "TOO FAR" },
            found.variant,
            format_args!("{:.1e}", found.difference),
            found.tolerance,
            found.what,
        ));
        failed = std::mem::replace(&mut failed, Ok(())).and(row);
    })
    .with_context(|| options.device.name())?;
    failed?;
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
