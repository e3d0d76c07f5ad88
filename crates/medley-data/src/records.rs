//! Reading `records.jsonl`: one line, one image, with everything on it checked.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use medley_infer::MAX_SIDE;
use medley_package::TaskKind;
use serde::{Deserialize, Serialize};

use crate::error::{DataError, RecordFault};

/// Which part of a data set a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Trains.
    Train,
    /// Chooses among trained models.
    Val,
    /// Measures the chosen one, once.
    Test,
}

impl Split {
    /// All three, in the order of their use.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// The split of that name in the files.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "train" => Some(Self::Train),
            "val" => Some(Self::Val),
            "test" => Some(Self::Test),
            _ => None,
        }
    }

    /// Its name in the files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a record stands, for messages about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPlace {
    /// The file `records.jsonl`.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
}

impl RecordPlace {
    /// The error that a fault of this record makes.
    pub(crate) fn fault(&self, fault: RecordFault) -> DataError {
        DataError::Record { file: self.file.clone(), line: self.line, fault }
    }
}

/// One image of a task, with its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Its id, unique in the data set.
    pub id: String,
    /// The image file.
    pub image: PathBuf,
    /// Patient, subject or source picture: no group is in two splits.
    pub group: String,
    /// Width of the image, in pixels.
    pub width: u32,
    /// Height of the image, in pixels.
    pub height: u32,
    /// The answer.
    pub target: Target,
    /// Where its record stands.
    pub place: RecordPlace,
}

/// The answer that a record gives for a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The number of the image's class.
    Class(usize),
    /// A mask file: an 8-bit grey PNG of class numbers, of the image's size; 255 is "ignore".
    Mask(PathBuf),
    /// `[x0, y0, x1, y1, class]` in pixels of the image.
    Boxes(Vec<[f32; 5]>),
}

/// A group whose records lie in more than one split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedGroup {
    /// The group.
    pub group: String,
    /// Every line that names it, with its split.
    pub lines: Vec<(usize, Split)>,
}

/// A line of `records.jsonl` as it is written.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct RawRecord {
    pub(crate) id: String,
    pub(crate) image: String,
    pub(crate) width: u64,
    pub(crate) height: u64,
    pub(crate) split: String,
    pub(crate) group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) boxes: Option<Vec<Vec<f64>>>,
}

/// A line whose common fields are checked.
pub(crate) struct Record {
    pub(crate) raw: RawRecord,
    pub(crate) split: Split,
    width: u32,
    height: u32,
    pub(crate) place: RecordPlace,
}

/// All lines of a data set.
pub(crate) struct Records {
    pub(crate) folder: PathBuf,
    pub(crate) list: Vec<Record>,
}

impl Records {
    /// Reads and checks `records.jsonl` of the data set's folder. Blank lines are passed over.
    pub(crate) fn read(folder: &Path) -> Result<Self, DataError> {
        let (records, faults) = Self::read_all(folder)?;
        match faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(records),
        }
    }

    /// The same, but a bad line does not keep the others from being read: its fault is in the list.
    pub(crate) fn read_all(folder: &Path) -> Result<(Self, Vec<DataError>), DataError> {
        let file = folder.join("records.jsonl");
        let text = fs::read_to_string(&file)
            .map_err(|source| DataError::Io { path: file.clone(), source })?;
        let mut list: Vec<Record> = Vec::new();
        let mut faults = Vec::new();
        let mut ids: HashMap<String, usize> = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let place = RecordPlace { file: file.clone(), line: index + 1 };
            let record = match Record::parse(line, place) {
                Ok(record) => record,
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            };
            let id = &record.raw.id;
            match ids.get(id) {
                Some(&first) => {
                    let fault = RecordFault::DuplicateId { id: id.clone(), first };
                    faults.push(record.place.fault(fault));
                }
                None => {
                    ids.insert(id.clone(), index + 1);
                    list.push(record);
                }
            }
        }
        Ok((Self { folder: folder.to_path_buf(), list }, faults))
    }

    /// The groups that lie in more than one split, by name.
    pub(crate) fn shared_groups(&self) -> Vec<SharedGroup> {
        let mut groups: BTreeMap<&str, Vec<(usize, Split)>> = BTreeMap::new();
        for record in &self.list {
            groups.entry(&record.raw.group).or_default().push((record.place.line, record.split));
        }
        groups
            .into_iter()
            .filter(|(_, lines)| lines.iter().any(|(_, split)| *split != lines[0].1))
            .map(|(group, lines)| SharedGroup { group: group.to_string(), lines })
            .collect()
    }

    /// Fails at the first record whose group an earlier line puts into another split.
    pub(crate) fn refuse_shared_groups(&self) -> Result<(), DataError> {
        let mut seen: HashMap<&str, &Record> = HashMap::new();
        for record in &self.list {
            let first = seen.entry(&record.raw.group).or_insert(record);
            if first.split != record.split {
                return Err(record.place.fault(RecordFault::GroupInTwoSplits {
                    group: record.raw.group.clone(),
                    split: record.split.to_string(),
                    other: first.split.to_string(),
                    line: first.place.line,
                }));
            }
        }
        Ok(())
    }

    /// Keeps each shared group in the last of its splits alone, test before validation before training, so that
    /// what is measured stays whole and nothing measured was trained on.
    pub(crate) fn drop_shared_groups(&mut self) {
        let mut last: HashMap<String, Split> = HashMap::new();
        for record in &self.list {
            let split = last.entry(record.raw.group.clone()).or_insert(record.split);
            *split = record.split.max(*split);
        }
        self.list.retain(|record| last.get(&record.raw.group) == Some(&record.split));
    }

    /// The examples of one split, in the order of the file.
    pub(crate) fn examples(
        &self,
        split: Split,
        kind: TaskKind,
        classes: usize,
    ) -> Result<Vec<Example>, DataError> {
        self.list
            .iter()
            .filter(|record| record.split == split)
            .map(|record| {
                record.example(&self.folder, kind, classes).map_err(|f| record.place.fault(f))
            })
            .collect()
    }
}

