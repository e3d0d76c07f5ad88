//! The linear probe: multinomial logistic regression on embeddings, by L-BFGS.
//!
//! Every class weighs the same, however many examples it has. The strength of the L2 penalty is chosen among
//! [`STRENGTHS`] by cross-validation inside the training part: that with the least mean cross-entropy, the stronger
//! of two equal ones.

use argmin::core::{CostFunction, Error, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use medley_head::Scaling;
use rayon::prelude::*;

use super::folds::folds;

/// Penalties on ½‖w‖² beside the mean cross-entropy of standardised features, strongest first.
const STRENGTHS: [f64; 13] =
    [1e2, 3e1, 1e1, 3.0, 1.0, 3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4];

/// Where nothing can be held out: the middle of [`STRENGTHS`].
const MIDDLE: usize = STRENGTHS.len() / 2;

/// Penalties in a row without a gain, after which no weaker one is tried.
const PATIENCE: usize = 2;

/// L-BFGS' history and its most steps; from the solution of the next stronger penalty it takes a few dozen.
const HISTORY: usize = 10;
const MOST_STEPS: u64 = 200;

/// A gradient of this norm is as good as none: the answers no longer change.
const SMALL_GRADIENT: f64 = 1e-5;

/// The training part: one row of features, one class and one group for each example.
#[derive(Clone, Copy)]
pub(crate) struct TrainingPart<'a> {
    pub(crate) rows: &'a [&'a [f32]],
    pub(crate) labels: &'a [usize],
    pub(crate) groups: &'a [&'a str],
    pub(crate) classes: usize,
}

/// A fitted probe.
#[derive(Debug)]
pub(crate) struct Probe {
    scaling: Scaling,
    /// One row of weights and then the bias, for each class.
    weights: Vec<f64>,
    width: usize,
}

impl Probe {
    /// Chooses the penalty and fits. A class without an example is never answered.
    pub(crate) fn fit(part: TrainingPart<'_>, seed: u64) -> Self {
        let chosen = choose(part, seed);
        let all: Vec<usize> = (0..part.labels.len()).collect();
        let problem = Problem::new(part, &all);
        let weights = problem.fit(chosen);
        let width = problem.width;
        Self { scaling: problem.scaling, weights, width }
    }

    /// The most probable class.
    pub(crate) fn answer(&self, row: &[f32]) -> usize {
        let logits = logits(&self.weights, &self.scaling.apply(row), self.width);
        let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(0, |(class, _)| class)
    }
}

/// The place among [`STRENGTHS`]. From strong to weak until the held-out examples say twice in a row that it gets worse:
/// the weakest penalties take the longest.
fn choose(part: TrainingPart<'_>, seed: u64) -> usize {
    let mut folds: Vec<Fold> = folds(part.labels, part.groups, seed)
        .into_iter()
        .map(|held| {
            let kept: Vec<usize> = (0..part.labels.len()).filter(|i| !held.contains(i)).collect();
            let problem = Problem::new(part, &kept);
            let weights = problem.start();
            Fold { held, problem, weights }
        })
        .collect();
    if folds.is_empty() {
        return MIDDLE;
    }
    let (mut best, mut least) = (0, f64::INFINITY);
    for (place, &strength) in STRENGTHS.iter().enumerate() {
        let costs: Vec<f64> = folds.par_iter_mut().map(|fold| fold.cost(part, strength)).collect();
        // In the folds' order, whatever the number of threads.
        let cost: f64 = costs.iter().sum();
        if cost < least {
            (best, least) = (place, cost);
        } else if place >= best + PATIENCE {
            break;
        }
    }
    best
}

/// A part of the examples held out, and the fit on the others so far.
struct Fold {
    held: Vec<usize>,
    problem: Problem,
    weights: Vec<f64>,
}

impl Fold {
    /// Fits, from the solution of the penalty before, and measures the held-out examples.
    fn cost(&mut self, part: TrainingPart<'_>, strength: f64) -> f64 {
        let Self { held, problem, weights } = self;
        *weights = minimum(&Penalised { problem, strength }, std::mem::take(weights));
        held.iter().map(|&example| problem.surprise(weights, part, example)).sum()
    }
}

/// Scaled rows with their weights, ready to be fitted.
struct Problem {
    scaling: Scaling,
    /// `[examples, width]`
    rows: Vec<f64>,
    labels: Vec<usize>,
    /// Of each example; they add up to 1.
    shares: Vec<f64>,
    /// Of each class, so that held-out examples weigh as those within.
    class_weights: Vec<f64>,
    /// Whether a class has an example.
    present: Vec<bool>,
    width: usize,
}

