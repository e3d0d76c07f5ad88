//! Embeddings of a task's images, computed once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use medley_data::Example;
use medley_infer::{AnalyzeOptions, Medley};
use medley_package::digest;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::files;

/// Where embeddings are kept between measurements.
pub(crate) struct Cache<'a> {
    pub(crate) folder: &'a Path,
    /// Of the weights.
    pub(crate) digest: &'a str,
}

/// A file of the cache: what it was computed from, and an embedding for each image by its id.
#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    embeddings: BTreeMap<String, Vec<f32>>,
}

/// The embedding of each example as inference computes it, by its id; `medley` has the one task `task`, and its
/// presentation, and `file` begins the name of its file in the cache. None if `progress`, which hears of the images done, answered false.
///
/// # Errors
/// An image that cannot be read, a cache that cannot be written.
pub(crate) fn embeddings(
    medley: &Medley,
    task: &str,
    file: &str,
    examples: &[&Example],
    cache: Option<&Cache<'_>>,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<BTreeMap<String, Vec<f32>>>, TrainError> {
    let place = cache.map(|cache| {
        let key = key(cache.digest, medley, examples);
        (cache.folder.join(format!("{file}-{}.json", &key[..16])), key)
    });
    if let Some((path, key)) = &place
        && let Some(found) = read(path, key)
    {
        return Ok(Some(found));
    }
    let options =
        AnalyzeOptions { tasks: Some(vec![task.to_owned()]), ..AnalyzeOptions::default() };
    let mut found = BTreeMap::new();
    for (done, example) in examples.iter().enumerate() {
        let image = example.read_image()?;
        let analysis = pollster::block_on(medley.analyze(&image, &options))?;
        found.insert(example.id.clone(), analysis.embedding);
        if !progress(done + 1) {
            return Ok(None);
        }
    }
    if let Some((path, key)) = place {
        let kept = Kept { key, embeddings: found };
        write(&path, &kept)?;
        return Ok(Some(kept.embeddings));
    }
    Ok(Some(found))
}

/// Weights, presentation, and every image file with its size and time of change.
fn key(weights: &str, medley: &Medley, examples: &[&Example]) -> String {
    // The word says what an embedding is; another word where that changes.
    let mut text =
        format!("descriptor {weights} {:?}", medley.tasks().first().map(|task| task.presentation));
    for example in examples {
        let about = fs::metadata(&example.image).ok();
        let changed = about
            .as_ref()
            .and_then(|about| about.modified().ok())
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        text += &format!(
            "\n{} {} {:?} {:?}",
            example.id,
            example.image.display(),
            about.map(|about| about.len()),
            changed
        );
    }
    digest(text.as_bytes())
}

/// What an earlier measurement kept; none where there is nothing, or nothing that can be used.
fn read(path: &PathBuf, key: &str) -> Option<BTreeMap<String, Vec<f32>>> {
    let kept: Kept = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (kept.key == key).then_some(kept.embeddings)
}

fn write(path: &Path, kept: &Kept) -> Result<(), TrainError> {
    let failed = |error: &dyn std::fmt::Display| TrainError::file(path, error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let text = serde_json::to_vec(kept).map_err(|error| failed(&error))?;
    files::replace(path, &text)
}
