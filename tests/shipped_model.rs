//! The models in `www/models`, where they are there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::fs;

use burn::tensor::Device;
use medley_infer::Medley;
use medley_package::{MANIFEST_FILE, MAX_SHARD_BYTES, Manifest, NOTICE, read_dir};
use medley_tests::checkout;
use pollster::block_on;

/// The pretraining tasks of the database.
const TASKS: usize = 16;

#[test]
fn the_shipped_model_is_whole_small_and_answers_its_self_test() {
    let Some(manifest) = shipped("medley-nano") else { return };
    assert_eq!(manifest.shards.len(), 1);
    assert!(manifest.length < MAX_SHARD_BYTES, "{} bytes", manifest.length);
}

#[test]
fn the_larger_model_comes_in_shards_and_answers_its_self_test() {
    let Some(manifest) = shipped("medley-tiny") else { return };
    assert!(manifest.shards.len() > 1, "{} bytes in one file", manifest.length);
    assert!(manifest.shards.iter().all(|shard| shard.length <= MAX_SHARD_BYTES));
}

/// The manifest of a model in `www/models`, once all that is said of both was found true; none where it is not there.
fn shipped(name: &str) -> Option<Manifest> {
    let folder = checkout().join("www/models").join(name);
    if !folder.join(MANIFEST_FILE).is_file() {
        eprintln!("SKIPPED {name}: none at {}", folder.display());
        return None;
    }
    let manifest = Manifest::from_json(&fs::read(folder.join(MANIFEST_FILE)).unwrap()).unwrap();
    let package = read_dir(&folder).unwrap();
    let metadata = &package.metadata;
    assert_eq!(metadata.name, name);
    assert_eq!(metadata.tasks.len(), TASKS);
    assert_eq!(metadata.notice, NOTICE);
    assert!(!metadata.provenance.datasets.is_empty(), "no data sets are named");
    for task in &metadata.tasks {
        let measured = metadata.quality.iter().any(|q| q.task == task.name && q.split == "test");
        assert!(measured, "no test figure of {}", task.name);
    }
    let medley = block_on(Medley::load(package, &Device::flex())).unwrap();
    let report = block_on(medley.self_test()).unwrap();
    assert!(report.passed, "{report:?}");
    Some(manifest)
}
