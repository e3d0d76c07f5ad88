//! Features brought to one scale, by what the training part shows.

/// So many made-up examples pull the deviation of each feature to the mean of all: with a few examples a feature
/// that hardly moved by accident would otherwise outweigh all others.
const PRIOR_EXAMPLES: f64 = 10.0;

/// Centre and scale of each feature.
#[derive(Debug, Clone)]
pub struct Scaling {
    centre: Vec<f64>,
    factor: Vec<f64>,
}

impl Scaling {
    /// From the training part; rows of equal length, at least one.
    pub fn of<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone) -> Self {
        let n = rows.clone().count().max(1) as f64;
        let width = rows.clone().next().map_or(0, <[f32]>::len);
        let mut centre = vec![0.0; width];
        for row in rows.clone() {
            for (sum, &value) in centre.iter_mut().zip(row) {
                *sum += f64::from(value) / n;
            }
        }
        let mut variance = vec![0.0; width];
        for row in rows {
            for ((sum, &value), mean) in variance.iter_mut().zip(row).zip(&centre) {
                *sum += (f64::from(value) - mean).powi(2) / n;
            }
        }
        let mean = variance.iter().sum::<f64>() / width.max(1) as f64;
        let factor = variance
            .into_iter()
            .map(|own| (n * own + PRIOR_EXAMPLES * mean) / (n + PRIOR_EXAMPLES))
            .map(|shrunk| if shrunk > 0.0 { shrunk.sqrt().recip() } else { 0.0 })
            .collect();
        Self { centre, factor }
    }

    /// What each feature's distance from its centre is multiplied by.
    pub fn factors(&self) -> &[f64] {
        &self.factor
    }

    /// One row of features, scaled.
    pub fn apply(&self, row: &[f32]) -> Vec<f64> {
        row.iter()
            .zip(&self.centre)
            .zip(&self.factor)
            .map(|((&value, centre), factor)| (f64::from(value) - centre) * factor)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_examples_are_standardised_and_two_are_not_blown_up() {
        let many: Vec<[f32; 2]> =
            (0..2000).map(|i| [(i % 2) as f32, 100.0 * (i / 2 % 2) as f32]).collect();
        let scaling = Scaling::of(many.iter().map(<[f32; 2]>::as_slice));
        let row = scaling.apply(&[1.0, 100.0]);
        // The small feature is held down by the mean variance: 1250·10 / 2010 against 0.25.
        assert!((row[1] - 1.0).abs() < 0.01 && row[0] > 0.15 && row[0] < 0.25, "{row:?}");

        let two = [[0.0f32, 0.0, 1.0], [0.001, 0.0, 3.0]];
        let row = Scaling::of(two.iter().map(<[f32; 3]>::as_slice)).apply(&two[1]);
        assert!(row[0] < 0.01 && row[1] == 0.0 && row[2] > 0.5, "{row:?}");
    }

    #[test]
    fn features_that_never_move_count_nothing() {
        let rows = [[2.0f32], [2.0]];
        let scaling = Scaling::of(rows.iter().map(<[f32; 1]>::as_slice));
        assert_eq!(scaling.apply(&[9.0]), [0.0]);
    }
}
