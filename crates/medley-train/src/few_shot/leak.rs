//! Which tasks may be learned few-shot: none whose labels pretraining has seen.

use medley_data::Database;

use super::foundation::Foundation;
use crate::error::TrainError;

/// Refuses a task whose labels the model was pretrained on. Answers a remark where pretraining has seen the data
/// set's pictures, but with labels of another kind.
///
/// Labels are those of a field of a data set: a model knows them if it has the task itself, or any task on the
/// same field of the same data set. Where its package names a data set but none of its tasks is in this database,
/// nobody knows which field it was, and the data set is refused altogether.
///
/// # Errors
/// [`TrainError::Leak`], and a task that the database does not have.
pub(crate) fn refuse_leak(
    foundation: &Foundation,
    database: &Database,
    task: &str,
) -> Result<Option<String>, TrainError> {
    let record = database.task(task)?;
    let leak = |reason: String| Err(TrainError::Leak { task: task.to_owned(), reason });
    if foundation.tasks.iter().any(|name| name == task) {
        return leak("the model was pretrained on this task".into());
    }
    let known: Vec<_> = foundation
        .tasks
        .iter()
        .filter_map(|name| database.tasks().iter().find(|known| known.name == *name))
        .filter(|known| known.dataset == record.dataset)
        .collect();
    if let Some(same) = known.iter().find(|known| known.field == record.field) {
        return leak(format!(
            "the model was pretrained on “{}”, which reads the same field {:?} of the data set {}",
            same.name, record.field, record.dataset
        ));
    }
    let named = foundation.datasets.contains(&record.dataset);
    if named && known.is_empty() {
        return leak(format!(
            "the model was pretrained on the data set {}, on labels that this database does not name",
            record.dataset
        ));
    }
    let seen: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
    Ok((!seen.is_empty()).then(|| {
        format!(
            "{task}: pretraining has seen the pictures of {} with other labels ({}); say so beside its figures",
            record.dataset,
            seen.join(", ")
        )
    }))
}
