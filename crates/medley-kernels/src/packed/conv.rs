//! Convolutions of maps whose channels lie side by side, by the method that was chosen when the weights were laid out.

use super::integers::{self, Integers, round};
use super::product::{self, Activation, Finish, Panels, product};
use super::tile::{COLUMNS, Line, ROWS, Runs};
use super::winograd::{self, Four, Map, Two};
use super::{with_integers, with_scratch};
use crate::parallel::threads;
use crate::team::{for_each_piece, share};

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

/// A convolution with all that it needs besides the map.
#[derive(Debug)]
pub(crate) struct Layer {
    pub shape: Shape,
    pub weight: Weight,
    pub bias: Option<Vec<f32>>,
}

impl Layer {
    /// For the fastest method that the weights, `[channels_out, channels, kernel, kernel]`, are fit for.
    pub(crate) fn pack(shape: Shape, weight: &[f32], bias: Option<Vec<f32>>) -> Option<Self> {
        let weight = shape.methods().iter().find_map(|method| shape.pack(*method, weight))?;
        Some(Self { shape, weight, bias })
    }

    /// The same of a linear layer, from `[channels, channels_out]`.
    pub(crate) fn pack_linear(
        [channels, channels_out]: [usize; 2],
        weight: &[f32],
        bias: Option<Vec<f32>>,
    ) -> Self {
        let size = [channels, channels_out];
        let integers = integers::are_fast().then(|| Integers::pack_matrix(weight, size)).flatten();
        let weight = integers.map_or_else(
            || {
                Weight::Direct(product::pack(size, |row, column| {
                    weight[row * channels_out + column]
                }))
            },
            Weight::Integers,
        );
        let shape = Shape { channels, channels_out, kernel: 1, stride: 1, pad: 0 };
        Self { shape, weight, bias }
    }

    /// [`Shape::forward`], with what follows the sums.
    pub(crate) fn forward(
        &self,
        side: [usize; 2],
        input: &[f32],
        residual: Option<&[f32]>,
        activation: Activation,
    ) -> Vec<f32> {
        let finish = Finish { bias: self.bias.as_deref(), residual, activation };
        self.shape.forward(side, input, &self.weight, finish)
    }

