//! The one resampling filter: a triangle, widened when it makes things smaller.
//!
//! Centres of pixels lie at half-integers, so enlarging is bilinear interpolation (align_corners
//! off) and reducing averages over everything an output pixel covers. Plain f32 additions and
//! multiplications in a fixed order: native and WebAssembly give the same bits.

use std::ops::Range;

/// The inputs that one output mixes, with their weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tap {
    /// First input.
    pub start: usize,
    /// Weights of the inputs from `start` on, above 0; they add up to 1.
    pub weights: Vec<f32>,
}

impl Tap {
    /// The inputs that are mixed.
    pub(crate) fn inputs(&self) -> Range<usize> {
        self.start..self.start + self.weights.len()
    }
}

/// How an axis of `from` samples becomes one of `to`; both at least 1.
pub(crate) fn taps(from: usize, to: usize) -> Vec<Tap> {
    // f64 here, so that positions on a 16 384 axis are exact to far below a weight's f32 rounding.
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    (0..to)
        .map(|i| {
            let centre = (i as f64 + 0.5) * scale;
            let weight = |j: usize| 1.0 - (j as f64 + 0.5 - centre).abs() / support;
            // The first and the last of these may lie outside of the triangle.
            let start = ((centre - support).floor().max(0.0) as usize).min(from - 1);
            let end = ((centre + support).ceil() as usize).clamp(start + 1, from);
            let start = (start..end).find(|&j| weight(j) > 0.0).unwrap_or(start);
            let raw: Vec<f64> = (start..end).map(weight).take_while(|&w| w > 0.0).collect();
            let sum: f64 = raw.iter().sum();
            Tap { start, weights: raw.iter().map(|w| (w / sum) as f32).collect() }
        })
        .collect()
}

/// `out += weight · row`, element by element.
pub(crate) fn add_scaled(out: &mut [f32], row: &[f32], weight: f32) {
    for (o, r) in out.iter_mut().zip(row) {
        *o += weight * r;
    }
}

/// Rows that are mixed in one pass over the output.
const ROWS: usize = 4;

/// Mixes whole rows: `rows` begins with one of `out.len()` values for each weight.
pub(crate) fn mix_rows(out: &mut [f32], rows: &[f32], weights: &[f32]) {
    out.fill(0.0);
    let length = out.len();
    let rows = &rows[..weights.len() * length];
    for (rows, weights) in rows.chunks(ROWS * length).zip(weights.chunks(ROWS)) {
        match *weights {
            // The same additions in the same order, with the output read and written once.
            [a, b, c, d] => {
                let (first, rest) = rows.split_at(length);
                let (second, rest) = rest.split_at(length);
                let (third, fourth) = rest.split_at(length);
                let rows = first.iter().zip(second).zip(third.iter().zip(fourth));
                for (out, ((first, second), (third, fourth))) in out.iter_mut().zip(rows) {
                    *out = *out + a * first + b * second + c * third + d * fourth;
                }
            }
            [a, b] => {
                let (first, second) = rows.split_at(length);
                for (out, (first, second)) in out.iter_mut().zip(first.iter().zip(second)) {
                    *out = *out + a * first + b * second;
                }
            }
            _ => {
                for (row, &weight) in rows.chunks_exact(length).zip(weights) {
                    add_scaled(out, row, weight);
                }
            }
        }
    }
}

/// Mixes along a row of interleaved values with `C` channels.
pub(crate) fn mix_columns<const C: usize>(out: &mut [f32], row: &[f32], taps: &[Tap]) {
    let row = row.as_chunks::<C>().0;
    for (out, tap) in out.as_chunks_mut::<C>().0.iter_mut().zip(taps) {
        let row = &row[tap.start..];
        // What enlarges mixes two.
        if let ([a, b], [first, second, ..]) = (&tap.weights[..], row) {
            *out = std::array::from_fn(|c| a * first[c] + b * second[c]);
            continue;
        }
        let mut sum = [0.0f32; C];
        for (pixel, &weight) in row.iter().zip(&tap.weights) {
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += weight * value;
            }
        }
        *out = sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_above_zero_and_add_up_to_one_for_all_sizes() {
        for (from, to) in [(1, 1), (1, 7), (7, 1), (5, 5), (3, 10), (1000, 3), (16_384, 33)] {
            let all = taps(from, to);
            assert_eq!(all.len(), to);
            for tap in all {
                assert!(tap.start + tap.weights.len() <= from);
                assert!(tap.weights.iter().all(|weight| *weight > 0.0));
                let sum: f32 = tap.weights.iter().sum();
                // Up to 1000 weights, each rounded to f32: far below 1000 · 6e-8.
                assert!((sum - 1.0).abs() < 1e-5, "{from} -> {to}: {sum}");
            }
        }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        for (i, tap) in taps(9, 9).into_iter().enumerate() {
            assert_eq!(tap, Tap { start: i, weights: vec![1.0] });
        }
    }

    #[test]
    fn enlarging_mixes_two() {
        for tap in taps(224, 2048) {
            assert!(tap.weights.len() <= 2, "{tap:?}");
        }
    }

    #[test]
    fn doubling_is_bilinear_with_half_pixel_centres() {
        let row = [0.0, 1.0, 3.0];
        let mut out = [0.0; 6];
        mix_columns::<1>(&mut out, &row, &taps(3, 6));
        assert_eq!(out, [0.0, 0.25, 0.75, 1.5, 2.5, 3.0]);
    }
}
