//! Where the real images are, if they are.

use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The public DICOM files: what `MEDLEY_DICOM` names, else `../shared/dicom` beside the checkout. Says so where
/// there are none; the test is then to end.
pub fn real_dicom(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("MEDLEY_DICOM").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| checkout().join("../shared/dicom"));
    if folder.join("index.json").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED {test}: no DICOM files at {}", folder.display());
    None
}

/// The real task database: what `MEDLEY_DATA` names, else `../shared/data` beside the checkout. Says so where
/// there is none; the test is then to end.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("MEDLEY_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| checkout().join("../shared/data"));
    if folder.join("tasks.json").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED {test}: no task database at {}", folder.display());
    None
}
