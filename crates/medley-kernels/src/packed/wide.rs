//! Functions for the vectors that a processor turns out to have, beside those that all of its kind have.

/// Compiles a function twice on x86-64, the second time for AVX2, and chooses when running. What it calls is compiled so as far
/// as it is inlined.
macro_rules! wide {
    ($(#[$attribute:meta])* $seen:vis fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $body:block) => {
        $(#[$attribute])*
        $seen fn $name($($argument: $kind),*) {
            #[inline(always)]
            fn any($($argument: $kind),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn wide($($argument: $kind),*) {
                    any($($argument),*)
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has what the function is compiled for.
                    #[allow(unsafe_code)]
                    return unsafe { wide($($argument),*) };
                }
            }
            any($($argument),*)
        }
    };
}

pub(super) use wide;
