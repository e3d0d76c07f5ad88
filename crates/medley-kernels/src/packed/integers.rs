//! Products with weights that are integers of eight bits times a scale for each column, or for each row, which is how packages
//! keep those of convolutions and of linear layers.
//!
//! The map's values are rounded to as many bits as leave every sum within 32: about fifteen, and hardly ever fewer than
//! thirteen. An instruction of WebAssembly, or of newer x86 processors, then multiplies and adds twice as many values as of
//! f32, and the weights take a quarter of the memory. The weights and all sums are exact; a value's error is at most a
//! 32 000th of the map's largest.

use super::elementary::ROUND;
use super::product::Finish;
use super::tile::{COLUMNS, Line, ROWS, Runs};

/// The weights of two rows of the right matrix, column after column.
type Pair = [i8; 2 * COLUMNS];

/// A right matrix, `[depth, columns]`, in panels of [`COLUMNS`] columns, two rows at a time. The last panel is filled up with
/// zeros.
#[derive(Debug, PartialEq)]
pub(crate) struct Integers {
    pairs: Vec<Pair>,
    /// What a column's integers are multiples of; all 1 where those of a row have a scale.
    scales: Vec<f32>,
    /// The scale of each row, by which the map's values are to be multiplied; empty where there is none.
    row_scales: Vec<f32>,
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
    /// by_rows: whether the map's values may be multiplied by a scale for each row first; with an area of 1
    ///
    /// `None` where the weights are no multiples of scales for each column, nor for each row, or where the channels are odd: two
    /// values make a pair, and no pair is cut.
    pub(crate) fn pack(
        weight: &[f32],
        [columns, channels, area]: [usize; 3],
        by_rows: bool,
    ) -> Option<Self> {
        if channels % 2 == 1 {
            return None;
        }
        let depth = channels * area;
        let mut pairs = room([depth, columns]);
        let scales: Vec<f32> = weight.chunks_exact(depth).map(scale).collect();
        let by_column = |column: usize| Scale::One(scales[column]);
        if let Some(most) = fill(&mut pairs, weight, [channels, area], by_column) {
            return Some(Self { pairs, scales, row_scales: Vec::new(), most });
        }
        if !by_rows {
            return None;
        }
        let row_scales = scales_across(weight, depth);
        let most = fill(&mut pairs, weight, [channels, area], |_| Scale::Each(&row_scales))?;
        Some(Self { pairs, scales: vec![1.0; columns], row_scales, most })
    }

    /// From `[depth, columns]`, the weights of a linear layer; the map's values may be multiplied by a scale for each row first.
    ///
    /// `None` as in [`Self::pack`].
    pub(crate) fn pack_matrix(weight: &[f32], [depth, columns]: [usize; 2]) -> Option<Self> {
        if depth % 2 == 1 {
            return None;
        }
        let mut pairs = room([depth, columns]);
        let scales = scales_across(weight, columns);
        if let Some(most) = fill_matrix(&mut pairs, weight, columns, |_| Scale::Each(&scales)) {
            return Some(Self { pairs, scales, row_scales: Vec::new(), most });
        }
        let row_scales: Vec<f32> = weight.chunks_exact(columns).map(scale).collect();
        let by_row = |row: usize| Scale::One(row_scales[row]);
        let most = fill_matrix(&mut pairs, weight, columns, by_row)?;
        Some(Self { pairs, scales: vec![1.0; columns], row_scales, most })
    }

