//! Learning whole images: few examples, many features.

use nalgebra::{DMatrix, DVector};

use crate::error::HeadError;
use crate::estimate::Estimate;
use crate::ridge::{Fitted, STRENGTHS, Solution, WITHOUT_CHOICE, best};
use crate::scaling::Scaling;
use crate::temperature::temperature;
use crate::weights::{Weights, check_rows};

/// Learns to tell `classes` apart by the embeddings of images.
///
/// With A the weighted, centred features and λ the penalty, an example's leverage is
/// `hᵢ = [A(AᵀA+λ)⁻¹Aᵀ]ᵢᵢ + wᵢ`, and the score that it would be given without itself is `yᵢ − (yᵢ−f(xᵢ))/(1−hᵢ)`: exact for
/// a fixed scale of the features. The strength with the least weighted error of those scores is taken, the
/// stronger of two equal ones. The estimate is made of the same scores, so it leans to the good side by as much as the choice
/// among 13 strengths gains. A class with a single image takes no part in it.
///
/// `rows`: one embedding an image; `labels`: the class of each.
///
/// # Errors
/// Fewer than two classes with an example, a class out of range, rows of unequal length or that are not finite.
pub fn fit_images(rows: &[&[f32]], labels: &[usize], classes: usize) -> Result<Fitted, HeadError> {
    check_rows(rows.iter().copied())?;
    let weights = Weights::new(labels, classes)?;
    let problem = Problem::new(rows, labels, &weights)?;

    let judged: Vec<usize> = (0..labels.len()).filter(|&i| weights.counts[labels[i]] > 1).collect();
    let mut chosen = (f64::INFINITY, WITHOUT_CHOICE, Vec::new());
    if !judged.is_empty() {
        for (place, &strength) in STRENGTHS.iter().enumerate() {
            let scores = problem.held_out(strength);
            let cost = judged.iter().map(|&i| weights.of[i] * error(&scores[i], labels[i])).sum();
            if cost < chosen.0 {
                chosen = (cost, place, scores);
            }
        }
    }
    let (_, place, scores) = chosen;
    let solution = problem.solve(STRENGTHS[place]);
    let pick = |of: &[Vec<f64>], which: &[usize]| -> f64 {
        let scores: Vec<Vec<f64>> = which.iter().map(|&i| of[i].clone()).collect();
        let own: Vec<usize> = which.iter().map(|&i| labels[i]).collect();
        let shares: Vec<f64> = which.iter().map(|&i| weights.of[i]).collect();
        temperature(&scores, &own, &shares, &weights.counts)
    };
    let temperature = if judged.is_empty() {
        let all: Vec<usize> = (0..labels.len()).collect();
        pick(&problem.learned(STRENGTHS[place]), &all)
    } else {
        pick(&scores, &judged)
    };

    let mut fitted = solution.fold(temperature, weights.counts.clone());
    fitted.held_out = vec![None; labels.len()];
    for &i in &judged {
        fitted.held_out[i] = Some(best(&scores[i], &weights.counts));
    }
    let right = judged.iter().filter(|&&i| fitted.held_out[i] == Some(labels[i])).count();
    fitted.estimate = Estimate::new(right as f64, judged.len());
    Ok(fitted)
}

/// Squared distance of scores from the class they should say.
fn error(scores: &[f64], label: usize) -> f64 {
    let wanted = |class: usize| f64::from(u8::from(class == label));
    scores.iter().enumerate().map(|(class, score)| (wanted(class) - score).powi(2)).sum()
}

/// The weighted, centred problem in the axes in which every strength is solved at once.
struct Problem {
    scaling: Scaling,
    /// Weighted mean of the scaled features.
    centre: DVector<f64>,
    /// Weighted mean of the targets: each class's share.
    mean: DVector<f64>,
    /// √w of each example.
    roots: Vec<f64>,
    labels: Vec<usize>,
    weights: Vec<f64>,
    /// `[examples, axes]`: A in the axes of its own covariance.
    rotated: DMatrix<f64>,
    /// Squared singular value of each axis.
    spread: Vec<f64>,
    /// `[axes, classes]`: rotatedᵀ · targets.
    moved: DMatrix<f64>,
    /// `[width, axes]`: from the axes back to the features.
    back: DMatrix<f64>,
    /// AᵀA's trace: the total variance.
    total: f64,
}

