//! What the encoder is shown, and what it should answer.

use std::ops::Range;

use medley_infer::{Placement, place_mask, placements, resize, window};
use medley_package::{Presentation, TaskSpec};
use rand_chacha::ChaCha8Rng;

use crate::augment::{draw_map, draw_noise, draw_tone};
use crate::cache::{Picture, read_image, read_mask};
use crate::error::DataError;
use crate::extra::ExtraAugmentation;
use crate::modality::Augmentation;
use crate::records::{Example, Target};
use crate::warp::{Affine, Tone, draw_mask, draw_picture, map_boxes, shown};

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
    /// Of an image into which another was mixed: the numbers of its own class and of the other's, and the share of the
    /// other.
    Mixture {
        /// The image's own class.
        own: usize,
        /// The other image's.
        other: usize,
        /// Weight of the other, 0..=0.5.
        share: f32,
    },
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
        (limits, extra): (&Augmentation, &ExtraAugmentation),
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let size = spec.presentation.size() as usize;
        let source = (example.width, example.height);
        // A stream of its own: what the table's changes draw is the same with extra ones and without.
        let mut of_extra = rng.clone();
        of_extra.set_stream(1);
        let extra = extra.of(spec.kind);
        let (limits, crop) = if is_tile(&spec.presentation) {
            (limits.rescaled(extra.scale), [1.0, 1.0])
        } else {
            (*limits, extra.draw_crop(&mut of_extra))
        };
        let to_canvas = draw_map(&limits, source, &spec.presentation, crop, rng);
        let tone = draw_tone(&limits, picture.channels == 3, rng);
        let to_source = to_canvas.inverse();
        let to_picture = to_source.then(Affine::scale(
            f64::from(picture.width) / f64::from(example.width),
            f64::from(picture.height) / f64::from(example.height),
        ));
        let noise = draw_noise(&limits, rng);
        let mut pixels = draw_picture(picture, to_picture, &tone, size, noise);
        if extra.blur > 0.0 || extra.cutout > 0.0 {
            let inside = shown((picture.width, picture.height), to_picture, size);
            extra.draw(&mut pixels, &inside, size, &mut of_extra);
        }
        Self {
            pixels,
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use medley_infer::IGNORE;
    use medley_package::TaskKind;

    use super::*;
    use crate::modality::Anatomy;
    use crate::order::{Purpose, stream};
    use crate::records::RecordPlace;

    const SOURCE: (u32, u32) = (200, 150);
    const BOX: [u32; 4] = [60, 45, 130, 95];

    /// A dark picture with a bright box, kept at the size that augmentation wants, its mask, and the examples of
    /// a segmentation and a detection task over it.
    fn drawn(presentation: &Presentation) -> (Picture, Vec<u8>, Example, Example) {
        let draw = |(width, height): (u32, u32), inside: u8, outside: u8| -> Vec<u8> {
            let at = |x: u32, y: u32| {
                let (x, y) = (x * SOURCE.0 / width, y * SOURCE.1 / height);
                let within = (BOX[0]..BOX[2]).contains(&x) && (BOX[1]..BOX[3]).contains(&y);
                if within { inside } else { outside }
            };
            (0..height)
                .flat_map(|y| (0..width).map(move |x| (x, y)))
                .map(|(x, y)| at(x, y))
                .collect()
        };
        let (width, height) = crate::augment::kept_size(SOURCE.0, SOURCE.1, presentation);
        let pixels = draw((width, height), 220, 30);
        let example = |target| Example {
            id: String::new(),
            image: PathBuf::new(),
            group: String::new(),
            width: SOURCE.0,
            height: SOURCE.1,
            target,
            place: RecordPlace { file: PathBuf::new(), line: 1 },
        };
        let corners = BOX.map(|v| v as f32);
        (
            Picture { width, height, channels: 1, pixels },
            draw(SOURCE, 1, 0),
            example(Target::Mask(PathBuf::new())),
            example(Target::Boxes(vec![[corners[0], corners[1], corners[2], corners[3], 0.0]])),
        )
    }

    fn spec(kind: TaskKind, presentation: Presentation) -> TaskSpec {
        TaskSpec {
            name: "drawn".to_string(),
            kind,
            classes: vec!["a".to_string(), "b".to_string()],
            multi_label: false,
            modality: "microscopy".to_string(),
            presentation,
        }
    }

    /// The smallest upright box around the pixels for which `inside` holds.
    fn hull(size: usize, inside: impl Fn(usize) -> bool) -> Option<[f32; 4]> {
        let mut hull: Option<[f32; 4]> = None;
        for at in (0..size * size).filter(|at| inside(*at)) {
            let (x, y) = ((at % size) as f32, (at / size) as f32);
            let [x0, y0, x1, y1] = hull.unwrap_or([x, y, x, y]);
            hull = Some([x0.min(x), y0.min(y), x1.max(x + 1.0), y1.max(y + 1.0)]);
        }
        hull
    }

    #[test]
    fn picture_mask_and_boxes_move_together() {
        let none = ExtraAugmentation::default();
        // All of the geometry, and no change of tone, so that the bright box is known by its brightness.
        let limits = Augmentation {
            brightness: 0.0,
            contrast: (1.0, 1.0),
            gamma: (1.0, 1.0),
            colour: 0.0,
            noise: 0.0,
            ..Augmentation::of(Anatomy::Cells, TaskKind::Segmentation)
        };
        for presentation in [
            Presentation::Whole { size: 160 },
            Presentation::Tiles { size: 128, long_side: 180, overlap: 32 },
        ] {
            let size = presentation.size() as usize;
            let (picture, mask, with_mask, with_boxes) = drawn(&presentation);
            let mut compared = 0;
            for draw in 0..300 {
                let rng = || stream(1, Purpose::Augment, 0, draw);
                let masked = Sample::augmented(
                    &with_mask,
                    &spec(TaskKind::Segmentation, presentation),
                    &picture,
                    Some(&mask),
                    (&limits, &none),
                    &mut rng(),
                );
                let boxed = Sample::augmented(
                    &with_boxes,
                    &spec(TaskKind::Detection, presentation),
                    &picture,
                    None,
                    (&limits, &none),
                    &mut rng(),
                );
                assert_eq!(masked.pixels, boxed.pixels);
                let (SampleTarget::Mask(mask), SampleTarget::Boxes(boxes)) =
                    (masked.target, boxed.target)
                else {
                    panic!("the targets are of other kinds");
                };
                // Padding is zero in the picture and "ignore" in the mask; the picture itself is never black.
                // One row of pixels may fall on either side: picture and mask round their own coordinates.
                let padding = (0..size * size)
                    .filter(|at| (masked.pixels[*at] == 0.0) != (mask[*at] == IGNORE))
                    .count();
                assert!(padding <= size, "draw {draw}: {padding} pixels");
                let bright = hull(size, |at| masked.pixels[at] > 0.5);
                let marked = hull(size, |at| mask[at] == 1);
                let (Some(bright), Some(marked)) = (bright, marked) else { continue };
                // A turned box that the canvas cuts has another hull than its cut corners: only whole ones.
                let edge = size as f32 - 1.0;
                if marked[0] < 1.0 || marked[1] < 1.0 || marked[2] > edge || marked[3] > edge {
                    continue;
                }
                compared += 1;
                assert_eq!(boxes.len(), 1, "draw {draw}");
                for side in 0..4 {
                    // The mask is made of whole pixels, half a pixel to each side, and a turned corner is lost
                    // if no pixel's centre lies in it; the picture is blurred over one more.
                    let found = boxes[0][side];
                    assert!(
                        (marked[side] - found).abs() <= 1.5,
                        "draw {draw}: {marked:?} {boxes:?}"
                    );
                    assert!(
                        (bright[side] - found).abs() <= 2.5,
                        "draw {draw}: {bright:?} {boxes:?}"
                    );
                }
            }
            assert!(compared > 100, "{compared} of 300 boxes lay whole on the canvas");
        }
    }

    #[test]
    fn tiles_show_every_part_of_the_picture() {
        let presentation = Presentation::Tiles { size: 64, long_side: 180, overlap: 16 };
        let limits = Augmentation::of(Anatomy::Chest, TaskKind::Segmentation);
        let mut seen = [false; 9];
        for draw in 0..200 {
            let mut rng = stream(1, Purpose::Augment, 0, draw);
            let to_canvas =
                crate::augment::draw_map(&limits, SOURCE, &presentation, [1.0, 1.0], &mut rng);
            let (x, y) = to_canvas.inverse().point(32.0, 32.0);
            let third = |v: f64, side: u32| ((v * 3.0 / f64::from(side)) as usize).min(2);
            seen[third(y, SOURCE.1) * 3 + third(x, SOURCE.0)] = true;
        }
        assert_eq!(seen, [true; 9]);
    }

    #[test]
    fn a_scale_enlarges_and_reduces_what_is_shown_in_tiles_and_nothing_else() {
        let limits = Augmentation::of(Anatomy::Cells, TaskKind::Detection).scaled(0.0);
        // The widths at which the box of 70 pixels is found whole, in the canvas's pixels.
        let widths = |presentation: Presentation, scale: f32| {
            let (picture, _, _, example) = drawn(&presentation);
            let extra = ExtraAugmentation { scale, ..ExtraAugmentation::default() };
            let mut range = [f32::INFINITY, 0.0f32];
            for draw in 0..300 {
                let mut rng = stream(3, Purpose::Augment, 0, draw);
                let spec = spec(TaskKind::Detection, presentation);
                let limits = (&limits, &extra);
                let sample = Sample::augmented(&example, &spec, &picture, None, limits, &mut rng);
                let SampleTarget::Boxes(boxes) = sample.target else { panic!("no boxes") };
                let size = presentation.size() as f32;
                for [x0, y0, x1, y1, _] in boxes {
                    if x0 > 0.0 && y0 > 0.0 && x1 < size && y1 < size {
                        // A quarter turn makes the width the height: 70 by 50.
                        let width = (x1 - x0).max(y1 - y0);
                        range = [range[0].min(width), range[1].max(width)];
                    }
                }
            }
            range
        };
        let tiles = Presentation::Tiles { size: 192, long_side: 200, overlap: 32 };
        let near = |found: [f32; 2], from: f32, to: f32| {
            assert!((found[0] - from).abs() < 1.5 && (found[1] - to).abs() < 1.5, "{found:?}");
        };
        near(widths(tiles, 1.0), 70.0, 70.0);
        near(widths(tiles, 1.6), 70.0 / 1.6, 70.0 * 1.6);
        near(widths(Presentation::Whole { size: 200 }, 1.6), 70.0, 70.0);
    }

    #[test]
    fn grey_stays_grey_and_padding_stays_black() {
        let presentation = Presentation::Whole { size: 96 };
        let limits = Augmentation::of(Anatomy::Cells, TaskKind::Classification);
        let (picture, mask, example, _) = drawn(&presentation);
        for draw in 0..20 {
            let mut rng = stream(2, Purpose::Augment, 0, draw);
            let spec = spec(TaskKind::Segmentation, presentation);
            let extra = ExtraAugmentation { blur: 2.0, ..ExtraAugmentation::default() };
            let limits = (&limits, &extra);
            let sample =
                Sample::augmented(&example, &spec, &picture, Some(&mask), limits, &mut rng);
            let plane = 96 * 96;
            assert_eq!(sample.pixels[..plane], sample.pixels[plane..2 * plane]);
            assert_eq!(sample.pixels[..plane], sample.pixels[2 * plane..]);
            let SampleTarget::Mask(mask) = sample.target else { panic!("no mask") };
            let lit = (0..plane).filter(|at| mask[*at] == IGNORE && sample.pixels[*at] > 0.0);
            // As above: one row of pixels at the edge may fall on either side.
            assert!(lit.count() <= 96, "draw {draw}");
        }
    }
}
