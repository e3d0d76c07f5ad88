//! `tasks.json` and the data sets that it names.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use medley_package::{Presentation, TaskKind, TaskSpec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::extra::ExtraAugmentation;
use crate::modality::Anatomy;
use crate::plan::TaskPlan;
use crate::records::{Example, Records, SharedGroup, Split};

/// The version of `tasks.json` that is understood.
pub(crate) const VERSION: u32 = 1;

/// What a task is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Trains the foundation model.
    Pretrain,
    /// Measures it; never seen in pretraining.
    Target,
}

/// A task of `tasks.json`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct TaskRecord {
    /// Its name, unique in the database.
    pub name: String,
    /// The data set whose records answer it.
    pub dataset: String,
    /// What is asked for.
    pub kind: TaskKind,
    /// The field of the records that holds the answer: `label`, `mask` or `boxes`, as the kind asks for.
    pub field: String,
    /// Names of the classes, in the order of their numbers. In segmentation class 0 is the background.
    pub classes: Vec<String>,
    /// Pretraining or target.
    pub role: Role,
    /// The kind of image, in words.
    pub modality: String,
    /// What it is measured by: `macro-f1`, `dice` or `map50`.
    pub metric: String,
    /// A remark for the reader of results.
    #[serde(default)]
    pub note: String,
}

impl TaskRecord {
    /// What a model's package says of this task, shown to the encoder in that way.
    pub fn spec(&self, presentation: Presentation) -> TaskSpec {
        TaskSpec {
            name: self.name.clone(),
            kind: self.kind,
            classes: self.classes.clone(),
            multi_label: false,
            modality: self.modality.clone(),
            presentation,
        }
    }
}

/// What `dataset.json` says.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct DatasetInfo {
    /// Its name, equal to its folder's.
    pub name: String,
    /// The kind of image, in words.
    pub modality: String,
    /// The part of the body, in words.
    #[serde(default)]
    pub body: String,
    /// The classes of each field that its records answer.
    pub labels: BTreeMap<String, Vec<String>>,
    /// What a group of its records is, in words.
    #[serde(default)]
    pub groups: String,
    /// Its licence, as far as known.
    pub licence: String,
    /// Whom to name.
    pub attribution: String,
    /// How many test records were taken out as near-duplicates of training pictures.
    #[serde(default)]
    pub removed_twins: u64,
    /// How many records each split had when it was written; for readers, not relied on.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct TasksFile {
    version: u32,
    tasks: Vec<TaskRecord>,
}

/// A task database: a folder with `tasks.json` and one folder for each data set.
#[derive(Debug, Clone)]
pub struct Database {
    folder: PathBuf,
    tasks: Vec<TaskRecord>,
    datasets: BTreeMap<String, DatasetInfo>,
    drop_shared_groups: bool,
}

