//! Programs that others wrote, which read what this crate writes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has pydicom and highdicom; `cargo xtask test` makes one and names it.
const PYTHON: &str = "MEDLEY_PYTHON";

/// The readers: pydicom and highdicom, dciodvfy (Debian's dicom3tools), dsrdump (dcmtk).
pub struct Readers {
    python: PathBuf,
}

impl Readers {
    /// Those that `cargo xtask test` has made ready. Says so where it has not; the test is then to end.
    pub fn find(test: &str) -> Option<Self> {
        match std::env::var_os(PYTHON) {
            Some(python) => Some(Self { python: python.into() }),
            None => {
                eprintln!("SKIPPED {test}: {PYTHON} names no Python; `cargo xtask test` makes one");
                None
            }
        }
    }

    /// What a script in `tests/readers` prints of a file.
    pub fn python(&self, script: &str, file: &Path, arguments: &[&str]) -> serde_json::Value {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers");
        let mut command = Command::new(&self.python);
        command.arg(folder.join(script)).arg(file).args(arguments);
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Fails where dciodvfy reports an error. Its complaint about the private coding scheme, whose codes it cannot
    /// know, is a warning.
    pub fn validate(&self, file: &Path) {
        let output = Command::new("dciodvfy").arg(file).output();
        let output = output.expect("dciodvfy; Debian: `apt-get install dicom3tools`");
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("Error")).collect();
        assert!(errors.is_empty(), "{}: {said}", file.display());
        assert!(!said.trim().is_empty(), "dciodvfy said nothing, not even the kind of object");
    }

    /// The report as DCMTK prints it.
    pub fn print_report(&self, file: &Path) -> String {
        let output = Command::new("dsrdump").args(["+Pl", "+Pc"]).arg(file).output();
        let output = output.expect("dsrdump; Debian: `apt-get install dcmtk`");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !errors.contains("E:"), "{errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
