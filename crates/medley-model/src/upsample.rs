//! Nearest-neighbour doubling of a feature map.

use burn::tensor::Tensor;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};

/// Scales a feature map to `size` (height, width) by repeating its nearest value.
pub(crate) fn upsample_nearest(input: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let options = InterpolateOptions::new(InterpolateMode::Nearest)
        .with_align_corners(false)
        .with_output_size(size);
    interpolate(input, options)
}
