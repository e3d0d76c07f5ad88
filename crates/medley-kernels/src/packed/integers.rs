//! Products with weights that are integers of eight bits times a scale for each column, which is how packages keep them.
//!
//! The map's values are rounded to as many bits as leave every sum within 32: about fifteen, and hardly ever fewer than
//! thirteen. An instruction of WebAssembly, or of newer x86 processors, then multiplies and adds twice as many values as of
//! f32, and the weights take a quarter of the memory. The weights and all sums are exact; a value's error is at most a
//! 32 000th of the map's largest.

use super::elementary::ROUND;
use super::product::Finish;
use super::tile::{COLUMNS, ROWS, Runs};

/// The weights of two rows of the right matrix, column after column.
type Pair = [i8; 2 * COLUMNS];

/// The sums of one row of a tile.
type Sums = [i32; COLUMNS];

/// A right matrix, `[depth, columns]`, in panels of [`COLUMNS`] columns, two rows at a time. The last panel is filled up with
/// zeros.
#[derive(Debug)]
pub(crate) struct Integers {
    pairs: Vec<Pair>,
    /// What a column's integers are multiples of.
    scales: Vec<f32>,
    /// The largest integer of a map for which no sum leaves 32 bits.
    most: f32,
}

/// Whether the processor has an instruction for them.
pub(crate) fn are_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        cfg!(target_arch = "wasm32")
    }
}

/// The largest integer of a weight.
const MOST_WEIGHT: f32 = 127.0;

/// By how much of its column's largest a weight may miss a multiple of the scale: the rounding of one product and one
/// quotient in f32, several times over.
const SLACK: f32 = 1e-6;

impl Integers {
    /// From `[columns, channels, area]`, the weights of a convolution; row `place · channels + channel` of the matrix is what
    /// stands at `[channel, place]`.
    ///
    /// `None` where the weights are not such multiples, or the channels are odd: two values make a pair, and no pair is cut.
    pub(crate) fn pack(weight: &[f32], [columns, channels, area]: [usize; 3]) -> Option<Self> {
        if channels % 2 == 1 {
            return None;
        }
        let depth = channels * area;
        let mut pairs = vec![[0; 2 * COLUMNS]; columns.div_ceil(COLUMNS) * depth / 2];
        let mut scales = Vec::with_capacity(columns);
        let mut most_sum = 1;
        for (column, weight) in weight.chunks_exact(depth).enumerate() {
            let largest = largest(weight);
            let factor = if largest > 0.0 { MOST_WEIGHT / largest } else { 0.0 };
            let scale = largest / MOST_WEIGHT;
            let panel = &mut pairs[column / COLUMNS * depth / 2..][..depth / 2];
            let mut sum = 0;
            for (place, pairs) in panel.chunks_exact_mut(channels / 2).enumerate() {
                for (index, pair) in pairs.iter_mut().enumerate() {
                    for half in 0..2 {
                        let value = weight[(2 * index + half) * area + place];
                        let integer = (value * factor).round_ties_even();
                        let missed = (integer * scale - value).abs();
                        if missed.is_nan() || missed > SLACK * largest {
                            return None;
                        }
                        let integer = integer as i8;
                        pair[column % COLUMNS * 2 + half] = integer;
                        sum += i64::from(integer.unsigned_abs());
                    }
                }
            }
            scales.push(scale);
            most_sum = most_sum.max(sum);
        }
        let most = (i64::from(i32::MAX) / most_sum).min(i64::from(i16::MAX)) as f32;
        Some(Self { pairs, scales, most })
    }

    /// What a map's values are to be multiples of: 0 where all of them are, no number where one is infinite or none.
    pub(crate) fn unit(&self, map: &[f32]) -> f32 {
        let unit = largest(map) / self.most;
        if !unit.is_finite() {
            f32::NAN
        } else if unit.is_normal() {
            unit
        } else {
            0.0
        }
    }

