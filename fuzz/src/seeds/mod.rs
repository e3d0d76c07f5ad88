//! Good files, drawn here: no patient's picture is among them.
#![allow(clippy::unwrap_used, reason = "only tests and those who fuzz draw seeds")]

mod dicom;
mod packages;
mod pictures;

/// A good file.
pub struct Seed {
    /// What it is, as a file's name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Seed {
    fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes }
    }
}

/// The files that a target of [`TARGETS`](crate::TARGETS) reads; none of a name that is not there.
pub fn drawn(target: &str) -> Vec<Seed> {
    match target {
        "dicom_frames" => dicom::images(),
        "dicom_reader" => [dicom::images(), dicom::reports()].into_iter().flatten().collect(),
        "head_file" => packages::heads(),
        "image_decoding" => pictures::pictures(),
        "weight_package" => packages::packages(),
        _ => Vec::new(),
    }
}
