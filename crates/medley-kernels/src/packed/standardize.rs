//! Pictures less their mean, by their standard deviation.

use crate::team::for_each_piece;

/// Sums are kept in so many lanes: the compiler may not reorder one sum of floats.
const LANES: usize = 16;

/// `[batch, channels, area]` to `[batch, area, channels]`: `(x − mean) / √(variance + least)` over each picture.
pub(crate) fn forward([channels, area]: [usize; 2], input: &[f32], least: f32) -> Vec<f32> {
    let size = channels * area;
    let mut output = vec![0.0; input.len()];
    if output.is_empty() {
        return output;
    }
    for_each_piece(&mut output, size, |index, output| {
        let input = &input[index * size..(index + 1) * size];
        let mean = sum(input, |value| value) / size as f32;
        let variance = sum(input, |value| (value - mean) * (value - mean)) / size as f32;
        let factor = 1.0 / (variance + least).sqrt();
        for (channel, plane) in input.chunks_exact(area).enumerate() {
            let places = output[channel..].iter_mut().step_by(channels);
            for (output, value) in places.zip(plane) {
                *output = (value - mean) * factor;
            }
        }
    });
    output
}

/// The sum of a function of each value.
pub(super) fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += of(value);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&value| of(value)).sum::<f32>()
}