impl Database {
    /// Reads `tasks.json` and each `dataset.json`; records are read when a split is asked for.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] for a missing file, [`DataError::Index`] for one that contradicts the format, another
    /// file, or itself.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, DataError> {
        let folder = folder.as_ref().to_path_buf();
        let file = folder.join("tasks.json");
        let TasksFile { version, tasks } = read_json(&file)?;
        let fault = |reason| Err(DataError::Index { file: file.clone(), line: 0, reason });
        if version != VERSION {
            return fault(format!("the version is {version}; this program reads {VERSION}"));
        }
        let mut names = HashSet::new();
        let mut datasets = BTreeMap::new();
        for task in &tasks {
            let name = &task.name;
            if !names.insert(name.as_str()) {
                return fault(format!("two tasks are named {name:?}; names are unique"));
            }
            let field = field_of(task.kind);
            if task.field != field {
                let (kind, found) = (task.kind, &task.field);
                return fault(format!(
                    "task {name:?} is {kind:?} and reads {found:?}, not {field:?}"
                ));
            }
            if !datasets.contains_key(&task.dataset) {
                datasets.insert(task.dataset.clone(), read_dataset(&folder, &task.dataset)?);
            }
            let labels = datasets.get(&task.dataset).and_then(|info| info.labels.get(field));
            if task.classes.is_empty() || labels != Some(&task.classes) {
                let (dataset, classes) = (&task.dataset, &task.classes);
                return fault(format!(
                    "task {name:?} has the classes {classes:?}; the field {field:?} of the data set \
                     {dataset:?} has {labels:?}"
                ));
            }
        }
        Ok(Self { folder, tasks, datasets, drop_shared_groups: false })
    }

    /// The same database, where a group that lies in several splits stays in the last of them alone (test, else
    /// validation) instead of being an error. What is measured keeps all its images; training loses the shared
    /// ones. [`Self::shared_groups`] lists them: tell the user.
    pub fn without_shared_groups(mut self) -> Self {
        self.drop_shared_groups = true;
        self
    }

    /// All tasks, in the order of the file.
    pub fn tasks(&self) -> &[TaskRecord] {
        &self.tasks
    }

    /// The task of that name.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownTask`] lists the names that exist.
    pub fn task(&self, name: &str) -> Result<&TaskRecord, DataError> {
        self.tasks.iter().find(|task| task.name == name).ok_or_else(|| DataError::UnknownTask {
            name: name.to_string(),
            known: self.tasks.iter().map(|task| task.name.clone()).collect(),
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is known about a data set.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownDataset`] lists the names that exist.
    pub fn dataset(&self, name: &str) -> Result<&DatasetInfo, DataError> {
        self.datasets.get(name).ok_or_else(|| DataError::UnknownDataset {
            name: name.to_string(),
            known: self.datasets.keys().cloned().collect(),
        })
    }

    /// The examples of a task in one split, in the order of the file. The whole data set's records are checked,
    /// images and masks for being there; they are decoded and checked further when they are loaded.
    ///
    /// # Errors
    ///
    /// [`DataError::Record`] with file, line and reason for the first bad record.
    pub fn examples(&self, task: &str, split: Split) -> Result<Vec<Example>, DataError> {
        let task = self.task(task)?;
        let mut records = Records::read(&self.folder.join(&task.dataset))?;
        if self.drop_shared_groups {
            records.drop_shared_groups();
        } else {
            records.refuse_shared_groups()?;
        }
        records.examples(split, task.kind, task.classes.len())
    }

    /// The groups of a data set that lie in more than one split; there should be none.
    ///
    /// # Errors
    ///
    /// As [`Self::dataset`], and [`DataError::Record`] for a line that cannot be read.
    pub fn shared_groups(&self, dataset: &str) -> Result<Vec<SharedGroup>, DataError> {
        self.dataset(dataset)?;
        Ok(Records::read(&self.folder.join(dataset))?.shared_groups())
    }

    /// What a loader needs for a split of this task: `per_batch` images in every batch, augmented as its
    /// modality and body part allow for the training split, plain for the others, classes as they come.
    ///
    /// # Errors
    ///
    /// As [`Self::examples`].
    pub fn plan(
        &self,
        task: &str,
        split: Split,
        presentation: Presentation,
        per_batch: usize,
    ) -> Result<TaskPlan, DataError> {
        let record = self.task(task)?;
        let body = &self.dataset(&record.dataset)?.body;
        Ok(TaskPlan {
            spec: record.spec(presentation),
            anatomy: Anatomy::of(&record.modality, body),
            examples: self.examples(task, split)?,
            per_batch,
            augment: split == Split::Train,
            strength: 1.0,
            extra: ExtraAugmentation::default(),
            views: 1,
            balance: false,
        })
    }
}

/// The field of a record that answers a task of that kind.
pub(crate) fn field_of(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Classification => "label",
        TaskKind::Segmentation => "mask",
        TaskKind::Detection => "boxes",
    }
}

fn read_dataset(folder: &Path, name: &str) -> Result<DatasetInfo, DataError> {
    let file = folder.join(name).join("dataset.json");
    let info: DatasetInfo = read_json(&file)?;
    if info.name != name {
        let reason = format!("the name is {:?}; the folder's is {name:?}", info.name);
        return Err(DataError::Index { file, line: 0, reason });
    }
    // Mask values are bytes and 255 is "ignore".
    if info.labels.get("mask").is_some_and(|classes| classes.len() > 255) {
        let reason = "more than 255 mask classes; a mask's pixel is one byte".to_string();
        return Err(DataError::Index { file, line: 0, reason });
    }
    Ok(info)
}

pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, DataError> {
    let bytes =
        fs::read(file).map_err(|source| DataError::Io { path: file.to_path_buf(), source })?;
    serde_json::from_slice(&bytes).map_err(|error| DataError::Index {
        file: file.to_path_buf(),
        line: error.line(),
        reason: error.to_string(),
    })
}
