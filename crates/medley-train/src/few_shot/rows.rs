//! The figures, and the files that keep them while the measurement goes on.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::mode::Mode;
use super::protocol::Run;
use crate::error::TrainError;
use crate::files;

/// One figure; also a row of `medley evaluate --protocol few-shot --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The task that was learned, or answered as it is.
    pub task: String,
    /// How.
    pub mode: Mode,
    /// Per cent of the training split's groups, above 0 and at most 100; 0 where nothing was trained.
    pub fraction: f64,
    /// The seed, from 1; 0 where nothing was drawn.
    pub seed: u64,
    /// Images that trained it.
    pub n_train: usize,
    /// "macro-f1", "dice" or "map50".
    pub metric: String,
    /// The figure on the whole split, 0..1, to six digits.
    pub value: f64,
    /// The pretrained task that answered, in the zero-shot modes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The split that was measured, where it is not test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Digest of all else that the figure depends on: weights, recipe, images.
    pub setup: String,
}

impl Row {
    /// The row of a run before it has its figure; `setup`: digest of all else that the figure depends on.
    pub(crate) fn unanswered(run: &Run, setup: String) -> Self {
        Self {
            task: run.task.clone(),
            mode: run.mode,
            fraction: run.fraction,
            seed: run.seed,
            n_train: 0,
            metric: String::new(),
            value: 0.0,
            source: None,
            split: None,
            setup,
        }
    }

    /// With the figure of that metric, or where it is not known for this kind of task, with the kind's own, which
    /// is the first. None where there is no figure.
    pub(crate) fn answered(self, figures: &[(&'static str, f64)], metric: &str) -> Option<Self> {
        let wanted = figures.iter().find(|figure| figure.0 == metric);
        let &(metric, value) = wanted.or(figures.first())?;
        Some(Self { metric: metric.to_owned(), value: rounded(value), ..self })
    }

    /// Whether it answers the same question; its setup and value may differ.
    fn same_place(&self, other: &Self) -> bool {
        (&self.task, self.mode, self.fraction, self.seed, &self.source, &self.split)
            == (&other.task, other.mode, other.fraction, other.seed, &other.source, &other.split)
    }
}

/// A figure to six digits after the point. No test split tells more, and so short a number is read back from JSON
/// as it was written, however often the file is gone on with.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// All rows so far. Each addition is on disk before the next run begins.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: Vec<Row>,
    json: Option<PathBuf>,
    csv: Option<PathBuf>,
}

impl Ledger {
    /// Goes on with the rows of `json` if that file exists; writes to it, and to `csv`, what is added.
    ///
    /// # Errors
    /// A file that exists but holds no such rows.
    pub fn open(json: Option<&Path>, csv: Option<&Path>) -> Result<Self, TrainError> {
        let mut rows = Vec::new();
        if let Some(path) = json.filter(|path| path.exists()) {
            let text = fs::read(path).map_err(|error| TrainError::file(path, error))?;
            rows = serde_json::from_slice(&text).map_err(|error| {
                TrainError::file(
                    path,
                    format!(
                        "expected the rows of an earlier few-shot measurement, to go on with: {error}; name \
                         another file"
                    ),
                )
            })?;
        }
        let ledger = Self { rows, json: json.map(Path::to_owned), csv: csv.map(Path::to_owned) };
        // A folder that cannot be written is found out now and not after the first run.
        ledger.write()?;
        Ok(ledger)
    }

    /// All rows, those of earlier measurements first.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether the question of `asked` is answered already.
    ///
    /// # Errors
    /// It is answered, but of other weights, recipe or images.
    pub fn has(&self, asked: &Row) -> Result<bool, TrainError> {
        let Some(found) = self.rows.iter().find(|row| row.same_place(asked)) else {
            return Ok(false);
        };
        if found.setup == asked.setup {
            return Ok(true);
        }
        let place = self.json.clone().unwrap_or_default();
        Err(TrainError::file(
            place,
            format!(
                "its rows of task “{}”, mode {} were measured with other weights, settings or images (setup {}, \
                 now {}); name another file, or measure as before",
                asked.task, asked.mode, found.setup, asked.setup
            ),
        ))
    }

    /// Adds the rows of one run and writes the files.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn add(&mut self, rows: Vec<Row>) -> Result<(), TrainError> {
        self.rows.extend(rows);
        self.write()
    }

    fn write(&self) -> Result<(), TrainError> {
        if let Some(path) = &self.json {
            let mut text = serde_json::to_vec_pretty(&self.rows)
                .map_err(|error| TrainError::file(path, error))?;
            text.push(b'\n');
            files::replace(path, &text)?;
        }
        if let Some(path) = &self.csv {
            files::replace(path, csv(&self.rows).as_bytes())?;
        }
        Ok(())
    }
}

/// The rows as comma-separated values (RFC 4180).
fn csv(rows: &[Row]) -> String {
    let mut text = String::from("task,mode,fraction,seed,n_train,metric,value,source,setup\r\n");
    for row in rows {
        let source = row.source.as_deref().unwrap_or_default();
        text += &format!(
            "{},{},{},{},{},{},{},{},{}\r\n",
            quoted(&row.task),
            row.mode,
            row.fraction,
            row.seed,
            row.n_train,
            quoted(&row.metric),
            row.value,
            quoted(source),
            row.setup
        );
    }
    text
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seed: u64, setup: &str) -> Row {
        Row {
            task: "a, \"b\"".into(),
            mode: Mode::Frozen,
            fraction: 2.5,
            seed,
            n_train: 7,
            metric: "dice".into(),
            value: 0.25,
            source: None,
            split: None,
            setup: setup.into(),
        }
    }

    #[test]
    fn what_was_added_is_there_when_the_file_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let (json, csv) = (folder.path().join("r.json"), folder.path().join("r.csv"));
        let mut ledger = Ledger::open(Some(&json), Some(&csv)).unwrap();
        ledger.add(vec![row(1, "x")]).unwrap();
        let again = Ledger::open(Some(&json), None).unwrap();
        assert_eq!(again.rows(), ledger.rows());
        assert!(again.has(&row(1, "x")).unwrap());
        assert!(!again.has(&row(2, "x")).unwrap());
        let text = fs::read_to_string(csv).unwrap();
        assert!(text.contains("\"a, \"\"b\"\"\",frozen,2.5,1,7,dice,0.25,,x\r\n"), "{text}");
        let value: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
        for key in ["task", "mode", "fraction", "seed", "n_train", "metric", "value"] {
            assert!(value[0].get(key).is_some(), "{key}");
        }
    }

    #[test]
    fn rows_of_another_setup_and_files_of_another_kind_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let json = folder.path().join("r.json");
        let mut ledger = Ledger::open(Some(&json), None).unwrap();
        ledger.add(vec![row(1, "x")]).unwrap();
        let error = ledger.has(&row(1, "y")).unwrap_err().to_string();
        assert!(error.contains("other weights") && error.contains("r.json"), "{error}");
        fs::write(&json, r#"[{"task":"lungs","split":"test"}]"#).unwrap();
        let error = Ledger::open(Some(&json), None).unwrap_err().to_string();
        assert!(error.contains("few-shot"), "{error}");
    }
}
