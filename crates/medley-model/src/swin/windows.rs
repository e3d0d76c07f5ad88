//! Windows over a map of tokens: padding, shifting, cutting, and the mask that shifting needs.

#[cfg(feature = "train")]
use burn::tensor::ops::PadMode;
#[cfg(feature = "train")]
use burn::tensor::{Device, Tensor, TensorData};
#[cfg(feature = "train")]
use medley_kernels::MASKED;
use medley_kernels::WindowGrid;

/// How a map of tokens of one size is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    window: usize,
    rows: Axis,
    columns: Axis,
}

/// One side of the map, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Axis {
    length: usize,
    /// `length` rounded up to whole windows.
    padded: usize,
    /// By how much the map is rolled towards its start before it is cut.
    shift: usize,
}

impl Axis {
    fn new(length: usize, window: usize, shifted: bool) -> Self {
        let padded = length.next_multiple_of(window);
        // One window that covers the axis sees everything: nothing to gain by a shift.
        let shift = if shifted && padded > window { window / 2 } else { 0 };
        Self { length, padded, shift }
    }

    /// Which part of the unshifted axis a token of the rolled axis belongs to, as far as its
    /// window is concerned: 1 and 2 are the two sides of the seam in the last window.
    fn region(&self, position: usize, window: usize) -> usize {
        if self.shift == 0 || position < self.padded - window {
            0
        } else if position < self.padded - self.shift {
            1
        } else {
            2
        }
    }
}

impl Windows {
    /// Windows of `window`² tokens over a map of height×width tokens.
    pub(super) fn new(height: usize, width: usize, window: usize, shifted: bool) -> Self {
        Self {
            window,
            rows: Axis::new(height, window, shifted),
            columns: Axis::new(width, window, shifted),
        }
    }

    /// The same for attention that does not cut the map.
    pub(super) fn grid(&self) -> WindowGrid {
        WindowGrid {
            height: self.rows.length,
            width: self.columns.length,
            window: self.window,
            shift: [self.rows.shift, self.columns.shift],
        }
    }

    /// How many windows one map makes.
    #[cfg(feature = "train")]
    fn count(&self) -> usize {
        self.rows.padded / self.window * (self.columns.padded / self.window)
    }

    /// `[batch, height, width, channels]` to `[batch·windows, window², channels]`.
    #[cfg(feature = "train")]
    pub(super) fn cut(&self, map: Tensor<4>) -> Tensor<3> {
        if map.device().is_autodiff() {
            return medley_kernels::cut_windows(map, self.grid());
        }
        let [batch, _, _, channels] = map.dims();
        let Self { window, rows, columns } = *self;
        let (pad_rows, pad_columns) = (rows.padded - rows.length, columns.padded - columns.length);
        let map = if pad_rows + pad_columns > 0 {
            map.pad([(0, pad_rows), (0, pad_columns), (0, 0)], PadMode::Constant(0.0))
        } else {
            map
        };
        map.roll(&[-(rows.shift as i32), -(columns.shift as i32)], &[1, 2])
            .reshape([
                batch,
                rows.padded / window,
                window,
                columns.padded / window,
                window,
                channels,
            ])
            .swap_dims(2, 3)
            .reshape([batch * self.count(), window * window, channels])
    }

    /// Undoes [`Self::cut`].
    #[cfg(feature = "train")]
    pub(super) fn join(&self, windows: Tensor<3>) -> Tensor<4> {
        if windows.device().is_autodiff() {
            return medley_kernels::join_windows(windows, self.grid());
        }
        let [all, _, channels] = windows.dims();
        let Self { window, rows, columns } = *self;
        let batch = all / self.count();
        let map = windows
            .reshape([
                batch,
                rows.padded / window,
                columns.padded / window,
                window,
                window,
                channels,
            ])
            .swap_dims(2, 3)
            .reshape([batch, rows.padded, columns.padded, channels])
            .roll(&[rows.shift as i32, columns.shift as i32], &[1, 2]);
        if rows.padded == rows.length && columns.padded == columns.length {
            return map;
        }
        map.slice([0..batch, 0..rows.length, 0..columns.length])
    }

