//! Skipping work whose inputs did not change.
//!
//! A stamp is a small file beside a product that holds a fingerprint of what it was made from.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A fingerprint that grows by what is added.
#[derive(Default)]
pub struct Fingerprint(DefaultHasher);

impl Fingerprint {
    /// Adds a file's content.
    pub fn file(mut self, path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        bytes.hash(&mut self.0);
        Ok(self)
    }

    /// Adds every file below `folder` by name, length and time, but for folders named in `skip`.
    pub fn folder(mut self, folder: &Path, skip: &[&str]) -> Result<Self> {
        for file in files(folder, skip)? {
            let metadata = file.metadata().with_context(|| file.display().to_string())?;
            (&file, metadata.len(), metadata.modified().ok()).hash(&mut self.0);
        }
        Ok(self)
    }

    /// Adds a word, such as a compiler's version.
    pub fn word(mut self, word: &str) -> Self {
        word.hash(&mut self.0);
        self
    }

    /// Whether `stamp` holds this fingerprint.
    pub fn matches(&self, stamp: &Path) -> bool {
        std::fs::read_to_string(stamp).is_ok_and(|text| text.trim() == self.text())
    }

    /// Writes this fingerprint into `stamp`; call it when the product is there.
    pub fn write(&self, stamp: &Path) -> Result<()> {
        std::fs::write(stamp, self.text()).with_context(|| stamp.display().to_string())
    }

    fn text(&self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

/// All files below `folder` in a fixed order.
fn files(folder: &Path, skip: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry.with_context(|| folder.display().to_string())?;
        let kind = entry.file_type()?;
        if kind.is_file() {
            found.push(entry.path());
        } else if kind.is_dir() && !skip.iter().any(|name| entry.file_name() == *name) {
            found.extend(files(&entry.path(), skip)?);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_changes_the_fingerprint_and_a_skipped_folder_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = folder.path().join("stamp");
        let source = folder.path().join("source");
        std::fs::create_dir_all(source.join("dist")).unwrap();
        std::fs::write(source.join("a"), "1").unwrap();
        let print = || Fingerprint::default().folder(&source, &["dist"]).unwrap();
        print().write(&stamp).unwrap();
        std::fs::write(source.join("dist/b"), "2").unwrap();
        assert!(print().matches(&stamp));
        std::fs::write(source.join("a"), "longer").unwrap();
        assert!(!print().matches(&stamp));
    }
}
