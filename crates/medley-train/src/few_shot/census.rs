//! What the training labels of a task show: which classes, and how large its objects are.

use std::collections::BTreeSet;

use medley_data::{Example, Target};

use crate::error::TrainError;

/// Smaller pieces of a mask, in pixels of the picture, are specks of the annotation and no objects.
const LEAST_AREA: usize = 9;

/// What one example's label shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// Its class, or the foreground classes of its mask or boxes.
    pub(crate) classes: BTreeSet<usize>,
    /// The median side of its objects, √area, as a share of the picture's longer side; none where it has no object.
    pub(crate) side: Option<f32>,
}

/// Reads the label of an example; `classes` counts the background of a mask.
///
/// # Errors
/// A mask that cannot be read.
pub(crate) fn shown(example: &Example, classes: usize) -> Result<Shown, TrainError> {
    let longest = example.width.max(example.height).max(1) as f32;
    Ok(match &example.target {
        Target::Class(class) => Shown { classes: BTreeSet::from([*class]), side: None },
        Target::Boxes(boxes) => Shown {
            classes: boxes.iter().map(|found| found[4] as usize).collect(),
            side: median(
                boxes.iter().map(|[x0, y0, x1, y1, _]| ((x1 - x0) * (y1 - y0)).sqrt() / longest),
            ),
        },
        Target::Mask(_) => {
            let mask = example.read_mask(classes)?.unwrap_or_default();
            let objects = objects(&mask, example.width as usize, classes);
            Shown {
                classes: objects.iter().map(|object| object.0).collect(),
                side: median(
                    objects
                        .iter()
                        .filter(|object| object.1 >= LEAST_AREA)
                        .map(|object| (object.1 as f32).sqrt() / longest),
                ),
            }
        }
    })
}

/// The middle value, the upper one of two; none of none.
pub(crate) fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Class and area of each connected piece (edges and corners) of each foreground class.
fn objects(mask: &[u8], width: usize, classes: usize) -> Vec<(usize, usize)> {
    let height = mask.len() / width.max(1);
    let mut seen = vec![false; mask.len()];
    let mut found = Vec::new();
    let mut open = Vec::new();
    for start in 0..mask.len() {
        let class = mask[start];
        if class == 0 || usize::from(class) >= classes || seen[start] {
            continue;
        }
        seen[start] = true;
        open.push(start);
        let mut area = 0;
        while let Some(at) = open.pop() {
            area += 1;
            let (x, y) = (at % width, at / width);
            for ny in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let next = ny * width + nx;
                    if mask[next] == class && !seen[next] {
                        seen[next] = true;
                        open.push(next);
                    }
                }
            }
        }
        found.push((usize::from(class), area));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_touch_at_corners_and_not_across_classes_or_the_edge_of_a_row() {
        #[rustfmt::skip]
        let mask = [
            1, 0, 0, 0, 2,
            0, 1, 0, 0, 1,
            1, 0, 0, 255, 2,
        ];
        assert_eq!(objects(&mask, 5, 3), [(1, 3), (2, 1), (1, 1), (2, 1)]);
    }

    #[test]
    fn the_median_side_of_a_pictures_objects_is_a_share_of_its_longer_side() {
        let example = Example {
            id: String::new(),
            image: "a.png".into(),
            group: String::new(),
            width: 100,
            height: 200,
            target: Target::Boxes(vec![
                [10.0, 10.0, 20.0, 50.0, 1.0],
                [0.0, 0.0, 2.0, 2.0, 1.0],
                [0.0, 0.0, 99.0, 99.0, 1.0],
            ]),
            place: medley_data::RecordPlace { file: "r".into(), line: 1 },
        };
        let found = shown(&example, 2).unwrap();
        assert_eq!((found.classes, found.side), (BTreeSet::from([1]), Some(0.1)));
    }
}
