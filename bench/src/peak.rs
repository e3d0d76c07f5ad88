//! The memory that a process has come to.

use std::fs;

use anyhow::{Context, Result};

/// Most bytes that this process had in memory so far, as Linux counts them (`VmHWM`).
///
/// # Errors
/// Another system than Linux.
pub fn peak_memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")
        .context("/proc/self/status: the peak of a process can be read on Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0)
}
