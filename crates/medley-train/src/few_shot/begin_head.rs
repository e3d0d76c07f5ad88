//! Where the head of a new task begins: with those classes of the pretrained heads that fit its drawn pictures.
//!
//! A new head on a pretrained decoder need not begin with nothing. What a nucleus looks like is known to the head of
//! another centre's nuclei, and where a box ends to every head of detection.

use burn::tensor::Tensor;
use medley_data::{IGNORE, MixedBatch};
use medley_model::{ClassOf, Features, HeadConfig, HeadKind, HeadStart, LevelOutput, MedleyModel};
use medley_package::{TaskKind, TaskSpec};

use super::foundation::Foundation;
use crate::error::TrainError;
use crate::losses::{DetectionParts, detection_parts, segmentation_loss};
use crate::step::{boxes, images, mask};

/// Answers of a head that looks at nothing: a class has to fit better than the best of these to be taken over.
const BLIND_LOGITS: [f64; 7] = [-6.0, -4.6, -3.0, -1.5, 0.0, 1.5, 3.0];

/// `model`, whose head for `task` begins with the pretrained heads of its kind: for each class that is seen in the
/// batch, the one class of any of them that has the least loss there, unless an answer that looks at nothing has less.
/// In detection the boxes begin with those of the head whose boxes have the least loss. `plain`: drawn pictures,
/// without augmentation. Classification stays as it is: its head is on an embedding that knows the pretrained tasks only.
///
/// # Errors
/// A device that does not answer.
pub(crate) fn begin_head(
    foundation: &Foundation,
    model: MedleyModel,
    task: &TaskSpec,
    plain: &MixedBatch,
) -> Result<MedleyModel, TrainError> {
    let kind = match task.kind {
        TaskKind::Classification => return Ok(model),
        TaskKind::Segmentation => HeadKind::Segmentation,
        TaskKind::Detection => HeadKind::Detection,
    };
    let heads: Vec<&HeadConfig> =
        foundation.heads.iter().filter(|head| head.kind == kind).collect();
    if heads.is_empty() {
        return Ok(model);
    }
    let features = foundation.model.encode(images(plain, &foundation.device))?;
    let classes = task.classes.len();
    let start = match kind {
        HeadKind::Segmentation => of_masks(foundation, &heads, &features, plain, classes)?,
        _ => of_boxes(foundation, &heads, &features, plain, classes)?,
    };
    Ok(model.with_head_start(&task.name, &foundation.model, &start))
}

/// Something with the loss that it would have.
struct Candidate<T> {
    what: T,
    loss: f32,
}

/// The one with the least loss.
fn best<T>(candidates: impl IntoIterator<Item = Candidate<T>>) -> Option<Candidate<T>> {
    candidates.into_iter().min_by(|a, b| a.loss.total_cmp(&b.loss))
}

/// The one with the least loss, unless an answer that looks at nothing has less.
fn better_than<T>(blind: f32, known: Vec<Candidate<T>>) -> Option<T> {
    best(known).filter(|known| known.loss < blind).map(|known| known.what)
}

fn of_masks(
    foundation: &Foundation,
    heads: &[&HeadConfig],
    features: &Features,
    plain: &MixedBatch,
    classes: usize,
) -> Result<HeadStart, TrainError> {
    let pixels = foundation.model.pixel_embedding(features);
    let masks: Vec<&[u8]> =
        plain.parts.iter().flat_map(|part| &part.targets).filter_map(mask).collect();
    let mut start = HeadStart { classes: vec![None; classes], boxes: None };
    for (wanted, place) in start.classes.iter_mut().enumerate().skip(1) {
        let alone: Vec<Vec<u8>> = masks.iter().map(|mask| against_all(mask, wanted)).collect();
        let alone: Vec<&[u8]> = alone.iter().map(Vec::as_slice).collect();
        if alone.iter().all(|mask| !mask.contains(&1)) {
            continue;
        }
        // `distance`: `[batch, 1, height, width]`, of the class from the background.
        let loss = |distance: Tensor<4>| {
            let logits = Tensor::cat(vec![distance.zeros_like(), distance], 1);
            scalar(segmentation_loss(logits, &alone, plain.size))
        };
        let mut known = Vec::new();
        for head in heads {
            let logits = foundation.model.segment(&head.name, pixels.clone())?;
            for class in 1..head.classes {
                let distance = logits.clone().narrow(1, class, 1) - logits.clone().narrow(1, 0, 1);
                let what = ClassOf { head: head.name.clone(), class };
                known.push(Candidate { what, loss: loss(distance)? });
            }
        }
        let blind = blind(|logit| {
            let [batch, _, height, width] = pixels.dims();
            loss(Tensor::full([batch, 1, height, width], logit, &foundation.device))
        })?;
        *place = better_than(blind, known);
    }
    Ok(start)
}

