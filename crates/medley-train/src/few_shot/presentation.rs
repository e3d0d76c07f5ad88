//! How a task that nobody described is shown to the encoder.

use medley_package::{MAX_LONG_SIDE, Presentation};

use super::census::median;

/// Objects of a smaller median side (of the pictures' medians), in pixels of the input, are cut into tiles.
const SMALL: f32 = 12.0;

/// The median side that tiles are scaled for, in pixels of the input.
const WANTED: f32 = 16.0;

/// No picture is enlarged beyond so many times its own size.
const ENLARGEMENT: u32 = 2;

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
    let Some(median) = median(sides) else {
        return whole;
    };
    if median <= 0.0 || median * size as f32 >= SMALL {
        return whole;
    }
    let most = (ENLARGEMENT * shortest).min(MOST_TILES * size).min(MAX_LONG_SIDE);
    let long_side = ((WANTED / median).round() as u32).min(most);
    if long_side <= size {
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

    #[test]
    fn large_objects_and_no_objects_are_shown_whole() {
        let whole = Presentation::Whole { size: 160 };
        assert_eq!(shown(160, &[], 500), whole);
        // 12 of 160 pixels.
        assert_eq!(shown(160, &[0.01, 0.075, 0.3], 500), whole);
    }

    #[test]
    fn small_objects_come_to_about_16_pixels() {
        let tiles = |long_side| Presentation::Tiles { size: 160, long_side, overlap: 32 };
        assert_eq!(shown(160, &[0.05, 0.01, 0.9], 500), tiles(320));
        assert_eq!(shown(160, &[0.02], 2000), tiles(800));
    }

    #[test]
    fn pictures_are_not_enlarged_more_than_twice_nor_cut_into_very_many_tiles() {
        let tiles = |long_side| Presentation::Tiles { size: 160, long_side, overlap: 32 };
        assert_eq!(shown(160, &[0.02], 200), tiles(400));
        assert_eq!(shown(160, &[0.001], 9000), tiles(8 * 160));
        // Twice the picture is less than the input: nothing to be gained.
        assert_eq!(shown(160, &[0.02], 60), Presentation::Whole { size: 160 });
    }
}
