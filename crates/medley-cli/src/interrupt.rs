//! Ctrl-C that stops at a good moment.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::say;

/// A flag that the first Ctrl-C (or SIGTERM) sets, saying what follows; the second ends the program at once.
///
/// # Errors
/// A system where it cannot be listened to.
pub fn flag(said: &'static str) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = stop.clone();
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::SeqCst) {
            process::exit(130);
        }
        say::note(said);
    })
    .context("Ctrl-C cannot be listened to")?;
    Ok(stop)
}
