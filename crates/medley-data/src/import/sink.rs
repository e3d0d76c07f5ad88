//! Where the readers of all formats put what they find: checked, written to a folder that nobody reads yet.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;

use image::ExtendedColorType;
use medley_package::TaskKind;

use super::error::{Fault, FaultReason, ImportError, SourcePlace};
use super::item::{Checked, Item, to_png};
use super::plan::{ImportPlan, MaskValues, Shares};
use super::splits;
use crate::database::field_of;
use crate::records::{RawRecord, Split};

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records looked at.
    pub done: usize,
    /// Records that the source has.
    pub total: usize,
}

/// A record that is good, all but its split.
pub(crate) struct Draft {
    pub(crate) place: SourcePlace,
    pub(crate) split: Option<Split>,
    pub(crate) raw: RawRecord,
}

/// Takes the records of a source.
pub(crate) struct Sink<'a> {
    pub(crate) plan: &'a ImportPlan,
    folder: &'a Path,
    progress: &'a mut dyn FnMut(Progress) -> bool,
    kind: TaskKind,
    classes: Vec<String>,
    masks: MaskValues,
    counted: Progress,
    drafts: Vec<Draft>,
    faults: Vec<Fault>,
}

/// What a source gave.
pub(crate) struct Taken {
    pub(crate) kind: TaskKind,
    pub(crate) classes: Vec<String>,
    /// Records with their splits.
    pub(crate) records: Vec<RawRecord>,
    /// What was left out.
    pub(crate) faults: Vec<Fault>,
    /// The shares by which the splits were drawn, if they were.
    pub(crate) drawn: Option<Shares>,
}

