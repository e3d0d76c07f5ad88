//! Whether probabilities can be taken at their word, and the temperature that makes them so.

/// Bins of confidence over 0..1, as in Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017.
const BINS: usize = 15;

/// Temperatures that are looked at: beyond them the examples say no more than "as sure as can be", or "not at all".
const TEMPERATURES: (f64, f64) = (0.25, 16.0);

/// Halvings of that range on a logarithmic scale, to a part in a million.
const HALVINGS: usize = 22;

/// Probabilities below are as good as none; their logarithm is still finite.
const LEAST: f32 = 1e-30;

/// An answer and the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// One probability for each class; together 1.
    pub probabilities: Vec<f32>,
    /// The right class.
    pub truth: usize,
}

impl Answered {
    /// The most probable class; 0 without any.
    pub fn class(&self) -> usize {
        let best = self.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(0, |(class, _)| class)
    }
}

/// The expected calibration error, 0..1: by how much the probability of the most probable class and the share of right answers
/// differ, in each of 15 bins of that probability, and of them the mean with the answers in each as weights. 0 without answers.
pub fn calibration_error(answers: &[Answered]) -> f64 {
    // Sums of confidence less right answers.
    let mut gaps = [0.0f64; BINS];
    for answer in answers {
        let class = answer.class();
        let confidence = answer.probabilities.get(class).copied().unwrap_or_default();
        let bin = ((confidence * BINS as f32) as usize).min(BINS - 1);
        gaps[bin] += f64::from(confidence) - f64::from(u8::from(class == answer.truth));
    }
    gaps.iter().map(|gap| gap.abs()).sum::<f64>() / answers.len().max(1) as f64
}

/// The temperature, 0.25..=16, by which logits have to be divided for the least cross-entropy of these answers (Guo et al.); none
/// without answers. `had` is the one that the answers' logits were divided by already: the temperature is that of the model's own
/// logits.
///
/// Classes keep their order, so that no answer becomes another.
pub fn temperature(answers: &[Answered], had: f64) -> Option<f64> {
    if answers.is_empty() {
        return None;
    }
    // The cross-entropy is convex in the temperature's inverse: its slope changes sign once.
    let (mut cold, mut hot) = (TEMPERATURES.0.ln(), TEMPERATURES.1.ln());
    for _ in 0..HALVINGS {
        let middle = (cold + hot) / 2.0;
        if slope(answers, had * (-middle).exp()) > 0.0 {
            cold = middle;
        } else {
            hot = middle;
        }
    }
    Some(((cold + hot) / 2.0).exp())
}

/// The cross-entropy's derivative by the power that probabilities are raised to: the mean of what the answers expect of the logits, less that of
/// the right classes' logits.
fn slope(answers: &[Answered], power: f64) -> f64 {
    let of_one = |answer: &Answered| {
        // Logarithms of probabilities are logits, but for a constant that cancels.
        let logit = |probability: f32| f64::from(probability.max(LEAST).ln());
        let (mut weights, mut expected) = (0.0, 0.0);
        for &probability in &answer.probabilities {
            let logit = logit(probability);
            let weight = (logit * power).exp();
            weights += weight;
            expected += weight * logit;
        }
        expected / weights - answer.probabilities.get(answer.truth).map_or(0.0, |&p| logit(p))
    };
    answers.iter().map(of_one).sum::<f64>() / answers.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(probabilities: &[f32], truth: usize) -> Answered {
        Answered { probabilities: probabilities.to_vec(), truth }
    }

    /// Of ten answers of 0.9, so many are right.
    fn of_ten(right: usize) -> Vec<Answered> {
        (0..10).map(|i| answered(&[0.9, 0.1], usize::from(i >= right))).collect()
    }

    #[test]
    fn answers_as_often_right_as_they_say_have_no_error_and_need_no_temperature() {
        assert!(calibration_error(&of_ten(9)) < 1e-6);
        let found = temperature(&of_ten(9), 1.0).unwrap();
        assert!((found - 1.0).abs() < 1e-4, "{found}");
    }

    #[test]
    fn answers_that_are_too_sure_are_made_milder_just_so_far() {
        // Six of ten: the logit of 0.9 is ln 9, that of 0.6 is ln 1.5.
        let milder = 9f64.ln() / 1.5f64.ln();
        let found = temperature(&of_ten(6), 1.0).unwrap();
        assert!((found - milder).abs() < 1e-4, "{found}");
        let further = temperature(&of_ten(6), 2.0).unwrap();
        assert!((further - 2.0 * milder).abs() < 1e-4, "{further}");
        assert!((calibration_error(&of_ten(6)) - 0.3).abs() < 1e-6);
    }

    #[test]
    fn answers_that_are_always_right_or_never_stay_within_the_range() {
        assert!((temperature(&of_ten(10), 1.0).unwrap() - 0.25).abs() < 1e-3);
        assert!((temperature(&of_ten(0), 1.0).unwrap() - 16.0).abs() < 1e-2);
        assert_eq!(temperature(&[], 1.0), None);
        assert_eq!(calibration_error(&[]), 0.0);
    }

    #[test]
    fn a_probability_of_nothing_and_one_that_was_right_leave_a_finite_temperature() {
        let answers = [answered(&[1.0, 0.0, 0.0], 0), answered(&[0.0, 1.0, 0.0], 2)];
        assert!(temperature(&answers, 1.0).unwrap().is_finite());
    }

    #[test]
    fn gaps_of_a_bin_cancel_and_those_of_two_do_not() {
        let one = [answered(&[0.76, 0.24], 0), answered(&[0.76, 0.24], 1)];
        assert!((calibration_error(&one) - 0.26).abs() < 1e-6);
        let two = [answered(&[0.55, 0.45], 0), answered(&[0.95, 0.05], 1)];
        assert!((calibration_error(&two) - (0.45 + 0.95) / 2.0).abs() < 1e-6);
    }
}
