//! Operations on GPUs as kernels of CubeCL: the optimizer's, the patches of a convolution, norms and GELU; batch normalisation,
//! windows and attention in files of their own.
//!
//! `medley check-device` holds what they compute against the CPU.

mod attention;
mod batch_norm;
mod windows;

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::{DType, TensorMetadata};
use burn::tensor::Shape;
use burn_cubecl::ops::numeric::empty_device_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::calculate_cube_count_elemwise;
use cubecl::client::Client;
use cubecl::prelude::*;
use cubecl::std::tensor::layout::linear::{LinearView, LinearViewMut};

use crate::cube::of_shape;
use crate::optimizer::{AdamWStep, Factors, OptimizerOps};
use crate::patch_ops::PatchOps;
use crate::patches::Geometry;
use crate::row_ops::{RowGradients, RowOps};

/// Threads of a block that adds up squares; a power of two.
const UNITS: u32 = 256;

/// Values that a thread adds up before another block pays.
const VALUES_PER_UNIT: usize = 16;

/// Partial sums at most: every thread of the update adds them up once more.
const MOST_PARTS: usize = 64;

#[derive(CubeLaunch, CubeType)]
struct Numbers {
    keep: f32,
    rate: f32,
    first_beta: f32,
    second_beta: f32,
    first_correction: f32,
    second_correction: f32,
    epsilon: f32,
    clip: f32,
    /// The least normal number.
    tiny: f32,
}

/// The sum of the squares of every block's values.
#[cube(launch)]
fn squares_kernel<F: Float>(
    values: LinearView<'_, F>,
    mut parts: LinearViewMut<'_, f32>,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let mut sums = Shared::new_slice(units);
    let mut sum = 0.0f32;
    let mut place = ABSOLUTE_POS;
    while place < values.shape() {
        let value = f32::cast_from(values.read(place));
        sum += value * value;
        place += CUBE_DIM as usize * CUBE_COUNT;
    }
    sums[UNIT_POS as usize] = sum;
    sync_cube();
    let mut active = CUBE_DIM / 2;
    while active > 0 {
        if UNIT_POS < active {
            let other = sums[(UNIT_POS + active) as usize];
            sums[UNIT_POS as usize] += other;
        }
        active /= 2;
        sync_cube();
    }
    if UNIT_POS == 0 {
        parts.write(CUBE_POS, sums[0]);
    }
}

#[cube(launch)]
fn adamw_kernel<F: Float>(
    weight: LinearView<'_, F>,
    gradient: LinearView<'_, F>,
    first: LinearView<'_, F>,
    second: LinearView<'_, F>,
    squares: LinearView<'_, f32>,
    mut new_weight: LinearViewMut<'_, F>,
    mut new_first: LinearViewMut<'_, F>,
    mut new_second: LinearViewMut<'_, F>,
    numbers: &Numbers,
    #[define(F)] _dtype: ElemType,
) {
    let place = ABSOLUTE_POS;
    if !new_weight.is_in_bounds(place) {
        terminate!();
    }
    let mut sum = 0.0f32;
    for part in 0..squares.shape() {
        sum += squares.read(part);
    }
    let mut scale = numbers.clip / (sum.sqrt() + numbers.tiny);
    if scale > 1.0 {
        scale = 1.0;
    }
    let gradient = f32::cast_from(gradient.read(place)) * scale;
    let first = f32::cast_from(first.read(place)) * numbers.first_beta
        + gradient * (1.0 - numbers.first_beta);
    let second = f32::cast_from(second.read(place)) * numbers.second_beta
        + gradient * gradient * (1.0 - numbers.second_beta);
    let length = (second / numbers.second_correction).sqrt() + numbers.epsilon;
    let weight = f32::cast_from(weight.read(place)) * numbers.keep
        - first / numbers.first_correction / length * numbers.rate;
    new_weight.write(place, F::cast_from(weight));
    new_first.write(place, F::cast_from(first));
    new_second.write(place, F::cast_from(second));
}

