//! Learning pixels from strokes of a brush: many examples, few features.

use nalgebra::{DMatrix, DVector};

use crate::error::HeadError;
use crate::estimate::Estimate;
use crate::ridge::{Fitted, STRENGTHS, Solution, WITHOUT_CHOICE, best};
use crate::scaling::Scaling;
use crate::temperature::temperature;
use crate::weights::{Weights, check_rows};

/// Held-out answers come from so many parts at most; strokes beyond that share one.
const MOST_PARTS: usize = 12;

/// Pixels that one stroke may give; of a longer one, so many are taken evenly. A stroke's neighbouring pixels say much the same.
const MOST_PIXELS: usize = 512;

/// What a person marked in one go.
#[derive(Debug, Clone)]
pub struct Stroke {
    /// The class that was marked.
    pub class: usize,
    /// The features of each pixel under the brush.
    pub rows: Vec<Vec<f32>>,
}

/// Learns to tell `classes` apart by the features of pixels.
///
/// Strokes are held out whole, as the pixels of one are much alike; a stroke that is the only one of its class takes
/// no part in the estimate, whose unit is the stroke: it counts by the share of its pixels that are right.
///
/// # Errors
/// Fewer than two classes with a pixel, a class out of range, rows of unequal length or that are not finite.
pub fn fit_strokes(strokes: &[Stroke], classes: usize) -> Result<Fitted, HeadError> {
    let mut rows: Vec<&[f32]> = Vec::new();
    let mut labels = Vec::new();
    let mut owners = Vec::new();
    for (owner, stroke) in strokes.iter().enumerate() {
        let taken = stroke.rows.len().min(MOST_PIXELS);
        for i in 0..taken {
            rows.push(&stroke.rows[i * stroke.rows.len() / taken]);
            labels.push(stroke.class);
            owners.push(owner);
        }
    }
    check_rows(rows.iter().copied())?;
    let weights = Weights::new(&labels, classes)?;
    let scaling = Scaling::of(rows.iter().copied());
    let part_of = parts(strokes, classes);
    let count = part_of.iter().flatten().max().map_or(0, |last| last + 1);

    let width = rows.first().map_or(0, |row| row.len());
    let lines: Vec<DVector<f64>> = rows
        .iter()
        .map(|row| DVector::from_iterator(width + 1, scaling.apply(row).into_iter().chain([1.0])))
        .collect();
    let part = |i: usize| part_of[owners[i]];
    let sums = |wanted: &dyn Fn(usize) -> bool| {
        let mut sums = Sums::new(width, classes);
        for i in (0..lines.len()).filter(|&i| wanted(i)) {
            sums.add(&lines[i], labels[i], weights.of[i]);
        }
        sums
    };
    let held: Vec<Sums> = (0..count).map(|p| sums(&|i| part(i) == Some(p))).collect();
    let mut all = sums(&|i| part(i).is_none());
    held.iter().for_each(|part| all.join(part, 1.0));

    let judged: Vec<usize> = (0..lines.len()).filter(|&i| part(i).is_some()).collect();
    let mut chosen = (f64::INFINITY, WITHOUT_CHOICE, Vec::new());
    if !judged.is_empty() {
        for (place, &strength) in STRENGTHS.iter().enumerate().step_by(2) {
            let mut solutions = Vec::with_capacity(count);
            for held in &held {
                let mut kept = all.clone();
                kept.join(held, -1.0);
                solutions.push(kept.solve(strength)?);
            }
            let scores: Vec<Vec<f64>> = judged
                .iter()
                .map(|&i| scores(&solutions[part(i).unwrap_or(0)], &lines[i]))
                .collect();
            let cost = judged.iter().zip(&scores).map(|(&i, scores)| {
                let wanted = |class: usize| f64::from(u8::from(class == labels[i]));
                let error = scores.iter().enumerate().map(|(class, s)| (wanted(class) - s).powi(2));
                weights.of[i] * error.sum::<f64>()
            });
            let cost = cost.sum();
            if cost < chosen.0 {
                chosen = (cost, place, scores);
            }
        }
    }
    let (_, place, held_scores) = chosen;
    let layer = all.solve(STRENGTHS[place])?;
    let temperature = if judged.is_empty() {
        let learned: Vec<Vec<f64>> = lines.iter().map(|line| scores(&layer, line)).collect();
        temperature(&learned, &labels, &weights.of, &weights.counts)
    } else {
        let own: Vec<usize> = judged.iter().map(|&i| labels[i]).collect();
        let shares: Vec<f64> = judged.iter().map(|&i| weights.of[i]).collect();
        temperature(&held_scores, &own, &shares, &weights.counts)
    };
    let solution = Solution {
        scaling,
        centre: vec![0.0; width],
        weights: layer.rows(0, width).transpose().as_slice().to_vec(),
        bias: layer.row(width).iter().copied().collect(),
    };
    let mut fitted = solution.fold(temperature, weights.counts.clone());

    let mut votes = vec![vec![0usize; classes]; strokes.len()];
    for (&i, scores) in judged.iter().zip(&held_scores) {
        votes[owners[i]][best(scores, &weights.counts)] += 1;
    }
    let mut right = 0.0;
    let mut counted = 0;
    for (votes, stroke) in votes.iter().zip(strokes) {
        let all: usize = votes.iter().sum();
        if all > 0 {
            counted += 1;
            right += votes[stroke.class] as f64 / all as f64;
        }
    }
    fitted.estimate = Estimate::new(right, counted);
    fitted.held_out = votes.iter().map(|votes| leading(votes)).collect();
    Ok(fitted)
}

