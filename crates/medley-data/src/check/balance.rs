//! How many records and groups each split of a task has, and how often each class occurs.

use std::collections::{BTreeMap, BTreeSet};

use medley_infer::IGNORE;
use medley_package::TaskKind;
use serde::Serialize;

use crate::database::TaskRecord;
use crate::records::Split;

/// What a task has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskCount {
    /// Its name.
    pub task: String,
    /// Its data set.
    pub dataset: String,
    /// What it asks for.
    pub kind: TaskKind,
    /// Its splits: training, validation, test.
    pub splits: Vec<SplitCount>,
}

/// What a split has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitCount {
    /// The split.
    pub split: Split,
    /// Records that can be used.
    pub records: usize,
    /// Groups among them.
    pub groups: usize,
    /// How often each class occurs, in the order of their numbers.
    pub classes: Vec<ClassCount>,
}

/// How often a class occurs in a split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassCount {
    /// Its name.
    pub class: String,
    /// Records that have it.
    pub records: usize,
    /// Records in classification, pixels in segmentation, boxes in detection.
    pub count: u64,
    /// Its part of what is counted, 0 to 1; 0 where nothing is.
    pub share: f64,
}

/// How often each class occurs in a record.
pub(crate) struct Answered(Vec<u64>);

impl Answered {
    pub(crate) fn class(class: usize, classes: usize) -> Self {
        let mut counts = vec![0; classes];
        counts[class] = 1;
        Self(counts)
    }

    pub(crate) fn boxes(boxes: &[[f32; 5]], classes: usize) -> Self {
        let mut counts = vec![0; classes];
        for found in boxes {
            counts[found[4] as usize] += 1;
        }
        Self(counts)
    }

    /// Of a mask that is checked; what is to be ignored counts nowhere.
    pub(crate) fn mask(mask: &[u8], classes: usize) -> Self {
        let mut counts = vec![0; classes];
        for &value in mask.iter().filter(|value| **value != IGNORE) {
            counts[usize::from(value)] += 1;
        }
        Self(counts)
    }
}

impl TaskCount {
    /// Classes of which a split that is not empty has nothing; the background counts for nothing.
    pub fn missing(&self) -> Vec<(Split, &str)> {
        let background = usize::from(self.kind == TaskKind::Segmentation);
        let filled = self.splits.iter().filter(|split| split.records > 0);
        filled
            .flat_map(|split| {
                let classes = split.classes.iter().skip(background);
                classes
                    .filter(|class| class.count == 0)
                    .map(|class| (split.split, class.class.as_str()))
            })
            .collect()
    }
}

/// Adds up what records of a task answer.
pub(crate) fn count<'a>(
    task: &TaskRecord,
    answers: impl Iterator<Item = (Split, &'a str, &'a Answered)>,
) -> TaskCount {
    #[derive(Default)]
    struct Sum<'a> {
        records: usize,
        groups: BTreeSet<&'a str>,
        /// Of each class: records and count.
        classes: Vec<(usize, u64)>,
    }
    let mut sums: BTreeMap<Split, Sum<'a>> = BTreeMap::new();
    for (split, group, Answered(counts)) in answers {
        let sum = sums.entry(split).or_default();
        sum.records += 1;
        sum.groups.insert(group);
        sum.classes.resize(task.classes.len(), (0, 0));
        for (class, count) in sum.classes.iter_mut().zip(counts) {
            class.0 += usize::from(*count > 0);
            class.1 += count;
        }
    }
    let split_count = |split| {
        let mut sum = sums.remove(&split).unwrap_or_default();
        sum.classes.resize(task.classes.len(), (0, 0));
        let all: u64 = sum.classes.iter().map(|(_, count)| count).sum();
        let classes =
            task.classes.iter().zip(sum.classes).map(|(class, (records, count))| ClassCount {
                class: class.clone(),
                records,
                count,
                share: if all == 0 { 0.0 } else { count as f64 / all as f64 },
            });
        SplitCount {
            split,
            records: sum.records,
            groups: sum.groups.len(),
            classes: classes.collect(),
        }
    };
    TaskCount {
        task: task.name.clone(),
        dataset: task.dataset.clone(),
        kind: task.kind,
        splits: Split::ALL.map(split_count).into(),
    }
}
