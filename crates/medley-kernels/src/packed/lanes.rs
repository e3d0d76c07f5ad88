//! Some floats side by side, as the elementary functions compute them.
//!
//! In WebAssembly vectors and their instructions by name: the compiler leaves what chooses between floats scalar there, and never
//! fuses a product and a sum. Elsewhere an array, which it turns into vectors of whatever width there is.
//!
//! Always several vectors at a time: a step of a polynomial waits for the one before, and an engine makes each constant anew
//! where it is used.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use portable::{LANES, Lanes};
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::{LANES, Lanes};

/// A function of [`Lanes`], to be inlined into those that [`wide!`](super::wide::wide) makes.
macro_rules! of_lanes {
    ($($function:item)*) => {
        $(
            #[cfg_attr(
                all(target_arch = "wasm32", feature = "relaxed-simd"),
                inline,
                target_feature(enable = "relaxed-simd")
            )]
            #[cfg_attr(not(all(target_arch = "wasm32", feature = "relaxed-simd")), inline(always))]
            $function
        )*
    };
}

pub(super) use of_lanes;

#[cfg(not(target_arch = "wasm32"))]
mod portable {
    use std::array::from_fn;

    pub(crate) const LANES: usize = 16;

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Lanes([f32; LANES]);

    #[inline(always)]
    fn each(of: impl FnMut(usize) -> f32) -> Lanes {
        Lanes(from_fn(of))
    }

    impl Lanes {
        #[inline(always)]
        pub(crate) fn splat(value: f32) -> Self {
            Self([value; LANES])
        }

        #[inline(always)]
        pub(crate) fn load(values: &[f32; LANES]) -> Self {
            Self(*values)
        }

        #[inline(always)]
        pub(crate) fn store(self) -> [f32; LANES] {
            self.0
        }

        #[inline(always)]
        pub(crate) fn plus(self, other: Self) -> Self {
            each(|lane| self.0[lane] + other.0[lane])
        }

        #[inline(always)]
        pub(crate) fn minus(self, other: Self) -> Self {
            each(|lane| self.0[lane] - other.0[lane])
        }

        #[inline(always)]
        pub(crate) fn times(self, other: Self) -> Self {
            each(|lane| self.0[lane] * other.0[lane])
        }

        /// `self · factor + other`, rounded once or twice
        #[inline(always)]
        pub(crate) fn times_plus(self, factor: Self, other: Self) -> Self {
            each(|lane| self.0[lane] * factor.0[lane] + other.0[lane])
        }

        #[inline(always)]
        pub(crate) fn size(self) -> Self {
            each(|lane| self.0[lane].abs())
        }

        /// The one of smaller size, where both have the same sign.
        #[inline(always)]
        pub(crate) fn nearer_to_zero(self, other: Self) -> Self {
            each(|lane| f32::from_bits(self.0[lane].to_bits().min(other.0[lane].to_bits())))
        }

        #[inline(always)]
        pub(crate) fn larger(self, other: Self) -> Self {
            each(|lane| if self.0[lane] < other.0[lane] { other.0[lane] } else { self.0[lane] })
        }

        /// Of `other`'s sign.
        #[cfg(feature = "train")]
        #[inline(always)]
        pub(crate) fn with_sign(self, other: Self) -> Self {
            each(|lane| self.0[lane].copysign(other.0[lane]))
        }

        /// 2^n, where n are the lowest bits.
        #[inline(always)]
        pub(crate) fn power_of_two(self) -> Self {
            each(|lane| {
                f32::from_bits((self.0[lane].to_bits() << 23).wrapping_add(1.0f32.to_bits()))
            })
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::arch::wasm32::{
        f32x4, f32x4_abs, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_pmax, f32x4_splat,
        f32x4_sub, i32x4_add, i32x4_shl, i32x4_splat, u32x4_min, v128,
    };
    use std::array::from_fn;

    pub(crate) const LANES: usize = 4 * VECTORS;

    const VECTORS: usize = 4;

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Lanes([v128; VECTORS]);

    impl Lanes {
        #[inline(always)]
        fn each(self, other: Self, of: impl Fn(v128, v128) -> v128) -> Self {
            Self(from_fn(|at| of(self.0[at], other.0[at])))
        }

        #[inline(always)]
        pub(crate) fn splat(value: f32) -> Self {
            Self([f32x4_splat(value); VECTORS])
        }

        #[inline(always)]
        pub(crate) fn load(values: &[f32; LANES]) -> Self {
            let quarters = values.as_chunks::<4>().0;
            // One load each in the module.
            Self(from_fn(|at| {
                let [a, b, c, d] = quarters[at];
                f32x4(a, b, c, d)
            }))
        }

        #[inline(always)]
        pub(crate) fn store(self) -> [f32; LANES] {
            let mut values = [0.0; LANES];
            for (out, vector) in values.as_chunks_mut::<4>().0.iter_mut().zip(self.0) {
                *out = [
                    f32x4_extract_lane::<0>(vector),
                    f32x4_extract_lane::<1>(vector),
                    f32x4_extract_lane::<2>(vector),
                    f32x4_extract_lane::<3>(vector),
                ];
            }
            values
        }

        #[inline(always)]
        pub(crate) fn plus(self, other: Self) -> Self {
            self.each(other, |a, b| f32x4_add(a, b))
        }

        #[inline(always)]
        pub(crate) fn minus(self, other: Self) -> Self {
            self.each(other, |a, b| f32x4_sub(a, b))
        }

        #[inline(always)]
        pub(crate) fn times(self, other: Self) -> Self {
            self.each(other, |a, b| f32x4_mul(a, b))
        }

        #[inline(always)]
        pub(crate) fn size(self) -> Self {
            Self(self.0.map(|vector| f32x4_abs(vector)))
        }

        /// The one of smaller size, where both have the same sign.
        #[inline(always)]
        pub(crate) fn nearer_to_zero(self, other: Self) -> Self {
            self.each(other, |a, b| u32x4_min(a, b))
        }

        #[inline(always)]
        pub(crate) fn larger(self, other: Self) -> Self {
            self.each(other, |a, b| f32x4_pmax(a, b))
        }

        /// 2^n, where n are the lowest bits.
        #[inline(always)]
        pub(crate) fn power_of_two(self) -> Self {
            let one = i32x4_splat(1.0f32.to_bits() as i32);
            Self(self.0.map(|vector| i32x4_add(i32x4_shl(vector, 23), one)))
        }
    }

    impl Lanes {
        of_lanes! {
            /// `self · factor + other`, rounded once or twice
            pub(crate) fn times_plus(self, factor: Self, other: Self) -> Self {
                #[cfg(feature = "relaxed-simd")]
                {
                    let mut result = self;
                    for at in 0..VECTORS {
                        result.0[at] = std::arch::wasm32::f32x4_relaxed_madd(
                            self.0[at],
                            factor.0[at],
                            other.0[at],
                        );
                    }
                    result
                }
                #[cfg(not(feature = "relaxed-simd"))]
                {
                    self.times(factor).plus(other)
                }
            }
        }
    }
}