#[cube(launch)]
fn towards_kernel<F: Float>(
    average: LinearView<'_, F>,
    newest: LinearView<'_, F>,
    mut new: LinearViewMut<'_, F>,
    keep: f32,
    #[define(F)] _dtype: ElemType,
) {
    let place = ABSOLUTE_POS;
    if !new.is_in_bounds(place) {
        terminate!();
    }
    let average = f32::cast_from(average.read(place)) * keep;
    let newest = f32::cast_from(newest.read(place)) * (1.0 - keep);
    new.write(place, F::cast_from(average + newest));
}

impl OptimizerOps for CubeBackend {
    fn adamw_step(
        weight: CubeTensor,
        gradient: CubeTensor,
        first: CubeTensor,
        second: CubeTensor,
        step: AdamWStep,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let outputs = [(); 3].map(|()| like(&weight));
        if let Some(Threads { client, count, dim, dtype }) = Threads::of(&weight) {
            let Factors { keep, rate, betas, corrections, epsilon, clip } = step.into();
            let numbers = NumbersLaunch::new(
                keep,
                rate,
                betas[0],
                betas[1],
                corrections[0],
                corrections[1],
                epsilon,
                clip,
                f32::MIN_POSITIVE,
            );
            let squares = squares(gradient.clone());
            let [new_weight, new_first, new_second] = outputs.clone();
            adamw_kernel::launch(
                &client,
                count,
                dim,
                weight.into_linear_view_like(&new_weight),
                gradient.into_linear_view_like(&new_weight),
                first.into_linear_view_like(&new_weight),
                second.into_linear_view_like(&new_weight),
                squares.into_linear_view(),
                new_weight.into_linear_view(),
                new_first.into_linear_view(),
                new_second.into_linear_view(),
                numbers,
                dtype,
            );
        }
        let [weight, first, second] = outputs;
        (weight, first, second)
    }

    fn move_towards(average: CubeTensor, newest: CubeTensor, keep: f32) -> CubeTensor {
        let output = like(&average);
        if let Some(Threads { client, count, dim, dtype }) = Threads::of(&average) {
            towards_kernel::launch(
                &client,
                count,
                dim,
                average.into_linear_view_like(&output),
                newest.into_linear_view_like(&output),
                output.clone().into_linear_view(),
                keep,
                dtype,
            );
        }
        output
    }
}

/// The sides of a [`Geometry`].
#[derive(CubeLaunch, CubeType)]
struct Sides {
    height: usize,
    width: usize,
    out_height: usize,
    out_width: usize,
}

/// One value of the patches for each thread: `[planes, kernel², out_height, out_width]`.
#[cube(launch)]
fn unroll_kernel<F: Float>(
    map: LinearView<'_, F>,
    mut patches: LinearViewMut<'_, F>,
    sides: &Sides,
    #[comptime] kernel: usize,
    #[comptime] stride: usize,
    #[define(F)] _dtype: ElemType,
) {
    let place = ABSOLUTE_POS;
    if !patches.is_in_bounds(place) {
        terminate!();
    }
    let out_x = place % sides.out_width;
    let rest = place / sides.out_width;
    let out_y = rest % sides.out_height;
    let rest = rest / sides.out_height;
    let tap = rest % (kernel * kernel);
    let plane = rest / (kernel * kernel);
    // In the map with its border of zeros.
    let y = out_y * stride + tap / kernel;
    let x = out_x * stride + tap % kernel;
    let pad = kernel / 2;
    let mut value = F::new(0.0);
    if y >= pad && y < sides.height + pad && x >= pad && x < sides.width + pad {
        value = map.read((plane * sides.height + y - pad) * sides.width + x - pad);
    }
    patches.write(place, value);
}

