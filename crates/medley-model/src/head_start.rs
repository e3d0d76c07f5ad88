//! Where a new head of a pretrained model begins: with classes that other heads have learned.

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Slice, Tensor};

use crate::heads::Head;
use crate::model::MedleyModel;

/// A class of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassOf {
    /// The head's name.
    pub head: String,
    /// The class, from 0.
    pub class: usize,
}

/// What a new head takes over from others of its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadStart {
    /// For each class of the new head the class that it begins with; none begins as it was drawn. In segmentation class 0 is the
    /// background, which is taken over by no class and with every other (see [`MedleyModel::with_head_start`]).
    pub classes: Vec<Option<ClassOf>>,
    /// In detection, the head whose distances, centerness and scales it begins with.
    pub boxes: Option<String>,
}

impl MedleyModel {
    /// This model, whose head `name` begins as `start` says with classes of the heads of `other`, which has the same decoders.
    ///
    /// Classes of segmentation compete with their head's background, so they are taken over as their distance from it, and the
    /// new head's background becomes zero: a head of one class and the background answers as the one that it was taken from.
    /// What `other` does not have, or has of another kind, stays as it is.
    pub fn with_head_start(mut self, name: &str, other: &Self, start: &HeadStart) -> Self {
        let Some(own) = self.find_mut(name) else { return self };
        for (class, from) in start.classes.iter().enumerate() {
            let Some(ClassOf { head, class: theirs }) = from else { continue };
            match (&mut *own, other.find(head)) {
                (Head::Segmentation(own), Some(Head::Segmentation(head))) => {
                    let background = Row::of(head, 0);
                    Row::of(head, *theirs).minus(background).put(own, class);
                    Row::zero(own).put(own, 0);
                }
                (Head::Detection(own), Some(Head::Detection(head))) => {
                    Row::of(&head.class, *theirs).put(&mut own.class, class);
                }
                _ => {}
            }
        }
        let boxes = start.boxes.as_deref().and_then(|head| other.find(head));
        if let (Head::Detection(own), Some(Head::Detection(head))) = (own, boxes) {
            own.distance = head.distance.clone();
            own.centerness = head.centerness.clone();
            own.scale = head.scale.clone();
        }
        self
    }
}

/// What a convolution computes one of its channels with.
struct Row {
    /// `[1, channels in, height, width]`
    kernel: Tensor<4>,
    /// `[1]`
    bias: Tensor<1>,
}

impl Row {
    fn of(conv: &Conv2d, channel: usize) -> Self {
        let kernel = conv.weight.val().narrow(0, channel, 1);
        let bias = match &conv.bias {
            Some(bias) => bias.val().narrow(0, channel, 1),
            None => Tensor::zeros([1], &kernel.device()),
        };
        Self { kernel, bias }
    }

    /// Of the convolution's shape.
    fn zero(conv: &Conv2d) -> Self {
        let [_, channels, height, width] = conv.weight.dims();
        let device: Device = conv.weight.val().device();
        Self {
            kernel: Tensor::zeros([1, channels, height, width], &device),
            bias: Tensor::zeros([1], &device),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self { kernel: self.kernel - other.kernel, bias: self.bias - other.bias }
    }

    fn put(self, conv: &mut Conv2d, channel: usize) {
        let [_, channels, height, width] = conv.weight.dims();
        let place = [channel..channel + 1, 0..channels, 0..height, 0..width];
        let put = |weight: Tensor<4>| weight.slice_assign(place, self.kernel);
        conv.weight = conv.weight.clone().map(put);
        conv.bias = conv.bias.take().map(|bias: Param<Tensor<1>>| {
            let place = Slice::from(channel..channel + 1);
            bias.map(|bias| bias.slice_assign(place, self.bias))
        });
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Tolerance};

    use super::*;
    use crate::heads::{HeadConfig, HeadKind};
    use crate::model::ModelConfig;

    fn head(name: &str, kind: HeadKind, classes: usize) -> HeadConfig {
        HeadConfig { name: name.into(), kind, classes }
    }

    fn class_of(head: &str, class: usize) -> Option<ClassOf> {
        Some(ClassOf { head: head.into(), class })
    }

    /// A model with an old and a new head of a kind, and maps for its decoders.
    fn models(kind: HeadKind) -> (MedleyModel, MedleyModel, crate::model::Features) {
        let device = Device::flex();
        device.seed(3);
        let old = ModelConfig::micro(vec![head("old", kind, 3)]).init(&device).unwrap();
        let new = ModelConfig::micro(vec![head("new", kind, 3)]).init(&device).unwrap();
        let new = new.with_weights_of(&old, &[]);
        let images = Tensor::random([2, 3, 64, 64], Distribution::Uniform(0.0, 1.0), &device);
        let features = old.encode(images).unwrap();
        (old, new, features)
    }

    #[test]
    fn a_segmentation_head_answers_by_the_distance_from_the_background_that_it_was_taken_from() {
        let (old, new, features) = models(HeadKind::Segmentation);
        let pixels = old.pixel_embedding(&features);
        let before = new.segment("new", pixels.clone()).unwrap();
        let classes = vec![None, class_of("old", 2), None];
        let start = HeadStart { classes, boxes: None };
        let after =
            new.with_head_start("new", &old, &start).segment("new", pixels.clone()).unwrap();
        let theirs = old.segment("old", pixels).unwrap();
        let channel = |map: &Tensor<4>, class: usize| map.clone().narrow(1, class, 1).into_data();
        let distance = theirs.clone().narrow(1, 2, 1) - theirs.narrow(1, 0, 1);
        let close = Tolerance::<f32>::absolute(1e-5);
        channel(&after, 1).assert_approx_eq(&distance.into_data(), close);
        assert_eq!(channel(&after, 2), channel(&before, 2));
        assert!(channel(&after, 0).iter::<f32>().all(|value| value == 0.0));
    }

    #[test]
    fn a_detection_head_takes_classes_from_one_head_and_boxes_from_another() {
        let (old, new, features) = models(HeadKind::Detection);
        let towers = old.detection_towers(&features);
        let before = new.detect("new", &towers).unwrap();
        let start = HeadStart {
            classes: vec![None, class_of("old", 0), class_of("absent", 0)],
            boxes: Some("old".into()),
        };
        let after = new.with_head_start("new", &old, &start).detect("new", &towers).unwrap();
        let theirs = old.detect("old", &towers).unwrap();
        for ((after, before), theirs) in after.iter().zip(&before).zip(&theirs) {
            let class = |map: &Tensor<4>, class: usize| map.clone().narrow(1, class, 1).into_data();
            assert_eq!(class(&after.class_logits, 1), class(&theirs.class_logits, 0));
            for kept in [0, 2] {
                assert_eq!(class(&after.class_logits, kept), class(&before.class_logits, kept));
            }
            assert_eq!(after.distances.to_data(), theirs.distances.to_data());
            assert_eq!(after.centerness.to_data(), theirs.centerness.to_data());
        }
    }

    #[test]
    fn a_head_of_another_kind_gives_nothing() {
        let (old, new, features) = models(HeadKind::Segmentation);
        let other = ModelConfig::micro(vec![head("old", HeadKind::Detection, 3)]);
        let other = other.init(&Device::flex()).unwrap();
        let pixels = old.pixel_embedding(&features);
        let before = new.segment("new", pixels.clone()).unwrap().into_data();
        let start =
            HeadStart { classes: vec![None, class_of("old", 1)], boxes: Some("old".into()) };
        let after = new.with_head_start("new", &other, &start).segment("new", pixels).unwrap();
        assert_eq!(after.into_data(), before);
    }
}
