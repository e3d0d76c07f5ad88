//! Layer normalisation whose result is added to the block's input.

use super::standardize::sum;
use crate::team::for_each_piece;

/// Rows for one thread at a time.
const ROWS: usize = 64;

/// [`rows`] of a batch of maps.
pub(crate) fn forward(input: &[f32], scales: [&[f32]; 2], epsilon: f32) -> Vec<f32> {
    let piece = ROWS * scales[0].len();
    let mut output = vec![0.0; input.len()];
    for_each_piece(&mut output, piece, |index, output| {
        rows(&input[index * piece..][..output.len()], None, scales, epsilon, output);
    });
    output
}

/// `residual + γ (x − mean) / √(variance + ε) + β` over each row of `gamma.len()` values.
pub(crate) fn rows(
    input: &[f32],
    residual: Option<&[f32]>,
    [gamma, beta]: [&[f32]; 2],
    epsilon: f32,
    output: &mut [f32],
) {
    let width = gamma.len();
    for (row, output) in output.chunks_exact_mut(width).enumerate() {
        let from = row * width;
        let input = &input[from..from + width];
        let mean = sum(input, |value| value) / width as f32;
        let variance = sum(input, |value| (value - mean) * (value - mean)) / width as f32;
        let factor = 1.0 / (variance + epsilon).sqrt();
        let scales = gamma.iter().zip(beta);
        for ((output, value), (gamma, beta)) in output.iter_mut().zip(input).zip(scales) {
            *output = (value - mean) * factor * gamma + beta;
        }
        if let Some(residual) = residual {
            for (output, residual) in output.iter_mut().zip(&residual[from..from + width]) {
                *output += residual;
            }
        }
    }
}
