//! Running the binary on a model that was never trained and on pictures drawn here.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod ct;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use medley_tests::write_fresh_package;
use tempfile::TempDir;

/// A folder with a package and a picture, which is also the current folder of the program.
pub struct Place {
    folder: TempDir,
}

/// What a call gave.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// With the package `model` and the picture `a.png`, 120 by 90.
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        write_fresh_package(&place.path("model"));
        place.draw("a.png", 120, 90);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Saves a picture of that size under that name, PNG or JPEG by its ending.
    pub fn draw(&self, name: &str, width: u32, height: u32) {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 2) as u8, (y * 2) as u8, 90]))
            .save(self.path(name))
            .unwrap();
    }

    /// Writes a file, and the folders that it lies in.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The program, in this folder, away from the user's own settings.
    pub fn command(&self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_medley"));
        command.current_dir(self.folder.path()).args(arguments);
        command.env_remove("MEDLEY_MODEL").env_remove("MEDLEY_DATA");
        command
    }

    pub fn medley(&self, arguments: &[&str]) -> Answer {
        answer(&self.command(arguments).output().unwrap())
    }

    /// `medley predict` with the package of this place.
    pub fn predict(&self, arguments: &[&str]) -> Answer {
        self.medley(&[&["predict", "--model", "model"], arguments].concat())
    }
}

pub fn answer(output: &Output) -> Answer {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let answer = Answer {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    assert!(!answer.stderr.contains("panicked"), "{answer:?}");
    answer
}

/// Whether the file at `path` is there.
pub fn exists(path: &Path) -> bool {
    path.exists()
}
