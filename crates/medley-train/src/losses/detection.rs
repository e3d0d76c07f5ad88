//! The loss of detection: focal, overlap of boxes, centerness.
//!
//! Tian et al., *FCOS* (2019); Lin et al., *Focal loss* (2017); Rezatofighi et al., *Generalized
//! intersection over union* (2019).

use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{Tensor, TensorData};
use medley_model::LevelOutput;

use super::assign::{LevelShape, assign};

/// Weight of an object against the background in the focal loss (its paper's α).
const OBJECT_WEIGHT: f64 = 0.25;

/// Factor on the centerness' part.
const CENTERNESS_WEIGHT: f64 = 0.2;

/// Area in square pixels below which a division would not be safe.
const EPSILON: f64 = 1e-3;

/// Focal loss for each object, plus 1 − GIoU weighted by centerness, plus 0.2 · binary
/// cross-entropy of the centerness.
///
/// `boxes`: `[x0, y0, x1, y1, class]` of each image, in pixels of the input.
pub fn detection_loss(levels: &[LevelOutput], boxes: &[&[[f32; 5]]]) -> Tensor<1> {
    let DetectionParts { classes, boxes } = detection_parts(levels, boxes);
    classes + boxes
}

/// The loss of detection in two.
#[derive(Debug)]
pub(crate) struct DetectionParts {
    /// Of what is found.
    pub(crate) classes: Tensor<1>,
    /// Of where it is: overlap and centerness.
    pub(crate) boxes: Tensor<1>,
}

/// The parts that [`detection_loss`] adds up.
pub(crate) fn detection_parts(levels: &[LevelOutput], boxes: &[&[[f32; 5]]]) -> DetectionParts {
    let shapes: Vec<LevelShape> = levels
        .iter()
        .map(|level| {
            let [_, _, height, width] = level.centerness.dims();
            LevelShape { stride: level.stride, height, width }
        })
        .collect();
    let logits = flatten(levels.iter().map(|level| level.class_logits.clone()));
    let distances = flatten(levels.iter().map(|level| level.distances.clone()));
    let centerness = flatten(levels.iter().map(|level| level.centerness.clone()));
    let device = logits.device();
    let [batch, classes, locations] = logits.dims();

    let mut class_target = vec![0f32; batch * classes * locations];
    let mut distance_target = vec![1f32; batch * 4 * locations];
    let mut centerness_target = vec![0f32; batch * locations];
    let mut positive = vec![0f32; batch * locations];
    for (image, boxes) in boxes.iter().enumerate() {
        let assignment = assign(boxes, &shapes);
        for (place, class) in assignment.classes.iter().enumerate() {
            let Some(class) = class else { continue };
            class_target[(image * classes + class) * locations + place] = 1.0;
            for (side, &distance) in assignment.distances[place].iter().enumerate() {
                distance_target[(image * 4 + side) * locations + place] = distance;
            }
            centerness_target[image * locations + place] = assignment.centerness[place];
            positive[image * locations + place] = 1.0;
        }
    }
    let objects = f64::from(positive.iter().sum::<f32>()).max(1.0);
    let weight_sum = f64::from(centerness_target.iter().sum::<f32>()).max(EPSILON);
    let tensor = |values: Vec<f32>, channels: usize| {
        Tensor::<3>::from_data(TensorData::new(values, [batch, channels, locations]), &device)
    };
    let class_target = tensor(class_target, classes);
    let distance_target = tensor(distance_target, 4);
    let centerness_target = tensor(centerness_target, 1);
    let positive = tensor(positive, 1);

    let probability = sigmoid(logits.clone());
    let miss = -probability.clone() + 1.0;
    let on_object =
        miss.clone() * miss * log_sigmoid(logits.clone()) * class_target.clone() * OBJECT_WEIGHT;
    let on_background = probability.clone()
        * probability
        * log_sigmoid(-logits)
        * (-class_target + 1.0)
        * (1.0 - OBJECT_WEIGHT);
    let focal = (on_object + on_background).sum() * (-1.0 / objects);

    let overlap = (-generalized_iou(distances, distance_target) + 1.0) * centerness_target.clone();
    let overlap = overlap.sum() * (1.0 / weight_sum);

    let entropy = log_sigmoid(centerness.clone()) * centerness_target.clone()
        + log_sigmoid(-centerness) * (-centerness_target + 1.0);
    let entropy = (entropy * positive).sum() * (-CENTERNESS_WEIGHT / objects);
    DetectionParts { classes: focal, boxes: overlap + entropy }
}

/// Levels one after the other: `[batch, channels, locations]`.
fn flatten(maps: impl Iterator<Item = Tensor<4>>) -> Tensor<3> {
    let maps = maps
        .map(|map| {
            let [batch, channels, height, width] = map.dims();
            map.reshape([batch, channels, height * width])
        })
        .collect();
    Tensor::cat(maps, 2)
}

/// Of two boxes around one location, given by distances `[batch, 4, locations]`; in −1..1.
fn generalized_iou(one: Tensor<3>, other: Tensor<3>) -> Tensor<3> {
    let side = |boxes: &Tensor<3>, index: usize| boxes.clone().narrow(1, index, 1);
    let extent = |boxes: &Tensor<3>, axis: usize| side(boxes, axis) + side(boxes, axis + 2);
    let smaller = one.clone().min_pair(other.clone());
    let larger = one.clone().max_pair(other.clone());
    let area = |boxes: &Tensor<3>| extent(boxes, 0) * extent(boxes, 1);
    let shared = area(&smaller);
    let union = area(&one) + area(&other) - shared.clone() + EPSILON;
    let hull = area(&larger) + EPSILON;
    shared / union.clone() - (hull.clone() - union) / hull
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn level(logit: f32, distances: [f32; 4]) -> LevelOutput {
        let device = Device::flex();
        let mut class_logits = Tensor::<4>::full([1, 1, 3, 3], -12.0, &device);
        class_logits = class_logits
            .slice_assign([0..1, 0..1, 1..2, 1..2], Tensor::full([1, 1, 1, 1], logit, &device));
        let distances =
            Tensor::<1>::from_floats(distances, &device).reshape([1, 4, 1, 1]).expand([1, 4, 3, 3]);
        LevelOutput {
            class_logits,
            distances,
            centerness: Tensor::full([1, 1, 3, 3], 12.0, &device),
            stride: 8,
        }
    }

    // The centre of the middle location is (12, 12); at most that location lies inside.
    const BOX: [f32; 5] = [8.5, 8.5, 15.5, 15.5, 0.0];

    #[test]
    fn the_right_box_costs_nothing() {
        let loss = detection_loss(&[level(12.0, [3.5; 4])], &[&[BOX]]).into_scalar::<f32>();
        // EPSILON in the areas.
        assert!(loss < 1e-3, "{loss}");
    }

    #[test]
    fn a_missed_object_and_a_wrong_box_cost() {
        let missed = detection_loss(&[level(-12.0, [3.5; 4])], &[&[BOX]]).into_scalar::<f32>();
        let wrong = detection_loss(&[level(12.0, [30.0; 4])], &[&[BOX]]).into_scalar::<f32>();
        assert!(missed > 1.0, "{missed}");
        assert!(wrong > 0.9, "{wrong}");
    }

    #[test]
    fn a_picture_without_boxes_has_a_finite_loss() {
        let loss = detection_loss(&[level(12.0, [3.5; 4])], &[&[]]).into_scalar::<f32>();
        assert!(loss.is_finite() && loss > 1.0, "{loss}");
    }
}