impl Problem {
    fn new(part: TrainingPart<'_>, of: &[usize]) -> Self {
        let scaling = Scaling::of(of.iter().map(|&i| part.rows[i]));
        let rows: Vec<f64> = of.iter().flat_map(|&i| scaling.apply(part.rows[i])).collect();
        let labels: Vec<usize> = of.iter().map(|&i| part.labels[i]).collect();
        let mut counts = vec![0usize; part.classes];
        labels.iter().for_each(|&label| counts[label] += 1);
        let present: Vec<bool> = counts.iter().map(|&count| count > 0).collect();
        let classes = present.iter().filter(|present| **present).count().max(1) as f64;
        let class_weights: Vec<f64> =
            counts.iter().map(|&count| 1.0 / (classes * count.max(1) as f64)).collect();
        let shares = labels.iter().map(|&label| class_weights[label]).collect();
        let width = part.rows.first().map_or(0, |row| row.len());
        Self { scaling, rows, labels, shares, class_weights, present, width }
    }

    /// Zeros, but for the bias of classes without examples, which is out of the softmax' reach.
    fn start(&self) -> Vec<f64> {
        let mut weights = vec![0.0; self.present.len() * (self.width + 1)];
        let rows = weights.chunks_exact_mut(self.width + 1).zip(&self.present);
        for (row, _) in rows.filter(|(_, present)| !**present) {
            row[self.width] = -1e3;
        }
        weights
    }

    /// The weights for the strength at the place `last`, each found from the one before.
    fn fit(&self, last: usize) -> Vec<f64> {
        STRENGTHS[..=last].iter().fold(self.start(), |weights, &strength| {
            minimum(&Penalised { problem: self, strength }, weights)
        })
    }

    /// Weighted cross-entropy of an example that was held out.
    fn surprise(&self, weights: &[f64], part: TrainingPart<'_>, example: usize) -> f64 {
        let label = part.labels[example];
        let mut logits = logits(weights, &self.scaling.apply(part.rows[example]), self.width);
        self.class_weights[label] * cross_entropy(&mut logits, label)
    }
}

#[derive(Clone, Copy)]
struct Penalised<'a> {
    problem: &'a Problem,
    strength: f64,
}

impl Penalised<'_> {
    /// Cost, and the gradient if it is asked for.
    fn evaluate(&self, weights: &[f64], mut gradient: Option<&mut [f64]>) -> f64 {
        let problem = self.problem;
        let width = problem.width;
        let mut cost = 0.0;
        for ((row, &label), share) in
            problem.rows.chunks_exact(width.max(1)).zip(&problem.labels).zip(&problem.shares)
        {
            let mut values = logits(weights, row, width);
            cost += share * cross_entropy(&mut values, label);
            let Some(gradient) = gradient.as_deref_mut() else { continue };
            // `values` are probabilities now.
            for (class, probability) in values.iter().enumerate() {
                let miss = share * (probability - f64::from(u8::from(class == label)));
                let own = &mut gradient[class * (width + 1)..][..width + 1];
                for (sum, value) in own.iter_mut().zip(row) {
                    *sum += miss * value;
                }
                own[width] += miss;
            }
        }
        for (index, weight) in weights.iter().enumerate() {
            if index % (width + 1) < width {
                cost += 0.5 * self.strength * weight * weight;
                if let Some(gradient) = gradient.as_deref_mut() {
                    gradient[index] += self.strength * weight;
                }
            }
        }
        cost
    }
}

impl CostFunction for Penalised<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, weights: &Self::Param) -> Result<f64, Error> {
        Ok(self.evaluate(weights, None))
    }
}

impl Gradient for Penalised<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, weights: &Self::Param) -> Result<Vec<f64>, Error> {
        let mut gradient = vec![0.0; weights.len()];
        self.evaluate(weights, Some(&mut gradient));
        Ok(gradient)
    }
}

/// The least cost, from `start` on. Where the line search gives up, which it does when roundings are all that is
/// left to gain, what was found so far stands.
fn minimum(problem: &Penalised<'_>, start: Vec<f64>) -> Vec<f64> {
    let mut gradient = vec![0.0; start.len()];
    problem.evaluate(&start, Some(&mut gradient));
    if gradient.iter().map(|value| value * value).sum::<f64>().sqrt() < SMALL_GRADIENT {
        return start;
    }
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), HISTORY)
        .with_tolerance_grad(SMALL_GRADIENT)
        .and_then(|solver| solver.with_tolerance_cost(1e-12));
    let found = solver.and_then(|solver| {
        Executor::new(*problem, solver)
            .configure(|state| state.param(start.clone()).max_iters(MOST_STEPS))
            .run()
    });
    match found {
        Ok(mut found) => found.state.take_best_param().unwrap_or(start),
        Err(_) => start,
    }
}

/// One for each class.
fn logits(weights: &[f64], row: &[f64], width: usize) -> Vec<f64> {
    weights.chunks_exact(width + 1).map(|own| dot(&own[..width], row) + own[width]).collect()
}

