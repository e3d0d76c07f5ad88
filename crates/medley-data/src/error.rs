//! What can be wrong with a database, a record or a plan.

use std::path::PathBuf;

use medley_package::TaskKind;

/// Everything that this crate can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}: {source}; check the path and its permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `tasks.json` or a `dataset.json` is not what the format asks for.
    #[error("{}, line {line}: {reason}", file.display())]
    Index {
        /// The file.
        file: PathBuf,
        /// Its line, from 1; 0 where the fault has no one line.
        line: usize,
        /// What was expected and what was found.
        reason: String,
    },
    /// A line of a `records.jsonl`, or a file that it names, is wrong.
    #[error("{}, line {line}: {fault}", file.display())]
    Record {
        /// The file `records.jsonl`.
        file: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        fault: RecordFault,
    },
    /// No task of that name.
    #[error("no task is named {name:?}; the database has {}", known.join(", "))]
    UnknownTask {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// No data set of that name.
    #[error("no data set is named {name:?}; the tasks use {}", known.join(", "))]
    UnknownDataset {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A plan that no loader can follow.
    #[error("the loader's plan cannot be followed: {0}")]
    Plan(String),
    /// A worker thread could not be started, or stopped before its work was done.
    #[error("a loader thread failed: {0}")]
    Worker(String),
}

/// What is wrong with one record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// Not a JSON object of the expected types.
    #[error("not a record: {0}")]
    Json(String),
    /// A field that the task needs is not there.
    #[error("record {id:?} has no field {field:?}; the task needs it")]
    MissingField {
        /// The record's id.
        id: String,
        /// The field.
        field: &'static str,
    },
    /// An id that an earlier line has already.
    #[error("the id {id:?} is taken by line {first}; ids are unique in a data set")]
    DuplicateId {
        /// The id.
        id: String,
        /// The earlier line.
        first: usize,
    },
    /// A split that is none of the three.
    #[error("the split is {0:?}; expected \"train\", \"val\" or \"test\"")]
    UnknownSplit(String),
    /// A group that an earlier line puts into another split.
    #[error(
        "the group {group:?} is in the split {split} here and in {other} on line {line}; \
         a group belongs to one split. Correct the records, or read them with \
         Database::without_shared_groups, which leaves such a group out of training"
    )]
    GroupInTwoSplits {
        /// The group.
        group: String,
        /// The split of this line.
        split: String,
        /// The split of the earlier line.
        other: String,
        /// The earlier line.
        line: usize,
    },
    /// A path that leaves the data set's folder.
    #[error(
        "the path {0:?} is absolute or leaves the data set's folder; write it relative to that folder"
    )]
    PathOutside(String),
    /// A width or height of zero, or more than the decoder takes.
    #[error("the size is {width}x{height}; expected sides of 1 to {limit} pixels")]
    Size {
        /// The record's width.
        width: u64,
        /// The record's height.
        height: u64,
        /// The greatest side.
        limit: u32,
    },
    /// A class label that no class has.
    #[error("the label is {label}; expected 0 to {}, for {classes} classes", classes - 1)]
    Label {
        /// What the record says.
        label: i64,
        /// How many classes there are.
        classes: usize,
    },
    /// A box without four corners and a class, with a class that is none, outside the image, or inverted.
    #[error("box {index} is {found:?}: {reason}")]
    Box {
        /// Its place in the list, from 0.
        index: usize,
        /// The numbers found.
        found: Vec<f64>,
        /// What was expected.
        reason: String,
    },
    /// A file that the record names and that is not there.
    #[error("the file {} is missing", .0.display())]
    MissingFile(PathBuf),
    /// An image or mask that cannot be decoded.
    #[error("{} cannot be decoded: {reason}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// An image or mask of another size than the record says.
    #[error("{} is {}x{} pixels; the record says {}x{}", path.display(), found.0, found.1, expected.0, expected.1)]
    SizeMismatch {
        /// The file.
        path: PathBuf,
        /// Width and height of the file.
        found: (u32, u32),
        /// Width and height of the record.
        expected: (u32, u32),
    },
    /// A mask that is not an 8-bit grey PNG of class numbers.
    #[error("{} is {found}; expected an 8-bit grey PNG whose values are class numbers", path.display())]
    MaskFormat {
        /// The file.
        path: PathBuf,
        /// Its colour type.
        found: String,
    },
    /// A mask value that is neither a class nor 255.
    #[error(
        "{} holds the value {value} at ({x}, {y}); expected 0 to {} or 255 for \"ignore\"",
        path.display(), classes - 1
    )]
    MaskValue {
        /// The file.
        path: PathBuf,
        /// The value.
        value: u8,
        /// Column of its first pixel.
        x: u32,
        /// Row of its first pixel.
        y: u32,
        /// How many classes there are, the background included.
        classes: usize,
    },
    /// The answer does not fit the kind of task.
    #[error("the answer is of another kind than the task, which is {0:?}")]
    Kind(TaskKind),
}
