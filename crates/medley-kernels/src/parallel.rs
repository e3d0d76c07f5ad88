//! Loops over equal pieces of a slice, on all threads where there are several.

/// Threads that a loop may use.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "rayon")]
    {
        rayon::current_num_threads()
    }
    #[cfg(not(feature = "rayon"))]
    {
        1
    }
}

/// Calls `body` with each piece of `size` values and its number.
pub(crate) fn for_each_piece(
    values: &mut [f32],
    size: usize,
    body: impl Fn(usize, &mut [f32]) + Send + Sync,
) {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        values.par_chunks_mut(size).enumerate().for_each(|(index, piece)| body(index, piece));
    }
    #[cfg(not(feature = "rayon"))]
    values.chunks_mut(size).enumerate().for_each(|(index, piece)| body(index, piece));
}

/// The values of `body` for 0..count, in order.
pub(crate) fn map<T: Send>(count: usize, body: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        (0..count).into_par_iter().map(body).collect()
    }
    #[cfg(not(feature = "rayon"))]
    (0..count).map(body).collect()
}
