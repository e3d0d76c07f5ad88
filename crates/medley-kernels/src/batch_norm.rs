//! Batch normalisation with the batch's own statistics, with or without a rectifier, on slices.
//!
//! Ioffe and Szegedy, *Batch normalization* (2015).

use crate::parallel::{for_each_piece, map};

/// Sums are kept in so many lanes: the compiler may not reorder one sum of floats.
const LANES: usize = 16;

/// Values of `[batch, channels, area]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub channels: usize,
    pub area: usize,
}

impl Shape {
    /// The planes of one channel, image after image.
    fn planes(self, values: &[f32], channel: usize) -> impl Iterator<Item = &[f32]> {
        values.chunks_exact(self.area).skip(channel).step_by(self.channels)
    }
}

/// What the gradient needs of the forward pass.
#[derive(Debug, Clone)]
pub(crate) struct Statistics {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Biased variance of each channel.
    pub variance: Vec<f32>,
}

/// Mean and variance of each channel.
pub(crate) fn statistics(shape: Shape, input: &[f32]) -> Statistics {
    let count = (input.len() / shape.channels.max(1)) as f32;
    let both = map(shape.channels, |channel| {
        let mean = shape.planes(input, channel).map(|plane| sum(plane, |v| v)).sum::<f32>() / count;
        // A second pass, as the difference of two large sums would lose the small variance.
        let squares = shape.planes(input, channel).map(|plane| sum(plane, |v| (v - mean).powi(2)));
        (mean, squares.sum::<f32>() / count)
    });
    let (mean, variance) = both.into_iter().unzip();
    Statistics { mean, variance }
}

/// y = v · factor + offset is what a channel's value becomes. Forward and backward ask here, so that both agree to the
/// last bit on what the rectifier let through.
fn affine(
    statistics: &Statistics,
    [gamma, beta]: [&[f32]; 2],
    epsilon: f32,
    channel: usize,
) -> (f32, f32) {
    let factor = gamma[channel] / (statistics.variance[channel] + epsilon).sqrt();
    (factor, beta[channel] - statistics.mean[channel] * factor)
}

/// Normalises, and rectifies with `relu`.
pub(crate) fn normalize(
    shape: Shape,
    input: &[f32],
    statistics: &Statistics,
    gamma_beta: [&[f32]; 2],
    epsilon: f32,
    relu: bool,
) -> Vec<f32> {
    let mut output = vec![0.0; input.len()];
    for_each_piece(&mut output, shape.area, |plane, output| {
        let channel = plane % shape.channels;
        let (factor, offset) = affine(statistics, gamma_beta, epsilon, channel);
        let input = &input[plane * shape.area..(plane + 1) * shape.area];
        if relu {
            for (output, input) in output.iter_mut().zip(input) {
                *output = (input * factor + offset).max(0.0);
            }
        } else {
            for (output, input) in output.iter_mut().zip(input) {
                *output = input * factor + offset;
            }
        }
    });
    output
}

/// The gradients of input, γ and β, given that of the output.
pub(crate) struct Gradients {
    pub input: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
}

/// `gradient`: of the output, before or after the rectifier as `relu` says.
pub(crate) fn backward(
    shape: Shape,
    input: &[f32],
    statistics: &Statistics,
    gamma_beta: [&[f32]; 2],
    epsilon: f32,
    relu: bool,
    gradient: &[f32],
) -> Gradients {
    let count = (input.len() / shape.channels.max(1)) as f32;
    let affine = |channel: usize| affine(statistics, gamma_beta, epsilon, channel);
    let inverse = |channel: usize| 1.0 / (statistics.variance[channel] + epsilon).sqrt();
    let sums = map(shape.channels, |channel| {
        let (factor, offset) = affine(channel);
        let mean = statistics.mean[channel];
        let mut total = [0.0f32; 2];
        for (input, gradient) in shape.planes(input, channel).zip(shape.planes(gradient, channel)) {
            let plane = two_sums(input, gradient, |v, g| {
                let g = if relu && v * factor + offset <= 0.0 { 0.0 } else { g };
                (g, g * (v - mean))
            });
            total[0] += plane[0];
            total[1] += plane[1];
        }
        total
    });
    let mut result = vec![0.0; input.len()];
    for_each_piece(&mut result, shape.area, |plane, result| {
        let channel = plane % shape.channels;
        let (factor, offset) = affine(channel);
        let inverse = inverse(channel);
        let mean = statistics.mean[channel];
        let [of_beta, of_gamma] = sums[channel];
        let shift = of_beta / count;
        let slope = of_gamma * inverse * inverse / count;
        let place = plane * shape.area..(plane + 1) * shape.area;
        let values = input[place.clone()].iter().zip(&gradient[place]);
        for (result, (&v, &g)) in result.iter_mut().zip(values) {
            let g = if relu && v * factor + offset <= 0.0 { 0.0 } else { g };
            *result = factor * (g - shift - (v - mean) * slope);
        }
    });
    let gamma = sums
        .iter()
        .enumerate()
        .map(|(channel, [_, of_gamma])| of_gamma * inverse(channel))
        .collect();
    Gradients { input: result, gamma, beta: sums.iter().map(|sums| sums[0]).collect() }
}

fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|&v| of(v)).sum();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += of(value);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

fn two_sums(one: &[f32], other: &[f32], of: impl Fn(f32, f32) -> (f32, f32)) -> [f32; 2] {
    let mut lanes = [[0.0f32; LANES]; 2];
    let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    for (&a, &b) in ones.remainder().iter().zip(others.remainder()) {
        let (first, second) = of(a, b);
        lanes[0][0] += first;
        lanes[1][0] += second;
    }
    for (one, other) in ones.zip(others) {
        for lane in 0..LANES {
            let (first, second) = of(one[lane], other[lane]);
            lanes[0][lane] += first;
            lanes[1][lane] += second;
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}