    /// `output = finish(unit · left · right)`: one row for each of `starts`, a value for each column.
    ///
    /// left: of [`round`]; starts and runs count its pairs
    ///
    /// # Panics
    /// Slices that do not fit each other.
    pub(crate) fn product(
        &self,
        left: &[i32],
        unit: f32,
        starts: &[usize],
        runs: Runs,
        finish: Finish<'_>,
        output: &mut [f32],
    ) {
        let columns = self.scales.len();
        assert_eq!(output.len(), starts.len() * columns, "rows and columns of a product");
        let tiles = starts.len().div_ceil(ROWS);
        for (panel, pairs) in self.pairs.chunks_exact(runs.depth()).enumerate() {
            let column = panel * COLUMNS;
            let width = COLUMNS.min(columns - column);
            let mut factors = [0.0; COLUMNS];
            for (factor, scale) in factors.iter_mut().zip(&self.scales[column..]) {
                *factor = scale * unit;
            }
            for index in 0..tiles {
                let rows = index * starts.len() / tiles..(index + 1) * starts.len() / tiles;
                let mut sums = [[0; COLUMNS]; ROWS];
                tile(left, &starts[rows.clone()], runs, pairs, &mut sums);
                for (row, sums) in rows.zip(&sums) {
                    let start = row * columns + column;
                    let mut line: [f32; COLUMNS] =
                        std::array::from_fn(|at| sums[at] as f32 * factors[at]);
                    // A whole line has a length that the compiler knows.
                    if width == COLUMNS {
                        finish.apply(&mut line, column, start);
                        output[start..start + COLUMNS].copy_from_slice(&line);
                    } else {
                        finish.apply(&mut line[..width], column, start);
                        output[start..start + width].copy_from_slice(&line[..width]);
                    }
                }
            }
        }
    }
}

/// The largest magnitude; no number where one of the values is none.
fn largest(values: &[f32]) -> f32 {
    // Without a sign, the order of numbers is that of their bits, and what is no number comes last.
    f32::from_bits(values.iter().map(|value| value.to_bits() << 1 >> 1).max().unwrap_or(0))
}

/// Rounds a map's values to multiples of `unit`, two in each number, the first in the lower half.
///
/// # Panics
/// `pairs` must be half as many as `values`.
pub(crate) fn round(values: &[f32], unit: f32, pairs: &mut [i32]) {
    let (values, rest) = values.as_chunks::<2>();
    assert!(rest.is_empty() && values.len() == pairs.len(), "two values a pair");
    // All come out as zeros where there is no unit.
    let factor = if unit > 0.0 { unit.recip() } else { 0.0 };
    for (pair, [first, second]) in pairs.iter_mut().zip(values) {
        let [first, second] = [first, second].map(|value| (value * factor + ROUND).to_bits());
        *pair = (first & 0xffff | second << 16) as i32;
    }
}

/// The product of the rows that begin at `starts`, at most [`ROWS`], and a panel.
///
/// # Panics
/// A row that reaches beyond `left`.
fn tile(left: &[i32], starts: &[usize], runs: Runs, panel: &[Pair], sums: &mut [Sums; ROWS]) {
    match *starts {
        [a] => sized(left, [a], runs, panel, sums),
        [a, b] => sized(left, [a, b], runs, panel, sums),
        [a, b, c] => sized(left, [a, b, c], runs, panel, sums),
        [a, b, c, d] => sized(left, [a, b, c, d], runs, panel, sums),
        [a, b, c, d, e] => sized(left, [a, b, c, d, e], runs, panel, sums),
        [a, b, c, d, e, f] => sized(left, [a, b, c, d, e, f], runs, panel, sums),
        _ => unreachable!("a tile of {} rows", starts.len()),
    }
}

#[cfg(target_arch = "wasm32")]
use wasm::sized;

#[cfg(not(target_arch = "wasm32"))]
fn sized<const N: usize>(
    left: &[i32],
    starts: [usize; N],
    runs: Runs,
    panel: &[Pair],
    sums: &mut [Sums; ROWS],
) {
    #[cfg(target_arch = "x86_64")]
    if are_fast() {
        // SAFETY: the processor has what the function is compiled for.
        #[allow(unsafe_code)]
        return unsafe { x86::sized(left, starts, runs, panel, sums) };
    }
    plain(left, starts, runs, panel, sums);
}

