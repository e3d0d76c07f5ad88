//! The project's own task database, where it is at hand: `MEDLEY_DATA`, else `../../../shared/data`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::path::PathBuf;
use std::time::Instant;

use medley_data::{DataError, Database, Loader, LoaderPlan, RecordFault, Role, Split};
use medley_package::{Presentation, TaskKind};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("MEDLEY_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let there = folder.join("tasks.json").is_file();
    if !there {
        eprintln!("SKIPPED: no task database at {}; set MEDLEY_DATA", folder.display());
    }
    there.then_some(folder)
}

#[test]
fn every_task_of_the_real_database_can_be_read_and_every_shared_group_is_named() {
    let Some(folder) = folder() else { return };
    let database = Database::open(folder).unwrap();
    let cleaned = database.clone().without_shared_groups();
    for task in database.tasks() {
        let shared = database.shared_groups(&task.dataset).unwrap();
        for split in [Split::Train, Split::Test] {
            let examples = cleaned.examples(&task.name, split).unwrap();
            assert!(!examples.is_empty(), "{} has no {split} examples", task.name);
            match database.examples(&task.name, split) {
                Ok(all) => assert_eq!((all.len(), shared.len()), (examples.len(), 0)),
                Err(DataError::Record { fault: RecordFault::GroupInTwoSplits { .. }, .. }) => {
                    assert!(!shared.is_empty());
                    eprintln!("{}: groups in several splits: {shared:?}", task.dataset);
                }
                Err(error) => panic!("{}: {error}", task.name),
            }
        }
    }
}

#[test]
fn batches_of_all_pretraining_tasks_come_quickly() {
    let Some(folder) = folder() else { return };
    let database = Database::open(folder).unwrap().without_shared_groups();
    let presentation = Presentation::Whole { size: 160 };
    let tasks: Vec<_> = database
        .tasks()
        .iter()
        .filter(|task| task.role == Role::Pretrain)
        .map(|task| {
            let per_batch = if task.kind == TaskKind::Classification { 4 } else { 2 };
            let mut plan =
                database.plan(&task.name, Split::Train, presentation, per_batch).unwrap();
            // A few images, so that the second half of the steps finds them in memory.
            plan.examples.truncate(8);
            plan
        })
        .collect();
    assert_eq!(tasks.len(), 16);
    let mut loader = Loader::start(LoaderPlan::mixed(tasks, 160, 0)).unwrap();
    for (name, steps) in [("first epoch", 4), ("from memory", 40)] {
        let start = Instant::now();
        let images: usize = (0..steps)
            .map(|_| {
                let batch = loader.next().unwrap();
                assert_eq!(batch.pixels.len(), batch.n * 3 * 160 * 160);
                assert!(batch.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
                batch.n
            })
            .sum();
        let rate = images as f64 / start.elapsed().as_secs_f64();
        eprintln!("{name}: {rate:.0} images/s of 160x160 with one thread");
    }
}