/// One value of the map for each thread: the sum of all that was made of it.
#[cube(launch)]
fn roll_kernel<F: Float>(
    patches: LinearView<'_, F>,
    mut map: LinearViewMut<'_, F>,
    sides: &Sides,
    #[comptime] kernel: usize,
    #[comptime] stride: usize,
    #[define(F)] _dtype: ElemType,
) {
    let place = ABSOLUTE_POS;
    if !map.is_in_bounds(place) {
        terminate!();
    }
    let pad = kernel / 2;
    // In the map with its border of zeros.
    let x = place % sides.width + pad;
    let rest = place / sides.width;
    let y = rest % sides.height + pad;
    let plane = rest / sides.height;
    let mut sum = 0.0f32;
    for down in 0..kernel {
        for right in 0..kernel {
            if y >= down && x >= right {
                let (top, left) = (y - down, x - right);
                let (out_y, out_x) = (top / stride, left / stride);
                if top % stride == 0
                    && left % stride == 0
                    && out_y < sides.out_height
                    && out_x < sides.out_width
                {
                    let tap = plane * kernel * kernel + down * kernel + right;
                    let from = (tap * sides.out_height + out_y) * sides.out_width + out_x;
                    sum += f32::cast_from(patches.read(from));
                }
            }
        }
    }
    map.write(place, F::cast_from(sum));
}

impl PatchOps for CubeBackend {
    fn unroll(map: CubeTensor, geometry: Geometry) -> CubeTensor {
        let output = of_shape(&map, geometry.patches_shape(map.shape()[0]).into());
        if let Some(Threads { client, count, dim, dtype }) = Threads::of(&output) {
            unroll_kernel::launch(
                &client,
                count,
                dim,
                map.into_linear_view(),
                output.clone().into_linear_view(),
                sides(&geometry),
                geometry.kernel,
                geometry.stride,
                dtype,
            );
        }
        output
    }

    fn roll(patches: CubeTensor, geometry: Geometry) -> CubeTensor {
        let output = of_shape(&patches, geometry.map_shape(patches.shape()[0]).into());
        if let Some(Threads { client, count, dim, dtype }) = Threads::of(&output) {
            roll_kernel::launch(
                &client,
                count,
                dim,
                patches.into_linear_view(),
                output.clone().into_linear_view(),
                sides(&geometry),
                geometry.kernel,
                geometry.stride,
                dtype,
            );
        }
        output
    }
}

fn sides(geometry: &Geometry) -> SidesLaunch {
    let (height, width) = (geometry.height, geometry.width);
    SidesLaunch::new(height, width, geometry.out_height(), geometry.out_width())
}

/// The sum of every thread's value, known to all threads of a block.
#[cube]
fn total(value: f32, #[comptime] units: usize) -> f32 {
    let mut sums = Shared::new_slice(units);
    sums[UNIT_POS as usize] = value;
    sync_cube();
    let mut active = CUBE_DIM / 2;
    while active > 0 {
        if UNIT_POS < active {
            let other = sums[(UNIT_POS + active) as usize];
            sums[UNIT_POS as usize] += other;
        }
        active /= 2;
        sync_cube();
    }
    let sum = sums[0];
    // Before the memory serves the next sum.
    sync_cube();
    sum
}

/// The mean of a row, and the sum of the squared distances from it.
#[derive(CubeType)]
struct RowMoments {
    mean: f32,
    squares: f32,
}

#[cube]
fn row_moments<F: Float>(
    input: &LinearView<'_, F>,
    first: usize,
    length: usize,
    #[comptime] units: usize,
) -> RowMoments {
    let mut sum = 0.0f32;
    let mut place = UNIT_POS as usize;
    while place < length {
        sum += f32::cast_from(input.read(first + place));
        place += units;
    }
    let mean = total(sum, units) / f32::cast_from(length);
    let mut squares = 0.0f32;
    let mut place = UNIT_POS as usize;
    while place < length {
        let centred = f32::cast_from(input.read(first + place)) - mean;
        squares += centred * centred;
        place += units;
    }
    RowMoments { mean, squares: total(squares, units) }
}

/// The mean of a row, and the reciprocal of its deviation.
#[derive(CubeType)]
struct RowStatistics {
    mean: f32,
    factor: f32,
}

