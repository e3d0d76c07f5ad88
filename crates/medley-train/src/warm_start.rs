//! The first weights of a run, taken from a package.

use burn::module::Module;
use burn::tensor::Device;
use medley_data::{MixedBatch, SampleTarget};
use medley_model::{MedleyModel, ModelConfig, NormKind};

use crate::config::WarmStartConfig;
use crate::error::TrainError;
use crate::packaged::packaged_model;
use crate::step::images;

/// `fresh`, of the shape `config`, with the package's weights. A task of the same name, kind and number of classes keeps its
/// head, others begin with one drawn by `seed`. Folded batch normalisations become trainable ones that leave the answers
/// on the run's first batch as they are; `first_batch` makes it where there are any.
///
/// # Errors
/// A package that cannot be read, one of another shape, a batch that cannot be made.
pub(crate) fn warm_start(
    asked: &WarmStartConfig,
    config: &ModelConfig,
    first_batch: impl FnOnce() -> Result<MixedBatch, TrainError>,
    seed: u64,
    fresh: MedleyModel,
) -> Result<MedleyModel, TrainError> {
    // On the processor: one pass over one batch, and no device has to compile anything for it.
    let cpu = Device::flex();
    let key = "warm_start.package";
    let (mut model, theirs) = packaged_model(key, &asked.package, &cpu)?;
    let shape =
        |config: &ModelConfig, norm| ModelConfig { heads: Vec::new(), norm, ..config.clone() };
    // Folding is no difference: it is undone here.
    let norm = if theirs.norm == NormKind::Folded { NormKind::Batch } else { theirs.norm };
    let (found, expected) = (shape(&theirs, norm), shape(config, config.norm));
    if found != expected {
        let text = |config: &ModelConfig| serde_json::to_string(config).unwrap_or_default();
        let reason = format!(
            "{key} has another shape than this run: expected {}, found {}; take a package of the same variant",
            text(&expected),
            text(&found)
        );
        return Err(TrainError::file(&asked.package, reason));
    }
    if theirs.norm == NormKind::Folded {
        let batch = first_batch()?;
        let segmented: Vec<_> = batch
            .parts
            .iter()
            .filter(|part| matches!(part.targets.first(), Some(SampleTarget::Mask(_))))
            .map(|part| part.range.clone())
            .collect();
        (model, _) = model.unfold(&theirs, images(&batch, &cpu), &segmented)?;
    }
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
