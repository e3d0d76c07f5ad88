//! The product with a matrix that was laid out once, and what follows it in the same pass over memory.

use super::elementary::gelu_all;
use super::tile::{COLUMNS, Line, ROWS, Runs, tile};

/// A right matrix, `[depth, columns]`, in panels of [`COLUMNS`] columns, row after row within each. The last panel is
/// filled up with zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panels<'a> {
    pub lines: &'a [Line],
    pub columns: usize,
}

/// Lays a matrix out for [`product`]. `value` is asked for `(row, column)`.
pub(crate) fn pack(
    [depth, columns]: [usize; 2],
    mut value: impl FnMut(usize, usize) -> f32,
) -> Vec<Line> {
    let mut packed = Vec::with_capacity(depth * columns.div_ceil(COLUMNS));
    for first in (0..columns).step_by(COLUMNS) {
        for row in 0..depth {
            packed.push(std::array::from_fn(|at| {
                if first + at < columns { value(row, first + at) } else { 0.0 }
            }));
        }
    }
    packed
}

/// What follows a layer's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// Nothing.
    None,
    /// max(x, 0)
    Relu,
    /// x Φ(x), exact but for rounding
    Gelu,
}

/// What becomes of a product's sums: plus bias, plus residual, then the activation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// One for each column.
    pub bias: Option<&'a [f32]>,
    /// Of the output's shape.
    pub residual: Option<&'a [f32]>,
    pub activation: Activation,
}

impl Finish<'_> {
    pub(crate) const NOTHING: Finish<'static> =
        Finish { bias: None, residual: None, activation: Activation::None };

    /// Whether [`Self::apply`] changes nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        self.bias.is_none() && self.residual.is_none() && self.activation != Activation::Relu
    }

    /// The same for the part of the output that begins with value `start`.
    pub(crate) fn from(&self, start: usize) -> Self {
        Self { residual: self.residual.map(|residual| &residual[start..]), ..*self }
    }

    /// What is done with each line of sums before it is stored: those of columns from `column` on, which go to `start..` of the
    /// output.
    #[inline(always)]
    pub(crate) fn apply(&self, sums: &mut [f32], column: usize, start: usize) {
        if let Some(bias) = self.bias {
            for (sum, bias) in sums.iter_mut().zip(&bias[column..]) {
                *sum += bias;
            }
        }
        if let Some(residual) = self.residual {
            for (sum, residual) in sums.iter_mut().zip(&residual[start..]) {
                *sum += residual;
            }
        }
        if self.activation == Activation::Relu {
            for sum in sums {
                // Not `max`, which would hide what is no number, and is a call in WebAssembly; a choice between floats stays
                // scalar there.
                let kept = if *sum < 0.0 { 0 } else { u32::MAX };
                *sum = f32::from_bits(sum.to_bits() & kept);
            }
        }
    }

    /// What is done with a piece of the output that has all its lines, and is still in a cache: GELU has long chains of
    /// operations, and many values at a time hide how long they take.
    pub(crate) fn complete(&self, output: &mut [f32]) {
        if self.activation == Activation::Gelu {
            gelu_all(output);
        }
    }
}

/// `output = finish(left · right)`, but for [`Finish::complete`]: one row for each of `starts`, `right.columns` values each.
///
/// # Panics
/// Slices that do not fit each other.
pub(crate) fn product(
    left: &[f32],
    starts: &[usize],
    runs: Runs,
    right: Panels<'_>,
    finish: Finish<'_>,
    output: &mut [f32],
) {
    let columns = right.columns;
    assert_eq!(output.len(), starts.len() * columns, "rows and columns of a product");
    // Tiles of nearly equal size: one of a single row would run at a sixth of the speed.
    let tiles = starts.len().div_ceil(ROWS);
    for (panel, lines) in right.lines.chunks_exact(runs.depth()).enumerate() {
        let column = panel * COLUMNS;
        let width = COLUMNS.min(columns - column);
        for index in 0..tiles {
            let rows = index * starts.len() / tiles..(index + 1) * starts.len() / tiles;
            let first = rows.start * columns + column;
            let starts = &starts[rows.clone()];
            // A whole line has a length that the compiler knows.
            if width == COLUMNS {
                tile(left, starts, runs, lines, &mut output[first..], columns);
                if !finish.is_nothing() {
                    for row in rows {
                        let start = row * columns + column;
                        finish.apply(&mut output[start..start + COLUMNS], column, start);
                    }
                }
                continue;
            }
            let mut sums = [[0.0; COLUMNS]; ROWS];
            tile(left, starts, runs, lines, sums.as_flattened_mut(), COLUMNS);
            for (row, sums) in rows.zip(&mut sums) {
                let start = row * columns + column;
                finish.apply(&mut sums[..width], column, start);
                output[start..start + width].copy_from_slice(&sums[..width]);
            }
        }
    }
}
