//! The options of `medley predict` that ask for DICOM objects, and the names of these.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use medley_dicom::export::{ExportContext, ModelIdentity, Privacy, Timestamp};
use medley_package::{TaskKind, TaskSpec};

use crate::exit::BadInput;

/// Results as DICOM objects.
#[derive(clap::Args)]
pub struct DicomArgs {
    /// Write the masks of DICOM images as a Segmentation object; one for each series, the others with a number: out-2.dcm
    #[arg(long, value_name = "OUT.dcm")]
    pub dicom_seg: Option<PathBuf>,
    /// Write the answers about DICOM images as a Structured Report (TID 1500); one for each series
    #[arg(long, value_name = "OUT.dcm")]
    pub dicom_sr: Option<PathBuf>,
    /// Write DICOM images with masks and boxes drawn over them as Secondary Captures; one for each picture
    #[arg(long, value_name = "OUT.dcm")]
    pub dicom_capture: Option<PathBuf>,
    /// Leave out what identifies the patient, by the basic profile of DICOM PS3.15; new identifiers are derived from
    /// this word, which you keep to yourself
    #[arg(long, value_name = "SECRET")]
    deidentify: Option<String>,
}

impl DicomArgs {
    /// Whether any object was asked for.
    pub fn any(&self) -> bool {
        self.names().next().is_some()
    }

    fn names(&self) -> impl Iterator<Item = &Path> {
        let all = [&self.dicom_seg, &self.dicom_sr, &self.dicom_capture];
        all.into_iter().filter_map(Option::as_deref)
    }

    /// Refuses what cannot be done, before any picture is looked at.
    ///
    /// # Errors
    /// A segmentation without a task that makes masks; objects that would write over each other.
    pub fn check(&self, tasks: &[&TaskSpec]) -> Result<()> {
        let masks = tasks.iter().any(|task| task.kind == TaskKind::Segmentation);
        if self.dicom_seg.is_some() && !masks {
            let found =
                "--dicom-seg: none of the tasks makes masks; ask for one that does (`medley info`)";
            return Err(BadInput(found.into()).into());
        }
        let mut taken = HashSet::new();
        if let Some(name) = self.names().find(|name| !taken.insert(without_number(name))) {
            let found = format!(
                "{} is where another --dicom option writes too, as numbers are appended; choose names that differ \
                 in more than a number",
                name.display()
            );
            return Err(BadInput(found).into());
        }
        Ok(())
    }

    /// What all objects of a run share.
    pub fn context(&self, model: ModelIdentity) -> ExportContext {
        // A clock before 1970 is no reason to fail.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ExportContext {
            model,
            created: Timestamp::from_unix_seconds(now.as_secs()),
            privacy: match &self.deidentify {
                Some(secret) => Privacy::Deidentify { secret: secret.clone() },
                None => Privacy::Keep,
            },
        }
    }
}

/// `out.dcm`, then `out-2.dcm`, `out-3.dcm`.
pub fn numbered(out: &Path, number: usize) -> PathBuf {
    if number == 0 {
        return out.to_path_buf();
    }
    with_stem(out, &format!("{}-{}", stem(out), number + 1))
}

/// `out.dcm` of `out.dcm` and `out-2.dcm`.
fn without_number(out: &Path) -> PathBuf {
    let stem = stem(out);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match stem.rsplit_once('-') {
        Some((name, number)) if digits(number) => with_stem(out, name),
        _ => out.to_path_buf(),
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn with_stem(path: &Path, stem: &str) -> PathBuf {
    let ending = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_number_are_those_of_the_name_without() {
        let out = Path::new("a-1/out.dcm");
        let names = [0, 1, 9].map(|number| numbered(out, number));
        assert_eq!(names, ["a-1/out.dcm", "a-1/out-2.dcm", "a-1/out-10.dcm"].map(PathBuf::from));
        assert!(names.iter().all(|name| without_number(name) == out));
        for other in ["a-1/out-b.dcm", "a-1/out-.dcm", "a-1/out-2.3.dcm"] {
            assert_eq!(without_number(Path::new(other)), Path::new(other));
        }
    }

    #[test]
    fn objects_that_would_write_over_each_other_are_refused() {
        let asked = |seg: Option<&str>, sr: &str, capture: &str| DicomArgs {
            dicom_seg: seg.map(PathBuf::from),
            dicom_sr: Some(sr.into()),
            dicom_capture: Some(capture.into()),
            deidentify: None,
        };
        let check = |arguments: DicomArgs| arguments.check(&[]).map_err(|error| error.to_string());
        assert_eq!(check(asked(None, "sr.dcm", "cap.dcm")), Ok(()));
        assert_eq!(check(asked(None, "a/x.dcm", "b/x.dcm")), Ok(()));
        for (sr, capture) in [("x.dcm", "x.dcm"), ("x.dcm", "x-2.dcm"), ("x-3.dcm", "x-2.dcm")] {
            let error = check(asked(None, sr, capture)).unwrap_err();
            assert!(error.starts_with(capture), "{error}");
        }
        let error = check(asked(Some("seg.dcm"), "sr.dcm", "cap.dcm")).unwrap_err();
        assert!(error.contains("makes masks"), "{error}");
    }
}
