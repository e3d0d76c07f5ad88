//! From a classification head's logits to probabilities.

use medley_head::softmax;

/// A probability: the logistic function.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// One probability per class, averaged over the windows of a picture.
#[derive(Debug)]
pub(crate) struct ClassVotes {
    sums: Vec<f32>,
    windows: usize,
    multi_label: bool,
    temperature: f32,
}

impl ClassVotes {
    pub(crate) fn new(classes: usize, multi_label: bool, temperature: f32) -> Self {
        Self { sums: vec![0.0; classes], windows: 0, multi_label, temperature }
    }

    /// `logits`: one per class, of one window.
    pub(crate) fn add(&mut self, logits: &[f32]) {
        let values = if self.multi_label {
            logits.iter().map(|&v| sigmoid(v / self.temperature)).collect()
        } else {
            softmax(logits, self.temperature)
        };
        for (sum, v) in self.sums.iter_mut().zip(values) {
            *sum += v;
        }
        self.windows += 1;
    }

    /// In the order of the logits.
    pub(crate) fn finish(self) -> Vec<f32> {
        let windows = self.windows.max(1) as f32;
        self.sums.into_iter().map(|v| v / windows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_averaged_and_labels_may_be_independent() {
        let mut votes = ClassVotes::new(2, false, 1.0);
        votes.add(&[50.0, -50.0]);
        votes.add(&[-50.0, 50.0]);
        assert_eq!(votes.finish(), [0.5, 0.5]);
        let mut votes = ClassVotes::new(2, true, 1.0);
        votes.add(&[50.0, 50.0]);
        assert_eq!(votes.finish(), [1.0, 1.0]);
    }
}