/// 1 where the mask has the class, 0 elsewhere; what is ignored stays so.
fn against_all(mask: &[u8], class: usize) -> Vec<u8> {
    mask.iter()
        .map(|&own| if own == IGNORE { IGNORE } else { u8::from(usize::from(own) == class) })
        .collect()
}

fn of_boxes(
    foundation: &Foundation,
    heads: &[&HeadConfig],
    features: &Features,
    plain: &MixedBatch,
    classes: usize,
) -> Result<HeadStart, TrainError> {
    let towers = foundation.model.detection_towers(features);
    let all: Vec<&[[f32; 5]]> =
        plain.parts.iter().flat_map(|part| &part.targets).filter_map(boxes).collect();
    // Each class alone, as class 0; and all of them as one class, for the boxes.
    let alone: Vec<Vec<Vec<[f32; 5]>>> = (0..classes)
        .map(|class| of_class(&all, |own| own as usize == class))
        .chain([of_class(&all, |_| true)])
        .collect();
    let mut known: Vec<Vec<Candidate<ClassOf>>> = (0..classes).map(|_| Vec::new()).collect();
    let mut known_boxes = Vec::new();
    let mut shape = None;
    for head in heads {
        let levels = foundation.model.detect(&head.name, &towers)?;
        for class in 0..head.classes {
            let levels = only(&levels, class);
            for (known, boxes) in known.iter_mut().zip(&alone) {
                let loss = parts(&levels, boxes)?[0];
                known.push(Candidate { what: ClassOf { head: head.name.clone(), class }, loss });
            }
        }
        let levels = only(&levels, 0);
        let loss = parts(&levels, &alone[classes])?[1];
        known_boxes.push(Candidate { what: head.name.clone(), loss });
        shape = Some(levels);
    }
    let mut start = HeadStart { classes: vec![None; classes], boxes: None };
    let Some(shape) = shape.filter(|_| all.iter().any(|boxes| !boxes.is_empty())) else {
        return Ok(start);
    };
    start.boxes = best(known_boxes).map(|head| head.what);
    for ((place, known), boxes) in start.classes.iter_mut().zip(known).zip(&alone) {
        if boxes.iter().all(Vec::is_empty) {
            continue;
        }
        let blind = blind(|logit| Ok(parts(&constant(&shape, logit), boxes)?[0]))?;
        *place = better_than(blind, known);
    }
    Ok(start)
}

/// The boxes of some classes, all of class 0.
fn of_class(all: &[&[[f32; 5]]], wanted: impl Fn(f32) -> bool) -> Vec<Vec<[f32; 5]>> {
    let of_image = |boxes: &&[[f32; 5]]| {
        let own = boxes.iter().filter(|own| wanted(own[4]));
        own.map(|&[x0, y0, x1, y1, _]| [x0, y0, x1, y1, 0.0]).collect()
    };
    all.iter().map(of_image).collect()
}

/// A head's answers with one of its classes alone.
fn only(levels: &[LevelOutput], class: usize) -> Vec<LevelOutput> {
    let of_level = |level: &LevelOutput| LevelOutput {
        class_logits: level.class_logits.clone().narrow(1, class, 1),
        ..level.clone()
    };
    levels.iter().map(of_level).collect()
}

/// The same with one logit everywhere.
fn constant(levels: &[LevelOutput], logit: f64) -> Vec<LevelOutput> {
    let of_level = |level: &LevelOutput| LevelOutput {
        class_logits: level.class_logits.full_like(logit),
        ..level.clone()
    };
    levels.iter().map(of_level).collect()
}

/// The losses of classes and boxes.
fn parts(levels: &[LevelOutput], boxes: &[Vec<[f32; 5]>]) -> Result<[f32; 2], TrainError> {
    let boxes: Vec<&[[f32; 5]]> = boxes.iter().map(Vec::as_slice).collect();
    let DetectionParts { classes, boxes } = detection_parts(levels, &boxes);
    Ok([scalar(classes)?, scalar(boxes)?])
}

/// The least loss of an answer that is the same everywhere.
fn blind(loss: impl Fn(f64) -> Result<f32, TrainError>) -> Result<f32, TrainError> {
    let losses: Result<Vec<f32>, _> = BLIND_LOGITS.into_iter().map(loss).collect();
    Ok(losses?.into_iter().fold(f32::INFINITY, f32::min))
}

fn scalar(loss: Tensor<1>) -> Result<f32, TrainError> {
    let value = loss.try_into_scalar::<f32>();
    value.map_err(|error| TrainError::Device(format!("{error:?}")))
}