#[cube]
fn row_statistics<F: Float>(
    input: &LinearView<'_, F>,
    first: usize,
    length: usize,
    epsilon: f32,
    #[comptime] units: usize,
) -> RowStatistics {
    let moments = row_moments::<F>(input, first, length, units);
    let variance = moments.squares / f32::cast_from(length);
    RowStatistics { mean: moments.mean, factor: 1.0 / (variance + epsilon).sqrt() }
}

/// A block for each row.
#[cube(launch)]
fn normal_rows_kernel<F: Float>(
    input: LinearView<'_, F>,
    mut output: LinearViewMut<'_, F>,
    length: usize,
    epsilon: f32,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let first = CUBE_POS * length;
    if first >= output.shape() {
        terminate!();
    }
    let statistics = row_statistics::<F>(&input, first, length, epsilon, units);
    let mut place = UNIT_POS as usize;
    while place < length {
        let value = f32::cast_from(input.read(first + place));
        let normal = (value - statistics.mean) * statistics.factor;
        output.write(first + place, F::cast_from(normal));
        place += units;
    }
}

/// A block for each row.
#[cube(launch)]
fn normal_rows_gradient_kernel<F: Float>(
    input: LinearView<'_, F>,
    gradient: LinearView<'_, F>,
    mut output: LinearViewMut<'_, F>,
    length: usize,
    epsilon: f32,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let first = CUBE_POS * length;
    if first >= output.shape() {
        terminate!();
    }
    let statistics = row_statistics::<F>(&input, first, length, epsilon, units);
    let share = 1.0 / f32::cast_from(length);
    let mut even = 0.0f32;
    let mut along = 0.0f32;
    let mut place = UNIT_POS as usize;
    while place < length {
        let value = f32::cast_from(input.read(first + place));
        let own = f32::cast_from(gradient.read(first + place));
        even += own;
        along += own * (value - statistics.mean) * statistics.factor;
        place += units;
    }
    let even = total(even, units) * share;
    let along = total(along, units) * share;
    let mut place = UNIT_POS as usize;
    while place < length {
        let value = f32::cast_from(input.read(first + place));
        let own = f32::cast_from(gradient.read(first + place));
        let normal = (value - statistics.mean) * statistics.factor;
        let result = statistics.factor * (own - even - normal * along);
        output.write(first + place, F::cast_from(result));
        place += units;
    }
}

/// Twice the distribution function of the normal distribution.
#[cube]
fn twice_below(value: f32) -> f32 {
    1.0f32 + Erf::erf(value * 0.707_106_77f32)
}

#[cube(launch)]
fn gelu_kernel<F: Float>(
    input: LinearView<'_, F>,
    mut output: LinearViewMut<'_, F>,
    #[define(F)] _dtype: ElemType,
) {
    let place = ABSOLUTE_POS;
    if !output.is_in_bounds(place) {
        terminate!();
    }
    let value = f32::cast_from(input.read(place));
    output.write(place, F::cast_from(0.5f32 * value * twice_below(value)));
}

#[cube(launch)]
fn gelu_gradient_kernel<F: Float>(
    input: LinearView<'_, F>,
    gradient: LinearView<'_, F>,
    mut output: LinearViewMut<'_, F>,
    #[define(F)] _dtype: ElemType,
) {
    let place = ABSOLUTE_POS;
    if !output.is_in_bounds(place) {
        terminate!();
    }
    let value = f32::cast_from(input.read(place));
    // 1 / √(2π)
    let exponent = value * value * -0.5f32;
    let density = exponent.exp() * 0.398_942_3f32;
    let slope = 0.5f32 * twice_below(value) + value * density;
    output.write(place, F::cast_from(slope * f32::cast_from(gradient.read(place))));
}

impl RowOps for CubeBackend {
    fn gelu_of(input: CubeTensor) -> CubeTensor {
        let output = like(&input);
        if let Some(Threads { client, count, dim, dtype }) = Threads::of(&output) {
            gelu_kernel::launch(
                &client,
                count,
                dim,
                input.into_linear_view_like(&output),
                output.clone().into_linear_view(),
                dtype,
            );
        }
        output
    }

