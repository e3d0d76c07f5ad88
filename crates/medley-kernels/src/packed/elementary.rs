//! exp and erf in forms without branches, for several values side by side; the C library's take one at a time.

use super::lanes::{LANES, Lanes, of_lanes};
use super::wide::wide;

/// 1.5 · 2²³: adding it rounds to an integer, which then stands in the lowest bits.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// Below it [`exp`] stays what it is there.
const LEAST: f32 = -87.0;

/// ln 2 in two parts, so that a multiple of the first is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Taylor's series of e^x: for |x| ≤ ln 2 / 2, whose seventh power over 7! is 1e-7.
const EXP: [f32; 7] = [1.0, 1.0, 0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0];

of_lanes! {
    /// e^x for x ≤ 88, with a relative error below 3e-7; below -87 it stays at e^-87.
    pub(crate) fn exp(x: Lanes) -> Lanes {
        // Of negative numbers the larger bits are the smaller number; positive ones have smaller bits than all of them.
        let x = x.nearer_to_zero(Lanes::splat(LEAST));
        let round = Lanes::splat(ROUND);
        let shifted = x.times_plus(Lanes::splat(std::f32::consts::LOG2_E), round);
        let count = shifted.minus(round);
        let rest = count.times_plus(Lanes::splat(-LN_2[0]), x);
        let rest = count.times_plus(Lanes::splat(-LN_2[1]), rest);
        polynomial(&EXP, rest).times(shifted.power_of_two())
    }

    /// A polynomial, lowest coefficient first.
    fn polynomial<const N: usize>(factors: &[f32; N], place: Lanes) -> Lanes {
        let mut sum = Lanes::splat(factors[N - 1]);
        for factor in factors[..N - 1].iter().rev() {
            sum = sum.times_plus(place, Lanes::splat(*factor));
        }
        sum
    }
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

of_lanes! {
    /// erf(|x| / √2), of |x|
    fn erf_of_size(size: Lanes) -> Lanes {
        let scaled = size.times(Lanes::splat(std::f32::consts::FRAC_1_SQRT_2));
        let inside = scaled.nearer_to_zero(Lanes::splat(ERF_END));
        let square = inside.times(inside);
        let place = square.times_plus(Lanes::splat(2.0 / (ERF_END * ERF_END)), Lanes::splat(-1.0));
        polynomial(&ERF, place).times(inside)
    }

    /// x Φ(x) = x (1 + erf(x / √2)) / 2 = (x + |x| erf(|x| / √2)) / 2
    pub(crate) fn gelu(x: Lanes) -> Lanes {
        let half = Lanes::splat(0.5);
        let size = x.size();
        size.times(half).times_plus(erf_of_size(size), x.times(half))
    }
}

/// The derivative of [`gelu`]: Φ(x) + x φ(x).
#[cfg(feature = "train")]
#[inline(always)]
fn gelu_slope(x: Lanes) -> Lanes {
    /// 1 / √(2π)
    const HEIGHT: f32 = 0.398_942_3;
    let half = Lanes::splat(0.5);
    // Negative, so that the exponential's lower bound holds.
    let density = exp(x.times(x).times(Lanes::splat(-0.5)));
    let erf = erf_of_size(x.size()).with_sign(x);
    let below = erf.times_plus(half, half);
    x.times(density).times_plus(Lanes::splat(HEIGHT), below)
}

/// `body` of all values; the last ones are filled up with zeros.
macro_rules! every {
    ($values:ident, $body:ident) => {
        let (chunks, rest) = $values.as_chunks_mut::<LANES>();
        for chunk in chunks {
            *chunk = $body(Lanes::load(chunk)).store();
        }
        if !rest.is_empty() {
            let mut last = [0.0; LANES];
            last[..rest.len()].copy_from_slice(rest);
            let last = $body(Lanes::load(&last)).store();
            rest.copy_from_slice(&last[..rest.len()]);
        }
    };
}

wide! {
    /// [`gelu`] of every value.
    pub(crate) fn gelu_all(values: &mut [f32]) {
        every!(values, gelu);
    }
}

#[cfg(feature = "train")]
wide! {
    /// [`gelu_slope`] of every value.
    pub(crate) fn gelu_slope_all(values: &mut [f32]) {
        every!(values, gelu_slope);
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
            let [found, ..] = exp(Lanes::splat(x)).store();
            assert!((f64::from(found) / expected - 1.0).abs() < 3e-7, "{x}");
        }
        // What a mask leaves of a weight.
        for hidden in [-1000.0, f32::NEG_INFINITY] {
            assert!(exp(Lanes::splat(hidden)).store()[0] < 1e-37);
        }
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
            let [found, ..] = gelu(Lanes::splat(x)).store();
            assert!((found - expected).abs() < 2e-6, "{x}: {found} for {expected}");
        }
    }
}
