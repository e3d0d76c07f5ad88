//! Drawn examples for the tests of this crate.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `n` examples of three classes, the second rare; the first two of 20 features tell them apart by `signal`.
pub(crate) fn drawn(n: usize, signal: f32, seed: u64) -> (Vec<Vec<f32>>, Vec<usize>) {
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
    (rows, labels)
}