    /// [`Shape::rows`], with what follows the sums.
    pub(crate) fn rows(&self, input: &[f32], activation: Activation, output: &mut [f32]) {
        let finish = Finish { bias: self.bias.as_deref(), residual: None, activation };
        self.shape.rows(input, &self.weight, finish, output);
    }
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
            Method::Integers if self.is_disjoint() => {
                let size = [channels_out, area * channels, 1];
                if area == 1 {
                    return Some(Weight::Integers(Integers::pack(weight, size, true)?));
                }
                let own = area * channels;
                let places: Vec<f32> = (0..weight.len())
                    .map(|at| weight[at / own * own + at % channels * area + at / channels % area])
                    .collect();
                Weight::Integers(Integers::pack(&places, size, true)?)
            }
            Method::Integers => {
                Weight::Integers(Integers::pack(weight, [channels_out, channels, area], false)?)
            }
            Method::Direct => {
                Weight::Direct(product::pack([area * channels, channels_out], |row, out| {
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
        if self.is_disjoint() {
            self.disjoint([height, width], input, weight, finish, &mut output);
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

    /// Whether no two patches share a pixel, so that a map is rows of a matrix, one for each patch.
    pub(crate) fn is_disjoint(&self) -> bool {
        self.kernel == self.stride && self.pad == 0
    }

    /// [`Self::forward`] of a convolution that [`Self::is_disjoint`].
    fn disjoint(
        &self,
        [height, width]: [usize; 2],
        input: &[f32],
        weight: &Weight,
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        let Self { channels, channels_out, kernel, .. } = *self;
        let depth = kernel * kernel * channels;
        let [rows, columns] = [height, width].map(|side| self.out(side));
        let share = share(output.len() / channels_out, ROWS, BLOCK);
        for_each_piece(output, share * channels_out, |index, output| {
            let (first, count) = (index * share, output.len() / channels_out);
            let finish = finish.from(first * channels_out);
            if kernel == 1 {
                return self.rows(&input[first * depth..][..count * depth], weight, finish, output);
            }
            let mut patches = Vec::with_capacity(count * depth);
            for patch in first..first + count {
                let (row, x) = (patch / columns, patch % columns * kernel);
                // Counted through all images, as the last rows of one may belong to no patch.
                let y = row / rows * height + row % rows * kernel;
                for y in y..y + kernel {
                    patches.extend_from_slice(
                        &input[(y * width + x) * channels..][..kernel * channels],
                    );
                }
            }
            self.rows(&patches, weight, finish, output);
        });
    }

    /// The product of rows of a matrix, for a convolution that [`Self::is_disjoint`], on one thread:
    /// `[rows, kernel² · channels]` to `[rows, channels_out]`.
    ///
    /// weight: of [`Self::pack`] with one of [`Self::methods`]
    pub(crate) fn rows(
        &self,
        input: &[f32],
        weight: &Weight,
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        let depth = self.kernel * self.kernel * self.channels;
        let rows = input.len() / depth;
        let starts = |size: usize| (0..rows).map(|row| row * size).collect::<Vec<usize>>();
        match weight {
            Weight::Integers(weight) => with_scratch(input.len(), |scaled| {
                with_integers(input.len() / 2, |pairs| {
                    let input = weight.scaled(input, scaled);
                    let unit = weight.unit(input);
                    round(input, unit, pairs);
                    let runs = Runs::one(depth / 2);
                    weight.product(pairs, unit, &starts(depth / 2), runs, finish, output);
                });
            }),
            // Winograd's are of 3×3 kernels, whose patches overlap.
            Weight::Direct(lines) | Weight::Winograd2(lines) | Weight::Winograd4(lines) => {
                let right = Panels { lines, columns: self.channels_out };
                product(input, &starts(depth), Runs::one(depth), right, finish, output);
            }
        }
        finish.complete(output);
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
            self.patches(map, channels, output, |starts, first, output| {
                product(padded, starts, runs, right, finish.from(first), output);
                finish.complete(output);
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
        with_integers((map.height + 2 * pad) * width * pairs, |padded| {
            padded.fill(0);
            self.inside(map, input, padded, pairs, |line, padded| round(line, unit, padded));
            self.patches(map, pairs, output, |starts, first, output| {
                weight.product(padded, unit, starts, runs, finish.from(first), output);
                finish.complete(output);
            });
        });
    }

    /// Hands each row of a map to `write`, with its place in the padded map, where a pixel has `size` values.
    fn inside<T: Send>(
        &self,
        map: Map,
        input: &[f32],
        padded: &mut [T],
        size: usize,
        write: impl Fn(&[f32], &mut [T]) + Send + Sync,
    ) {
        let (line, line_padded) = (map.width * map.channels, (map.width + 2 * self.pad) * size);
        let rows = &mut padded[self.pad * line_padded..][..map.height * line_padded];
        let share = share(map.height, 1, map.height);
        for_each_piece(rows, share * line_padded, |index, rows| {
            let lines = input[index * share * line..].chunks_exact(line);
            for (padded, line) in rows.chunks_exact_mut(line_padded).zip(lines) {
                write(line, &mut padded[self.pad * size..][..map.width * size]);
            }
        });
    }

    /// Calls `product` with where the patches of several pixels begin in the padded map, where a pixel has `size` values, with
    /// the place of their first output, and with their outputs.
    fn patches(
        &self,
        map: Map,
        size: usize,
        output: &mut [f32],
        product: impl Fn(&[usize], usize, &mut [f32]) + Send + Sync,
    ) {
        let Self { channels_out, stride, pad, .. } = *self;
        let width = map.width + 2 * pad;
        let out_width = self.out(map.width);
        // Several tiles each.
        let share = share(output.len() / channels_out, ROWS, BLOCK);
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
