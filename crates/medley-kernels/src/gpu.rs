//! The optimizer's operations on GPUs, as kernels of CubeCL.
//!
//! `medley check-device` holds what they compute against the CPU.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::{DType, TensorMetadata};
use burn::tensor::Shape;
use burn_cubecl::ops::numeric::empty_device_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;
use cubecl::std::tensor::layout::linear::{LinearView, LinearViewMut};

use crate::optimizer::{AdamWStep, Factors, OptimizerOps};

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
        let count = weight.shape().num_elements();
        if count > 0 {
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
            let client = weight.client.clone();
            let cube_dim = CubeDim::new(&client, count);
            let cube_count = calculate_cube_count_elemwise(&client, count, cube_dim);
            let dtype = dtype_to_storage_type(weight.dtype);
            let [new_weight, new_first, new_second] = outputs.clone();
            adamw_kernel::launch(
                &client,
                cube_count,
                cube_dim,
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
        let count = average.shape().num_elements();
        if count > 0 {
            let client = average.client.clone();
            let cube_dim = CubeDim::new(&client, count);
            let cube_count = calculate_cube_count_elemwise(&client, count, cube_dim);
            let dtype = dtype_to_storage_type(average.dtype);
            towards_kernel::launch(
                &client,
                cube_count,
                cube_dim,
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
    empty_device_dtype(tensor.client.clone(), tensor.device.clone(), tensor.shape(), tensor.dtype)
}
