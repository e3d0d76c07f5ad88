//! Averages of 2×2 values.

use crate::team::for_each_piece;

/// `[batch, height, width, channels]` to `[batch, ⌊height / 2⌋, ⌊width / 2⌋, channels]`.
pub(crate) fn forward([height, width, channels]: [usize; 3], input: &[f32]) -> Vec<f32> {
    let (rows, columns) = (height / 2, width / 2);
    let (line, image) = (width * channels, height * width * channels);
    let batch = input.len() / image.max(1);
    let mut output = vec![0.0; batch * rows * columns * channels];
    if output.is_empty() {
        return output;
    }
    for_each_piece(&mut output, columns * channels, |index, output| {
        let from = index / rows * image + index % rows * 2 * line;
        let (upper, lower) = (&input[from..][..line], &input[from + line..][..line]);
        let pairs = upper.chunks_exact(2 * channels).zip(lower.chunks_exact(2 * channels));
        for (output, (upper, lower)) in output.chunks_exact_mut(channels).zip(pairs) {
            let (upper, right_upper) = upper.split_at(channels);
            let (lower, right_lower) = lower.split_at(channels);
            let left = upper.iter().zip(lower);
            let right = right_upper.iter().zip(right_lower);
            for (output, ((a, b), (c, d))) in output.iter_mut().zip(left.zip(right)) {
                *output = (a + b + c + d) * 0.25;
            }
        }
    });
    output
}
