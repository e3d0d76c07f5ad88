//! From the outputs of a detection head to boxes on the source picture.
//!
//! Tian et al., *FCOS* (2019): every location proposes one box per class; non-maximum suppression
//! per class keeps the best of those that overlap. Windows are put together before it, and the parts of what no window
//! shows whole after it.

use medley_package::Presentation;

use crate::box_seams::join_parts;
use crate::classes::sigmoid;
use crate::geometry::Placement;

/// Boxes of a class that overlap a better one by more than this (intersection over union) go.
/// On the validation splits 0.4 to 0.6 are equal in average precision (docs/results.md).
const NMS_IOU: f32 = 0.5;

/// A box cut off by an inner edge of a window goes when this share of it lies in a box that a
/// window shows whole.
const CUT_SHARE: f32 = 0.6;

/// Candidates per window that enter the suppression, as in the paper (there per level). It bounds
/// the time, which grows with the square.
const MAX_CANDIDATES: usize = 1000;

/// Most boxes in an answer.
const MAX_BOXES: usize = 300;

/// A box whose side is shorter than this many source pixels is no box.
const MIN_SIDE: f32 = 1e-3;

/// How near to an inner edge of a window a box counts as cut off by it, in canvas pixels.
const EDGE: f32 = 1.0;

/// How near to an inner edge of a window what a box shows may go on behind it, in canvas pixels, but at most a quarter of what windows
/// have in common: parts of one thing then share half of that. It is more than [`EDGE`], because a network that sees half of
/// a thing puts its side some pixels short of where the window ends.
const NEAR: f32 = 8.0;

/// One level of the pyramid: where its locations lie in the flattened outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    pub stride: usize,
    pub width: usize,
    pub height: usize,
}

/// A box with its class and score; coordinates of the source picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub bbox: [f32; 4],
    pub class: usize,
    pub score: f32,
    /// How far left, top, right and bottom lie from the inner edges of its window, in canvas pixels; infinite where the
    /// window ends with the picture.
    pub gaps: [f32; 4],
}

/// The axes, as the places of their beginning in a box and in [`Candidate::gaps`]; the end stands two further.
pub(crate) const LEFT_TO_RIGHT: usize = 0;
pub(crate) const TOP_TO_BOTTOM: usize = 1;

impl Candidate {
    /// Whether an inner edge of its window cuts it off.
    fn is_cut(&self) -> bool {
        self.gaps.iter().any(|gap| *gap < EDGE)
    }
}

/// Collects the windows of one picture.
#[derive(Debug)]
pub(crate) struct BoxCanvas {
    classes: usize,
    threshold: f32,
    /// How near to an inner edge a part of a thing may end, in canvas pixels.
    near: f32,
    found: Vec<Candidate>,
}

impl BoxCanvas {
    /// Boxes with a score above `threshold` are kept. `presentation`: what the windows come from.
    pub(crate) fn new(classes: usize, threshold: f32, presentation: &Presentation) -> Self {
        let shared = match *presentation {
            Presentation::Whole { .. } => 0,
            Presentation::Tiles { overlap, .. } => overlap,
        };
        Self { classes, threshold, near: NEAR.min(shared as f32 / 4.0), found: Vec::new() }
    }

