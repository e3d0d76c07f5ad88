//! Doubling of a map by repeating its values, beside another map.

use crate::team::for_each_piece;

/// `[batch, height, width, channels]` to `[batch, 2 height, 2 width, channels + more]`: each value four times, and behind
/// them the channels of `skip`, `[batch, 2 height, 2 width, more]`, if there is one.
pub(crate) fn forward(
    [height, width, channels]: [usize; 3],
    input: &[f32],
    skip: Option<(&[f32], usize)>,
) -> Vec<f32> {
    let more = skip.map_or(0, |(_, more)| more);
    let all = channels + more;
    let batch = input.len() / (height * width * channels).max(1);
    let mut output = vec![0.0; batch * 4 * height * width * all];
    if output.is_empty() {
        return output;
    }
    for_each_piece(&mut output, 2 * width * all, |row, output| {
        let from = &input[row / 2 * width * channels..][..width * channels];
        for (column, output) in output.chunks_exact_mut(all).enumerate() {
            let (repeated, beside) = output.split_at_mut(channels);
            repeated.copy_from_slice(&from[column / 2 * channels..][..channels]);
            if let Some((skip, _)) = skip {
                beside.copy_from_slice(&skip[(row * 2 * width + column) * more..][..more]);
            }
        }
    });
    output
}
