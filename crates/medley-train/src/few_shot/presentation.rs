//! How a task that nobody described is shown to the encoder.

use medley_package::{MAX_LONG_SIDE, Presentation};

use super::census::median;

/// The median side (of the pictures' medians) that tiles are scaled for, in pixels of the input, as far as the pictures have
/// the pixels. Larger objects are shown whole.
const WANTED: f32 = 64.0;

/// The median side up to which pictures are enlarged.
const LEAST: f32 = 16.0;

/// No picture is enlarged beyond so many times its own size.
const ENLARGEMENT: u32 = 2;

/// Tiles are worth their cost, and what they hide of a picture, only where it is larger by this factor than when it is shown whole.
const WORTH: f32 = 1.5;

/// Tiles across the longer side, overlap not counted: what bounds the cost of one picture.
const MOST_TILES: u32 = 8;

/// Pixels that neighbouring tiles share.
const OVERLAP: u32 = 32;

/// Whole pictures, unless the objects would be too small to be seen.
///
/// - `size`: side of the input, in pixels
/// - `sides`: of the objects in each drawn training picture the median, as a share of its longer side. Every picture counts
///   the same, as in the measures: one with hundreds of small objects does not decide for all
/// - `shortest`: the least of those pictures' longer sides, in pixels
pub(crate) fn presentation(
    size: u32,
    sides: impl Iterator<Item = f32>,
    shortest: u32,
) -> Presentation {
    let whole = Presentation::Whole { size };
    let Some(median) = median(sides).filter(|median| *median > 0.0) else {
        return whole;
    };
    let side_of = |wanted: f32| (wanted / median).round() as u32;
    let enlarged = side_of(LEAST).min(ENLARGEMENT * shortest);
    let most = shortest.max(enlarged).min(MOST_TILES * size).min(MAX_LONG_SIDE);
    let long_side = side_of(WANTED).min(most);
    if (long_side as f32) < WORTH * size as f32 {
        return whole;
    }
    Presentation::Tiles { size, long_side, overlap: OVERLAP.min(size / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(size: u32, sides: &[f32], shortest: u32) -> Presentation {
        presentation(size, sides.iter().copied(), shortest)
    }

    const fn tiles(long_side: u32) -> Presentation {
        Presentation::Tiles { size: 160, long_side, overlap: 32 }
    }

    #[test]
    fn large_objects_and_no_objects_are_shown_whole() {
        let whole = Presentation::Whole { size: 160 };
        assert_eq!(shown(160, &[], 500), whole);
        assert_eq!(shown(160, &[0.0], 500), whole);
        // 64 pixels at 1.4 times the input; the median of the pictures decides.
        assert_eq!(shown(160, &[0.01, 0.29, 0.3], 500), whole);
    }

    #[test]
    fn objects_come_to_64_pixels_as_far_as_the_pictures_have_them() {
        assert_eq!(shown(160, &[0.2, 0.01, 0.9], 500), tiles(320));
        assert_eq!(shown(160, &[0.1], 500), tiles(500));
        assert_eq!(shown(160, &[0.1], 2000), tiles(640));
        // A picture that is hardly larger than the input.
        assert_eq!(shown(160, &[0.1], 200), Presentation::Whole { size: 160 });
    }

    #[test]
    fn objects_under_16_pixels_are_enlarged_twice_at_most() {
        assert_eq!(shown(160, &[0.04], 300), tiles(400));
        assert_eq!(shown(160, &[0.02], 300), tiles(600));
        assert_eq!(shown(160, &[0.001], 9000), tiles(8 * 160));
        // Twice the picture is less than the input: nothing to be gained.
        assert_eq!(shown(160, &[0.02], 60), Presentation::Whole { size: 160 });
    }
}
