//! Batch normalisation: a block of threads for each plane of a picture, which puts its channel's moments together itself.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::{DType, TensorMetadata};
use burn::tensor::Shape;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::prelude::*;
use cubecl::std::tensor::layout::linear::{LinearView, LinearViewMut};

use super::{RowBlocks, like, row_moments, total};
use crate::batch_norm_ops::{BatchNormGradients, BatchNormOps, Normalization};

/// What a kernel knows of a channel.
#[derive(CubeType)]
struct Channel {
    mean: f32,
    variance: f32,
    /// 1 / √(σ² + ε)
    inverse: f32,
    /// A value becomes `factor · value + offset`. All kernels ask here, so that they agree to the last bit on what the rectifier
    /// let through.
    factor: f32,
    offset: f32,
}

/// The moments of a channel's parts put together: Chan, Golub and LeVeque, *Algorithms for computing the sample variance* (1983),
/// for parts of one size.
#[cube]
fn channel<F: Float>(
    moments: &LinearView<'_, f32>,
    gamma: &LinearView<'_, F>,
    beta: &LinearView<'_, F>,
    plane: usize,
    area: usize,
    epsilon: f32,
    #[comptime] units: usize,
) -> Channel {
    let planes = moments.shape() / 2;
    let channels = gamma.shape();
    let index = plane % channels;
    let parts = f32::cast_from(planes / channels);
    let area = f32::cast_from(area);
    let mut sum = 0.0f32;
    let mut place = UNIT_POS as usize * channels + index;
    while place < planes {
        sum += moments.read(place);
        place += units * channels;
    }
    let mean = total(sum, units) / parts;
    let mut squares = 0.0f32;
    let mut place = UNIT_POS as usize * channels + index;
    while place < planes {
        let distance = moments.read(place) - mean;
        squares += moments.read(planes + place) + area * distance * distance;
        place += units * channels;
    }
    let variance = total(squares, units) / (parts * area);
    let inverse = 1.0 / (variance + epsilon).sqrt();
    let factor = f32::cast_from(gamma.read(index)) * inverse;
    let offset = f32::cast_from(beta.read(index)) - mean * factor;
    Channel { mean, variance, inverse, factor, offset }
}

/// What of an output's gradient the rectifier lets through.
#[cube]
fn let_through(channel: &Channel, value: f32, gradient: f32, #[comptime] relu: bool) -> f32 {
    let mut result = gradient;
    if relu {
        if value * channel.factor + channel.offset <= 0.0 {
            result = 0.0f32;
        }
    }
    result
}

#[cube(launch)]
fn moments_kernel<F: Float>(
    input: LinearView<'_, F>,
    mut moments: LinearViewMut<'_, f32>,
    area: usize,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let planes = moments.shape() / 2;
    let plane = CUBE_POS;
    if plane >= planes {
        terminate!();
    }
    let found = row_moments::<F>(&input, plane * area, area, units);
    if UNIT_POS == 0 {
        moments.write(plane, found.mean);
        moments.write(planes + plane, found.squares);
    }
}

#[cube(launch)]
fn normalize_kernel<F: Float>(
    input: LinearView<'_, F>,
    moments: LinearView<'_, f32>,
    gamma: LinearView<'_, F>,
    beta: LinearView<'_, F>,
    mut output: LinearViewMut<'_, F>,
    mut mean: LinearViewMut<'_, F>,
    mut variance: LinearViewMut<'_, F>,
    area: usize,
    epsilon: f32,
    #[comptime] relu: bool,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let plane = CUBE_POS;
    let first = plane * area;
    if first >= output.shape() {
        terminate!();
    }
    let channel = channel::<F>(&moments, &gamma, &beta, plane, area, epsilon, units);
    let mut place = UNIT_POS as usize;
    while place < area {
        let mut value = f32::cast_from(input.read(first + place)) * channel.factor + channel.offset;
        if relu {
            if value < 0.0 {
                value = 0.0f32;
            }
        }
        output.write(first + place, F::cast_from(value));
        place += units;
    }
    // The blocks of the first picture, of which each channel has one.
    if plane < mean.shape() && UNIT_POS == 0 {
        mean.write(plane, F::cast_from(channel.mean));
        variance.write(plane, F::cast_from(channel.variance));
    }
}

/// The sums over a plane of the gradient, and of its products with the values' distances from the mean.
#[cube(launch)]
fn sums_kernel<F: Float>(
    input: LinearView<'_, F>,
    moments: LinearView<'_, f32>,
    gamma: LinearView<'_, F>,
    beta: LinearView<'_, F>,
    gradient: LinearView<'_, F>,
    mut sums: LinearViewMut<'_, f32>,
    area: usize,
    epsilon: f32,
    #[comptime] relu: bool,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let planes = sums.shape() / 2;
    let plane = CUBE_POS;
    if plane >= planes {
        terminate!();
    }
    let channel = channel::<F>(&moments, &gamma, &beta, plane, area, epsilon, units);
    let mut even = 0.0f32;
    let mut along = 0.0f32;
    let mut place = UNIT_POS as usize;
    while place < area {
        let value = f32::cast_from(input.read(plane * area + place));
        let own = f32::cast_from(gradient.read(plane * area + place));
        let own = let_through(&channel, value, own, relu);
        even += own;
        along += own * (value - channel.mean);
        place += units;
    }
    let even = total(even, units);
    let along = total(along, units);
    if UNIT_POS == 0 {
        sums.write(plane, even);
        sums.write(planes + plane, along);
    }
}

