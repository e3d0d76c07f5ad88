//! What the encoder is shown, and what it should answer.

use std::ops::Range;

use medley_infer::{Placement, place_mask, placements, resize, window};
use medley_package::{Presentation, TaskSpec};
use rand_chacha::ChaCha8Rng;

use crate::augment::{draw_map, draw_noise, draw_tone};
use crate::cache::{Picture, read_image, read_mask};
use crate::error::DataError;
use crate::modality::Augmentation;
use crate::records::{Example, Target};
use crate::warp::{Affine, Tone, draw_mask, draw_picture, map_boxes};

/// One image on its canvas.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `[3, size, size]`, RGB, 0..1, zero outside the picture.
    pub pixels: Vec<f32>,
    /// The answer.
    pub target: SampleTarget,
}

/// The answer, in the canvas's pixels.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleTarget {
    /// The number of the class.
    Class(usize),
    /// `[size, size]` class numbers; 255 is "ignore" and padding.
    Mask(Vec<u8>),
    /// `[x0, y0, x1, y1, class]`, inside the canvas.
    Boxes(Vec<[f32; 5]>),
}

/// A batch that holds images of one task or several.
#[derive(Debug, Clone, PartialEq)]
pub struct MixedBatch {
    /// `[n, 3, size, size]`, RGB, 0..1.
    pub pixels: Vec<f32>,
    /// How many images.
    pub n: usize,
    /// Side of each, in pixels.
    pub size: usize,
    /// Which images belong to which task, in the order of the images.
    pub parts: Vec<Part>,
    /// The step that the batch is for, from 0.
    pub step: u64,
}

/// The images of one task in a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The task's place in the plan.
    pub task: usize,
    /// Its images, as places in the batch from 0 to `n`.
    pub range: Range<usize>,
    /// Their answers.
    pub targets: Vec<SampleTarget>,
}

impl Sample {
    /// An example as inference would show it, one sample for each window; read from its files, not from a cache.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] and [`DataError::Record`] for files that are missing or wrong.
    pub fn plain(example: &Example, spec: &TaskSpec) -> Result<Vec<Self>, DataError> {
        let image = read_image(example)?;
        let mask = match &example.target {
            Target::Mask(path) => Some(read_mask(example, path, spec.classes.len())?),
            Target::Class(_) | Target::Boxes(_) => None,
        };
        let windows = placements(example.width, example.height, &spec.presentation);
        let Some(scaled) = windows.first().map(|first| first.scaled) else {
            return Ok(Vec::new());
        };
        let image = resize(&image, scaled.0, scaled.1);
        let show = |placement: &Placement| Self {
            pixels: window(&image, placement),
            target: plain_target(example, spec, mask.as_deref(), placement),
        };
        Ok(windows.iter().map(show).collect())
    }

    /// The same from a kept picture that has the placement's scaled size.
    pub(crate) fn placed(
        example: &Example,
        spec: &TaskSpec,
        picture: &Picture,
        mask: Option<&[u8]>,
        placement: &Placement,
    ) -> Self {
        let tone: Tone = [std::array::from_fn(|byte| byte as f32 / 255.0); 3];
        let map = Affine::shift(placement.offset.0 as f64, placement.offset.1 as f64);
        Self {
            pixels: draw_picture(picture, map, &tone, placement.size as usize, || 0.0),
            target: plain_target(example, spec, mask, placement),
        }
    }

    /// An example as training shows it: moved, turned and toned at random, all of it from `rng`.
    pub(crate) fn augmented(
        example: &Example,
        spec: &TaskSpec,
        picture: &Picture,
        mask: Option<&[u8]>,
        limits: &Augmentation,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let size = spec.presentation.size() as usize;
        let source = (example.width, example.height);
        let to_canvas = draw_map(limits, source, &spec.presentation, rng);
        let tone = draw_tone(limits, picture.channels == 3, rng);
        let to_source = to_canvas.inverse();
        let to_picture = to_source.then(Affine::scale(
            f64::from(picture.width) / f64::from(example.width),
            f64::from(picture.height) / f64::from(example.height),
        ));
        let noise = draw_noise(limits, rng);
        Self {
            pixels: draw_picture(picture, to_picture, &tone, size, noise),
            target: match (&example.target, mask) {
                (Target::Class(class), _) => SampleTarget::Class(*class),
                (Target::Mask(_), mask) => {
                    SampleTarget::Mask(draw_mask(mask.unwrap_or_default(), source, to_source, size))
                }
                (Target::Boxes(boxes), _) => {
                    let tile = is_tile(&spec.presentation);
                    SampleTarget::Boxes(map_boxes(boxes, to_canvas, size as f32, tile))
                }
            },
        }
    }
}

/// An example's answer in one window, without augmentation. A mask has the example's size.
fn plain_target(
    example: &Example,
    spec: &TaskSpec,
    mask: Option<&[u8]>,
    placement: &Placement,
) -> SampleTarget {
    match (&example.target, mask) {
        (Target::Class(class), _) => SampleTarget::Class(*class),
        (Target::Mask(_), mask) => {
            SampleTarget::Mask(place_mask(mask.unwrap_or_default(), placement))
        }
        (Target::Boxes(boxes), _) => {
            let map = Affine::scale(
                f64::from(placement.scaled.0) / f64::from(example.width),
                f64::from(placement.scaled.1) / f64::from(example.height),
            )
            .then(Affine::shift(-placement.offset.0 as f64, -placement.offset.1 as f64));
            let tile = is_tile(&spec.presentation);
            SampleTarget::Boxes(map_boxes(boxes, map, placement.size as f32, tile))
        }
    }
}

fn is_tile(presentation: &Presentation) -> bool {
    matches!(presentation, Presentation::Tiles { .. })
}