/// Cross-entropy in nats; turns the logits into probabilities.
fn cross_entropy(logits: &mut [f64], label: usize) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let own = logits[label] - largest;
    let mut sum = 0.0;
    for value in logits.iter_mut() {
        *value = (*value - largest).exp();
        sum += *value;
    }
    logits.iter_mut().for_each(|value| *value /= sum);
    sum.ln() - own
}

/// In eight sums, which a processor adds side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// `n` examples of three classes, the second rare; the first two of 20 features tell them apart by `signal`.
    fn drawn(n: usize, signal: f32, seed: u64) -> (Vec<Vec<f32>>, Vec<usize>, Vec<String>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let labels: Vec<usize> = (0..n).map(|i| [0, 2, 0, 2, 0, 2, 1][i % 7]).collect();
        let rows = labels
            .iter()
            .map(|&label| {
                let mut row: Vec<f32> = (0..20).map(|_| rng.random_range(-1.0..1.0)).collect();
                row[0] += signal * [1.0, -1.0, 0.0][label];
                row[1] += signal * [0.0, 1.0, -1.0][label];
                row
            })
            .collect();
        (rows, labels, (0..n).map(|i| i.to_string()).collect())
    }

    /// A probe and the penalty that was chosen for it.
    fn fitted(rows: &[Vec<f32>], labels: &[usize], names: &[String]) -> (Probe, f64) {
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let groups: Vec<&str> = names.iter().map(String::as_str).collect();
        let part = TrainingPart { rows: &rows, labels, groups: &groups, classes: 3 };
        (Probe::fit(part, 1), STRENGTHS[choose(part, 1)])
    }

    fn hits(probe: &Probe, (rows, labels, _): &(Vec<Vec<f32>>, Vec<usize>, Vec<String>)) -> usize {
        rows.iter().zip(labels).filter(|(row, label)| probe.answer(row) == **label).count()
    }

    #[test]
    fn what_can_be_separated_is_separated() {
        let (rows, labels, names) = drawn(70, 3.0, 1);
        let (probe, strength) = fitted(&rows, &labels, &names);
        assert!(strength <= 0.1, "{strength}");
        // Three clusters, three deviations apart and more.
        assert!(hits(&probe, &drawn(140, 3.0, 2)) >= 138);
    }

    #[test]
    fn noise_is_answered_with_strong_regularisation() {
        for seed in 1..=3 {
            let (rows, labels, names) = drawn(70, 0.0, seed);
            let (_, strength) = fitted(&rows, &labels, &names);
            assert!(strength >= 1.0, "seed {seed}: {strength}");
        }
    }

    #[test]
    fn one_example_a_class_is_fitted_with_the_middle_strength() {
        let (rows, labels, names) = drawn(70, 3.0, 1);
        let pick = [0, 1, 6];
        let of = |i: &usize| (rows[*i].clone(), labels[*i], names[*i].clone());
        let (rows, (labels, names)): (Vec<_>, (Vec<_>, Vec<_>)) =
            pick.iter().map(of).map(|(row, label, name)| (row, (label, name))).unzip();
        let (probe, strength) = fitted(&rows, &labels, &names);
        assert_eq!(strength, 0.1);
        assert!(hits(&probe, &drawn(140, 3.0, 2)) > 100);
    }

    #[test]
    fn a_class_without_examples_is_never_answered() {
        let (rows, labels, names) = drawn(70, 3.0, 1);
        let kept: Vec<usize> = (0..70).filter(|&i| labels[i] != 1).collect();
        let rows: Vec<Vec<f32>> = kept.iter().map(|&i| rows[i].clone()).collect();
        let names: Vec<String> = kept.iter().map(|&i| names[i].clone()).collect();
        let labels: Vec<usize> = kept.iter().map(|&i| labels[i]).collect();
        let (probe, _) = fitted(&rows, &labels, &names);
        let (test, ..) = drawn(140, 3.0, 2);
        assert!(test.iter().all(|row| probe.answer(row) != 1));
    }

    #[test]
    fn the_gradient_is_that_of_the_cost() {
        let (rows, labels, names) = drawn(21, 1.0, 4);
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let groups: Vec<&str> = names.iter().map(String::as_str).collect();
        let part = TrainingPart { rows: &rows, labels: &labels, groups: &groups, classes: 3 };
        let all: Vec<usize> = (0..21).collect();
        let problem = Problem::new(part, &all);
        let cost = Penalised { problem: &problem, strength: 0.3 };
        let weights: Vec<f64> = (0..63).map(|i| (f64::from(i) * 0.7).sin() * 0.2).collect();
        let gradient = cost.gradient(&weights).unwrap();
        for index in [0, 5, 20, 41, 62] {
            let mut moved = weights.clone();
            moved[index] += 1e-6;
            let slope = (cost.cost(&moved).unwrap() - cost.cost(&weights).unwrap()) / 1e-6;
            // First-order difference of a cost around 1: about 1e-6 off.
            assert!((slope - gradient[index]).abs() < 1e-5, "{index}: {slope} {}", gradient[index]);
        }
    }
}