#[cube(launch)]
fn gradients_kernel<F: Float>(
    input: LinearView<'_, F>,
    moments: LinearView<'_, f32>,
    gamma: LinearView<'_, F>,
    beta: LinearView<'_, F>,
    gradient: LinearView<'_, F>,
    sums: LinearView<'_, f32>,
    mut of_input: LinearViewMut<'_, F>,
    mut of_gamma: LinearViewMut<'_, F>,
    mut of_beta: LinearViewMut<'_, F>,
    area: usize,
    epsilon: f32,
    #[comptime] relu: bool,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let plane = CUBE_POS;
    let first = plane * area;
    if first >= of_input.shape() {
        terminate!();
    }
    let channel = channel::<F>(&moments, &gamma, &beta, plane, area, epsilon, units);
    let planes = sums.shape() / 2;
    let channels = gamma.shape();
    let mut even = 0.0f32;
    let mut along = 0.0f32;
    let mut place = UNIT_POS as usize * channels + plane % channels;
    while place < planes {
        even += sums.read(place);
        along += sums.read(planes + place);
        place += units * channels;
    }
    let even = total(even, units);
    let along = total(along, units);
    let share = 1.0 / f32::cast_from(planes / channels * area);
    let shift = even * share;
    let slope = along * channel.inverse * channel.inverse * share;
    let mut place = UNIT_POS as usize;
    while place < area {
        let value = f32::cast_from(input.read(first + place));
        let own = f32::cast_from(gradient.read(first + place));
        let own = let_through(&channel, value, own, relu);
        let result = channel.factor * (own - shift - (value - channel.mean) * slope);
        of_input.write(first + place, F::cast_from(result));
        place += units;
    }
    if plane < channels && UNIT_POS == 0 {
        of_gamma.write(plane, F::cast_from(along * channel.inverse));
        of_beta.write(plane, F::cast_from(even));
    }
}

impl BatchNormOps for CubeBackend {
    fn normal_channels(
        input: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        how: Normalization,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let input = Self::in_planes(input);
        let moments = Self::channel_moments(input.clone());
        Self::normalize_channels(input, moments, gamma, beta, how)
    }
}

impl BatchNormGradients for CubeBackend {
    fn in_planes(input: CubeTensor) -> CubeTensor {
        into_contiguous(input)
    }

    fn channel_moments(input: CubeTensor) -> CubeTensor {
        let [batch, channels, _, _] = input.shape().dims();
        let output = sums_of(&input, batch, channels);
        if let Some(RowBlocks { length, units, count, dim }) = planes(&input) {
            moments_kernel::launch(
                &input.client.clone(),
                count,
                dim,
                input.clone().into_linear_view(),
                output.clone().into_linear_view(),
                length,
                units,
                dtype_to_storage_type(input.dtype),
            );
        }
        output
    }

    fn normalize_channels(
        input: CubeTensor,
        moments: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        Normalization { epsilon, relu }: Normalization,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let (output, mean, variance) = (like(&input), like(&gamma), like(&gamma));
        if let Some(RowBlocks { length, units, count, dim }) = planes(&input) {
            normalize_kernel::launch(
                &input.client.clone(),
                count,
                dim,
                input.clone().into_linear_view(),
                moments.into_linear_view(),
                gamma.into_linear_view(),
                beta.into_linear_view(),
                output.clone().into_linear_view(),
                mean.clone().into_linear_view(),
                variance.clone().into_linear_view(),
                length,
                epsilon,
                relu,
                units,
                dtype_to_storage_type(input.dtype),
            );
        }
        (output, mean, variance)
    }

    fn normalize_channels_gradients(
        input: CubeTensor,
        moments: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        gradient: CubeTensor,
        Normalization { epsilon, relu }: Normalization,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let (of_input, of_gamma, of_beta) = (like(&input), like(&gamma), like(&beta));
        let [batch, channels, _, _] = input.shape().dims();
        // Read twice.
        let gradient = into_contiguous(gradient);
        let sums = sums_of(&input, batch, channels);
        let client = input.client.clone();
        let dtype = dtype_to_storage_type(input.dtype);
        if let Some(RowBlocks { length, units, count, dim }) = planes(&input) {
            sums_kernel::launch(
                &client,
                count.clone(),
                dim,
                input.clone().into_linear_view(),
                moments.clone().into_linear_view(),
                gamma.clone().into_linear_view(),
                beta.clone().into_linear_view(),
                gradient.clone().into_linear_view(),
                sums.clone().into_linear_view(),
                length,
                epsilon,
                relu,
                units,
                dtype,
            );
            gradients_kernel::launch(
                &client,
                count,
                dim,
                input.into_linear_view(),
                moments.into_linear_view(),
                gamma.into_linear_view(),
                beta.into_linear_view(),
                gradient.into_linear_view(),
                sums.into_linear_view(),
                of_input.clone().into_linear_view(),
                of_gamma.clone().into_linear_view(),
                of_beta.clone().into_linear_view(),
                length,
                epsilon,
                relu,
                units,
                dtype,
            );
        }
        (of_input, of_gamma, of_beta)
    }
}

/// A block for each plane of `[batch, channels, height, width]`.
fn planes(input: &CubeTensor) -> Option<RowBlocks> {
    let [batch, channels, height, width] = input.shape().dims();
    RowBlocks::for_rows(&input.client, batch * channels, height * width)
}

/// Room for two sums of each plane.
fn sums_of(input: &CubeTensor, batch: usize, channels: usize) -> CubeTensor {
    let (client, device) = (input.client.clone(), input.device.clone());
    empty_device_dtype(client, device, Shape::new([2, batch, channels]), DType::F32)
}
