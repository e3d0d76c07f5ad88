//! The public test files beside the checkout, and what a reference reader finds in them.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

pub mod readers;

use std::fs;
use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;

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

/// The same slice at another height, with an identifier of its own.
pub fn moved(bytes: &[u8], z: f64) -> Vec<u8> {
    let mut object = dicom_object::from_reader(bytes).unwrap();
    let instance = format!("1.2.3.{}", (z * 1000.0).abs());
    for (tag, vr, text) in [
        (tags::SOP_INSTANCE_UID, VR::UI, instance),
        (tags::IMAGE_POSITION_PATIENT, VR::DS, format!("-158.135803\\-179.035797\\{z}")),
    ] {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(text.as_str())));
    }
    let mut moved = Vec::new();
    object.write_all(&mut moved).unwrap();
    moved
}
