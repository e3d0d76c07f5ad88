//! Convolutions of maps whose channels lie side by side, by the method that was chosen when the weights were laid out.

use super::product::{Finish, Panels, product};
use super::tile::{COLUMNS, Line, ROWS, Runs};
use super::winograd::{self, Four, Map, Two};
use super::with_scratch;
use crate::parallel::{for_each_piece, threads};

/// How a convolution is computed, hence how its weights are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Each patch is a row of a matrix that is never made: it is read from the padded map.
    Direct,
    /// [`winograd`] with tiles of 2×2 outputs.
    Winograd2,
    /// [`winograd`] with tiles of 4×4 outputs.
    Winograd4,
}

/// Transformed weights beyond this many values, 2 MB, do not stay in a second cache. The maps under so many channels are
/// small, each weight is used a few times only, and reading it costs as much as the products save.
const MOST_TRANSFORMED: usize = 1 << 19;

/// Pixels whose patches stay in the second cache while all panels pass over them.
const BLOCK: usize = 240;

/// A convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub channels: usize,
    pub channels_out: usize,
    pub kernel: usize,
    pub stride: usize,
    /// Zeros on every side of the map.
    pub pad: usize,
}

impl Shape {
    pub(crate) fn method(&self) -> Method {
        let pairs = self.channels * self.channels_out;
        // With few channels the transforms cost more than the products.
        if (self.kernel, self.stride, self.pad) != (3, 1, 1)
            || self.channels < COLUMNS
            || self.channels_out < COLUMNS
        {
            Method::Direct
        } else if 36 * pairs <= MOST_TRANSFORMED {
            Method::Winograd4
        } else {
            Method::Winograd2
        }
    }

    /// Lays out `[channels_out, channels, kernel, kernel]` for `method`.
    pub(crate) fn pack(&self, method: Method, weight: &[f32]) -> Vec<Line> {
        let Self { channels, channels_out, kernel, .. } = *self;
        let sides = [channels, channels_out];
        match method {
            Method::Winograd2 => winograd::pack::<4, 2, Two>(weight, sides),
            Method::Winograd4 => winograd::pack::<6, 4, Four>(weight, sides),
            Method::Direct => {
                let area = kernel * kernel;
                super::product::pack([area * channels, channels_out], |row, out| {
                    weight[(out * channels + row % channels) * area + row / channels]
                })
            }
        }
    }

    /// The output's side over an input's.
    pub(crate) fn out(&self, side: usize) -> usize {
        (side + 2 * self.pad).checked_sub(self.kernel).map_or(0, |room| room / self.stride + 1)
    }

    /// The convolution of a batch: `[batch, height, width, channels]` to `[batch, out(height), out(width), channels_out]`.
    ///
    /// lines: of [`Self::pack`] for the same method
    pub(crate) fn forward(
        &self,
        method: Method,
        [height, width]: [usize; 2],
        input: &[f32],
        lines: &[Line],
        finish: Finish<'_>,
    ) -> Vec<f32> {
        let image = height * width * self.channels;
        let image_out = self.out(height) * self.out(width) * self.channels_out;
        let batch = input.len() / image.max(1);
        let mut output = vec![0.0; batch * image_out];
        if output.is_empty() {
            return output;
        }
        let map = Map { height, width, channels: self.channels };
        let one = |index: usize, output: &mut [f32]| {
            let input = &input[index * image..(index + 1) * image];
            let finish = finish.from(index * image_out);
            let channels_out = self.channels_out;
            match method {
                Method::Direct => self.direct(map, input, lines, finish, output),
                Method::Winograd2 => {
                    winograd::forward::<4, 2, Two>(map, input, lines, channels_out, finish, output)
                }
                Method::Winograd4 => {
                    winograd::forward::<6, 4, Four>(map, input, lines, channels_out, finish, output)
                }
            }
        };
        if batch < threads() {
            output
                .chunks_exact_mut(image_out)
                .enumerate()
                .for_each(|(index, output)| one(index, output));
        } else {
            for_each_piece(&mut output, image_out, one);
        }
        output
    }

    fn direct(
        &self,
        map: Map,
        input: &[f32],
        lines: &[Line],
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        let pad = self.pad;
        if pad == 0 {
            return self.rows(input, map.width, map, lines, finish, output);
        }
        let line = map.width * map.channels;
        let padded_line = (map.width + 2 * pad) * map.channels;
        with_scratch((map.height + 2 * pad) * padded_line, |padded| {
            padded.fill(0.0);
            let inner = padded.chunks_exact_mut(padded_line).skip(pad);
            for (padded, line) in inner.zip(input.chunks_exact(line)) {
                padded[pad * map.channels..][..line.len()].copy_from_slice(line);
            }
            self.rows(padded, map.width + 2 * pad, map, lines, finish, output);
        });
    }

    /// The matrix product over a map with `width` columns, padding included.
    fn rows(
        &self,
        padded: &[f32],
        width: usize,
        map: Map,
        lines: &[Line],
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        let Self { channels, channels_out, kernel, stride, .. } = *self;
        let runs = Runs { count: kernel, stride: width * channels, length: kernel * channels };
        let out_width = self.out(map.width);
        let right = Panels { lines, columns: channels_out };
        // A share of the rows for each thread, several tiles each.
        let all = output.len() / channels_out;
        let share = all.div_ceil(threads()).next_multiple_of(ROWS).min(BLOCK);
        for_each_piece(output, share * channels_out, |index, output| {
            let first = index * share;
            let count = output.len() / channels_out;
            let starts: Vec<usize> = (first..first + count)
                .map(|pixel| ((pixel / out_width) * width + pixel % out_width) * stride * channels)
                .collect();
            product(padded, &starts, runs, right, finish.from(first * channels_out), output);
        });
    }
}
