//! Functions for the vectors that a processor turns out to have, beside those that all of its kind have.

/// Compiles a function twice on x86-64, the second time for AVX2, and chooses when running; in WebAssembly with relaxed SIMD in
/// the build that has it. What it calls is compiled so as far as it is inlined.
macro_rules! wide {
    (
        $(#[$attribute:meta])*
        $seen:vis fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        #[cfg(target_arch = "wasm32")]
        #[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
        $seen fn $name($($argument: $kind),*) $(-> $result)? $body

        $(#[$attribute])*
        #[cfg(not(target_arch = "wasm32"))]
        $seen fn $name($($argument: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn any($($argument: $kind),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn wide($($argument: $kind),*) $(-> $result)? {
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
