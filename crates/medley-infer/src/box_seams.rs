//! Boxes of things that no window of a picture shows whole.
//!
//! Neighbouring windows share a strip of the picture. A thing that is wider than the strip is cut off in both, and each
//! proposes its own part. Both parts then cover the strip from one window's edge to the other's, so that they are known
//! for one thing.

use crate::boxes::{Candidate, LEFT_TO_RIGHT, TOP_TO_BOTTOM};

/// How much alike two parts have to be across the strip: intersection over union of their extents.
const ALIKE: f32 = 0.5;

/// The least share of the better part's score that the other has: else anything doubtful beside a seam would spoil the box of
/// what was found for certain.
const AS_SURE: f32 = 0.5;

/// Puts the parts of each thing together, with the best score among them; parts that lie within what has come together may
/// stay. A part ends within `near` of an inner edge of its window, in canvas pixels. Answers whether there were any.
pub(crate) fn join_parts(boxes: &mut Vec<Candidate>, near: f32) -> bool {
    let is_part = |candidate: &Candidate| candidate.gaps.iter().any(|gap| *gap < near);
    let mut parts: Vec<Candidate> = boxes.iter().copied().filter(is_part).collect();
    let before = parts.len();
    parts.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut at = 0;
    while at < parts.len() {
        let fitting = |other| Some((other, joined(&parts[at], &parts[other], near)?));
        match (0..parts.len()).filter(|other| *other != at).find_map(fitting) {
            // The same place once more: at the corner of four windows what fits the two may have fitted neither.
            Some((other, both)) => {
                parts[at] = both;
                parts.remove(other);
                at -= usize::from(other < at);
            }
            None => at += 1,
        }
    }
    if parts.len() == before {
        return false;
    }
    boxes.retain(|candidate| !is_part(candidate));
    boxes.append(&mut parts);
    true
}

/// Two parts as one box, if they are parts of one thing.
fn joined(a: &Candidate, b: &Candidate, near: f32) -> Option<Candidate> {
    if a.class != b.class || a.score.min(b.score) < AS_SURE * a.score.max(b.score) {
        return None;
    }
    let pairs = [LEFT_TO_RIGHT, TOP_TO_BOTTOM].map(|axis| [(axis, a, b), (axis, b, a)]);
    if !pairs.into_iter().flatten().any(|(axis, first, second)| meet(first, second, axis, near)) {
        return None;
    }
    let (mut bbox, mut gaps) = (a.bbox, a.gaps);
    for side in 0..4 {
        let further = if side < 2 { b.bbox[side] < bbox[side] } else { b.bbox[side] > bbox[side] };
        if further {
            // The side is that of the part that reaches further, and so is its distance from the edge.
            (bbox[side], gaps[side]) = (b.bbox[side], b.gaps[side]);
        } else if bbox[side] == b.bbox[side] {
            gaps[side] = gaps[side].max(b.gaps[side]);
        }
    }
    Some(Candidate { bbox, gaps, score: a.score.max(b.score), ..*a })
}

/// Whether `first` may go on behind the end of its window and `second`, which lies further along the axis, before the beginning
/// of its own, so that they share the strip between, and are alike across it.
fn meet(first: &Candidate, second: &Candidate, axis: usize, near: f32) -> bool {
    let (begin, end) = (axis, axis + 2);
    let (a, b) = (first.bbox, second.bbox);
    first.gaps[end] < near
        && second.gaps[begin] < near
        && a[begin] < b[begin]
        && b[begin] < a[end]
        && a[end] < b[end]
        && alike(&a, &b, 1 - axis)
}

fn alike(a: &[f32; 4], b: &[f32; 4], axis: usize) -> bool {
    let shared = a[axis + 2].min(b[axis + 2]) - a[axis].max(b[axis]);
    let both = a[axis + 2].max(b[axis + 2]) - a[axis].min(b[axis]);
    shared > ALIKE * both
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: f32 = 4.0;
    const LEFT: usize = 0;
    const TOP: usize = 1;
    const RIGHT: usize = 2;
    const BOTTOM: usize = 3;

    fn part(bbox: [f32; 4], class: usize, score: f32, edges: &[usize]) -> Candidate {
        let mut gaps = [f32::INFINITY; 4];
        edges.iter().for_each(|&edge| gaps[edge] = 3.0);
        Candidate { bbox, class, score, gaps }
    }

    #[test]
    fn two_parts_that_share_the_strip_become_one_box() {
        let mut boxes = vec![
            part([50.0, 10.0, 104.0, 52.0], 1, 0.7, &[LEFT]),
            part([20.0, 12.0, 64.0, 50.0], 1, 0.6, &[RIGHT]),
        ];
        assert!(join_parts(&mut boxes, NEAR));
        assert_eq!(boxes, [part([20.0, 10.0, 104.0, 52.0], 1, 0.7, &[])]);
    }

    #[test]
    fn four_parts_about_a_corner_become_one_box_and_what_lies_in_it() {
        let mut boxes = vec![
            part([40.0, 40.0, 64.0, 64.0], 0, 0.5, &[RIGHT, BOTTOM]),
            part([48.0, 48.0, 90.0, 80.0], 0, 0.8, &[LEFT, TOP]),
            part([48.0, 40.0, 90.0, 64.0], 0, 0.6, &[LEFT, BOTTOM]),
            part([40.0, 48.0, 64.0, 80.0], 0, 0.4, &[RIGHT, TOP]),
        ];
        assert!(join_parts(&mut boxes, NEAR));
        let whole = part([40.0, 40.0, 90.0, 80.0], 0, 0.8, &[]);
        assert!(boxes.contains(&whole) && boxes.len() <= 2, "{boxes:?}");
    }

    #[test]
    fn a_thing_across_three_windows_becomes_one_box() {
        let mut boxes = vec![
            part([96.0, 0.0, 120.0, 30.0], 0, 0.5, &[LEFT]),
            part([20.0, 0.0, 64.0, 30.0], 0, 0.5, &[RIGHT]),
            part([48.0, 0.0, 112.0, 30.0], 0, 0.5, &[LEFT, RIGHT]),
        ];
        assert!(join_parts(&mut boxes, NEAR));
        assert_eq!(boxes, [part([20.0, 0.0, 120.0, 30.0], 0, 0.5, &[])]);
    }

    #[test]
    fn others_stay_as_they_are() {
        let left = part([20.0, 10.0, 64.0, 50.0], 0, 0.6, &[RIGHT]);
        for other in [
            // Another class.
            part([48.0, 10.0, 90.0, 50.0], 1, 0.6, &[LEFT]),
            // Further down.
            part([48.0, 40.0, 90.0, 80.0], 0, 0.6, &[LEFT]),
            // Whole.
            part([48.0, 10.0, 90.0, 50.0], 0, 0.6, &[]),
            // Cut off by the picture's other seam.
            part([48.0, 10.0, 90.0, 50.0], 0, 0.6, &[BOTTOM]),
            // It begins behind the strip.
            part([70.0, 10.0, 90.0, 50.0], 0, 0.6, &[LEFT]),
            // Far less sure.
            part([48.0, 10.0, 90.0, 50.0], 0, 0.2, &[LEFT]),
        ] {
            let mut boxes = vec![left, other];
            assert!(!join_parts(&mut boxes, NEAR));
            assert_eq!(boxes, [left, other]);
        }
    }
}
