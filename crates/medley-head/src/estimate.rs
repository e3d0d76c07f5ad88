//! How good a head is likely to be, from answers to examples that it was not taught with.

use serde::{Deserialize, Serialize};

/// 95 % of a normal distribution lie within so many deviations.
const Z: f64 = 1.959_963_984_540_054;

/// Share of held-out examples that were answered rightly, with its uncertainty.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Share of right answers, 0..=1.
    pub accuracy: f64,
    /// The lower end of Wilson's 95 % interval (Wilson, 1927).
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many examples were held out: images, or strokes.
    pub held_out: usize,
}

impl Estimate {
    /// From the right answers among `held_out`; strokes count by their share of right pixels, hence no whole number.
    /// None if nothing was held out.
    pub(crate) fn new(right: f64, held_out: usize) -> Option<Self> {
        if held_out == 0 {
            return None;
        }
        let n = held_out as f64;
        let accuracy = right / n;
        let middle = (accuracy + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n)
            * (accuracy * (1.0 - accuracy) / n + Z * Z / (4.0 * n * n)).sqrt();
        // Digits that mean something, and that survive being written and read.
        let rounded = |share: f64| (share.clamp(0.0, 1.0) * 1e6).round() / 1e6;
        let (low, high) = (rounded(middle - half), rounded(middle + half));
        Some(Self { accuracy: rounded(accuracy), low, high, held_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        let found = Estimate::new(8.0, 10).unwrap();
        // Newcombe (1998), Statistics in Medicine 17, 857: r/n = 8/10 has 0.4902 to 0.9433.
        assert!(
            (found.low - 0.4902).abs() < 1e-4 && (found.high - 0.9433).abs() < 1e-4,
            "{found:?}"
        );
        let all = Estimate::new(3.0, 3).unwrap();
        assert!(all.high == 1.0 && all.low < 0.5, "three of three prove little: {all:?}");
        assert!(Estimate::new(0.0, 0).is_none());
    }
}
