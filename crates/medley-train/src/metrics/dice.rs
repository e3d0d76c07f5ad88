//! The Dice coefficient.

use medley_data::IGNORE;

/// Dice of each image and foreground class, averaged over images, then over classes. An image in
/// which neither the truth nor the answer holds the class does not count for it.
#[derive(Debug, Clone)]
pub struct DiceTally {
    /// Sum and number of images of each class.
    classes: Vec<(f64, usize)>,
}

/// 2·|A∩B| / (|A|+|B|) over the pixels of all images together, averaged over the classes.
#[derive(Debug, Clone)]
pub struct PooledDice {
    /// Shared pixels and the sum of both areas of each class.
    classes: Vec<(u64, u64)>,
}

fn overlap(truth: &[u8], answer: &[u8], class: u8) -> (u64, u64) {
    let (mut both, mut total) = (0, 0);
    for (&truth, &answer) in truth.iter().zip(answer) {
        if truth != IGNORE {
            both += u64::from(truth == class && answer == class);
            total += u64::from(truth == class) + u64::from(answer == class);
        }
    }
    (both, total)
}

impl DiceTally {
    /// For a task of so many classes, the background among them.
    pub fn new(classes: usize) -> Self {
        Self { classes: vec![(0.0, 0); classes.saturating_sub(1)] }
    }

    /// Counts an image; both masks hold one class for each pixel.
    pub fn add(&mut self, truth: &[u8], answer: &[u8]) {
        for (class, (sum, images)) in (1u8..).zip(&mut self.classes) {
            let (both, total) = overlap(truth, answer, class);
            if total > 0 {
                *sum += 2.0 * both as f64 / total as f64;
                *images += 1;
            }
        }
    }

    /// The mean, 0..1; 0 if no image held any class.
    pub fn value(&self) -> f64 {
        mean(self.classes.iter().filter(|class| class.1 > 0).map(|&(sum, n)| sum / n as f64))
    }
}

impl PooledDice {
    /// For a task of so many classes, the background among them.
    pub fn new(classes: usize) -> Self {
        Self { classes: vec![(0, 0); classes.saturating_sub(1)] }
    }

    /// Counts an image; both masks hold one class for each pixel.
    pub fn add(&mut self, truth: &[u8], answer: &[u8]) {
        for (class, (shared, areas)) in (1u8..).zip(&mut self.classes) {
            let (both, total) = overlap(truth, answer, class);
            *shared += both;
            *areas += total;
        }
    }

    /// The mean over classes, 0..1; 0 if no image held any class.
    pub fn value(&self) -> f64 {
        mean(
            self.classes
                .iter()
                .filter(|class| class.1 > 0)
                .map(|&(shared, areas)| 2.0 * shared as f64 / areas as f64),
        )
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_objects_weigh_the_same_unless_pooled() {
        let mut tally = DiceTally::new(2);
        let mut pooled = PooledDice::new(2);
        for (truth, answer) in [([1, 1, 1, 1], [1, 1, 1, 1]), ([1, 0, 0, 0], [0, 1, 0, 0])] {
            tally.add(&truth, &answer);
            pooled.add(&truth, &answer);
        }
        assert_eq!(tally.value(), 0.5);
        assert_eq!(pooled.value(), 0.8);
    }

    #[test]
    fn a_false_alarm_on_an_empty_picture_counts() {
        let mut tally = DiceTally::new(2);
        tally.add(&[0, 0], &[0, 1]);
        assert_eq!(tally.value(), 0.0);
        let mut tally = DiceTally::new(2);
        tally.add(&[0, IGNORE], &[0, 1]);
        tally.add(&[1, 0], &[1, 0]);
        assert_eq!(tally.value(), 1.0);
    }
}
