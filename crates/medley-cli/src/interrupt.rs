//! Ctrl-C.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::say;

/// A flag that the first Ctrl-C (or SIGTERM) sets, saying `words`; the second ends the program.
///
/// # Errors
/// A system that does not let itself be listened to.
pub fn stop_on_ctrl_c(words: &'static str) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            process::exit(130);
        }
        say::note(format_args!("\n{words}"));
    })
    .context("Ctrl-C cannot be listened to")?;
    Ok(stop)
}
