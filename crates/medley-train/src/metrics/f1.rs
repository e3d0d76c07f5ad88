//! Macro-F1.

/// Mean over the classes of F1 = 2TP / (2TP + FP + FN). A class that neither the truth nor the
/// answers hold is left out. `pairs`: (truth, answer).
pub fn macro_f1(pairs: &[(usize, usize)], classes: usize) -> f64 {
    let mut sum = 0.0;
    let mut counted = 0usize;
    for class in 0..classes {
        let hit = pairs.iter().filter(|pair| **pair == (class, class)).count();
        let named: usize =
            pairs.iter().map(|&(t, a)| usize::from(t == class) + usize::from(a == class)).sum();
        if named > 0 {
            sum += 2.0 * hit as f64 / named as f64;
            counted += 1;
        }
    }
    if counted == 0 { 0.0 } else { sum / counted as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn always_naming_the_larger_class_scores_low() {
        let pairs = [(0, 0), (0, 0), (0, 0), (1, 0)];
        // Class 0: 6 / 7; class 1: 0.
        assert!((macro_f1(&pairs, 2) - 3.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn no_answers_score_zero() {
        assert_eq!(macro_f1(&[], 3), 0.0);
    }
}
