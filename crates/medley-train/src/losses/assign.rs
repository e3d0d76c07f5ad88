//! Which location of the pyramid answers for which box.
//!
//! Tian et al., *FCOS* (2019), §3, with centre sampling. Levels take boxes by their size in
//! strides, half of what the paper sets for pictures five times as large. A box that holds no
//! location gets the nearest one of the finest level, so that small cells are learned too.

/// Locations of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelShape {
    /// Pixels between locations.
    pub stride: usize,
    /// Locations in a column.
    pub height: usize,
    /// Locations in a row.
    pub width: usize,
}

/// Farthest side, in strides, that a location of a level answers for; the coarsest has no limit.
const REACH: f32 = 4.0;

/// Locations within so many strides of a box's centre answer for it.
const CENTRE_RADIUS: f32 = 1.5;

/// Smallest distance to a side that is asked for, in pixels.
const LEAST_DISTANCE: f32 = 0.5;

/// What the locations of one image should answer, levels one after the other, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The class, or none for the background.
    pub classes: Vec<Option<usize>>,
    /// Distances to left, top, right, bottom in pixels; zeros for the background.
    pub distances: Vec<[f32; 4]>,
    /// Centerness in 0..1 (FCOS, equation 3); 0 for the background.
    pub centerness: Vec<f32>,
}

/// Assigns boxes `[x0, y0, x1, y1, class]`, in pixels of the input, to locations. Where several
/// boxes claim one, the smallest has it.
pub fn assign(boxes: &[[f32; 5]], levels: &[LevelShape]) -> Assignment {
    let total: usize = levels.iter().map(|level| level.height * level.width).sum();
    let mut result = Assignment {
        classes: vec![None; total],
        distances: vec![[0.0; 4]; total],
        centerness: vec![0.0; total],
    };
    let mut owner_area = vec![f32::INFINITY; total];
    for target in boxes {
        let mut found = false;
        let mut first = 0;
        for (index, level) in levels.iter().enumerate() {
            let stride = level.stride as f32;
            let least = if index == 0 { 0.0 } else { REACH * stride / 2.0 };
            let most = if index + 1 == levels.len() { f32::INFINITY } else { REACH * stride };
            for row in 0..level.height {
                for column in 0..level.width {
                    let at = [(column as f32 + 0.5) * stride, (row as f32 + 0.5) * stride];
                    let sides = sides(target, at);
                    let farthest = sides.iter().copied().fold(f32::MIN, f32::max);
                    let inside = sides.iter().all(|&side| side > 0.0);
                    let near = (0..2).all(|axis| {
                        let centre = (target[axis] + target[axis + 2]) / 2.0;
                        (at[axis] - centre).abs() <= CENTRE_RADIUS * stride
                    });
                    if inside && near && farthest > least && farthest <= most {
                        found = true;
                        let place = first + row * level.width + column;
                        claim(&mut result, &mut owner_area, place, target, sides);
                    }
                }
            }
            first += level.height * level.width;
        }
        if let (false, Some(finest)) = (found, levels.first()) {
            let stride = finest.stride as f32;
            let cell = |axis: usize, count: usize| {
                let centre = (target[axis] + target[axis + 2]) / 2.0;
                ((centre / stride) as usize).min(count.saturating_sub(1))
            };
            let (column, row) = (cell(0, finest.width), cell(1, finest.height));
            let at = [(column as f32 + 0.5) * stride, (row as f32 + 0.5) * stride];
            let place = row * finest.width + column;
            claim(&mut result, &mut owner_area, place, target, sides(target, at));
        }
    }
    result
}

fn sides(target: &[f32; 5], at: [f32; 2]) -> [f32; 4] {
    [at[0] - target[0], at[1] - target[1], target[2] - at[0], target[3] - at[1]]
}

fn claim(
    result: &mut Assignment,
    owner_area: &mut [f32],
    place: usize,
    target: &[f32; 5],
    sides: [f32; 4],
) {
    let area = (target[2] - target[0]) * (target[3] - target[1]);
    if area >= owner_area[place] {
        return;
    }
    owner_area[place] = area;
    let [left, top, right, bottom] = sides.map(|side| side.max(LEAST_DISTANCE));
    result.classes[place] = Some(target[4] as usize);
    result.distances[place] = [left, top, right, bottom];
    let across = left.min(right) / left.max(right);
    let down = top.min(bottom) / top.max(bottom);
    result.centerness[place] = (across * down).sqrt();
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [LevelShape; 2] = [
        LevelShape { stride: 8, height: 8, width: 8 },
        LevelShape { stride: 16, height: 4, width: 4 },
    ];

    #[test]
    fn a_box_smaller_than_a_stride_still_has_a_location() {
        let found = assign(&[[9.0, 9.0, 11.0, 11.0, 2.0]], &LEVELS);
        let owned: Vec<_> = found.classes.iter().flatten().collect();
        assert_eq!(owned, [&2]);
        assert_eq!(found.classes[9], Some(2));
    }

    #[test]
    fn a_large_box_goes_to_the_coarser_level() {
        let found = assign(&[[0.0, 0.0, 64.0, 64.0, 0.0]], &LEVELS);
        let fine = found.classes[..64].iter().flatten().count();
        let coarse = found.classes[64..].iter().flatten().count();
        // From the nearest location of the fine level a side is 36 pixels away, beyond its 32; of
        // the coarse level all sixteen lie within 24 pixels of the centre.
        assert_eq!((fine, coarse), (0, 16));
    }

    #[test]
    fn the_smaller_of_two_boxes_has_the_location() {
        let found = assign(&[[4.0, 4.0, 36.0, 36.0, 0.0], [14.0, 14.0, 26.0, 26.0, 1.0]], &LEVELS);
        assert_eq!(found.classes[2 * 8 + 2], Some(1));
    }

    #[test]
    fn the_centre_of_a_box_has_centerness_one() {
        let found = assign(&[[2.0, 2.0, 22.0, 22.0, 0.0]], &LEVELS);
        assert_eq!(found.centerness[8 + 1], 1.0);
    }
}