    /// Adds a window. `values`: `[classes + 5, locations]`, the locations of all levels one after
    /// another: class logits, then distances to left, top, right, bottom in canvas pixels, then
    /// the centerness logit.
    pub(crate) fn add(&mut self, placement: &Placement, values: &[f32], levels: &[Level]) {
        let locations: usize = levels.iter().map(|l| l.width * l.height).sum();
        let value = |channel: usize, at: usize| values[channel * locations + at];
        let visible = placement.visible().map(|v| v as f32);
        let mut found = Vec::new();
        let mut at = 0;
        for level in levels {
            for cell in 0..level.width * level.height {
                let x = ((cell % level.width) as f32 + 0.5) * level.stride as f32;
                let y = ((cell / level.width) as f32 + 0.5) * level.stride as f32;
                let here = at + cell;
                // Nothing is there to be found where the picture is not.
                if x < visible[0] || x > visible[2] || y < visible[1] || y > visible[3] {
                    continue;
                }
                let centre = sigmoid(value(self.classes + 4, here));
                for class in 0..self.classes {
                    let score = (sigmoid(value(class, here)) * centre).sqrt();
                    if score <= self.threshold {
                        continue;
                    }
                    let side = |i: usize| value(self.classes + i, here);
                    let canvas = [x - side(0), y - side(1), x + side(2), y + side(3)];
                    found.extend(place(placement, visible, canvas, class, score));
                }
            }
            at += level.width * level.height;
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(MAX_CANDIDATES);
        self.found.extend(found);
    }

    /// The boxes that stay, best first, at most [`MAX_BOXES`].
    pub(crate) fn finish(self) -> Vec<Candidate> {
        let mut kept = suppress(self.found);
        if join_parts(&mut kept, self.near) {
            // What is whole now covers further parts of it.
            kept = suppress(kept);
        }
        kept.sort_by(|a, b| b.score.total_cmp(&a.score));
        kept.truncate(MAX_BOXES);
        kept
    }
}

/// The best of those that cover each other.
fn suppress(mut waiting: Vec<Candidate>) -> Vec<Candidate> {
    // Whole boxes first: the part of a thing that one window shows must not beat the whole of
    // it in the next. The sort is stable, so equal scores keep the order of the locations.
    waiting.sort_by(|a, b| a.is_cut().cmp(&b.is_cut()).then(b.score.total_cmp(&a.score)));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in waiting {
        if !kept.iter().any(|other| other.class == candidate.class && covers(other, &candidate)) {
            kept.push(candidate);
        }
    }
    kept
}

fn place(
    placement: &Placement,
    visible: [f32; 4],
    canvas: [f32; 4],
    class: usize,
    score: f32,
) -> Option<Candidate> {
    let clipped = [
        canvas[0].clamp(visible[0], visible[2]),
        canvas[1].clamp(visible[1], visible[3]),
        canvas[2].clamp(visible[0], visible[2]),
        canvas[3].clamp(visible[1], visible[3]),
    ];
    let size = placement.size as f32;
    let (ox, oy) = placement.offset;
    let more_right = ox + i64::from(placement.size) < i64::from(placement.scaled.0);
    let more_below = oy + i64::from(placement.size) < i64::from(placement.scaled.1);
    let gap = |is_inner: bool, gap: f32| if is_inner { gap } else { f32::INFINITY };
    let gaps = [
        gap(ox > 0, clipped[0]),
        gap(oy > 0, clipped[1]),
        gap(more_right, size - clipped[2]),
        gap(more_below, size - clipped[3]),
    ];
    let bbox = placement.to_source_box(clipped);
    // Comparisons with NaN are false: a broken box is dropped too.
    (bbox[2] - bbox[0] >= MIN_SIDE && bbox[3] - bbox[1] >= MIN_SIDE).then_some(Candidate {
        bbox,
        class,
        score,
        gaps,
    })
}

fn covers(kept: &Candidate, candidate: &Candidate) -> bool {
    let shared = intersection(&kept.bbox, &candidate.bbox);
    let (a, b) = (area(&kept.bbox), area(&candidate.bbox));
    shared / (a + b - shared) > NMS_IOU || (candidate.is_cut() && shared / b > CUT_SHARE)
}

fn area(b: &[f32; 4]) -> f32 {
    (b[2] - b[0]) * (b[3] - b[1])
}

fn intersection(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let w = a[2].min(b[2]) - a[0].max(b[0]);
    let h = a[3].min(b[3]) - a[1].max(b[1]);
    w.max(0.0) * h.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::placements;

    const SIZE: u32 = 64;
    const WAY: Presentation = Presentation::Tiles { size: SIZE, long_side: 112, overlap: 16 };
    const LEVELS: [Level; 2] =
        [Level { stride: 8, width: 8, height: 8 }, Level { stride: 16, width: 4, height: 4 }];
    const LOCATIONS: usize = 8 * 8 + 4 * 4;

    /// What a head says that sees these boxes of the canvas (class, box): every location whose
    /// centre lies in a box proposes it.
    fn outputs(classes: usize, boxes: &[(usize, [f32; 4])]) -> Vec<f32> {
        let mut values = vec![-20.0; (classes + 5) * LOCATIONS];
        let mut at = 0;
        for level in LEVELS {
            for cell in 0..level.width * level.height {
                let x = ((cell % level.width) as f32 + 0.5) * level.stride as f32;
                let y = ((cell / level.width) as f32 + 0.5) * level.stride as f32;
                for (class, b) in boxes {
                    if x > b[0] && x < b[2] && y > b[1] && y < b[3] {
                        let mut set = |c: usize, v: f32| values[c * LOCATIONS + at + cell] = v;
                        set(*class, 3.0);
                        set(classes, x - b[0]);
                        set(classes + 1, y - b[1]);
                        set(classes + 2, b[2] - x);
                        set(classes + 3, b[3] - y);
                        set(classes + 4, 3.0);
                    }
                }
            }
            at += level.width * level.height;
        }
        values
    }

    fn near(a: [f32; 4], b: [f32; 4]) -> bool {
        // Coordinates below 1000 through one scaling there and back.
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.01)
    }

