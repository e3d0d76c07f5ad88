//! Opening the task database.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use medley_data::Database;

use crate::say;

/// `--data`, for the commands that read the task database.
#[derive(clap::Args)]
pub struct DataArgs {
    /// Folder of the task database (with tasks.json)
    #[arg(long, value_name = "DIR", env = "MEDLEY_DATA", default_value = "../shared/data")]
    data: PathBuf,
}

impl DataArgs {
    /// Opens it.
    ///
    /// # Errors
    /// A database that is not there or contradicts itself.
    pub fn open(&self) -> Result<Database> {
        Ok(Database::open(&self.data)?.without_shared_groups())
    }
}

/// Says which groups of the tasks' data sets lie in several splits, and stay in the last alone.
///
/// # Errors
/// A task that the database does not have, records that cannot be read.
pub fn tell_shared_groups(database: &Database, tasks: &[&str]) -> Result<()> {
    let mut sets = BTreeSet::new();
    for task in tasks {
        sets.insert(database.task(task)?.dataset.clone());
    }
    for set in sets {
        let shared = database.shared_groups(&set)?;
        if shared.is_empty() {
            continue;
        }
        let names: Vec<&str> = shared.iter().map(|shared| shared.group.as_str()).collect();
        say::note(format_args!(
            "{set}: groups in several splits are kept in test (else val) and dropped from the others: {}",
            names.join(", ")
        ));
    }
    Ok(())
}