/// The class of most votes; none without votes, or where two share the lead.
fn leading(votes: &[usize]) -> Option<usize> {
    let most = votes.iter().copied().max().filter(|most| *most > 0)?;
    let mut leaders = (0..votes.len()).filter(|&class| votes[class] == most);
    leaders.next().filter(|_| leaders.next().is_none())
}

/// The part in which each stroke is held out. Strokes are dealt class by class, so that no part holds all of a class.
fn parts(strokes: &[Stroke], classes: usize) -> Vec<Option<usize>> {
    let mut of_class = vec![Vec::new(); classes];
    for (index, stroke) in strokes.iter().enumerate() {
        if let Some(own) = of_class.get_mut(stroke.class).filter(|_| !stroke.rows.is_empty()) {
            own.push(index);
        }
    }
    let mut parts = vec![None; strokes.len()];
    let several: Vec<&Vec<usize>> = of_class.iter().filter(|own| own.len() > 1).collect();
    let total: usize = several.iter().map(|own| own.len()).sum();
    // With two parts or more, dealing in turn never puts two consecutive strokes of a class together.
    let count = total.clamp(1, MOST_PARTS);
    for (next, &stroke) in several.into_iter().flatten().enumerate() {
        parts[stroke] = Some(next % count);
    }
    parts
}

/// Sums over pixels, from which the layer is solved.
#[derive(Clone)]
struct Sums {
    /// `[width + 1, width + 1]`
    gram: DMatrix<f64>,
    /// `[width + 1, classes]`
    targets: DMatrix<f64>,
}

impl Sums {
    fn new(width: usize, classes: usize) -> Self {
        Self {
            gram: DMatrix::zeros(width + 1, width + 1),
            targets: DMatrix::zeros(width + 1, classes),
        }
    }

    fn add(&mut self, line: &DVector<f64>, class: usize, weight: f64) {
        self.gram.syger(weight, line, line, 1.0);
        self.targets.column_mut(class).axpy(weight, line, 1.0);
    }

    fn join(&mut self, other: &Self, factor: f64) {
        self.gram += &other.gram * factor;
        self.targets += &other.targets * factor;
    }

