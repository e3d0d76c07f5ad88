//! The matrix product, with its bounds checked.

use gemm::Parallelism;

/// A matrix in a slice: the value of row r and column c lies at `r · row_stride + c · column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub values: &'a [f32],
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows one after the other, `row_stride` values apart.
    pub(crate) fn rows(values: &'a [f32], row_stride: usize) -> Self {
        Self { values, row_stride, column_stride: 1 }
    }

    /// The same values as a matrix of columns.
    pub(crate) fn transposed(self) -> Self {
        Self { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        (rows - 1) * self.row_stride + (columns - 1) * self.column_stride < self.values.len()
    }
}

/// `out = left · right`, or `out += left · right` with `add`.
///
/// # Shapes
/// - left: `[m, k]`, right: `[k, n]`
/// - out: `[m, n]`, rows `out_stride` apart
pub(crate) fn matmul(
    [m, k, n]: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    out: &mut [f32],
    out_stride: usize,
    add: bool,
    threads: usize,
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(k > 0, "a product over nothing");
    assert!(left.holds(m, k) && right.holds(k, n), "a matrix is smaller than its shape");
    assert!(out_stride >= n && (m - 1) * out_stride + n <= out.len(), "the output is too small");
    #[cfg(feature = "rayon")]
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    #[cfg(not(feature = "rayon"))]
    let (parallelism, _) = (Parallelism::None, threads);
    // SAFETY: every index that the shapes and strides reach was compared with the slices' lengths above, `out` is
    // borrowed mutably and so overlaps neither input, and its rows do not overlap each other.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            add,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}
