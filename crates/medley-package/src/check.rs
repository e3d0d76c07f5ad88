//! Whether metadata is what a reader may rely on. Writers and readers check the same.

use std::collections::HashSet;

use serde::Deserialize;

use crate::error::PackageError;
use crate::limits::{MAX_INPUT_SIDE, MAX_LONG_SIDE, MAX_NAME_CHARS, SIDE_MULTIPLE};
use crate::metadata::{FORMAT_VERSION, Metadata, NOTICE};
use crate::spec::{Presentation, TaskKind, TaskSpec};

/// What errors call the metadata.
const WHERE: &str = "package metadata";

/// The error for one wrong field of the file `file`.
pub(crate) fn field(
    file: &str,
    field: impl Into<String>,
    expected: impl Into<String>,
    found: impl ToString,
) -> PackageError {
    PackageError::Field {
        file: file.into(),
        field: field.into(),
        expected: expected.into(),
        found: found.to_string(),
    }
}

/// Refuses a version that is not read here, before the rest is looked at: a newer format may not
/// even parse as this one.
pub(crate) fn check_version(file: &str, json: &[u8]) -> Result<(), PackageError> {
    #[derive(Deserialize)]
    struct Versioned {
        format_version: u64,
    }
    let Versioned { format_version: found } = serde_json::from_slice(json).map_err(|source| {
        PackageError::Json { file: file.into(), expected: "an object with format_version", source }
    })?;
    if found != u64::from(FORMAT_VERSION) {
        return Err(PackageError::Version { file: file.into(), expected: FORMAT_VERSION, found });
    }
    Ok(())
}

/// Refuses an empty, overlong or multi-line text where a name is asked for.
pub(crate) fn check_text(file: &str, path: &str, text: &str) -> Result<(), PackageError> {
    if text.is_empty() || text.len() > MAX_NAME_CHARS || text.chars().any(char::is_control) {
        let found: String = text.chars().take(MAX_NAME_CHARS).collect();
        let expected = format!("1 to {MAX_NAME_CHARS} characters on one line");
        return Err(field(file, path, expected, format!("{found:?}")));
    }
    Ok(())
}

/// Refuses a package or manifest that dropped or changed the notice.
pub(crate) fn check_notice(file: &str, notice: &str) -> Result<(), PackageError> {
    if notice != NOTICE {
        let found: String = notice.chars().take(MAX_NAME_CHARS).collect();
        return Err(field(file, "notice", format!("{NOTICE:?}"), format!("{found:?}")));
    }
    Ok(())
}

impl Metadata {
    /// Whether every field is within its range.
    pub(crate) fn check(&self) -> Result<(), PackageError> {
        if self.format_version != FORMAT_VERSION {
            return Err(PackageError::Version {
                file: WHERE.into(),
                expected: FORMAT_VERSION,
                found: self.format_version.into(),
            });
        }
        check_notice(WHERE, &self.notice)?;
        check_text(WHERE, "name", &self.name)?;
        check_text(WHERE, "variant", &self.variant)?;
        if !self.model.is_object() {
            return Err(field(WHERE, "model", "an object (the architecture)", &self.model));
        }
        let mut names = HashSet::new();
        for (index, task) in self.tasks.iter().enumerate() {
            check_task(&format!("tasks[{index}]"), task)?;
            if !names.insert(task.name.as_str()) {
                return Err(duplicate("task", &task.name));
            }
        }
        for (index, quality) in self.quality.iter().enumerate() {
            check_finite(&format!("quality[{index}].value"), quality.value, "a finite number")?;
        }
        let mut calibrated = HashSet::new();
        for (index, calibration) in self.calibration.iter().enumerate() {
            let path = format!("calibration[{index}]");
            if !names.contains(calibration.task.as_str()) {
                return Err(field(WHERE, path + ".task", "a task of tasks", &calibration.task));
            }
            check_positive(&(path + ".temperature"), calibration.temperature)?;
            if !calibrated.insert(calibration.task.as_str()) {
                return Err(duplicate("calibration of task", &calibration.task));
            }
        }
        match self.self_test {
            Some(spec) => check_positive("self_test.tolerance", spec.tolerance),
            None => Ok(()),
        }
    }
}

fn check_task(path: &str, task: &TaskSpec) -> Result<(), PackageError> {
    // The name becomes a part of tensor names and of the command line.
    let plain = task.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if task.name.is_empty() || task.name.len() > MAX_NAME_CHARS / 2 || !plain {
        let expected = format!("1 to {} of A-Z a-z 0-9 _ -", MAX_NAME_CHARS / 2);
        return Err(field(WHERE, format!("{path}.name"), expected, format!("{:?}", task.name)));
    }
    check_text(WHERE, &format!("{path}.modality"), &task.modality)?;
    let least = if task.kind == TaskKind::Segmentation { 2 } else { 1 };
    // Masks are stored as 8-bit indices with 255 = ignore.
    let most = if task.kind == TaskKind::Segmentation { 255 } else { 65_536 };
    if !(least..=most).contains(&task.classes.len()) {
        let expected = format!("{least} to {most} classes");
        return Err(field(WHERE, format!("{path}.classes"), expected, task.classes.len()));
    }
    let mut classes = HashSet::new();
    for (index, class) in task.classes.iter().enumerate() {
        check_text(WHERE, &format!("{path}.classes[{index}]"), class)?;
        if !classes.insert(class) {
            return Err(duplicate("class", &format!("{}/{class}", task.name)));
        }
    }
    if task.multi_label && task.kind != TaskKind::Classification {
        let path = format!("{path}.multi_label");
        return Err(field(WHERE, path, "false, as the task is no classification", true));
    }
    check_presentation(&format!("{path}.presentation"), task.presentation)
}