    /// A map's values times the scales of their rows, in `scratch`, or as they are where there are none.
    ///
    /// map: `[pixels, channels]`; scratch: as long
    pub(crate) fn scaled<'a>(&self, map: &'a [f32], scratch: &'a mut [f32]) -> &'a [f32] {
        if self.row_scales.is_empty() {
            return map;
        }
        let channels = self.row_scales.len();
        for (out, pixel) in scratch.chunks_exact_mut(channels).zip(map.chunks_exact(channels)) {
            for (out, (value, scale)) in out.iter_mut().zip(pixel.iter().zip(&self.row_scales)) {
                *out = value * scale;
            }
        }
        scratch
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

    /// `output = finish(unit · left · right)`, but for [`Finish::complete`]: one row for each of `starts`, a value for each column.
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
                let first = rows.start * columns + column;
                let starts = &starts[rows.clone()];
                // A whole line has a length that the compiler knows.
                if width == COLUMNS {
                    tile(left, starts, runs, pairs, &factors, &mut output[first..], columns);
                    if !finish.is_nothing() {
                        for row in rows {
                            let start = row * columns + column;
                            finish.apply(&mut output[start..start + COLUMNS], column, start);
                        }
                    }
                    continue;
                }
                let mut lines = [[0.0; COLUMNS]; ROWS];
                tile(left, starts, runs, pairs, &factors, lines.as_flattened_mut(), COLUMNS);
                for (row, line) in rows.zip(&mut lines) {
                    let start = row * columns + column;
                    finish.apply(&mut line[..width], column, start);
                    output[start..start + width].copy_from_slice(&line[..width]);
                }
            }
        }
    }
}

/// Zeros for a matrix of `[depth, columns]`.
fn room([depth, columns]: [usize; 2]) -> Vec<Pair> {
    vec![[0; 2 * COLUMNS]; columns.div_ceil(COLUMNS) * depth / 2]
}

/// What weights are multiples of, where their largest is [`MOST_WEIGHT`] times it.
fn scale(weights: &[f32]) -> f32 {
    largest(weights) / MOST_WEIGHT
}

/// [`scale`] for each place in rows of `width`.
fn scales_across(weight: &[f32], width: usize) -> Vec<f32> {
    let mut largest = vec![0; width];
    for row in weight.chunks_exact(width) {
        for (most, weight) in largest.iter_mut().zip(row) {
            *most = magnitude(*weight).max(*most);
        }
    }
    largest.into_iter().map(|bits| f32::from_bits(bits) / MOST_WEIGHT).collect()
}

/// What weights side by side are multiples of.
enum Scale<'a> {
    One(f32),
    /// As many as weights.
    Each(&'a [f32]),
}

/// Fills panels with the integers that `weight`, `[columns, channels, area]`, are of the scales of each column. Answers the
/// largest integer of a map for which no sum leaves 32 bits; none where they are no multiples.
///
/// A column at a time, so that nothing as large as the weights lies in memory beside them.
fn fill<'a>(
    pairs: &mut [Pair],
    weight: &[f32],
    [channels, area]: [usize; 2],
    scales: impl Fn(usize) -> Scale<'a>,
) -> Option<f32> {
    let depth = channels * area;
    let mut integers = vec![0; depth];
    let mut most_sum = 0;
    for (column, weight) in weight.chunks_exact(depth).enumerate() {
        are_multiples(weight, scales(column), &mut integers).then_some(())?;
        let panel = &mut pairs[column / COLUMNS * depth / 2..][..depth / 2];
        for (place, pairs) in panel.chunks_exact_mut(channels / 2).enumerate() {
            place_column(
                &integers[place..],
                area,
                &mut pairs.as_flattened_mut()[column % COLUMNS * 2..],
            );
        }
        let sum = integers.iter().map(|value| u32::from(value.unsigned_abs())).sum();
        most_sum = most_sum.max(sum);
    }
    Some(most(most_sum))
}

/// Writes every `area`th integer, two in each pair of a panel that begins with the column's place. A function of its own, which
/// is called often: a browser runs its slow first version for one column, not for a whole layer.
#[inline(never)]
fn place_column(integers: &[i8], area: usize, pairs: &mut [i8]) {
    let firsts = integers.iter().step_by(2 * area);
    let seconds = integers[area..].iter().step_by(2 * area);
    for (pair, (first, second)) in pairs.chunks_mut(2 * COLUMNS).zip(firsts.zip(seconds)) {
        if let [a, b, ..] = pair {
            (*a, *b) = (*first, *second);
        }
    }
}

