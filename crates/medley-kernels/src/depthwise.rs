//! The depthwise convolution on slices: one kernel for each channel, forward and gradients.
//!
//! A kernel of nine values leaves no matrix to multiply; rows are added up instead, shifted under each of its values.

use crate::parallel::{for_each_piece, map};
use crate::patches::Geometry;

/// Planes of `[batch, channels]` that a convolution takes from and to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Depthwise {
    /// Of one plane: `channels` is 1.
    pub plane: Geometry,
    pub channels: usize,
}

impl Depthwise {
    fn area_in(&self) -> usize {
        self.plane.height * self.plane.width
    }

    fn area_out(&self) -> usize {
        self.plane.out_height() * self.plane.out_width()
    }

    fn kernel<'a>(&self, weight: &'a [f32], channel: usize) -> &'a [f32] {
        let size = self.plane.kernel * self.plane.kernel;
        &weight[channel * size..(channel + 1) * size]
    }

    /// `[batch, channels, out_height, out_width]`; weight: `[channels, 1, kernel, kernel]`.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32]) -> Vec<f32> {
        let batch = input.len() / (self.area_in() * self.channels).max(1);
        let mut output = vec![0.0; batch * self.channels * self.area_out()];
        if output.is_empty() {
            return output;
        }
        for_each_piece(&mut output, self.area_out(), |index, output| {
            let input = &input[index * self.area_in()..(index + 1) * self.area_in()];
            let kernel = self.kernel(weight, index % self.channels);
            self.plane.for_each_line(0..self.plane.out_height(), |tap, from, to| {
                let factor = kernel[tap];
                let source = input[from].iter().step_by(self.plane.stride);
                for (target, &value) in output[to].iter_mut().zip(source) {
                    *target += factor * value;
                }
            });
        });
        output
    }

    /// The gradient of the input, given that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let batch = gradient.len() / (self.area_out() * self.channels).max(1);
        let mut result = vec![0.0; batch * self.channels * self.area_in()];
        if result.is_empty() {
            return result;
        }
        for_each_piece(&mut result, self.area_in(), |index, result| {
            let gradient = &gradient[index * self.area_out()..(index + 1) * self.area_out()];
            let kernel = self.kernel(weight, index % self.channels);
            self.plane.for_each_line(0..self.plane.out_height(), |tap, from, to| {
                let factor = kernel[tap];
                let target = result[from].iter_mut().step_by(self.plane.stride);
                for (target, &value) in target.zip(&gradient[to]) {
                    *target += factor * value;
                }
            });
        });
        result
    }

    /// The gradient of the weights, `[channels, 1, kernel, kernel]`.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        let taps = self.plane.kernel * self.plane.kernel;
        let of_channels = map(self.channels, |channel| {
            let planes = input.chunks_exact(self.area_in());
            let gradients = gradient.chunks_exact(self.area_out());
            let mut sums = vec![0.0f32; taps];
            for (input, gradient) in planes.zip(gradients).skip(channel).step_by(self.channels) {
                self.plane.for_each_line(0..self.plane.out_height(), |tap, from, to| {
                    let source = input[from].iter().step_by(self.plane.stride);
                    sums[tap] += dot(&gradient[to], source);
                });
            }
            sums
        });
        of_channels.concat()
    }
}

/// In a few lanes, as the compiler may not reorder one sum of floats.
fn dot<'a>(one: &[f32], other: impl Iterator<Item = &'a f32>) -> f32 {
    let mut lanes = [0.0f32; 8];
    for (index, (a, b)) in one.iter().zip(other).enumerate() {
        lanes[index % 8] += a * b;
    }
    lanes.iter().sum()
}
