//! Continuous position bias: what attention adds for the place of a token relative to another.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{apply_linear, linear};

/// Width of the hidden layer.
const HIDDEN: usize = 512;
/// The bias lies in 0..16.
const RANGE: f32 = 16.0;
/// Relative coordinates are scaled to -8..8 before the logarithm, which maps them to ±log2 9 / 3.
const COORDINATE_RANGE: f64 = 8.0;

/// The small network from log-spaced relative coordinates to a bias per head (Swin V2, §3.3).
#[derive(Module, Debug)]
pub(super) struct PositionBias {
    hidden: Linear,
    output: Linear,
}

impl PositionBias {
    pub(super) fn new(heads: usize, device: &Device) -> Self {
        Self {
            hidden: linear(2, HIDDEN, true, device),
            output: linear(HIDDEN, heads, false, device),
        }
    }

    /// The bias between all pairs of the N = window² tokens of a window: `[1, heads, N, N]`,
    /// query before key. It depends on the weights alone.
    pub(super) fn forward(&self, window: usize, device: &Device) -> Tensor<4> {
        let tokens = window * window;
        let offsets = (2 * window - 1) * (2 * window - 1);
        let table = TensorData::new(relative_coordinates(window), [offsets, 2]);
        let table = Tensor::<2>::from_data(table, device);
        // The sigmoid acts on the (2w-1)² offsets that exist, not on the w⁴ pairs.
        let hidden = relu(apply_linear(&self.hidden, table));
        let bias = sigmoid(apply_linear(&self.output, hidden)) * RANGE;

        let index = TensorData::new(relative_index(window), [tokens * tokens]);
        let index = Tensor::<1, Int>::from_data(index, device);
        let heads = bias.dims()[1];
        bias.swap_dims(0, 1).select(1, index).reshape([1, heads, tokens, tokens])
    }
}

/// The log-spaced coordinates (rows, columns) of each of the (2w-1)² offsets between two tokens
/// of a window.
fn relative_coordinates(window: usize) -> Vec<f32> {
    let side = 2 * window - 1;
    let farthest = (window - 1) as f64;
    let log_spaced = |index: usize| {
        let scaled = (index as f64 - farthest) / farthest * COORDINATE_RANGE;
        (scaled.signum() * (scaled.abs() + 1.0).log2() / COORDINATE_RANGE.log2()) as f32
    };
    (0..side)
        .flat_map(|row| (0..side).flat_map(move |column| [row, column]))
        .map(log_spaced)
        .collect()
}

/// For every pair (query, key) of a window's tokens the row of its offset in
/// [`relative_coordinates`].
fn relative_index(window: usize) -> Vec<i32> {
    let tokens = window * window;
    let side = 2 * window - 1;
    let offset = |query: usize, key: usize| {
        let rows = query / window + window - 1 - key / window;
        let columns = query % window + window - 1 - key % window;
        (rows * side + columns) as i32
    };
    (0..tokens).flat_map(|query| (0..tokens).map(move |key| offset(query, key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_of_a_window_of_two_are_the_ends_of_the_range() {
        let end = (9f64.log2() / 3.0) as f32;
        let table = relative_coordinates(2);
        assert_eq!(table.len(), 9 * 2);
        assert_eq!(table[..4], [-end, -end, -end, 0.0]);
        assert_eq!(table[8..10], [0.0, 0.0]);
    }

    #[test]
    fn a_pair_is_indexed_by_query_minus_key() {
        // torchvision's relative_position_index of a 2×2 window.
        let expected = [4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4];
        assert_eq!(relative_index(2), expected);
    }
}
