//! What a task database holds, and what is wrong with it.
//!
//! Every line of every record is read, every picture and mask decoded. Faults do not stop it: all are listed.

mod balance;
mod fingerprint;
mod twins;

use std::collections::BTreeMap;
use std::fs;

use rayon::prelude::*;
use serde::Serialize;

pub use balance::{ClassCount, SplitCount, TaskCount};
pub use twins::{Twin, Twins};

use crate::cache::{decode_image, read_mask};
use crate::database::{Database, TaskRecord};
use crate::error::DataError;
use crate::records::{Record, Records, Split, Target};
use balance::{Answered, count};
use fingerprint::{Fingerprint, fingerprint};
use twins::{Shown, twins};

/// The greatest Hamming distance of the 64-bit hashes of near-duplicates, if nothing else is said: copies that were
/// cropped a little or compressed anew reach it.
pub const NEAR: u32 = 10;

/// A check that can be made: the records are read.
pub struct Check<'a> {
    sets: Vec<Set<'a>>,
    near: u32,
}

/// A data set, and those of its tasks that were asked for.
struct Set<'a> {
    name: String,
    tasks: Vec<&'a TaskRecord>,
    records: Records,
    faults: Vec<DataError>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// Version of this object; fields may be added under the same number.
    pub format: u32,
    /// The greatest distance of hashes that counted as near, of 64.
    pub near: u32,
    /// What each task has, in the order of the database.
    pub tasks: Vec<TaskCount>,
    /// What is the matter with each data set, by name.
    pub datasets: Vec<SetReport>,
}

/// What is the matter with a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetReport {
    /// The data set.
    pub dataset: String,
    /// Records that could be read.
    pub records: usize,
    /// Lines, pictures and masks that are wrong, each in a sentence with file and line.
    pub faults: Vec<String>,
    /// Groups that are in more than one split.
    pub leaks: Vec<Leak>,
    /// Pictures of different splits that look the same.
    pub near_duplicates: Vec<Twins>,
    /// Pictures with too little in them to be compared.
    pub even: usize,
}

/// A group that is in more than one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The group.
    pub group: String,
    /// How many records each split has of it.
    pub splits: BTreeMap<Split, usize>,
}

/// What one record showed.
struct Seen {
    faults: Vec<DataError>,
    /// Its fingerprint, if its picture can be decoded and compared.
    print: Option<Fingerprint>,
    /// Whether its picture could be decoded but has too little in it.
    even: bool,
    /// What it answers each of the tasks, where it does.
    answers: Vec<Option<Answered>>,
}

impl<'a> Check<'a> {
    /// Reads the records of the tasks' data sets; of all tasks if none is named. Pictures of different
    /// splits are compared by their detail if their hashes differ in at most `near` of 64 bits.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownTask`], and [`DataError::Io`] for a `records.jsonl` that cannot be read.
    pub fn open(database: &'a Database, tasks: &[String], near: u32) -> Result<Self, DataError> {
        let wanted: Vec<&TaskRecord> = if tasks.is_empty() {
            database.tasks().iter().collect()
        } else {
            tasks.iter().map(|name| database.task(name)).collect::<Result<_, _>>()?
        };
        let mut by_set: BTreeMap<&str, Vec<&TaskRecord>> = BTreeMap::new();
        for task in wanted {
            let of_set = by_set.entry(&task.dataset).or_default();
            if !of_set.iter().any(|known| known.name == task.name) {
                of_set.push(task);
            }
        }
        let sets = by_set
            .into_iter()
            .map(|(name, tasks)| {
                let (records, faults) = Records::read_all(&database.folder().join(name))?;
                Ok(Set { name: name.to_string(), tasks, records, faults })
            })
            .collect::<Result<_, DataError>>()?;
        Ok(Self { sets, near })
    }

    /// How many pictures there are to look at.
    pub fn pictures(&self) -> usize {
        self.sets.iter().map(|set| set.records.list.len()).sum()
    }