/// Where there is no instruction for it.
#[cfg(not(target_arch = "wasm32"))]
fn plain<const N: usize>(
    left: &[i32],
    starts: [usize; N],
    runs: Runs,
    panel: &[Pair],
    sums: &mut [Sums; ROWS],
) {
    let mut panel = panel;
    for run in 0..runs.count {
        let (pairs, rest) = panel.split_at(runs.length);
        panel = rest;
        let rows = starts.map(|start| &left[start + run * runs.stride..][..runs.length]);
        for (at, pair) in pairs.iter().enumerate() {
            let (weights, _) = pair.as_chunks::<2>();
            for (sums, row) in sums.iter_mut().zip(rows) {
                let (first, second) = (i32::from(row[at] as i16), row[at] >> 16);
                for (sum, [a, b]) in sums.iter_mut().zip(weights) {
                    *sum += first * i32::from(*a) + second * i32::from(*b);
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm512_cvtepi8_epi16, _mm512_dpwssd_epi32, _mm512_set1_epi32,
        _mm512_setzero_si512,
    };

    use super::{Pair, ROWS, Runs, Sums};

    #[target_feature(enable = "avx512vnni,avx512bw")]
    pub(super) fn sized<const N: usize>(
        left: &[i32],
        starts: [usize; N],
        runs: Runs,
        panel: &[Pair],
        output: &mut [Sums; ROWS],
    ) {
        let mut sums = [_mm512_setzero_si512(); N];
        let mut panel = panel;
        for run in 0..runs.count {
            let (pairs, rest) = panel.split_at(runs.length);
            panel = rest;
            let rows = starts.map(|start| &left[start + run * runs.stride..][..runs.length]);
            for (at, pair) in pairs.iter().enumerate() {
                // SAFETY: both are 32 bytes without a meaning of their own.
                #[allow(unsafe_code)]
                let pair = unsafe { std::mem::transmute::<Pair, __m256i>(*pair) };
                let weights = _mm512_cvtepi8_epi16(pair);
                for (sum, row) in sums.iter_mut().zip(rows) {
                    *sum = _mm512_dpwssd_epi32(*sum, _mm512_set1_epi32(row[at]), weights);
                }
            }
        }
        for (line, sum) in output.iter_mut().zip(sums) {
            // SAFETY: both are 16 integers.
            #[allow(unsafe_code)]
            let sum = unsafe { std::mem::transmute::<__m512i, Sums>(sum) };
            *line = sum;
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::arch::wasm32::{
        i8x16, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
        i32x4_extract_lane, i32x4_splat, v128,
    };

    use super::{COLUMNS, Pair, ROWS, Runs, Sums};

    #[inline(always)]
    fn load(pair: &Pair) -> [v128; 2] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *pair;
        // One load in the module.
        let all = i8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
        [i16x8_extend_low_i8x16(all), i16x8_extend_high_i8x16(all)]
    }

    /// Pairs of each row that are taken at a time: their addresses then differ by constants.
    const STEP: usize = 4;

    pub(super) fn sized<const N: usize>(
        left: &[i32],
        starts: [usize; N],
        runs: Runs,
        panel: &[Pair],
        output: &mut [Sums; ROWS],
    ) {
        let mut sums = [[i32x4_splat(0); COLUMNS / 4]; N];
        let mut panel = panel;
        for run in 0..runs.count {
            let (pairs, rest) = panel.split_at(runs.length);
            panel = rest;
            let rows = starts.map(|start| &left[start + run * runs.stride..][..runs.length]);
            let (steps, last) = pairs.as_chunks::<STEP>();
            let chunks = rows.map(|row| &row.as_chunks::<STEP>().0[..steps.len()]);
            for (step, pairs) in steps.iter().enumerate() {
                let values: [&[i32; STEP]; N] = std::array::from_fn(|row| &chunks[row][step]);
                for (at, pair) in pairs.iter().enumerate() {
                    let weights = load(pair);
                    for (row, sums) in values.iter().zip(&mut sums) {
                        let value = i32x4_splat(row[at]);
                        for (sum, weights) in sums.iter_mut().zip(weights) {
                            *sum = i32x4_add(*sum, i32x4_dot_i16x8(value, weights));
                        }
                    }
                }
            }
            let done = steps.len() * STEP;
            for (at, pair) in last.iter().enumerate() {
                let weights = load(pair);
                for (row, sums) in rows.iter().zip(&mut sums) {
                    let value = i32x4_splat(row[done + at]);
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = i32x4_add(*sum, i32x4_dot_i16x8(value, weights));
                    }
                }
            }
        }
        for (line, sums) in output.iter_mut().zip(sums) {
            for (out, sum) in line.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
                *out = [
                    i32x4_extract_lane::<0>(sum),
                    i32x4_extract_lane::<1>(sum),
                    i32x4_extract_lane::<2>(sum),
                    i32x4_extract_lane::<3>(sum),
                ];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::conv::Method;
    use crate::packed::{Activation, Shape};

    fn noise(count: usize) -> Vec<f32> {
        (0..count as u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 8) as f32 / 8e6 - 1.0)
            .collect()
    }

    /// Integers times a scale for each of the first axis.
    fn on_a_grid(columns: usize, depth: usize) -> Vec<f32> {
        let scale = |at: usize| 0.003 + 0.001 * (at / depth) as f32;
        let mut weights: Vec<f32> = noise(columns * depth)
            .into_iter()
            .enumerate()
            .map(|(at, value)| (value * 115.0).round() * scale(at))
            .collect();
        for column in 0..columns {
            weights[column * depth] = -127.0 * scale(column * depth);
        }
        weights
    }

    fn shape(channels: usize, channels_out: usize, kernel: usize, stride: usize) -> Shape {
        Shape { channels, channels_out, kernel, stride, pad: kernel / 2 }
    }

    #[test]
    fn a_convolution_differs_by_the_rounding_of_the_map_alone() {
        for (shape, side) in [
            (shape(16, 32, 3, 2), [20, 13]),
            (shape(2, 5, 3, 1), [3, 4]),
            (shape(6, 19, 5, 2), [9, 7]),
            (shape(48, 50, 1, 1), [1, 13]),
            (shape(256, 17, 3, 1), [5, 5]),
        ] {
            let depth = shape.channels * shape.kernel * shape.kernel;
            let weight = on_a_grid(shape.channels_out, depth);
            let input = noise(2 * side[0] * side[1] * shape.channels);
            let bias = noise(shape.channels_out);
            let finish = Finish { bias: Some(&bias), residual: None, activation: Activation::Relu };
            let [direct, integers] = [Method::Direct, Method::Integers].map(|method| {
                let weight = shape.pack(method, &weight).expect("weights on a grid");
                shape.forward(side, &input, &weight, finish)
            });
            let pixels = direct.chunks(shape.channels_out).zip(integers.chunks(shape.channels_out));
            for (direct, integers) in pixels {
                for ((direct, integers), weight) in
                    direct.iter().zip(integers).zip(weight.chunks(depth))
                {
                    // A value of the map is off by half of a 30 000th of the largest, 1.1, at most.
                    let sum: f32 = weight.iter().map(|weight| weight.abs()).sum();
                    let bound = 0.5 / 30_000.0 * 1.1 * sum + 1e-5;
                    assert!((direct - integers).abs() <= bound, "{shape:?}: {direct} {integers}");
                }
            }
            assert!(integers.iter().any(|value| *value > 0.1));
        }
    }

    #[test]
    fn the_largest_sums_fit() {
        let shape = shape(512, 3, 3, 1);
        let weight = vec![-0.5; 3 * 512 * 9];
        let packed = shape.pack(Method::Integers, &weight).expect("weights on a grid");
        let output = shape.forward([3, 3], &vec![7.0; 9 * 512], &packed, Finish::NOTHING);
        let centre = output[4 * 3];
        assert!((centre / (-0.5 * 7.0 * 512.0 * 9.0) - 1.0).abs() < 1e-3, "{centre}");
    }

    #[test]
    fn weights_on_no_grid_and_odd_channels_are_left_to_others() {
        let shape = shape(4, 3, 1, 1);
        assert!(shape.pack(Method::Integers, &noise(12)).is_none());
        assert!(shape.pack(Method::Integers, &[f32::NAN; 12]).is_none());
        assert!(shape.pack(Method::Integers, &[0.0; 12]).is_some());
        let odd = Shape { channels: 3, ..shape };
        assert!(odd.pack(Method::Integers, &on_a_grid(3, 3)).is_none());
    }

    #[test]
    fn what_is_no_number_is_not_hidden_and_zeros_stay() {
        let shape = shape(2, 3, 1, 1);
        let weight = shape.pack(Method::Integers, &on_a_grid(3, 2)).expect("weights on a grid");
        let relu = Finish { bias: None, residual: None, activation: Activation::Relu };
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let output = shape.forward([1, 2], &[1.0, value, 0.5, 0.5], &weight, relu);
            assert!(output.iter().all(|value| value.is_nan()), "{value}: {output:?}");
        }
        for value in [0.0, 1e-45] {
            assert_eq!(shape.forward([1, 1], &[value; 2], &weight, relu), [0.0; 3]);
        }
    }
}