    #[test]
    fn one_box_per_thing_in_source_pixels() {
        let p = placements(128, 96, &Presentation::Whole { size: SIZE })[0];
        let mut canvas = BoxCanvas::new(2, 0.3, &WAY);
        let seen = [(0, [4.0, 4.0, 30.0, 28.0]), (1, [34.0, 10.0, 60.0, 46.0])];
        canvas.add(&p, &outputs(2, &seen), &LEVELS);
        let found = canvas.finish();
        assert_eq!(found.len(), 2);
        let of = |class| found.iter().find(|c| c.class == class).unwrap();
        assert!(near(of(0).bbox, [8.0, 8.0, 60.0, 56.0]));
        assert!(near(of(1).bbox, [68.0, 20.0, 120.0, 92.0]));
        // sqrt(sigmoid(3)²) = sigmoid(3)
        assert!((of(0).score - 0.952_574).abs() < 1e-5);
    }

    #[test]
    fn the_threshold_and_the_padding_keep_boxes_out() {
        // The picture is 64 x 32 on the canvas; the box lies below it.
        let p = placements(128, 64, &Presentation::Whole { size: SIZE })[0];
        let values = outputs(1, &[(0, [4.0, 36.0, 60.0, 60.0])]);
        let mut canvas = BoxCanvas::new(1, 0.3, &WAY);
        canvas.add(&p, &values, &LEVELS);
        assert!(canvas.finish().is_empty());
        let values = outputs(1, &[(0, [4.0, 4.0, 60.0, 30.0])]);
        let mut canvas = BoxCanvas::new(1, 0.96, &WAY);
        canvas.add(&p, &values, &LEVELS);
        assert!(canvas.finish().is_empty());
    }

    #[test]
    fn a_thing_that_two_windows_show_is_found_once() {
        let all = placements(112, 64, &WAY);
        assert_eq!(all.len(), 2);
        // It crosses the left window's right edge (x = 64); the right one shows it whole.
        let thing = [50.0, 10.0, 90.0, 50.0];
        let mut canvas = BoxCanvas::new(1, 0.3, &WAY);
        for p in &all {
            let mut b = p.to_canvas_box(thing);
            b = [b[0].max(0.0), b[1], b[2].min(64.0), b[3]];
            canvas.add(p, &outputs(1, &[(0, b)]), &LEVELS);
        }
        let found = canvas.finish();
        assert_eq!(found.len(), 1);
        assert!(near(found[0].bbox, thing), "{:?}", found[0]);
    }

    #[test]
    fn a_thing_that_no_window_shows_whole_is_found_once_and_whole() {
        let all = placements(112, 64, &WAY);
        // From x = 48 to 64 both windows show it.
        let thing = [30.0, 10.0, 90.0, 50.0];
        // A network may end its part short of the window's edge, by a quarter of what windows share.
        for (short, boxes) in [(0.0, 1), (3.0, 1), (5.0, 2)] {
            let mut canvas = BoxCanvas::new(1, 0.3, &WAY);
            for p in &all {
                let b = p.to_canvas_box(thing);
                let seen = [b[0].max(short), b[1], b[2].min(64.0 - short), b[3]];
                canvas.add(p, &outputs(1, &[(0, seen)]), &LEVELS);
            }
            let found = canvas.finish();
            assert_eq!(found.len(), boxes, "{short}: {found:?}");
            if boxes == 1 {
                assert!(near(found[0].bbox, thing), "{short}: {:?}", found[0]);
            }
        }
    }

    #[test]
    fn classes_do_not_suppress_each_other_and_the_answer_is_bounded() {
        let b = |i: usize, class, score| Candidate {
            bbox: [i as f32 * 10.0, 0.0, i as f32 * 10.0 + 8.0, 8.0],
            class,
            score,
            gaps: [f32::INFINITY; 4],
        };
        let mut canvas = BoxCanvas::new(2, 0.0, &WAY);
        canvas.found = vec![b(0, 0, 0.5), b(0, 1, 0.4), b(0, 0, 0.6)];
        let scores: Vec<f32> = canvas.finish().iter().map(|c| c.score).collect();
        assert_eq!(scores, [0.6, 0.4]);
        let mut canvas = BoxCanvas::new(1, 0.0, &WAY);
        canvas.found = (0..500).map(|i| b(i, 0, i as f32 / 500.0)).collect();
        let found = canvas.finish();
        assert_eq!(found.len(), MAX_BOXES);
        assert!(found.windows(2).all(|w| w[0].score >= w[1].score));
    }

    #[test]
    fn broken_numbers_make_no_boxes() {
        let p = placements(64, 64, &Presentation::Whole { size: SIZE })[0];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut canvas = BoxCanvas::new(1, 0.0, &WAY);
            canvas.add(&p, &vec![bad; 6 * LOCATIONS], &LEVELS);
            for c in canvas.finish() {
                assert!(c.bbox.iter().all(|v| (0.0..=64.0).contains(v)), "{c:?}");
            }
        }
    }
}