/// The same of `[depth, columns]` and the scales of each row.
fn fill_matrix<'a>(
    pairs: &mut [Pair],
    weight: &[f32],
    columns: usize,
    scales: impl Fn(usize) -> Scale<'a>,
) -> Option<f32> {
    let depth = weight.len() / columns;
    let mut integers = [vec![0; columns], vec![0; columns]];
    let mut sums = vec![0; columns];
    for (index, rows) in weight.chunks_exact(2 * columns).enumerate() {
        let rows = rows.chunks_exact(columns).zip(&mut integers);
        for (half, (weight, integers)) in rows.enumerate() {
            are_multiples(weight, scales(2 * index + half), integers).then_some(())?;
            for (sum, value) in sums.iter_mut().zip(&*integers) {
                *sum += u32::from(value.unsigned_abs());
            }
        }
        let [first, second] = &integers;
        let rows = first.chunks(COLUMNS).zip(second.chunks(COLUMNS));
        for (pairs, (first, second)) in pairs.chunks_exact_mut(depth / 2).zip(rows) {
            let pair = pairs[index].as_chunks_mut::<2>().0;
            for (pair, (first, second)) in pair.iter_mut().zip(first.iter().zip(second)) {
                *pair = [*first, *second];
            }
        }
    }
    Some(most(sums.into_iter().max().unwrap_or(0)))
}

/// The largest integer of a map for which no sum leaves 32 bits. `sum`: the largest of a column's magnitudes.
fn most(sum: u32) -> f32 {
    (i32::MAX as u32 / sum.max(1)).min(i16::MAX as u32) as f32
}

/// Whether weights are integers times their scales, and these integers. Without a branch in its loops and with slices alone, so
/// that it becomes vectors, and a function of its own as [`place_column`]: it is what loading a package takes longest for.
#[inline(never)]
fn are_multiples(weights: &[f32], scale: Scale<'_>, integers: &mut [i8]) -> bool {
    let mut unfit = 0;
    let mut take = |integer: &mut i8, weight: f32, scale: f32| {
        // In the lowest bits of this sum stands the nearest integer; where the scale is 0, the quotient is no number.
        let sum = weight / scale + ROUND;
        let missed = ((sum - ROUND) * scale - weight).abs();
        // What is no number is not within the bound.
        let fits = missed <= SLACK * MOST_WEIGHT * scale;
        let zero = weight.abs() + scale == 0.0;
        unfit |= u32::from(!(fits | zero));
        *integer = sum.to_bits() as i8 & (i8::from(zero) - 1);
    };
    match scale {
        Scale::One(scale) => {
            for (integer, weight) in integers.iter_mut().zip(weights) {
                take(integer, *weight, scale);
            }
        }
        Scale::Each(scales) => {
            for (integer, (weight, scale)) in integers.iter_mut().zip(weights.iter().zip(scales)) {
                take(integer, *weight, *scale);
            }
        }
    }
    unfit == 0
}

/// The largest magnitude; no number where one of the values is none.
fn largest(values: &[f32]) -> f32 {
    f32::from_bits(values.iter().map(|value| magnitude(*value)).max().unwrap_or(0))
}

/// A value without its sign: the order of numbers is that of these bits then, and what is no number comes last.
fn magnitude(value: f32) -> u32 {
    value.to_bits() << 1 >> 1
}

/// Rounds a map's values to multiples of `unit`, two in each number, the first in the lower half.
///
/// # Panics
/// `pairs` must be half as many as `values`.
pub(crate) fn round(values: &[f32], unit: f32, pairs: &mut [i32]) {
    assert!(values.len() == 2 * pairs.len(), "two values a pair");
    // All come out as zeros where there is no unit.
    let factor = if unit > 0.0 { unit.recip() } else { 0.0 };
    #[cfg(target_arch = "wasm32")]
    let (values, pairs) = wasm::round(values, factor, pairs);
    for (pair, [first, second]) in pairs.iter_mut().zip(values.as_chunks::<2>().0) {
        let [first, second] = [first, second].map(|value| (value * factor + ROUND).to_bits());
        *pair = (first & 0xffff | second << 16) as i32;
    }
}

