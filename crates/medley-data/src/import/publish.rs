//! Putting a finished data set into the database, all at once or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use medley_package::TaskKind;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tempfile::{Builder, NamedTempFile, TempDir};

use super::error::ImportError;
use super::plan::ImportPlan;
use super::sink::Taken;
use crate::database::{Database, DatasetInfo, TaskRecord, VERSION, field_of, read_json};
use crate::error::DataError;
use crate::records::Split;

/// A hidden folder of the database in which a data set grows. It is gone when dropped, with all that is in it.
pub(crate) struct Staging<'a> {
    plan: &'a ImportPlan,
    /// `None` only while it is being dropped.
    hidden: Option<TempDir>,
    /// The database's folder, if it was not there before.
    created: bool,
}

/// `tasks.json`, with whatever a reader of a later version may have added.
#[derive(Deserialize, Serialize)]
struct TaskList {
    version: u32,
    tasks: Vec<Box<RawValue>>,
    #[serde(flatten)]
    more: BTreeMap<String, serde_json::Value>,
}

/// What has to be known of a task that is there already.
#[derive(Deserialize)]
struct Known {
    name: String,
    dataset: String,
}

impl<'a> Staging<'a> {
    /// Makes the folder, if the plan's data set and task may be added to the database.
    pub(crate) fn new(plan: &'a ImportPlan) -> Result<Self, ImportError> {
        if plan.target().exists() && !plan.force {
            return Err(ImportError::Exists(plan.target()));
        }
        // What would keep it from being added is found before any work is done.
        others(plan)?;
        let database = &plan.database;
        let created = !database.exists();
        fs::create_dir_all(database).map_err(write_error(database))?;
        let hidden = Builder::new().prefix(".import-").tempdir_in(database);
        let staging = Self { plan, hidden: Some(hidden.map_err(write_error(database))?), created };
        let folder = staging.folder();
        fs::create_dir(&folder).map_err(write_error(&folder))?;
        Ok(staging)
    }

    /// Where the data set's files go. It lies in a small database of its own, with its own name.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root().join(&self.plan.name)
    }

    fn root(&self) -> &Path {
        self.hidden.as_ref().map_or(Path::new(""), TempDir::path)
    }

    /// Writes the records, reads everything back, and gives the data set its place and its task.
    pub(crate) fn publish(self, taken: &Taken) -> Result<(), ImportError> {
        let (plan, folder) = (self.plan, self.folder());
        let records = folder.join("records.jsonl");
        write_records(&records, taken).map_err(write_error(&records))?;
        let task = task(plan, taken);
        write_json(&folder.join("dataset.json"), &info(plan, taken))?;
        let alone = TaskList { version: VERSION, tasks: vec![raw(&task)?], more: BTreeMap::new() };
        write_json(&self.root().join("tasks.json"), &alone)?;
        let database = Database::open(self.root())?;
        for split in Split::ALL {
            database.examples(&task.name, split)?;
        }
        // Again: another import may have ended since.
        let mut all = others(plan)?;
        all.tasks.push(raw(&task)?);
        let (target, old) = (plan.target(), self.root().join("replaced"));
        let replaces = target.exists();
        if replaces {
            if !plan.force {
                return Err(ImportError::Exists(target));
            }
            fs::rename(&target, &old).map_err(write_error(&target))?;
        }
        let published = fs::rename(&folder, &target)
            .map_err(write_error(&target))
            .and_then(|()| replace_json(&plan.database.join("tasks.json"), &all));
        if published.is_err() {
            // Back to what it was; an error on this way adds nothing to the first.
            let _ = fs::rename(&target, &folder);
            if replaces {
                let _ = fs::rename(&old, &target);
            }
        }
        published
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        drop(self.hidden.take());
        if self.created {
            // Only if it is empty, that is if the import failed.
            let _ = fs::remove_dir(&self.plan.database);
        }
    }
}

/// The tasks that stay beside the one that is added: all but those of a data set that is replaced.
fn others(plan: &ImportPlan) -> Result<TaskList, ImportError> {
    let file = plan.database.join("tasks.json");
    if !file.exists() {
        return Ok(TaskList { version: VERSION, tasks: Vec::new(), more: BTreeMap::new() });
    }
    let mut list: TaskList = read_json(&file)?;
    let fault = |reason: String| {
        Err(ImportError::Data(DataError::Index { file: file.clone(), line: 0, reason }))
    };
    if list.version != VERSION {
        return fault(format!("the version is {}; this program writes {VERSION}", list.version));
    }
    let mut tasks = Vec::new();
    for task in list.tasks {
        let known: Known = match serde_json::from_str(task.get()) {
            Ok(known) => known,
            Err(error) => return fault(format!("{error} in {}", task.get())),
        };
        if known.dataset == plan.name {
            continue;
        }
        if known.name == plan.task {
            let (name, dataset) = (known.name, known.dataset);
            return Err(ImportError::Options(format!(
                "the task {name:?} is there already, over {dataset:?}; choose another --task-name"
            )));
        }
        tasks.push(task);
    }
    list.tasks = tasks;
    Ok(list)
}

fn task(plan: &ImportPlan, taken: &Taken) -> TaskRecord {
    let metric = match taken.kind {
        TaskKind::Classification => "macro-f1",
        TaskKind::Segmentation => "dice",
        TaskKind::Detection => "map50",
    };
    TaskRecord {
        name: plan.task.clone(),
        dataset: plan.name.clone(),
        kind: taken.kind,
        field: field_of(taken.kind).to_string(),
        classes: taken.classes.clone(),
        role: plan.role,
        modality: plan.modality.clone(),
        metric: metric.to_string(),
        note: String::new(),
    }
}

fn info(plan: &ImportPlan, taken: &Taken) -> DatasetInfo {
    DatasetInfo {
        name: plan.name.clone(),
        modality: plan.modality.clone(),
        body: plan.body.clone(),
        labels: taken.labels(),
        groups: plan.grouping.to_string(),
        licence: plan.licence.clone(),
        attribution: plan.attribution.clone(),
        removed_twins: 0,
        counts: taken.counts(),
    }
}

/// A task as text, so that those which are there already keep theirs.
fn raw(task: &TaskRecord) -> Result<Box<RawValue>, ImportError> {
    serde_json::to_string_pretty(task)
        .and_then(RawValue::from_string)
        .map_err(|error| write_error(Path::new("tasks.json"))(error.into()))
}

fn write_records(path: &Path, taken: &Taken) -> io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    for record in &taken.records {
        serde_json::to_writer(&mut file, record)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ImportError> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from);
    text.and_then(|text| fs::write(path, text + "\n")).map_err(write_error(path))
}

/// Replaces a file at once: nobody ever reads half of it.
fn replace_json(path: &Path, value: &impl Serialize) -> Result<(), ImportError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let replace = || -> io::Result<()> {
        let file = NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&file, value)?;
        file.as_file().write_all(b"\n")?;
        file.as_file().sync_all()?;
        readable_by_all(&file)?;
        file.persist(path)?;
        Ok(())
    };
    replace().map_err(write_error(path))
}

/// A temporary file is its owner's alone; the database is for whoever may read its folder.
#[cfg(unix)]
fn readable_by_all(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &NamedTempFile) -> io::Result<()> {
    Ok(())
}

fn write_error(path: &Path) -> impl Fn(io::Error) -> ImportError {
    move |source| ImportError::Write { path: path.to_path_buf(), source }
}