impl Record {
    /// Reads one line and checks what every task needs of it.
    fn parse(line: &str, place: RecordPlace) -> Result<Self, DataError> {
        let raw: RawRecord = serde_json::from_str(line)
            .map_err(|error| place.fault(RecordFault::Json(error.to_string())))?;
        let Some(split) = Split::from_name(&raw.split) else {
            return Err(place.fault(RecordFault::UnknownSplit(raw.split)));
        };
        let (Some(width), Some(height)) = (side(raw.width), side(raw.height)) else {
            let (width, height) = (raw.width, raw.height);
            return Err(place.fault(RecordFault::Size { width, height, limit: MAX_SIDE }));
        };
        Ok(Self { raw, split, width, height, place })
    }

    /// Width and height that the record states, in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Its image file.
    pub(crate) fn image(&self, folder: &Path) -> Result<PathBuf, RecordFault> {
        existing(folder, &self.raw.image)
    }

    /// The record as an example of a task of that kind with that many classes.
    pub(crate) fn example(
        &self,
        folder: &Path,
        kind: TaskKind,
        classes: usize,
    ) -> Result<Example, RecordFault> {
        let missing = |field| RecordFault::MissingField { id: self.raw.id.clone(), field };
        let target = match kind {
            TaskKind::Classification => {
                Target::Class(class(self.raw.label.ok_or_else(|| missing("label"))?, classes)?)
            }
            TaskKind::Segmentation => {
                let path = self.raw.mask.as_deref().ok_or_else(|| missing("mask"))?;
                Target::Mask(existing(folder, path)?)
            }
            TaskKind::Detection => {
                let boxes = self.raw.boxes.as_deref().ok_or_else(|| missing("boxes"))?;
                let checked = boxes
                    .iter()
                    .enumerate()
                    .map(|(index, found)| check_box(index, found, self.size(), classes))
                    .collect::<Result<_, _>>()?;
                Target::Boxes(checked)
            }
        };
        Ok(Example {
            id: self.raw.id.clone(),
            image: self.image(folder)?,
            group: self.raw.group.clone(),
            width: self.width,
            height: self.height,
            target,
            place: self.place.clone(),
        })
    }
}

/// A box with its corners in order and inside an image of that size, and a class that exists.
pub(crate) fn check_box(
    index: usize,
    found: &[f64],
    size: (u32, u32),
    classes: usize,
) -> Result<[f32; 5], RecordFault> {
    let fault = |reason: String| RecordFault::Box { index, found: found.to_vec(), reason };
    let &[x0, y0, x1, y1, class] = found else {
        return Err(fault("expected five numbers, [x0, y0, x1, y1, class]".to_string()));
    };
    if found.iter().any(|value| !value.is_finite()) {
        return Err(fault("expected finite numbers".to_string()));
    }
    if class.fract() != 0.0 || class < 0.0 || class >= classes as f64 {
        return Err(fault(format!("expected a class from 0 to {}", classes - 1)));
    }
    if x0 >= x1 || y0 >= y1 {
        return Err(fault("expected x0 < x1 and y0 < y1".to_string()));
    }
    let (width, height) = (f64::from(size.0), f64::from(size.1));
    if x0 < 0.0 || y0 < 0.0 || x1 > width || y1 > height {
        return Err(fault(format!("expected corners inside the image, {width}x{height}")));
    }
    Ok([x0 as f32, y0 as f32, x1 as f32, y1 as f32, class as f32])
}

fn side(value: u64) -> Option<u32> {
    u32::try_from(value).ok().filter(|side| (1..=MAX_SIDE).contains(side))
}

/// The class that a label numbers.
pub(crate) fn class(label: i64, classes: usize) -> Result<usize, RecordFault> {
    usize::try_from(label)
        .ok()
        .filter(|label| *label < classes)
        .ok_or(RecordFault::Label { label, classes })
}

/// The file that a record names, inside the data set's folder.
fn existing(folder: &Path, path: &str) -> Result<PathBuf, RecordFault> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !inside {
        return Err(RecordFault::PathOutside(path.to_string()));
    }
    let full = folder.join(path);
    if full.is_file() { Ok(full) } else { Err(RecordFault::MissingFile(full)) }
}