    /// `[width + 1, classes]`; the last row, the bias, is not penalised.
    fn solve(&self, strength: f64) -> Result<DMatrix<f64>, HeadError> {
        let last = self.gram.nrows() - 1;
        // `syger` fills the lower triangle, and Cholesky reads no other.
        let mut gram = self.gram.clone();
        let total: f64 = (0..last).map(|i| gram[(i, i)]).sum();
        // Features that never move would leave the matrix singular.
        let penalty = (strength * total).max(1e-12);
        (0..last).for_each(|i| gram[(i, i)] += penalty);
        let solved = gram.cholesky().map(|factor| factor.solve(&self.targets));
        solved.ok_or(HeadError::Unsolvable { reason: "their equations are singular" })
    }
}

/// `[classes]`
fn scores(layer: &DMatrix<f64>, line: &DVector<f64>) -> Vec<f64> {
    layer.tr_mul(line).iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::drawn;

    /// Strokes of 40 pixels that are nearly the same within a stroke.
    fn strokes(n: usize, signal: f32, seed: u64) -> Vec<Stroke> {
        let (rows, labels) = drawn(n, signal, seed);
        let (noise, _) = drawn(n * 40, 0.0, seed + 50);
        rows.iter()
            .zip(&labels)
            .enumerate()
            .map(|(i, (row, &class))| {
                let near =
                    |own: &Vec<f32>| row.iter().zip(own).map(|(a, b)| a + 0.05 * b).collect();
                Stroke { class, rows: noise[i * 40..][..40].iter().map(near).collect() }
            })
            .collect()
    }

    #[test]
    fn strokes_that_differ_are_told_apart() {
        let fitted = fit_strokes(&strokes(28, 3.0, 1), 3).unwrap();
        let estimate = fitted.estimate.unwrap();
        assert!(estimate.accuracy > 0.9 && estimate.held_out == 28, "{estimate:?}");
        let (rows, labels) = drawn(140, 3.0, 2);
        let right = rows.iter().zip(&labels).filter(|(row, label)| fitted.answer(row) == **label);
        assert!(right.count() > 130);
    }

    #[test]
    fn a_strokes_own_pixels_do_not_vouch_for_it() {
        // Without a signal a stroke's pixels still resemble each other; holding out pixels would look perfect.
        let fitted = fit_strokes(&strokes(28, 0.0, 4), 3).unwrap();
        let estimate = fitted.estimate.unwrap();
        assert!(estimate.accuracy < 0.7, "{estimate:?}");
    }

    #[test]
    fn a_class_with_one_stroke_is_learned_but_not_judged() {
        let mut all = strokes(28, 3.0, 1);
        let rare: Vec<usize> = (0..28).filter(|&i| all[i].class == 1).collect();
        rare[1..].iter().rev().for_each(|&i| drop(all.remove(i)));
        let fitted = fit_strokes(&all, 3).unwrap();
        assert_eq!(fitted.estimate.unwrap().held_out, 24);
        assert_eq!(fitted.held_out[rare[0]], None);
        assert_eq!(fitted.answer(&all[rare[0]].rows[0]), 1);
    }

    #[test]
    fn no_part_holds_all_strokes_of_a_class() {
        for n in [4, 9, 30, 60] {
            let all = strokes(n, 1.0, 1);
            let parts = parts(&all, 3);
            for class in 0..3 {
                let own: Vec<Option<usize>> =
                    (0..n).filter(|&i| all[i].class == class).map(|i| parts[i]).collect();
                assert!(own.len() < 2 || own.iter().any(|part| *part != own[0]), "{n} {class}");
            }
        }
    }

    #[test]
    fn marks_without_pixels_are_no_examples() {
        let mut all = strokes(7, 3.0, 1);
        all.push(Stroke { class: 0, rows: Vec::new() });
        assert!(fit_strokes(&all, 3).is_ok());
        let empty = [Stroke { class: 0, rows: Vec::new() }, Stroke { class: 1, rows: Vec::new() }];
        assert!(matches!(fit_strokes(&empty, 2), Err(HeadError::FewClasses { found: 0 })));
    }
}