fn check_presentation(path: &str, presentation: Presentation) -> Result<(), PackageError> {
    let size = presentation.size();
    if !(SIDE_MULTIPLE..=MAX_INPUT_SIDE).contains(&size) || !size.is_multiple_of(SIDE_MULTIPLE) {
        let expected = format!("a multiple of {SIDE_MULTIPLE} up to {MAX_INPUT_SIDE}");
        return Err(field(WHERE, format!("{path}.size"), expected, size));
    }
    if let Presentation::Tiles { long_side, overlap, .. } = presentation {
        if !(1..=MAX_LONG_SIDE).contains(&long_side) {
            let expected = format!("1 to {MAX_LONG_SIDE}");
            return Err(field(WHERE, format!("{path}.long_side"), expected, long_side));
        }
        // More than half shared would let three tiles meet in one pixel.
        if overlap > size / 2 {
            let expected = format!("at most half of size, {}", size / 2);
            return Err(field(WHERE, format!("{path}.overlap"), expected, overlap));
        }
    }
    Ok(())
}

fn check_finite(path: &str, value: f64, expected: &str) -> Result<(), PackageError> {
    if value.is_finite() { Ok(()) } else { Err(field(WHERE, path, expected, value)) }
}

fn check_positive(path: &str, value: f64) -> Result<(), PackageError> {
    let expected = "a finite number above 0";
    check_finite(path, value, expected)?;
    if value > 0.0 { Ok(()) } else { Err(field(WHERE, path, expected, value)) }
}

fn duplicate(what: &'static str, name: &str) -> PackageError {
    PackageError::Duplicate { file: WHERE.into(), what, name: name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Calibration, SelfTestSpec};
    use crate::testing::metadata;

    /// The message with which the metadata is refused after `change`.
    fn refused(change: impl FnOnce(&mut Metadata)) -> String {
        let mut metadata = metadata();
        metadata.check().unwrap();
        change(&mut metadata);
        metadata.check().unwrap_err().to_string()
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let text = refused(|m| m.quality[0].value = value);
            assert!(text.contains("quality[0].value: expected a finite number"), "{text}");
            let text = refused(|m| m.self_test = Some(SelfTestSpec { tolerance: value }));
            assert!(text.contains("self_test.tolerance"), "{text}");
        }
        for temperature in [f64::NAN, 0.0, -1.0] {
            let text = refused(|m| m.calibration[0].temperature = temperature);
            assert!(text.contains("calibration[0].temperature"), "{text}");
        }
        assert!(refused(|m| m.self_test = Some(SelfTestSpec { tolerance: 0.0 })).contains("above"));
    }

    #[test]
    fn names_that_appear_twice_are_refused() {
        let text = refused(|m| m.tasks[1].name = m.tasks[0].name.clone());
        assert!(text.contains("task \"chest\" appears twice"), "{text}");
        let text = refused(|m| m.tasks[0].classes[1] = m.tasks[0].classes[0].clone());
        assert!(text.contains("class \"chest/normal\" appears twice"), "{text}");
        let text = refused(|m| m.calibration.push(m.calibration[0].clone()));
        assert!(text.contains("calibration of task"), "{text}");
    }

    #[test]
    fn tasks_outside_their_ranges_are_refused() {
        for name in ["", "a b", "../x", "a.b", &"a".repeat(200)] {
            assert!(refused(|m| m.tasks[0].name = name.into()).contains("tasks[0].name"));
        }
        assert!(refused(|m| m.tasks[0].classes.clear()).contains("tasks[0].classes"));
        assert!(refused(|m| m.tasks[1].classes.truncate(1)).contains("2 to 255 classes"));
        assert!(refused(|m| m.tasks[1].multi_label = true).contains("multi_label"));
        assert!(refused(|m| m.tasks[0].modality.clear()).contains("modality"));
        for size in [0, 16, 100, 4096, u32::MAX] {
            let text = refused(|m| m.tasks[0].presentation = Presentation::Whole { size });
            assert!(text.contains("presentation.size"), "{text}");
        }
        let tiles = |long_side, overlap| Presentation::Tiles { size: 64, long_side, overlap };
        for (wrong, part) in [(tiles(0, 8), "long_side"), (tiles(64, 33), "overlap")] {
            let text = refused(|m| m.tasks[0].presentation = wrong);
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn the_notice_the_version_and_the_architecture_must_be_there() {
        assert!(refused(|m| m.notice = "For diagnosis".into()).contains("Research use only"));
        assert!(refused(|m| m.format_version = 2).contains("format version 1, found 2"));
        assert!(refused(|m| m.model = serde_json::Value::Null).contains("model"));
        assert!(refused(|m| m.name.clear()).contains("name"));
        let stray = Calibration { task: "nothing".into(), temperature: 1.0 };
        assert!(refused(|m| m.calibration.push(stray)).contains("a task of tasks"));
    }
}