impl Problem {
    fn new(rows: &[&[f32]], labels: &[usize], weights: &Weights) -> Result<Self, HeadError> {
        let scaling = Scaling::of(rows.iter().copied());
        let (n, classes) = (rows.len(), weights.counts.len());
        let width = rows.first().map_or(0, |row| row.len());
        let roots: Vec<f64> = weights.of.iter().map(|w| w.sqrt()).collect();
        let mut a =
            DMatrix::from_row_iterator(n, width, rows.iter().flat_map(|r| scaling.apply(r)));
        let centre = a.transpose() * DVector::from_column_slice(&weights.of);
        for (i, mut row) in a.row_iter_mut().enumerate() {
            row -= centre.transpose();
            row *= roots[i];
        }
        let mut mean = DVector::zeros(classes);
        for (&label, w) in labels.iter().zip(&weights.of) {
            mean[label] += w;
        }
        let targets = DMatrix::from_fn(n, classes, |i, class| {
            roots[i] * (f64::from(u8::from(labels[i] == class)) - mean[class])
        });
        // The smaller of AAᵀ and AᵀA; both have the same spread.
        let few = n <= width;
        let gram = if few { &a * a.transpose() } else { a.tr_mul(&a) };
        let total = gram.trace();
        let eigen = gram
            .try_symmetric_eigen(f64::EPSILON, 10_000)
            .ok_or(HeadError::Unsolvable { reason: "their axes were not found" })?;
        // What roundings leave of an axis without spread.
        let least = total * 1e-12;
        let kept: Vec<usize> =
            (0..eigen.eigenvalues.len()).filter(|&k| eigen.eigenvalues[k] > least).collect();
        let spread: Vec<f64> = kept.iter().map(|&k| eigen.eigenvalues[k]).collect();
        let mut axes = eigen.eigenvectors.select_columns(&kept);
        let (rotated, back) = if few {
            let back = {
                let mut back = a.tr_mul(&axes);
                for (mut column, s) in back.column_iter_mut().zip(&spread) {
                    column /= s.sqrt();
                }
                back
            };
            for (mut column, s) in axes.column_iter_mut().zip(&spread) {
                column *= s.sqrt();
            }
            (axes, back)
        } else {
            (&a * &axes, axes)
        };
        let moved = rotated.tr_mul(&targets);
        let (labels, weights) = (labels.to_vec(), weights.of.clone());
        Ok(Self {
            scaling,
            centre,
            mean,
            roots,
            labels,
            weights,
            rotated,
            spread,
            moved,
            back,
            total,
        })
    }

    /// Of each axis: how much of the least-squares solution the penalty leaves.
    fn shrunk(&self, strength: f64) -> DMatrix<f64> {
        let mut moved = self.moved.clone();
        for (mut row, s) in moved.row_iter_mut().zip(&self.spread) {
            row /= s + strength * self.total;
        }
        moved
    }

    /// The scores of each example by all.
    fn learned(&self, strength: f64) -> Vec<Vec<f64>> {
        let scores = &self.rotated * self.shrunk(strength);
        let of = |(i, row): (usize, nalgebra::RowDVector<f64>)| {
            row.iter().zip(self.mean.iter()).map(|(v, mean)| v / self.roots[i] + mean).collect()
        };
        (0..scores.nrows()).map(|i| of((i, scores.row(i).into_owned()))).collect()
    }

    /// The scores that each example would be given without itself.
    fn held_out(&self, strength: f64) -> Vec<Vec<f64>> {
        let mut scores = self.learned(strength);
        for (i, scores) in scores.iter_mut().enumerate() {
            let axes = self.rotated.row(i);
            let leverage: f64 = axes
                .iter()
                .zip(&self.spread)
                .map(|(v, s)| v * v / (s + strength * self.total))
                .sum::<f64>()
                + self.weights[i];
            // Below 1 by the penalty; roundings must not divide by nothing.
            let rest = (1.0 - leverage).max(1e-9);
            for (class, score) in scores.iter_mut().enumerate() {
                let wanted = f64::from(u8::from(self.labels[i] == class));
                *score = wanted - (wanted - *score) / rest;
            }
        }
        scores
    }

