//! From the scores of a regression to probabilities: softmax at a temperature chosen on held-out scores.

/// Where the temperature is looked for: ridge scores lie in about 0..1, so that 0.02 is next to certainty
/// and 5 next to a guess.
const RANGE: (f64, f64) = (0.02, 5.0);

/// Halvings of the range's logarithm; the last step is far below what a percentage shows.
const STEPS: usize = 40;

/// The temperature of least weighted cross-entropy.
///
/// The target of an example is not quite 1, but (n+1)/(n+2) of its class's n examples (Platt, 1999): scores that tell
/// ten examples apart do not make the eleventh certain.
///
/// `scores`: `classes` of each example; `labels`, `weights`: of each; `counts`: examples of each class.
pub(crate) fn temperature(
    scores: &[Vec<f64>],
    labels: &[usize],
    weights: &[f64],
    counts: &[usize],
) -> f64 {
    let cost = |log: f64| -> f64 {
        let sharpness = (-log).exp();
        scores
            .iter()
            .zip(labels)
            .zip(weights)
            .map(|((scores, &label), weight)| weight * surprise(scores, label, sharpness, counts))
            .sum()
    };
    // Golden section; the cost is convex in the sharpness, hence has one valley on any monotone scale.
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (RANGE.0.ln(), RANGE.1.ln());
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_left, mut at_right) = (cost(left), cost(right));
    for _ in 0..STEPS {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - golden * (high - low);
            at_left = cost(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + golden * (high - low);
            at_right = cost(right);
        }
    }
    ((low + high) / 2.0).exp()
}

/// Cross-entropy against the softened target.
fn surprise(scores: &[f64], label: usize, sharpness: f64, counts: &[usize]) -> f64 {
    let present = |class: usize| counts[class] > 0;
    let others = counts.iter().filter(|count| **count > 0).count().max(2) - 1;
    let n = counts[label] as f64;
    let own = (n + 1.0) / (n + 2.0);
    let all: Vec<(usize, f64)> = (0..scores.len())
        .filter(|&class| present(class))
        .map(|class| (class, scores[class] * sharpness))
        .collect();
    let largest = all.iter().map(|(_, v)| *v).fold(f64::NEG_INFINITY, f64::max);
    let sum = all.iter().map(|(_, v)| (v - largest).exp()).sum::<f64>().ln() + largest;
    all.iter()
        .map(|&(class, v)| {
            let target = if class == label { own } else { (1.0 - own) / others as f64 };
            target * (sum - v)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_are_right_three_times_of_four_become_three_quarters() {
        let n = 4000;
        let labels: Vec<usize> = (0..n).map(|i| i % 2).collect();
        // Always one apart, and wrong each fourth time.
        let scores: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let said = if i / 2 % 4 == 0 { 1 - labels[i] } else { labels[i] };
                (0..2).map(|class| f64::from(u8::from(class == said))).collect()
            })
            .collect();
        let weights = vec![1.0 / n as f64; n];
        let t = temperature(&scores, &labels, &weights, &[n / 2, n / 2]);
        let probability = 1.0 / (1.0 + (-1.0 / t).exp());
        assert!((probability - 0.75).abs() < 0.01, "{probability}");
    }

    #[test]
    fn few_examples_are_never_certain() {
        let scores = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
        let t = temperature(&scores, &[0, 1], &[0.5, 0.5], &[1, 1]);
        let probability = 1.0 / (1.0 + (-1.0 / t).exp());
        // (1 + 1) / (1 + 2)
        assert!((probability - 2.0 / 3.0).abs() < 1e-3, "{probability}");
    }
}
