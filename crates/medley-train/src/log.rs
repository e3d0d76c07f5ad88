//! The log of a run, `metrics.jsonl`: a line for each step and each validation.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::evaluate::Score;
use crate::files;

const LOG: &str = "metrics.jsonl";

/// What is read back of a line, whichever of the two it is.
#[derive(Deserialize)]
struct Line {
    step: u64,
    #[serde(default)]
    losses: Vec<(String, f32)>,
    validation: Option<Vec<Score>>,
}

/// What a run has measured so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The loss of each task that took part, by the step's number from 0.
    pub losses: BTreeMap<u64, Vec<(String, f32)>>,
    /// The figures on the validation splits, by the number of steps done.
    pub validations: BTreeMap<u64, Vec<Score>>,
}

impl History {
    /// Reads the log of the run in `folder`; empty where there is none. A line that cannot be read, as
    /// the last one of a run that was killed, is passed over.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Self, TrainError> {
        let mut history = Self::default();
        for line in bytes(&folder.join(LOG))?.split(|&byte| byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
            match line.validation {
                Some(scores) => drop(history.validations.insert(line.step, scores)),
                None => drop(history.losses.insert(line.step, line.losses)),
            }
        }
        Ok(history)
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.losses.last_key_value().map_or(0, |(step, _)| step + 1)
    }

    /// Mean over the tasks and the last `count` steps of the loss.
    pub fn mean_loss(&self, count: usize) -> Option<f64> {
        let last = self.losses.values().rev().take(count).flatten();
        mean(last.map(|&(_, loss)| f64::from(loss)))
    }

    /// Mean over the tasks of the first figure of each in the newest validation, which is the one that its
    /// kind is judged by: macro-F1, Dice or mAP50.
    pub fn mean_validation(&self) -> Option<f64> {
        let (_, scores) = self.validations.last_key_value()?;
        let first = |&(index, score): &(usize, &Score)| {
            scores[..index].iter().all(|other| other.task != score.task)
        };
        mean(scores.iter().enumerate().filter(first).map(|(_, score)| score.value))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn bytes(path: &Path) -> Result<Vec<u8>, TrainError> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|error| TrainError::file(path, error)),
    }
}

/// Writes the log.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    /// Steps done at the last validation.
    validated: Option<u64>,
}

impl Log {
    /// The log of the run in `folder` that goes on after `step` steps: what was noted of later steps, which
    /// are done anew, and a line that was not written to its end are dropped.
    pub(crate) fn resume(folder: &Path, step: u64) -> Result<Self, TrainError> {
        let path = folder.join(LOG);
        let old = bytes(&path)?;
        let mut kept = Vec::with_capacity(old.len());
        let mut validated = None;
        for text in old.split(|&byte| byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Line>(text) else { continue };
            // Steps are named by their number from 0, validations by the number of steps before them.
            let stays = line.step < step || (line.validation.is_some() && line.step == step);
            if stays {
                kept.extend_from_slice(text);
                kept.push(b'\n');
                validated = line.validation.map(|_| line.step).or(validated);
            }
        }
        if kept != old {
            files::replace(&path, &kept)?;
        }
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|error| TrainError::write(&path, error))?;
        Ok(Self { path, file, validated })
    }

    /// Appends a line.
    pub(crate) fn step(&mut self, report: &impl Serialize) -> Result<(), TrainError> {
        let line = serde_json::to_vec(report);
        let mut line = line.map_err(|error| TrainError::write(&self.path, error))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| TrainError::write(&self.path, error))
    }

    /// Appends the figures after `step` steps.
    pub(crate) fn validation(&mut self, step: u64, scores: &[Score]) -> Result<(), TrainError> {
        self.validated = Some(step);
        self.step(&serde_json::json!({ "step": step, "validation": scores }))
    }

    /// Whether the figures after `step` steps are there.
    pub(crate) fn has_validation(&self, step: u64) -> bool {
        self.validated == Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: u64) -> String {
        format!(
            "{{\"step\":{step},\"learning_rate\":0.1,\"losses\":[[\"a\",{step}.5],[\"b\",1.5]]}}\n"
        )
    }

    fn validation(step: u64) -> String {
        let score = |task: &str, metric: &str, value: f64| {
            format!(
                r#"{{"task":"{task}","split":"val","metric":"{metric}","value":{value},"n":4}}"#
            )
        };
        let scores =
            [score("a", "macro-f1", 0.5), score("a", "accuracy", 0.9), score("b", "dice", 0.7)];
        format!("{{\"step\":{step},\"validation\":[{}]}}\n", scores.join(","))
    }

    #[test]
    fn resuming_drops_later_steps_and_a_torn_line_and_keeps_the_rest_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOG);
        let kept = step(0) + &step(1) + &validation(2);
        let torn = &step(4)[..20];
        fs::write(&path, kept.clone() + &step(2) + &step(3) + &validation(4) + torn).unwrap();
        let mut log = Log::resume(folder.path(), 2).unwrap();
        assert!(log.has_validation(2) && !log.has_validation(4));
        assert_eq!(fs::read_to_string(&path).unwrap(), kept);
        log.step(&serde_json::json!({ "step": 2 })).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), kept + "{\"step\":2}\n");
    }

    #[test]
    fn a_whole_line_without_its_line_break_is_kept_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOG);
        fs::write(&path, step(0).trim_end()).unwrap();
        Log::resume(folder.path(), 1).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), step(0));
    }

    #[test]
    fn the_means_are_over_tasks_and_their_first_figures() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(History::read(folder.path()).unwrap(), History::default());
        fs::write(folder.path().join(LOG), step(0) + &step(1) + &validation(2) + "{\"st").unwrap();
        let history = History::read(folder.path()).unwrap();
        assert_eq!(history.steps(), 2);
        assert_eq!(history.mean_loss(1), Some(1.5));
        assert_eq!(history.mean_loss(9), Some(1.25));
        let mean = history.mean_validation().unwrap();
        assert!((mean - 0.6).abs() < 1e-9, "{mean}");
    }
}
