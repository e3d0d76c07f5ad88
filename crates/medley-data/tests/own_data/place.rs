//! A folder with a source that a test draws, and the database that it is imported into.

use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma, Rgb, RgbImage};
use medley_data::import::{Fault, Format, ImportError, ImportPlan, Imported, import};
use medley_data::{Database, Example, Split};
use tempfile::TempDir;

/// Width and height of every drawn picture.
pub const SIZE: (u32, u32) = (40, 30);

pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.path("source")).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the source.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path("source").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Draws a picture of the source, PNG or JPEG by its name; its number decides its colour.
    pub fn picture(&self, name: &str, number: u8) {
        let path = self.path("source").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| Rgb([number, 3 * x as u8, 5 * y as u8]))
            .save(path)
            .unwrap();
    }

    /// Draws a grey PNG of the source.
    pub fn mask(&self, name: &str, value: impl Fn(u32, u32) -> u8) {
        let path = self.path("source").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| Luma([value(x, y)])).save(path).unwrap();
    }

    /// An import of the whole source as the data set `mine`.
    pub fn plan(&self, format: Format) -> ImportPlan {
        ImportPlan {
            modality: "microscopy".into(),
            body: "blood".into(),
            licence: "CC0".into(),
            ..ImportPlan::new(format, &self.path("source"), &self.path("db"), "mine")
        }
    }

    pub fn database(&self) -> Database {
        Database::open(self.path("db")).unwrap()
    }

    /// All examples of a split, with their pictures decoded.
    pub fn examples(&self, split: Split) -> Vec<Example> {
        let examples = self.database().examples("mine", split).unwrap();
        examples.iter().for_each(|example| drop(example.read_image().unwrap()));
        examples
    }

    /// All examples, of training, validation, test.
    pub fn all(&self) -> Vec<Example> {
        Split::ALL.into_iter().flat_map(|split| self.examples(split)).collect()
    }

    /// Wants the import to fail for bad records with nothing written, and gives them.
    pub fn faults(&self, plan: &ImportPlan) -> Vec<String> {
        match run(plan) {
            Err(ImportError::Bad { faults, .. }) => {
                assert!(!self.path("db").exists(), "something was written");
                texts(&faults)
            }
            other => panic!("expected bad records, got {other:?}"),
        }
    }

    /// Wants the import to fail for the source or options as a whole, and gives the message.
    pub fn refusal(&self, plan: &ImportPlan) -> String {
        let error = run(plan).unwrap_err();
        assert!(!matches!(error, ImportError::Bad { .. }), "{error}");
        assert!(!self.path("db").exists(), "something was written");
        error.to_string()
    }
}

pub fn run(plan: &ImportPlan) -> Result<Imported, ImportError> {
    import(plan, &mut |_| true)
}

pub fn texts(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

/// Wants one fault for each row, with all of its words, in any order.
pub fn assert_faults(found: &[String], expected: &[&[&str]]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for words in expected {
        let fits = |fault: &&String| words.iter().all(|word| fault.contains(word));
        assert_eq!(found.iter().filter(fits).count(), 1, "{words:?} in {found:#?}");
    }
}

pub fn names(classes: &[&str]) -> Option<Vec<String>> {
    Some(classes.iter().map(ToString::to_string).collect())
}

/// Whether two files hold the same bytes.
pub fn same(a: &Path, b: &Path) -> bool {
    fs::read(a).unwrap() == fs::read(b).unwrap()
}
