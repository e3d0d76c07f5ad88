//! The innermost loop: a few rows of the left matrix times one panel of the right one, sums kept in registers.
//!
//! Goto and van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).

/// Columns of a panel: two or four registers' worth of sums for each row.
#[cfg(target_arch = "wasm32")]
pub(crate) const COLUMNS: usize = 8;
/// Columns of a panel: two or four registers' worth of sums for each row.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) const COLUMNS: usize = 16;

/// The most rows of a tile. Their sums, a panel's row and one factor just fit 16 registers.
pub(crate) const ROWS: usize = 6;

/// One row of a panel, or the sums of one row of a tile.
pub(crate) type Line = [f32; COLUMNS];

/// Where the values of one row of the left matrix lie, from where the row starts: `count` runs of `length` values,
/// `stride` apart. A convolution's patch is such a row in a map whose channels lie side by side: one run for each row of
/// the kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runs {
    pub count: usize,
    pub stride: usize,
    pub length: usize,
}

impl Runs {
    /// A row without gaps.
    pub(crate) fn one(length: usize) -> Self {
        Self { count: 1, stride: 0, length }
    }

    /// Values of a row.
    pub(crate) fn depth(&self) -> usize {
        self.count * self.length
    }
}

/// The product of the rows that begin at `starts`, at most [`ROWS`], and a panel: a line for each row, `stride` values apart.
///
/// # Panics
/// A row that reaches beyond `left`, lines that do not fit `output`.
pub(crate) fn tile(
    left: &[f32],
    starts: &[usize],
    runs: Runs,
    panel: &[Line],
    output: &mut [f32],
    stride: usize,
) {
    match *starts {
        [a] => sized(left, [a], runs, panel, output, stride),
        [a, b] => sized(left, [a, b], runs, panel, output, stride),
        [a, b, c] => sized(left, [a, b, c], runs, panel, output, stride),
        [a, b, c, d] => sized(left, [a, b, c, d], runs, panel, output, stride),
        [a, b, c, d, e] => sized(left, [a, b, c, d, e], runs, panel, output, stride),
        [a, b, c, d, e, f] => sized(left, [a, b, c, d, e, f], runs, panel, output, stride),
        _ => unreachable!("a tile of {} rows", starts.len()),
    }
}

#[cfg(target_arch = "wasm32")]
use wasm::sized;

#[cfg(not(target_arch = "wasm32"))]
fn sized<const N: usize>(
    left: &[f32],
    starts: [usize; N],
    runs: Runs,
    panel: &[Line],
    output: &mut [f32],
    stride: usize,
) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has what the function is compiled for.
        #[allow(unsafe_code)]
        return unsafe { fused(left, starts, runs, panel, output, stride) };
    }
    // Every 64-bit ARM has fused multiply-adds; where they are not certain, `mul_add` would be a call of the C library.
    portable::<N, { cfg!(target_arch = "aarch64") }>(left, starts, runs, panel, output, stride);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused<const N: usize>(
    left: &[f32],
    starts: [usize; N],
    runs: Runs,
    panel: &[Line],
    output: &mut [f32],
    stride: usize,
) {
    portable::<N, true>(left, starts, runs, panel, output, stride);
}

/// In a form that the compiler turns into vectors of whatever width there is.
#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
fn portable<const N: usize, const FUSED: bool>(
    left: &[f32],
    starts: [usize; N],
    runs: Runs,
    panel: &[Line],
    output: &mut [f32],
    stride: usize,
) {
    let mut sums = [[0.0f32; COLUMNS]; N];
    let mut panel = panel;
    for run in 0..runs.count {
        let (lines, rest) = panel.split_at(runs.length);
        panel = rest;
        let rows = starts.map(|start| &left[start + run * runs.stride..][..runs.length]);
        for (at, line) in lines.iter().enumerate() {
            for (sums, row) in sums.iter_mut().zip(rows) {
                let factor = row[at];
                for (sum, value) in sums.iter_mut().zip(line) {
                    *sum = if FUSED { factor.mul_add(*value, *sum) } else { *sum + factor * value };
                }
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        output[row * stride..][..COLUMNS].copy_from_slice(sums);
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::arch::wasm32::{f32x4, f32x4_extract_lane, f32x4_splat, v128};
    #[cfg(not(feature = "relaxed-simd"))]
    use std::arch::wasm32::{f32x4_add, f32x4_mul};

    use super::{COLUMNS, Line, Runs};

    /// `a · b + c`. A macro, as a function of its own could not be compiled into one with more features.
    macro_rules! multiply_add {
        ($a:expr, $b:expr, $c:expr) => {{
            #[cfg(feature = "relaxed-simd")]
            {
                std::arch::wasm32::f32x4_relaxed_madd($a, $b, $c)
            }
            #[cfg(not(feature = "relaxed-simd"))]
            {
                f32x4_add($c, f32x4_mul($a, $b))
            }
        }};
    }

    #[inline(always)]
    fn load(values: &[f32; 4]) -> v128 {
        // One load in the module.
        f32x4(values[0], values[1], values[2], values[3])
    }

    /// Values of each row that are taken at a time: their addresses then differ by constants.
    const STEP: usize = 4;

    #[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
    pub(super) fn sized<const N: usize>(
        left: &[f32],
        starts: [usize; N],
        runs: Runs,
        panel: &[Line],
        output: &mut [f32],
        stride: usize,
    ) {
        let mut sums = [[f32x4_splat(0.0); COLUMNS / 4]; N];
        let mut panel = panel;
        for run in 0..runs.count {
            let (lines, rest) = panel.split_at(runs.length);
            panel = rest;
            let rows = starts.map(|start| &left[start + run * runs.stride..][..runs.length]);
            let (steps, last) = lines.as_chunks::<STEP>();
            let chunks = rows.map(|row| &row.as_chunks::<STEP>().0[..steps.len()]);
            for (step, lines) in steps.iter().enumerate() {
                let factors: [&[f32; STEP]; N] = std::array::from_fn(|row| &chunks[row][step]);
                for (at, line) in lines.iter().enumerate() {
                    let (quarters, _) = line.as_chunks::<4>();
                    for (row, sums) in factors.iter().zip(&mut sums) {
                        let factor = f32x4_splat(row[at]);
                        for (sum, quarter) in sums.iter_mut().zip(quarters) {
                            *sum = multiply_add!(factor, load(quarter), *sum);
                        }
                    }
                }
            }
            let done = steps.len() * STEP;
            for (at, line) in last.iter().enumerate() {
                let (quarters, _) = line.as_chunks::<4>();
                for (row, sums) in rows.iter().zip(&mut sums) {
                    let factor = f32x4_splat(row[done + at]);
                    for (sum, quarter) in sums.iter_mut().zip(quarters) {
                        *sum = multiply_add!(factor, load(quarter), *sum);
                    }
                }
            }
        }
        for (row, sums) in sums.into_iter().enumerate() {
            let line = &mut output[row * stride..][..COLUMNS];
            for (out, sum) in line.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
                *out = [
                    f32x4_extract_lane::<0>(sum),
                    f32x4_extract_lane::<1>(sum),
                    f32x4_extract_lane::<2>(sum),
                    f32x4_extract_lane::<3>(sum),
                ];
            }
        }
    }
}