    /// Looks at all of them, on all processors; `done` is called after each.
    pub fn run(self, done: &(dyn Fn() + Sync)) -> CheckReport {
        let mut report =
            CheckReport { format: 1, near: self.near, tasks: Vec::new(), datasets: Vec::new() };
        for set in self.sets {
            let seen: Vec<Seen> = set
                .records
                .list
                .par_iter()
                .map(|record| {
                    let seen = set.look(record);
                    done();
                    seen
                })
                .collect();
            report.tasks.extend(set.count(&seen));
            report.datasets.push(set.report(seen, self.near));
        }
        report
    }
}

impl CheckReport {
    /// Whether something has to be mended: near-duplicates and missing classes are for a person to judge.
    pub fn is_wrong(&self) -> bool {
        self.datasets.iter().any(|set| !set.faults.is_empty() || !set.leaks.is_empty())
    }
}

impl Set<'_> {
    /// Everything about one record. Its picture is decoded once, however many tasks it answers.
    fn look(&self, record: &Record) -> Seen {
        let mut faults = Vec::new();
        let decoded = record.image(&self.records.folder).map_err(|fault| record.place.fault(fault));
        let decoded = decoded.and_then(|path| {
            let bytes =
                fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
            decode_image(&path, &bytes, record.size()).map_err(|fault| record.place.fault(fault))
        });
        let (print, even) = match decoded {
            Ok(image) => {
                let print = fingerprint(&image);
                let even = print.is_none();
                (print, even)
            }
            Err(fault) => {
                faults.push(fault);
                (None, false)
            }
        };
        // Without its picture a record has no example, which is said already.
        let there = faults.is_empty();
        let answers = self
            .tasks
            .iter()
            .map(|task| {
                if !there {
                    return None;
                }
                self.answer(record, task).map_err(|fault| faults.push(fault)).ok()
            })
            .collect();
        Seen { faults, print, even, answers }
    }

    /// What a record answers a task, with its mask decoded.
    fn answer(&self, record: &Record, task: &TaskRecord) -> Result<Answered, DataError> {
        let classes = task.classes.len();
        let example = record
            .example(&self.records.folder, task.kind, classes)
            .map_err(|fault| record.place.fault(fault))?;
        Ok(match &example.target {
            Target::Class(class) => Answered::class(*class, classes),
            Target::Boxes(boxes) => Answered::boxes(boxes, classes),
            Target::Mask(path) => Answered::mask(&read_mask(&example, path, classes)?, classes),
        })
    }

    fn count(&self, seen: &[Seen]) -> Vec<TaskCount> {
        let of_task = |(index, task): (usize, &&TaskRecord)| {
            let answers = self.records.list.iter().zip(seen).filter_map(|(record, seen)| {
                Some((record.split, record.raw.group.as_str(), seen.answers[index].as_ref()?))
            });
            count(task, answers)
        };
        self.tasks.iter().enumerate().map(of_task).collect()
    }

    fn report(self, seen: Vec<Seen>, near: u32) -> SetReport {
        let list = &self.records.list;
        let shown: Vec<Shown<'_>> = list
            .iter()
            .zip(&seen)
            .filter_map(|(record, seen)| {
                let print = seen.print.as_ref()?;
                Some(Shown { split: record.split, image: &record.raw.image, print })
            })
            .collect();
        let leaks = self.records.shared_groups().into_iter().map(|shared| {
            let mut splits = BTreeMap::new();
            for (_, split) in shared.lines {
                *splits.entry(split).or_insert(0) += 1;
            }
            Leak { group: shared.group, splits }
        });
        SetReport {
            records: list.len(),
            leaks: leaks.collect(),
            near_duplicates: twins(&shown, near),
            even: seen.iter().filter(|seen| seen.even).count(),
            faults: self
                .faults
                .into_iter()
                .chain(seen.into_iter().flat_map(|seen| seen.faults))
                .map(|fault| fault.to_string())
                .collect(),
            dataset: self.name,
        }
    }
}
