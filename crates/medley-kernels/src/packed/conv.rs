//! Convolutions of maps whose channels lie side by side, by the method that was chosen when the weights were laid out.

use super::integers::{self, Integers, round};
use super::product::{Finish, Panels, product};
use super::tile::{COLUMNS, Line, ROWS, Runs};
use super::winograd::{self, Four, Map, Two};
use super::with_scratch;
use crate::parallel::{for_each_piece, threads};

/// How a convolution is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Each patch is a row of a matrix that is never made: it is read from the padded map.
    Direct,
    /// The same, in [`Integers`].
    Integers,
    /// [`winograd`] with tiles of 2×2 outputs.
    Winograd2,
    /// [`winograd`] with tiles of 4×4 outputs.
    Winograd4,
}

/// A convolution's weights, laid out for its method.
#[derive(Debug)]
pub(crate) enum Weight {
    Direct(Vec<Line>),
    Integers(Integers),
    Winograd2(Vec<Line>),
    Winograd4(Vec<Line>),
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
    /// The fastest for its shape, the preferred one first. All but the last may be unfit for the weights.
    pub(crate) fn methods(&self) -> &'static [Method] {
        let pairs = self.channels * self.channels_out;
        let integers = integers::are_fast();
        // With few channels the transforms cost more than the products.
        if (self.kernel, self.stride, self.pad) != (3, 1, 1)
            || self.channels < COLUMNS
            || self.channels_out < COLUMNS
        {
            if integers { &[Method::Integers, Method::Direct] } else { &[Method::Direct] }
        } else if 36 * pairs <= MOST_TRANSFORMED {
            &[Method::Winograd4]
        } else if integers {
            &[Method::Integers, Method::Winograd2]
        } else {
            &[Method::Winograd2]
        }
    }

    /// Lays out `[channels_out, channels, kernel, kernel]` for `method`, if that can be.
    pub(crate) fn pack(&self, method: Method, weight: &[f32]) -> Option<Weight> {
        let Self { channels, channels_out, kernel, .. } = *self;
        let sides = [channels, channels_out];
        let area = kernel * kernel;
        Some(match method {
            Method::Winograd2 => Weight::Winograd2(winograd::pack::<4, 2, Two>(weight, sides)),
            Method::Winograd4 => Weight::Winograd4(winograd::pack::<6, 4, Four>(weight, sides)),
            Method::Integers => {
                Weight::Integers(Integers::pack(weight, [channels_out, channels, area])?)
            }
            Method::Direct => {
                Weight::Direct(super::product::pack([area * channels, channels_out], |row, out| {
                    weight[(out * channels + row % channels) * area + row / channels]
                }))
            }
        })
    }

    /// The output's side over an input's.
    pub(crate) fn out(&self, side: usize) -> usize {
        (side + 2 * self.pad).checked_sub(self.kernel).map_or(0, |room| room / self.stride + 1)
    }

    /// The convolution of a batch: `[batch, height, width, channels]` to `[batch, out(height), out(width), channels_out]`.
    ///
    /// weight: of [`Self::pack`]
    pub(crate) fn forward(
        &self,
        [height, width]: [usize; 2],
        input: &[f32],
        weight: &Weight,
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
            match weight {
                Weight::Direct(lines) => self.direct(map, input, lines, finish, output),
                Weight::Integers(weight) => self.integers(map, input, weight, finish, output),
                Weight::Winograd2(lines) => {
                    winograd::forward::<4, 2, Two>(map, input, lines, channels_out, finish, output)
                }
                Weight::Winograd4(lines) => {
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
        let Self { channels, channels_out, kernel, pad, .. } = *self;
        let width = map.width + 2 * pad;
        let runs = Runs { count: kernel, stride: width * channels, length: kernel * channels };
        let right = Panels { lines, columns: channels_out };
        let rows = |padded: &[f32], output: &mut [f32]| {
            self.rows(map, channels, output, |starts, first, output| {
                product(padded, starts, runs, right, finish.from(first), output);
            });
        };
        if pad == 0 {
            return rows(input, output);
        }
        with_scratch((map.height + 2 * pad) * width * channels, |padded| {
            padded.fill(0.0);
            self.inside(map, input, padded, channels, |line, padded| padded.copy_from_slice(line));
            rows(padded, output);
        });
    }

    fn integers(
        &self,
        map: Map,
        input: &[f32],
        weight: &Integers,
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        let Self { channels, kernel, pad, .. } = *self;
        let pairs = channels / 2;
        let width = map.width + 2 * pad;
        let runs = Runs { count: kernel, stride: width * pairs, length: kernel * pairs };
        let unit = weight.unit(input);
        let mut padded = vec![0; (map.height + 2 * pad) * width * pairs];
        self.inside(map, input, &mut padded, pairs, |line, padded| round(line, unit, padded));
        self.rows(map, pairs, output, |starts, first, output| {
            weight.product(&padded, unit, starts, runs, finish.from(first), output);
        });
    }

    /// Hands each row of a map to `write`, with its place in the padded map, where a pixel has `size` values.
    fn inside<T>(
        &self,
        map: Map,
        input: &[f32],
        padded: &mut [T],
        size: usize,
        write: impl Fn(&[f32], &mut [T]),
    ) {
        let rows = padded.chunks_exact_mut((map.width + 2 * self.pad) * size).skip(self.pad);
        for (padded, line) in rows.zip(input.chunks_exact(map.width * map.channels)) {
            write(line, &mut padded[self.pad * size..][..map.width * size]);
        }
    }

    /// Calls `product` with where the patches of several pixels begin in the padded map, where a pixel has `size` values, with
    /// the place of their first output, and with their outputs.
    fn rows(
        &self,
        map: Map,
        size: usize,
        output: &mut [f32],
        product: impl Fn(&[usize], usize, &mut [f32]) + Send + Sync,
    ) {
        let Self { channels_out, stride, pad, .. } = *self;
        let width = map.width + 2 * pad;
        let out_width = self.out(map.width);
        // A share of the rows for each thread, several tiles each.
        let all = output.len() / channels_out;
        let share = all.div_ceil(threads()).next_multiple_of(ROWS).min(BLOCK);
        for_each_piece(output, share * channels_out, |index, output| {
            let first = index * share;
            let count = output.len() / channels_out;
            let starts: Vec<usize> = (first..first + count)
                .map(|pixel| ((pixel / out_width) * width + pixel % out_width) * stride * size)
                .collect();
            product(&starts, first * channels_out, output);
        });
    }
}
