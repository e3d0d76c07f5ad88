//! One batch: from pixels to a loss for each task in it.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use medley_data::{MixedBatch, Part, SampleTarget};
use medley_model::{Features, MedleyModel};
use medley_package::{TaskKind, TaskSpec};

use crate::error::TrainError;
use crate::losses::{Label, cross_entropy, detection_loss, segmentation_loss};

/// The loss of one task of a batch.
#[derive(Debug)]
pub(crate) struct TaskLoss {
    /// The task's place in the run.
    pub task: usize,
    /// The loss, in the graph.
    pub loss: Tensor<1>,
}

impl TaskLoss {
    /// The loss as a number, finite or not.
    ///
    /// # Errors
    /// A device that does not answer.
    pub(crate) fn value(&self) -> Result<f32, TrainError> {
        let value = self.loss.clone().detach().try_into_scalar::<f32>();
        value.map_err(|error| TrainError::Device(format!("{error:?}")))
    }
}

/// The values of a tensor.
///
/// # Errors
/// A device that does not answer.
pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    let data = tensor.try_into_data_as::<f32>();
    let data = data.map_err(|error| TrainError::Device(format!("{error:?}")))?;
    data.try_into_vec::<f32>().map_err(|error| TrainError::Device(format!("{error:?}")))
}

/// The images of a batch, `[n, 3, size, size]`.
pub(crate) fn images(batch: &MixedBatch, device: &Device) -> Tensor<4> {
    on_device(batch, batch.pixels.clone(), device)
}

/// The same of a batch that gives its pixels away: those of a step on a GPU are some 80 MB, which the host would copy only to
/// throw them away.
pub(crate) fn take_images(batch: &mut MixedBatch, device: &Device) -> Tensor<4> {
    let pixels = std::mem::take(&mut batch.pixels);
    on_device(batch, pixels, device)
}

fn on_device(batch: &MixedBatch, pixels: Vec<f32>, device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(pixels, [batch.n, 3, batch.size, batch.size]), device)
}

/// Runs the shared blocks once over the whole batch and each head over its own part.
///
/// # Errors
/// A head that the model does not have.
pub(crate) fn losses(
    model: &MedleyModel,
    tasks: &[TaskSpec],
    batch: &MixedBatch,
    device: &Device,
) -> Result<Vec<TaskLoss>, TrainError> {
    head_losses(model, tasks, batch, &model.encode(images(batch, device))?)
}

/// The same from features of the whole batch: decoders, heads and losses.
///
/// # Errors
/// A head that the model does not have.
pub(crate) fn head_losses(
    model: &MedleyModel,
    tasks: &[TaskSpec],
    batch: &MixedBatch,
    features: &Features,
) -> Result<Vec<TaskLoss>, TrainError> {
    let of_kind = |kind: TaskKind| -> Vec<&Part> {
        batch.parts.iter().filter(|part| tasks[part.task].kind == kind).collect()
    };

    let mut losses = Vec::with_capacity(batch.parts.len());
    for part in of_kind(TaskKind::Classification) {
        let embedding = features.embedding.clone().slice([part.range.clone()]);
        let logits = model.classify(&tasks[part.task].name, embedding)?;
        let labels: Vec<Label> = part.targets.iter().filter_map(label).collect();
        losses.push(TaskLoss { task: part.task, loss: cross_entropy(logits, &labels) });
    }

    let parts = of_kind(TaskKind::Segmentation);
    if !parts.is_empty() {
        let (features, ranges) = gather(features, &parts);
        let pixels = model.pixel_embedding(&features);
        for (part, range) in parts.iter().zip(ranges) {
            let pixels = pixels.clone().slice([range]);
            let logits = model.segment(&tasks[part.task].name, pixels)?;
            let masks: Vec<&[u8]> = part.targets.iter().filter_map(mask).collect();
            let loss = segmentation_loss(logits, &masks, batch.size);
            losses.push(TaskLoss { task: part.task, loss });
        }
    }

    let parts = of_kind(TaskKind::Detection);
    if !parts.is_empty() {
        let (features, ranges) = gather(features, &parts);
        let towers = model.detection_towers(&features);
        for (part, range) in parts.iter().zip(ranges) {
            let towers: Vec<_> = towers.iter().map(|tower| tower.slice(range.clone())).collect();
            let levels = model.detect(&tasks[part.task].name, &towers)?;
            let boxes: Vec<&[[f32; 5]]> = part.targets.iter().filter_map(boxes).collect();
            losses.push(TaskLoss { task: part.task, loss: detection_loss(&levels, &boxes) });
        }
    }
    losses.sort_by_key(|loss| loss.task);
    Ok(losses)
}

/// The features of some parts only, so that a decoder runs once over what needs it, and each
/// part's place among them.
fn gather(features: &Features, parts: &[&Part]) -> (Features, Vec<Range<usize>>) {
    let mut first = 0;
    let ranges = parts
        .iter()
        .map(|part| {
            let range = first..first + part.range.len();
            first = range.end;
            range
        })
        .collect();
    // Neighbours in one piece: the gradient of each piece is as large as the whole batch.
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for part in parts {
        match pieces.last_mut() {
            Some(last) if last.end == part.range.start => last.end = part.range.end,
            _ => pieces.push(part.range.clone()),
        }
    }
    let mut pieces: Vec<Features> = pieces.into_iter().map(|range| features.slice(range)).collect();
    match pieces.pop() {
        Some(only) if pieces.is_empty() => (only, ranges),
        last => (Features::cat(pieces.into_iter().chain(last).collect()), ranges),
    }
}

fn label(target: &SampleTarget) -> Option<Label> {
    match *target {
        SampleTarget::Class(class) => Some(class.into()),
        SampleTarget::Mixture { own, other, share } => Some(Label { class: own, other, share }),
        _ => None,
    }
}

pub(crate) fn mask(target: &SampleTarget) -> Option<&[u8]> {
    match target {
        SampleTarget::Mask(mask) => Some(mask),
        _ => None,
    }
}

pub(crate) fn boxes(target: &SampleTarget) -> Option<&[[f32; 5]]> {
    match target {
        SampleTarget::Boxes(boxes) => Some(boxes),
        _ => None,
    }
}
