//! The first weights of a run, taken from a package.

use burn::module::Module;
use burn::tensor::Device;
use medley_data::{MixedBatch, SampleTarget};
use medley_infer::read_model;
use medley_model::{MedleyModel, ModelConfig, NormKind};
use medley_package::read_dir;

use crate::config::WarmStartConfig;
use crate::error::TrainError;
use crate::step::images;

/// `fresh`, of the shape `config`, with the package's weights. A task of the same name, kind and number of classes keeps its
/// head, others begin with one drawn by `seed`. Folded batch normalisations become trainable ones that leave the answers
/// on `batch` as they are.
///
/// # Errors
/// A package that cannot be read, one of another shape.
pub(crate) fn warm_start(
    asked: &WarmStartConfig,
    config: &ModelConfig,
    batch: &MixedBatch,
    seed: u64,
    fresh: MedleyModel,
) -> Result<MedleyModel, TrainError> {
    let folder = &asked.package;
    let failed = |reason: String| TrainError::file(folder, format!("warm_start.package {reason}"));
    let package = read_dir(folder).map_err(|error| failed(format!("cannot be read: {error}")))?;
    // On the processor: one pass over one batch, and no device has to compile anything for it.
    let cpu = Device::flex();
    let (model, theirs) = read_model(&package, &cpu)?;
    let shape =
        |config: &ModelConfig, norm| ModelConfig { heads: Vec::new(), norm, ..config.clone() };
    // Folding is no difference: it is undone here.
    let norm = if theirs.norm == NormKind::Folded { NormKind::Batch } else { theirs.norm };
    let (found, expected) = (shape(&theirs, norm), shape(config, config.norm));
    if found != expected {
        let text = |config: &ModelConfig| serde_json::to_string(config).unwrap_or_default();
        return Err(failed(format!(
            "has another shape than this run: expected {}, found {}; take a package of the same variant",
            text(&expected),
            text(&found)
        )));
    }
    let segmented: Vec<_> = batch
        .parts
        .iter()
        .filter(|part| matches!(part.targets.first(), Some(SampleTarget::Mask(_))))
        .map(|part| part.range.clone())
        .collect();
    let (model, _) = model.unfold(&theirs, images(batch, &cpu), &segmented)?;
    let kept: Vec<&str> = config
        .heads
        .iter()
        .filter(|head| theirs.heads.contains(head))
        .map(|head| head.name.as_str())
        .collect();
    cpu.seed(seed);
    let assembled = config.init(&cpu)?.with_weights_of(&model, &kept);
    fresh
        .try_load_record(assembled.into_record())
        .map_err(|error| TrainError::Device(format!("{error:?}")))
}
