//! Files of JSON that a command writes when it is done.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// Writes a value, indented, with a line break at the end.
///
/// # Errors
/// A file that cannot be written.
pub fn write_json(file: &Path, value: &impl Serialize) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    fs::write(file, json).with_context(|| format!("{} cannot be written", file.display()))
}