/// The product of the rows that begin at `starts`, at most [`ROWS`], and a panel, each column times its factor: a line for each
/// row, `stride` values apart.
///
/// # Panics
/// A row that reaches beyond `left`, lines that do not fit `output`.
fn tile(
    left: &[i32],
    starts: &[usize],
    runs: Runs,
    panel: &[Pair],
    factors: &Line,
    output: &mut [f32],
    stride: usize,
) {
    macro_rules! of {
        ($($start:ident)*) => {
            sized(left, [$($start),*], runs, panel, factors, output, stride)
        };
    }
    match *starts {
        [a] => of!(a),
        [a, b] => of!(a b),
        [a, b, c] => of!(a b c),
        [a, b, c, d] => of!(a b c d),
        [a, b, c, d, e] => of!(a b c d e),
        [a, b, c, d, e, f] => of!(a b c d e f),
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
    factors: &Line,
    output: &mut [f32],
    stride: usize,
) {
    #[cfg(target_arch = "x86_64")]
    if are_fast() {
        // SAFETY: the processor has what the function is compiled for.
        #[allow(unsafe_code)]
        return unsafe { x86::sized(left, starts, runs, panel, factors, output, stride) };
    }
    for (row, sums) in plain(left, starts, runs, panel).iter().enumerate() {
        let line = &mut output[row * stride..][..COLUMNS];
        for (out, (sum, factor)) in line.iter_mut().zip(sums.iter().zip(factors)) {
            *out = *sum as f32 * factor;
        }
    }
}

/// Where there is no instruction for it.
#[cfg(not(target_arch = "wasm32"))]
fn plain<const N: usize>(
    left: &[i32],
    starts: [usize; N],
    runs: Runs,
    panel: &[Pair],
) -> [[i32; COLUMNS]; N] {
    let mut sums = [[0; COLUMNS]; N];
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
    sums
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512, _mm512_cvtepi8_epi16, _mm512_cvtepi32_ps, _mm512_dpwssd_epi32,
        _mm512_mul_ps, _mm512_set1_epi32, _mm512_setzero_si512,
    };

    use super::{COLUMNS, Line, Pair, Runs};

    #[target_feature(enable = "avx512vnni,avx512bw")]
    pub(super) fn sized<const N: usize>(
        left: &[i32],
        starts: [usize; N],
        runs: Runs,
        panel: &[Pair],
        factors: &Line,
        output: &mut [f32],
        stride: usize,
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
        // SAFETY: both are 16 floats.
        #[allow(unsafe_code)]
        let factors = unsafe { std::mem::transmute::<Line, __m512>(*factors) };
        for (row, sum) in sums.into_iter().enumerate() {
            let line = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), factors);
            // SAFETY: both are 16 floats.
            #[allow(unsafe_code)]
            let line = unsafe { std::mem::transmute::<__m512, Line>(line) };
            output[row * stride..][..COLUMNS].copy_from_slice(&line);
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::arch::wasm32::{
        f32x4, f32x4_add, f32x4_convert_i32x4, f32x4_extract_lane, f32x4_mul, f32x4_splat, i8x16,
        i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i16x8_narrow_i32x4, i32x4_add,
        i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, i32x4_sub, v128,
    };

    use super::{COLUMNS, Line, Pair, ROUND, Runs};

    /// Rounds `value · factor` of as many values as fill vectors, and answers what is left: in memory, halves of 16 bits one after
    /// the other are the pairs.
    pub(super) fn round<'a, 'b>(
        values: &'a [f32],
        factor: f32,
        pairs: &'b mut [i32],
    ) -> (&'a [f32], &'b mut [i32]) {
        let (values, rest) = values.as_chunks::<8>();
        let (pairs, rest_pairs) = pairs.as_chunks_mut::<4>();
        let (factor, round) = (f32x4_splat(factor), f32x4_splat(ROUND));
        let bits = i32x4_splat(ROUND.to_bits() as i32);
        let integers =
            |a, b, c, d| i32x4_sub(f32x4_add(f32x4_mul(f32x4(a, b, c, d), factor), round), bits);
        for (out, &[a, b, c, d, e, f, g, h]) in pairs.iter_mut().zip(values) {
            let both = i16x8_narrow_i32x4(integers(a, b, c, d), integers(e, f, g, h));
            *out = [
                i32x4_extract_lane::<0>(both),
                i32x4_extract_lane::<1>(both),
                i32x4_extract_lane::<2>(both),
                i32x4_extract_lane::<3>(both),
            ];
        }
        (rest, rest_pairs)
    }

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
        factors: &Line,
        output: &mut [f32],
        stride: usize,
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
        let factors = factors.as_chunks::<4>().0;
        for (row, sums) in sums.into_iter().enumerate() {
            let line = output[row * stride..][..COLUMNS].as_chunks_mut::<4>().0;
            for (out, (sum, &[a, b, c, d])) in line.iter_mut().zip(sums.into_iter().zip(factors)) {
                let values = f32x4_mul(f32x4_convert_i32x4(sum), f32x4(a, b, c, d));
                *out = [
                    f32x4_extract_lane::<0>(values),
                    f32x4_extract_lane::<1>(values),
                    f32x4_extract_lane::<2>(values),
                    f32x4_extract_lane::<3>(values),
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
    fn a_linear_layer_may_have_a_scale_for_each_input() {
        let shape = shape(24, 20, 1, 1);
        let mut weight = vec![0.0; 20 * 24];
        for (out, own) in on_a_grid(24, 20).chunks(20).enumerate() {
            for (at, value) in own.iter().enumerate() {
                weight[at * 24 + out] = *value;
            }
        }
        let input = noise(7 * 24);
        let [direct, integers] = [Method::Direct, Method::Integers].map(|method| {
            let weight = shape.pack(method, &weight).expect("weights on a grid");
            shape.forward([7, 1], &input, &weight, Finish::NOTHING)
        });
        for (direct, integers) in direct.iter().zip(&integers) {
            assert!((direct - integers).abs() < 1e-3, "{direct} {integers}");
        }
        assert!(direct.iter().any(|value| *value > 1.0));
        // Elsewhere a value of the map meets the weights of several places.
        assert!(Shape { stride: 2, ..shape }.pack(Method::Integers, &weight).is_none());
        // Where patches do not overlap, each place has scales of its own.
        let patches = Shape { channels: 6, kernel: 2, stride: 2, ..shape };
        let input = noise(2 * 5 * 7 * 6);
        let [direct, integers] = [Method::Direct, Method::Integers].map(|method| {
            let weight = patches.pack(method, &weight).expect("weights on a grid");
            patches.forward([5, 7], &input, &weight, Finish::NOTHING)
        });
        assert_eq!(direct.len(), 2 * 2 * 3 * 20);
        for (direct, integers) in direct.iter().zip(&integers) {
            assert!((direct - integers).abs() < 1e-3, "{direct} {integers}");
        }
    }

    #[test]
    fn a_matrix_is_laid_out_as_the_convolution_of_its_transpose() {
        for (depth, columns) in [(6, 3), (24, 20), (4, 2 * COLUMNS)] {
            // A scale for each column; a scale for each row.
            let weight = on_a_grid(columns, depth);
            for by_rows in [false, true] {
                let (rows, columns) = if by_rows { (columns, depth) } else { (depth, columns) };
                if rows % 2 == 1 {
                    continue;
                }
                let of = |column: usize, row: usize| {
                    if by_rows {
                        weight[row * columns + column]
                    } else {
                        weight[column * rows + row]
                    }
                };
                let matrix: Vec<f32> = (0..rows)
                    .flat_map(|row| (0..columns).map(move |column| (column, row)))
                    .map(|(column, row)| of(column, row))
                    .collect();
                let transpose: Vec<f32> = (0..columns)
                    .flat_map(|column| (0..rows).map(move |row| (column, row)))
                    .map(|(column, row)| of(column, row))
                    .collect();
                let found = Integers::pack_matrix(&matrix, [rows, columns]).unwrap();
                assert_eq!(found.row_scales.is_empty(), !by_rows);
                assert_eq!(Some(found), Integers::pack(&transpose, [columns, rows, 1], true));
            }
        }
        assert!(Integers::pack_matrix(&noise(12), [4, 3]).is_none());
        assert!(Integers::pack_matrix(&on_a_grid(4, 3), [3, 4]).is_none());
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
