//! Running other programs, with errors that name the command and what to do.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use anyhow::{Context, Result, bail};

use crate::tally::Tally;

/// One program to run, with its working folder and a hint for the case that it fails.
pub struct Command {
    process: Process,
    hint: String,
}

impl Command {
    /// `program`, to be run in `folder`.
    pub fn new(program: impl AsRef<OsStr>, folder: &Path) -> Self {
        let mut process = Process::new(program);
        process.current_dir(folder).stdin(Stdio::null());
        Self { process, hint: String::new() }
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, arguments: I) -> Self {
        self.process.args(arguments);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.process.env(name, value);
        self
    }

    /// Removes an environment variable.
    pub fn without_env(mut self, name: &str) -> Self {
        self.process.env_remove(name);
        self
    }

    /// What the user can do when the command fails; printed below the error.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Runs it with its output on this terminal.
    pub fn run(mut self) -> Result<()> {
        println!("    $ {}", self.line());
        let status = self.process.status().with_context(|| self.not_started())?;
        self.check(status)
    }

    /// Runs it and returns its standard output; its standard error goes to this terminal.
    pub fn output(mut self) -> Result<String> {
        self.process.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let output = self.process.output().with_context(|| self.not_started())?;
        self.check(output.status)?;
        String::from_utf8(output.stdout).with_context(|| format!("output of `{}`", self.line()))
    }

    /// Whether it starts and succeeds; nothing is printed.
    pub fn succeeds(mut self) -> bool {
        let status = self.process.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Runs it, passes its standard output on, and counts the tests that the output reports.
    /// The second value is the exit status as a result.
    pub fn run_tests(mut self) -> Result<(Tally, Result<()>)> {
        println!("    $ {}", self.line());
        self.process.stdout(Stdio::piped());
        let mut child = self.process.spawn().with_context(|| self.not_started())?;
        let mut tally = Tally::default();
        if let Some(stdout) = child.stdout.take() {
            let mut reader = BufReader::new(stdout);
            let mut line = Vec::new();
            // Bytes, not `lines()`: a test may print what is no UTF-8.
            while reader.read_until(b'\n', &mut line)? > 0 {
                let text = String::from_utf8_lossy(&line);
                print!("{text}");
                tally += Tally::of_line(&text);
                line.clear();
            }
        }
        let status = child.wait().with_context(|| self.not_started())?;
        Ok((tally, self.check(status)))
    }

    /// The command as one would type it.
    fn line(&self) -> String {
        let arguments = self.process.get_args().map(OsStr::to_string_lossy).map(|argument| {
            if argument.contains(' ') { format!("'{argument}'") } else { argument.into_owned() }
        });
        let program = self.process.get_program().to_string_lossy().into_owned();
        std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
    }

    fn not_started(&self) -> String {
        let program = self.process.get_program().to_string_lossy();
        format!(
            "`{program}` could not be started: is it installed and on the PATH?{}",
            self.advice()
        )
    }

    fn check(&self, status: std::process::ExitStatus) -> Result<()> {
        if !status.success() {
            let folder = self.process.get_current_dir().unwrap_or(Path::new("."));
            bail!(
                "`{}` failed ({status}), run in {}{}",
                self.line(),
                folder.display(),
                self.advice()
            );
        }
        Ok(())
    }

    fn advice(&self) -> String {
        if self.hint.is_empty() { String::new() } else { format!("\n  what to do: {}", self.hint) }
    }
}