    fn solve(&self, strength: f64) -> Solution {
        let weights = &self.back * self.shrunk(strength);
        Solution {
            scaling: self.scaling.clone(),
            centre: self.centre.as_slice().to_vec(),
            weights: weights.transpose().as_slice().to_vec(),
            bias: self.mean.as_slice().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::drawn;

    /// The solution by the normal equations, of `kept`, with the weights and the scale of all.
    fn directly(
        rows: &[&[f32]],
        labels: &[usize],
        weights: &Weights,
        kept: &[usize],
        strength: f64,
        asked: usize,
    ) -> Vec<f64> {
        let scaling = Scaling::of(rows.iter().copied());
        let classes = weights.counts.len();
        let width = rows[0].len();
        // A last feature of 1 carries the bias, and is not penalised.
        let line = |i: usize| {
            let mut row = scaling.apply(rows[i]);
            row.push(1.0);
            DVector::from_vec(row)
        };
        let mut gram = DMatrix::zeros(width + 1, width + 1);
        let mut right = DMatrix::zeros(width + 1, classes);
        for &i in kept {
            let row = line(i);
            gram += weights.of[i] * &row * row.transpose();
            for (j, value) in row.iter().enumerate() {
                right[(j, labels[i])] += weights.of[i] * value;
            }
        }
        for j in 0..width {
            gram[(j, j)] += strength;
        }
        let solution = gram.lu().solve(&right).unwrap();
        (line(asked).transpose() * solution).iter().copied().collect()
    }

    #[test]
    fn held_out_scores_are_those_of_learning_without_the_example() {
        // 12 examples of 20 features, and 40 of them: both ways to the axes.
        for n in [12, 40] {
            let (rows, labels) = drawn(n, 1.0, 7);
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let weights = Weights::new(&labels, 3).unwrap();
            let problem = Problem::new(&rows, &labels, &weights).unwrap();
            for strength in [1e-1, 1e-3] {
                let found = problem.held_out(strength);
                for (asked, found) in found.iter().enumerate() {
                    let kept: Vec<usize> = (0..n).filter(|&i| i != asked).collect();
                    let lambda = strength * problem.total;
                    let expected = directly(&rows, &labels, &weights, &kept, lambda, asked);
                    for (a, b) in found.iter().zip(&expected) {
                        assert!((a - b).abs() < 1e-8, "n {n}, example {asked}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_folded_layer_says_what_the_solution_says() {
        let (rows, labels) = drawn(30, 1.0, 3);
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let weights = Weights::new(&labels, 3).unwrap();
        let problem = Problem::new(&rows, &labels, &weights).unwrap();
        let fitted = problem.solve(1e-2).fold(0.5, weights.counts.clone());
        for (row, scores) in rows.iter().zip(problem.learned(1e-2)) {
            for (class, score) in scores.iter().enumerate() {
                let own = &fitted.weights[class * 20..][..20];
                let logit: f32 =
                    own.iter().zip(*row).map(|(w, v)| w * v).sum::<f32>() + fitted.bias[class];
                assert!((f64::from(logit) - score / 0.5).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn the_estimate_is_near_what_new_examples_get() {
        for (signal, seed) in [(0.0, 1), (0.8, 2), (3.0, 3)] {
            let (rows, labels) = drawn(105, signal, seed);
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let fitted = fit_images(&rows, &labels, 3).unwrap();
            let estimate = fitted.estimate.unwrap();
            let (new, truth) = drawn(2100, signal, seed + 100);
            let right = new.iter().zip(&truth).filter(|(row, label)| fitted.answer(row) == **label);
            let found = right.count() as f64 / 2100.0;
            // A little beyond the interval: new examples have a spread of their own, and the strength was chosen.
            assert!(
                found > estimate.low - 0.05 && found < estimate.high + 0.05,
                "signal {signal}: {found}, estimated {estimate:?}"
            );
            assert_eq!(estimate.held_out, 105);
        }
    }

    #[test]
    fn one_example_of_each_class_is_learned_without_an_estimate() {
        let (rows, labels) = drawn(70, 3.0, 1);
        let picked = [0, 1, 6];
        let few: Vec<&[f32]> = picked.iter().map(|&i| rows[i].as_slice()).collect();
        let own: Vec<usize> = picked.iter().map(|&i| labels[i]).collect();
        let fitted = fit_images(&few, &own, 4).unwrap();
        assert!(fitted.estimate.is_none() && fitted.held_out == [None, None, None]);
        let right = rows.iter().zip(&labels).filter(|(row, label)| fitted.answer(row) == **label);
        assert!(right.count() > 50, "three clusters, three deviations apart");
        // The fourth class has no example.
        let probabilities = fitted.probabilities(&rows[0]);
        assert!(probabilities[3] == 0.0 && probabilities[labels[0]] < 0.9, "{probabilities:?}");
    }

    #[test]
    fn what_cannot_be_learned_is_said() {
        let rows: [&[f32]; 2] = [&[1.0, 2.0], &[2.0, 1.0]];
        assert!(matches!(fit_images(&rows, &[0, 0], 2), Err(HeadError::FewClasses { found: 1 })));
        assert!(matches!(
            fit_images(&rows, &[0, 2], 2),
            Err(HeadError::Class { found: 2, last: 1 })
        ));
        let uneven: [&[f32]; 2] = [&[1.0, 2.0], &[2.0]];
        assert!(matches!(fit_images(&uneven, &[0, 1], 2), Err(HeadError::Width { .. })));
        let broken: [&[f32]; 2] = [&[1.0, 2.0], &[2.0, f32::NAN]];
        assert!(matches!(fit_images(&broken, &[0, 1], 2), Err(HeadError::NotFinite { index: 1 })));
        // Twice the same picture under two names: nothing to tell apart, but no failure.
        let same: [&[f32]; 2] = [&[1.0, 2.0], &[1.0, 2.0]];
        let fitted = fit_images(&same, &[0, 1], 2).unwrap();
        assert!((fitted.probabilities(&[1.0, 2.0])[0] - 0.5).abs() < 1e-6);
    }
}
