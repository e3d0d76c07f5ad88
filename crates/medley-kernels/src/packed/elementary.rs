//! exp and erf in forms without branches, which the compiler turns into vectors; the C library's take one value at a time.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side")]

use super::wide::wide;

/// 1.5 · 2²³: adding it rounds to an integer, which then stands in the lowest bits.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// Below it [`exp`] stays what it is there.
const LEAST: f32 = -87.0;

/// ln 2 in two parts, so that a multiple of the first is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Values that are computed side by side. Step by step over all of them, as loops of one value's steps stay scalar.
pub(crate) const LANES: usize = 8;

/// e^x for x ≤ 88, with a relative error below 3e-7; below -87 it stays at e^-87.
#[inline(always)]
pub(crate) fn exp<const L: usize>(x: [f32; L]) -> [f32; L] {
    // Of negative numbers the larger bits are the smaller number: so it is an instruction of WebAssembly, where `max` is a call,
    // and a comparison of floats stays scalar.
    let x = x.map(|x| f32::from_bits(x.to_bits().min(LEAST.to_bits())));
    let shifted = x.map(|x| x * std::f32::consts::LOG2_E + ROUND);
    let mut rest = [0.0; L];
    for lane in 0..L {
        let count = shifted[lane] - ROUND;
        rest[lane] = x[lane] - count * LN_2[0] - count * LN_2[1];
    }
    // Taylor's series: |rest| ≤ ln 2 / 2, whose seventh power over 7! is 1e-7.
    let sum = polynomial(&[1.0, 1.0, 0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0], rest);
    let mut result = [0.0; L];
    for lane in 0..L {
        // 2^count, made from its exponent.
        let power = (shifted[lane].to_bits() << 23).wrapping_add(1.0f32.to_bits());
        result[lane] = sum[lane] * f32::from_bits(power);
    }
    result
}

/// A polynomial, lowest coefficient first, by Estrin's scheme: four chains of every fourth coefficient, as one chain of
/// all would leave the processor waiting for each sum.
#[inline(always)]
fn polynomial<const N: usize, const L: usize>(factors: &[f32; N], place: [f32; L]) -> [f32; L] {
    let fourth = place.map(|place| (place * place) * (place * place));
    let mut sum = [0.0; L];
    for first in (0..4).rev() {
        let last = first + (N - 1 - first) / 4 * 4;
        let mut chain = [factors[last]; L];
        for index in (first..last).step_by(4).rev() {
            for lane in 0..L {
                chain[lane] = chain[lane] * fourth[lane] + factors[index];
            }
        }
        for lane in 0..L {
            sum[lane] = sum[lane] * place[lane] + chain[lane];
        }
    }
    sum
}

/// From here on erf is 1 but for less than 1e-7.
const ERF_END: f32 = 3.8;

/// Chebyshev's approximation of erf(x) / x on 0..=[`ERF_END`], as a polynomial in x² scaled to -1..=1, lowest first. In
/// f32 the largest error of erf is 2.2e-7.
#[allow(clippy::excessive_precision)]
const ERF: [f32; 15] = [
    3.72107607e-01,
    -1.85641385e-01,
    1.37740987e-01,
    -1.11179676e-01,
    9.08062370e-02,
    -7.25686074e-02,
    5.52330929e-02,
    -3.87373163e-02,
    2.61380503e-02,
    -1.87042394e-02,
    1.08377054e-02,
    -2.97570518e-03,
    1.66734448e-03,
    -2.80368395e-03,
    1.23749025e-03,
];

/// erf(|x| / √2)
#[inline(always)]
fn erf_of_size<const L: usize>(size: [f32; L]) -> [f32; L] {
    // A comparison: `min` is a call in WebAssembly, and a second one stays scalar there.
    let inside = size.map(|size| {
        let scaled = size * std::f32::consts::FRAC_1_SQRT_2;
        if scaled > ERF_END { ERF_END } else { scaled }
    });
    let place = inside.map(|inside| inside * inside * (2.0 / (ERF_END * ERF_END)) - 1.0);
    let sum = polynomial(&ERF, place);
    let mut result = [0.0; L];
    for lane in 0..L {
        result[lane] = sum[lane] * inside[lane];
    }
    result
}

/// x Φ(x) = x (1 + erf(x / √2)) / 2 = (x + |x| erf(|x| / √2)) / 2
#[inline(always)]
pub(crate) fn gelu<const L: usize>(x: [f32; L]) -> [f32; L] {
    let size = x.map(f32::abs);
    let erf = erf_of_size(size);
    let mut result = [0.0; L];
    for lane in 0..L {
        result[lane] = 0.5 * x[lane] + 0.5 * size[lane] * erf[lane];
    }
    result
}

/// The derivative of [`gelu`]: Φ(x) + x φ(x).
#[inline(always)]
fn gelu_slope<const L: usize>(x: [f32; L]) -> [f32; L] {
    /// 1 / √(2π)
    const HEIGHT: f32 = 0.398_942_3;
    let erf = erf_of_size(x.map(f32::abs));
    // Negative, so that the exponential's lower bound holds.
    let density = exp(x.map(|x| -(x * x) * 0.5));
    let mut result = [0.0; L];
    for lane in 0..L {
        result[lane] = 0.5 + 0.5 * erf[lane].copysign(x[lane]) + x[lane] * density[lane] * HEIGHT;
    }
    result
}

wide! {
    /// [`gelu`] of every value.
    #[cfg_attr(target_arch = "wasm32", inline(always))]
    pub(crate) fn gelu_all(values: &mut [f32]) {
        let (chunks, rest) = values.as_chunks_mut::<LANES>();
        for chunk in chunks {
            *chunk = gelu(*chunk);
        }
        for value in rest {
            [*value] = gelu([*value]);
        }
    }
}

wide! {
    /// [`gelu_slope`] of every value.
    pub(crate) fn gelu_slope_all(values: &mut [f32]) {
        let (chunks, rest) = values.as_chunks_mut::<LANES>();
        for chunk in chunks {
            *chunk = gelu_slope(*chunk);
        }
        for value in rest {
            [*value] = gelu_slope([*value]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for step in -8700..=8800 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            let [found] = exp([x]);
            assert!((f64::from(found) / expected - 1.0).abs() < 3e-7, "{x}");
        }
        // What a mask leaves of a weight.
        assert!(exp([-1000.0, f32::NEG_INFINITY]).iter().all(|value| *value < 1e-37));
    }

    #[test]
    fn gelu_has_the_values_of_its_table() {
        // x Φ(x) to seven digits, from a table of the normal distribution.
        for (x, expected) in [
            (0.0, 0.0),
            (0.5, 0.345_731_2),
            (1.0, 0.841_344_7),
            (-1.0, -0.158_655_3),
            (2.0, 1.954_499_7),
            (-2.0, -0.045_500_3),
            (-3.0, -0.004_049_7),
            (9.0, 9.0),
            (-9.0, 0.0),
        ] {
            let [found] = gelu([x]);
            assert!((found - expected).abs() < 2e-6, "{x}: {found} for {expected}");
        }
    }
}
