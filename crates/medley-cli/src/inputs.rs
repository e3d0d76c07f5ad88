//! The files that a command is to read: named ones and those of folders.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Result;
use medley_dicom::limits::MAX_FILE_BYTES;
use walkdir::{DirEntry, WalkDir};

use crate::exit::BadInput;

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was named itself; else it lies in a folder that was, and may be anything.
    pub named: bool,
}

/// The files that are named, and all that lie in or below the folders that are, sorted within each; hidden ones
/// are left out.
///
/// # Errors
/// A folder that cannot be read.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Input>> {
    let mut inputs = Vec::with_capacity(paths.len());
    for path in paths {
        if !path.is_dir() {
            inputs.push(Input { path: path.clone(), named: true });
            continue;
        }
        let visible = |entry: &DirEntry| {
            entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
        };
        for entry in WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(visible) {
            let entry = entry.map_err(|error| BadInput(format!("cannot be read: {error}")))?;
            if entry.file_type().is_file() {
                inputs.push(Input { path: entry.into_path(), named: false });
            }
        }
    }
    Ok(inputs)
}

/// The bytes of a file.
///
/// # Errors
/// A file that cannot be read, or is longer than is sensible.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| BadInput(format!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let found = "the file is longer than 1 GiB: no picture that is read here needs as much";
        return Err(BadInput(found.into()).into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn folders_are_walked_in_order_and_hidden_files_left_out() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for folder in ["a/b", ".git"] {
            fs::create_dir_all(path(folder)).unwrap();
        }
        for file in ["a/b/2", "a/1", "z", ".hidden", ".git/x"] {
            fs::write(path(file), "").unwrap();
        }
        let found = find(&[path("z"), place.path().to_path_buf()]).unwrap();
        let names: Vec<PathBuf> = found.iter().map(|input| input.path.clone()).collect();
        assert_eq!(names, ["z", "a/1", "a/b/2", "z"].map(path));
        assert!(found[0].named && !found[1].named);
    }
}