    /// What attention adds so that tokens on different sides of the seam do not see each other:
    /// `[windows, 1, window², window²]`, 0 or -100. `None` where nothing is shifted.
    ///
    /// Padding is not masked, as in torchvision.
    #[cfg(feature = "train")]
    pub(super) fn mask(&self, device: &Device) -> Option<Tensor<4>> {
        let regions = self.regions()?;
        let tokens = self.window * self.window;
        // Only the region of each token goes to the device; the pairs are made there.
        let regions = TensorData::new(regions, [self.count(), 1, tokens, 1]);
        let regions = Tensor::<4>::from_data(regions, device);
        let different = (regions.clone().swap_dims(2, 3) - regions).abs().clamp_max(1.0);
        Some(different * MASKED)
    }

    /// Number of the region of every token of every window, in the order of [`Self::cut`]: tokens of different regions do
    /// not see each other. `None` where nothing is shifted.
    pub(super) fn regions(&self) -> Option<Vec<f32>> {
        let Self { window, rows, columns } = *self;
        if rows.shift + columns.shift == 0 {
            return None;
        }
        let mut regions = Vec::with_capacity(rows.padded * columns.padded);
        for window_row in (0..rows.padded).step_by(window) {
            for window_column in (0..columns.padded).step_by(window) {
                for row in window_row..window_row + window {
                    for column in window_column..window_column + window {
                        let region = 3 * rows.region(row, window) + columns.region(column, window);
                        regions.push(region as f32);
                    }
                }
            }
        }
        Some(regions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(shape: [usize; 4], device: &Device) -> Tensor<4> {
        let count = shape.iter().product::<usize>();
        Tensor::from_data(TensorData::new((0..count).map(|v| v as f32).collect(), shape), device)
    }

    #[test]
    fn joining_undoes_cutting_for_whole_padded_and_shifted_maps() {
        let device = Device::flex();
        for (height, width) in [(8, 8), (5, 9), (4, 12), (3, 2)] {
            for shifted in [false, true] {
                let map = ramp([2, height, width, 3], &device);
                let windows = Windows::new(height, width, 4, shifted);
                let cut = windows.cut(map.clone());
                let joined = windows.join(cut.clone());
                joined.into_data().assert_eq(&map.clone().into_data(), true);
                // As one operation, in training.
                let tracked = Tensor::from_inner(map.clone());
                let in_training = windows.cut(tracked);
                in_training.clone().inner().into_data().assert_eq(&cut.into_data(), true);
                let joined = windows.join(in_training).inner();
                joined.into_data().assert_eq(&map.into_data(), true);
            }
        }
    }

    #[test]
    fn an_axis_that_one_window_covers_is_not_shifted() {
        let windows = Windows::new(3, 9, 4, true);
        assert_eq!((windows.rows.shift, windows.columns.shift), (0, 2));
        assert!(Windows::new(4, 4, 4, true).mask(&Device::flex()).is_none());
        assert!(Windows::new(8, 8, 4, false).mask(&Device::flex()).is_none());
    }

    #[test]
    fn the_mask_parts_the_two_sides_of_the_seam_and_nothing_else() {
        // Windows of 2, one row of two windows: only the second lies on the seam, between its
        // left and its right column (tokens 0, 2 and 1, 3).
        let mask = Windows::new(2, 4, 2, true).mask(&Device::flex()).unwrap();
        assert_eq!(mask.dims(), [2, 1, 4, 4]);
        let values = mask.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values[..16], [0.0; 16]);
        for query in 0..4 {
            for key in 0..4 {
                let expected = if query % 2 == key % 2 { 0.0 } else { MASKED };
                assert_eq!(values[16 + query * 4 + key], expected, "{query} to {key}");
            }
        }
    }
}
