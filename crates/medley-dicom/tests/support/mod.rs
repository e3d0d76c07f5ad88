//! The public test files beside the checkout, and what a reference reader finds in them.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::fs;
use std::path::{Path, PathBuf};

/// The fixtures: what `MEDLEY_DICOM` names, else `../shared/dicom` beside the checkout. Says so where there are
/// none; the test is then to end.
pub fn fixtures(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("MEDLEY_DICOM").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/dicom");
    let folder = named.unwrap_or(beside);
    if folder.join("index.json").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED {test}: no DICOM files at {}", folder.display());
    None
}

/// The entries of the index.
pub fn index(folder: &Path) -> Vec<serde_json::Value> {
    serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap()
}

/// The bytes of an entry's file.
pub fn read(folder: &Path, entry: &serde_json::Value) -> Vec<u8> {
    fs::read(folder.join(entry["file"].as_str().unwrap())).unwrap()
}

/// The bytes of the fixture whose file name ends so.
pub fn fixture(folder: &Path, ending: &str) -> Vec<u8> {
    let entry = index(folder)
        .into_iter()
        .find(|entry| entry["file"].as_str().unwrap().ends_with(ending))
        .unwrap();
    read(folder, &entry)
}
