//! What can be wrong with a source, and with one record of it.

use std::fmt;
use std::path::PathBuf;

use crate::error::{DataError, RecordFault};

/// Everything that an import can fail with. Whatever it is, the database is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// An option that makes no sense.
    #[error("{0}")]
    Options(String),
    /// The source is not laid out as its format asks for, or cannot be read.
    #[error("{}: {reason}", path.display())]
    Source {
        /// The file or folder.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// Some pictures or answers are bad.
    #[error(
        "{} of {records} records are bad, nothing was written; the first: {}. Correct them, or leave them out \
         with --skip-bad",
        faults.len(), faults.first().map_or_else(String::new, ToString::to_string)
    )]
    Bad {
        /// All of them, in the order of the source.
        faults: Vec<Fault>,
        /// How many records were looked at.
        records: usize,
    },
    /// Nothing is left to be written.
    #[error("{}: no record can be used{}", path.display(), skipped(faults))]
    Empty {
        /// The source.
        path: PathBuf,
        /// What was left out.
        faults: Vec<Fault>,
    },
    /// The data set is there already.
    #[error("{} is there already; choose another --name, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// `tasks.json` cannot be extended, or what was written cannot be read back.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The caller wanted it to stop.
    #[error("stopped; nothing was written")]
    Stopped,
}

fn skipped(faults: &[Fault]) -> String {
    match faults.first() {
        Some(first) => format!(" ({} left out, the first: {first})", faults.len()),
        None => String::new(),
    }
}

/// Something of the source that does not become a record.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Fault {
    /// Where it stands.
    pub place: SourcePlace,
    /// What is wrong with it; boxed, as few records have one.
    pub reason: Box<FaultReason>,
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlace {
    /// The file.
    pub file: PathBuf,
    /// What of it, as "line 3" or "annotation 17"; all of it if empty.
    pub part: String,
}

impl SourcePlace {
    /// All of a file.
    pub(crate) fn file(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), part: String::new() }
    }

    /// A part of a file.
    pub(crate) fn part(file: impl Into<PathBuf>, part: impl Into<String>) -> Self {
        Self { file: file.into(), part: part.into() }
    }

    /// The fault of what stands here.
    pub(crate) fn fault(self, reason: impl Into<FaultReason>) -> Fault {
        Fault { place: self, reason: Box::new(reason.into()) }
    }
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.part.is_empty() { Ok(()) } else { write!(f, ", {}", self.part) }
    }
}

/// What is wrong with something of the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaultReason {
    /// A file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Not the syntax of the format, or a value of it that has no meaning.
    #[error("{0}")]
    Syntax(String),
    /// An answer to which no picture belongs.
    #[error("its picture {0} is not there")]
    NoPicture(String),
    /// A picture to which no answer belongs.
    #[error("it has no {0}")]
    NoAnswer(&'static str),
    /// The picture is none that can be used.
    #[error("{0}")]
    Picture(#[from] medley_infer::ImageError),
    /// A class that is not one of the classes.
    #[error("the class {name:?} is none of {}", known.join(", "))]
    UnknownClass {
        /// Its name in the source.
        name: String,
        /// The classes that there are.
        known: Vec<String>,
    },
    /// The source states another size than the picture has, or the mask has another.
    #[error("{what} is {}x{} pixels; the picture is {}x{}", found.0, found.1, picture.0, picture.1)]
    Size {
        /// What differs from the picture.
        what: String,
        /// Its width and height.
        found: (u32, u32),
        /// Width and height of the picture, as it is shown.
        picture: (u32, u32),
    },
    /// A box, label or mask that no record may have.
    #[error(transparent)]
    Record(#[from] RecordFault),
    /// The rule for groups does not apply.
    #[error("the file name {name:?} does not match --group-regex {rule}")]
    NoGroup {
        /// The file name.
        name: String,
        /// The regular expression.
        rule: String,
    },
    /// A group that the source has in a later split as well.
    #[error("the group {group:?} is in {split} here and also in {kept}, where it stays")]
    GroupInTwoSplits {
        /// The group.
        group: String,
        /// The split of this record.
        split: String,
        /// The split that keeps the group.
        kept: String,
    },
    /// The source has splits, and this record is in none.
    #[error("it is in no split; the source puts others into train, val or test")]
    NoSplit,
}