    fn normal_rows(input: CubeTensor, epsilon: f32) -> CubeTensor {
        let output = like(&input);
        if let Some(RowBlocks { length, units, count, dim }) = RowBlocks::of(&output) {
            let client = input.client.clone();
            let dtype = dtype_to_storage_type(input.dtype);
            normal_rows_kernel::launch(
                &client,
                count,
                dim,
                input.into_linear_view_like(&output),
                output.clone().into_linear_view(),
                length,
                epsilon,
                units,
                dtype,
            );
        }
        output
    }
}

impl RowGradients for CubeBackend {
    fn gelu_gradient(input: CubeTensor, gradient: CubeTensor) -> CubeTensor {
        let output = like(&input);
        if let Some(Threads { client, count, dim, dtype }) = Threads::of(&output) {
            gelu_gradient_kernel::launch(
                &client,
                count,
                dim,
                input.into_linear_view_like(&output),
                gradient.into_linear_view_like(&output),
                output.clone().into_linear_view(),
                dtype,
            );
        }
        output
    }

    fn normal_rows_gradient(input: CubeTensor, gradient: CubeTensor, epsilon: f32) -> CubeTensor {
        let output = like(&input);
        if let Some(RowBlocks { length, units, count, dim }) = RowBlocks::of(&output) {
            let client = input.client.clone();
            let dtype = dtype_to_storage_type(input.dtype);
            normal_rows_gradient_kernel::launch(
                &client,
                count,
                dim,
                input.into_linear_view_like(&output),
                gradient.into_linear_view_like(&output),
                output.clone().into_linear_view(),
                length,
                epsilon,
                units,
                dtype,
            );
        }
        output
    }
}

/// A thread for each value of a tensor.
struct Threads {
    client: Client,
    count: CubeCount,
    dim: CubeDim,
    dtype: ElemType,
}

impl Threads {
    /// None for a tensor without values.
    fn of(tensor: &CubeTensor) -> Option<Self> {
        let values = tensor.shape().num_elements();
        (values > 0).then(|| {
            let client = tensor.client.clone();
            let dim = CubeDim::new(&client, values);
            let count = calculate_cube_count_elemwise(&client, values, dim);
            Self { client, count, dim, dtype: dtype_to_storage_type(tensor.dtype) }
        })
    }
}

/// How the rows of a tensor are spread over blocks of threads, one block for each.
struct RowBlocks {
    length: usize,
    /// Threads of a block, a power of two.
    units: usize,
    count: CubeCount,
    dim: CubeDim,
}

impl RowBlocks {
    /// None for a tensor without values.
    fn of(tensor: &CubeTensor) -> Option<Self> {
        let shape = tensor.shape();
        let length = shape.last().copied().unwrap_or(0);
        Self::for_rows(&tensor.client, shape.num_elements() / length.max(1), length)
    }

    /// None where there are no values.
    fn for_rows(client: &Client, rows: usize, length: usize) -> Option<Self> {
        if rows * length == 0 {
            return None;
        }
        // Some values for each thread, and no fewer threads than run in step.
        let units = (length / 4).next_power_of_two().clamp(32, UNITS as usize);
        let dim = CubeDim::new_1d(units as u32);
        let count = calculate_cube_count_elemwise(client, rows * units, dim);
        Some(Self { length, units, count, dim })
    }
}

/// Sums of squares, `[parts]`.
fn squares(values: CubeTensor) -> CubeTensor {
    let count = values.shape().num_elements();
    let parts = count.div_ceil(UNITS as usize * VALUES_PER_UNIT).clamp(1, MOST_PARTS);
    let client = values.client.clone();
    let output =
        empty_device_dtype(client.clone(), values.device.clone(), Shape::new([parts]), DType::F32);
    let dtype = dtype_to_storage_type(values.dtype);
    squares_kernel::launch(
        &client,
        CubeCount::new_1d(parts as u32),
        CubeDim::new_1d(UNITS),
        values.into_linear_view(),
        output.clone().into_linear_view(),
        UNITS as usize,
        dtype,
    );
    output
}

fn like(tensor: &CubeTensor) -> CubeTensor {
    of_shape(tensor, tensor.shape())
}
