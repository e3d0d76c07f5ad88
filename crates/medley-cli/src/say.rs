//! Writing to the terminal without the panics of `println!` when nobody reads any more.

use std::fmt::Display;
use std::io::{self, Write};

/// A line for a person, on stderr. Whether it arrives changes nothing.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A result, on stdout, with a line break.
///
/// # Errors
/// Stdout that is closed or full.
pub fn print(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