impl<'a> Sink<'a> {
    /// Writes into a folder, which is there.
    pub(crate) fn new(
        plan: &'a ImportPlan,
        folder: &'a Path,
        progress: &'a mut dyn FnMut(Progress) -> bool,
    ) -> Self {
        Self {
            plan,
            folder,
            progress,
            kind: TaskKind::Classification,
            classes: Vec::new(),
            masks: plan.mask_values,
            counted: Progress { done: 0, total: 0 },
            drafts: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Says what comes: the kind of task, its classes, the number of records.
    pub(crate) fn begin(
        &mut self,
        kind: TaskKind,
        classes: Vec<String>,
        total: usize,
    ) -> Result<(), ImportError> {
        let options = |text: String| Err(ImportError::Options(text));
        if classes.is_empty() || classes.iter().any(|name| name.trim().is_empty()) {
            return options(format!("the classes are {classes:?}: expected names"));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = classes.iter().find(|name| !seen.insert(name.as_str())) {
            return options(format!("the class {twice:?} is named twice"));
        }
        // A mask's value is a byte, and 255 is "ignore".
        if kind == TaskKind::Segmentation && !(2..=255).contains(&classes.len()) {
            let count = classes.len();
            return options(format!(
                "--classes names {count}: expected the background and 1 to 254 more"
            ));
        }
        let folders =
            if kind == TaskKind::Segmentation { &["images", "masks"][..] } else { &["images"] };
        for name in folders {
            let path = self.folder.join(name);
            fs::create_dir_all(&path).map_err(|source| ImportError::Write { path, source })?;
        }
        (self.kind, self.classes) = (kind, classes);
        self.counted.total = total;
        Ok(())
    }

    /// How mask values are to be read from here on.
    pub(crate) fn read_masks_as(&mut self, values: MaskValues) {
        self.masks = values;
    }

    /// Notes something that is no record.
    pub(crate) fn refuse(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Takes a record, or the reason why there is none; a bad one is noted.
    pub(crate) fn take(&mut self, item: Result<Item, Fault>) -> Result<(), ImportError> {
        match item {
            Ok(item) => self.take_item(item)?,
            Err(fault) => self.refuse(fault),
        }
        self.counted.done += 1;
        if (self.progress)(self.counted) { Ok(()) } else { Err(ImportError::Stopped) }
    }

    fn take_item(&mut self, item: Item) -> Result<(), ImportError> {
        let checked = item.pixels.encode(self.plan.png).and_then(|picture| {
            let size = (picture.width, picture.height);
            if let Some(found) = item.stated.filter(|stated| *stated != size) {
                let what = "the size stated for it".to_string();
                return Err(FaultReason::Size { what, found, picture: size });
            }
            let group = self.plan.grouping.of(&item.path)?;
            let answer = item.answer.check(size, self.classes.len(), self.masks)?;
            let mask = match &answer {
                Checked::Mask(values) => {
                    Some(to_png(size.0, size.1, ExtendedColorType::L8, values)?)
                }
                _ => None,
            };
            Ok((picture, group, answer, mask))
        });
        let (picture, group, answer, mask) = match checked {
            Ok(checked) => checked,
            Err(reason) => {
                self.refuse(item.place.fault(reason));
                return Ok(());
            }
        };
        let id = format!("{:05}", self.drafts.len());
        let mut raw = RawRecord {
            image: format!("images/{id}.{}", picture.ending),
            width: picture.width.into(),
            height: picture.height.into(),
            group,
            ..RawRecord::default()
        };
        self.write(&raw.image, &picture.bytes)?;
        match answer {
            Checked::Label(label) => raw.label = Some(label),
            Checked::Boxes(boxes) => raw.boxes = Some(boxes),
            Checked::Mask(_) => raw.mask = Some(format!("masks/{id}.png")),
        }
        if let (Some(name), Some(bytes)) = (&raw.mask, mask) {
            self.write(name, &bytes)?;
        }
        raw.id = id;
        self.drafts.push(Draft { place: item.place, split: item.split, raw });
        Ok(())
    }

    /// Writes a file, unless it is clear already that nothing will be kept.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ImportError> {
        if !self.plan.skip_bad && !self.faults.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(name);
        fs::write(&path, bytes).map_err(|source| ImportError::Write { path, source })
    }

    /// Gives every record its split.
    pub(crate) fn finish(mut self) -> Result<Taken, ImportError> {
        let has_splits = self.drafts.iter().any(|draft| draft.split.is_some());
        let drawn = match self.plan.shares {
            Some(shares) => Some(shares),
            None => (!has_splits).then(Shares::default),
        };
        match drawn {
            Some(shares) => splits::draw(&mut self.drafts, shares, self.plan.seed),
            None => self.keep_source_splits(),
        }
        let (faults, records) = (self.faults, self.counted.done);
        if !faults.is_empty() && !self.plan.skip_bad {
            return Err(ImportError::Bad { faults, records });
        }
        if self.drafts.is_empty() {
            return Err(ImportError::Empty { path: self.plan.source.clone(), faults });
        }
        let named = |draft: Draft| RawRecord {
            split: draft.split.map_or_else(String::new, |split| split.name().to_string()),
            ..draft.raw
        };
        Ok(Taken {
            kind: self.kind,
            classes: self.classes,
            records: self.drafts.into_iter().map(named).collect(),
            faults,
            drawn,
        })
    }

    /// Leaves out records without a split, and those of a group that is in a later split too: what is measured
    /// stays whole, as in `Records::drop_shared_groups`.
    fn keep_source_splits(&mut self) {
        let mut last: HashMap<String, Split> = HashMap::new();
        for draft in &self.drafts {
            let Some(split) = draft.split else { continue };
            let kept = last.entry(draft.raw.group.clone()).or_insert(split);
            *kept = split.max(*kept);
        }
        for draft in std::mem::take(&mut self.drafts) {
            let group = &draft.raw.group;
            let reason = match (draft.split, last.get(group)) {
                (None, _) => FaultReason::NoSplit,
                (Some(split), Some(kept)) if split != *kept => FaultReason::GroupInTwoSplits {
                    group: group.clone(),
                    split: split.to_string(),
                    kept: kept.to_string(),
                },
                _ => {
                    self.drafts.push(draft);
                    continue;
                }
            };
            // Files of records that are left out later than others are of no use any more.
            for name in [Some(&draft.raw.image), draft.raw.mask.as_ref()].into_iter().flatten() {
                let _ = fs::remove_file(self.folder.join(name));
            }
            self.faults.push(draft.place.fault(reason));
        }
    }
}

impl Taken {
    /// How many records each split has.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for record in &self.records {
            *counts.entry(record.split.clone()).or_insert(0) += 1;
        }
        counts
    }

    /// The classes of each field that the records answer.
    pub(crate) fn labels(&self) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([(field_of(self.kind).to_string(), self.classes.clone())])
    }
}
