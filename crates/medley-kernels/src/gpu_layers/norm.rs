//! Norms of rows with the sum behind them: some threads side by side for each row, several rows in a block.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::prelude::*;

use super::lanes_of;
use crate::cube::of_shape;

/// Threads of a row.
const WIDE: usize = 4;

/// Rows of a block.
const HIGH: usize = 16;

/// What devices learn to do.
#[backend_extension(Cube)]
pub(crate) trait NormOps: Backend {
    /// See [`super::gpu_norm`]; `added` says whether there is something to add to.
    fn norm_and_add(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        added: bool,
    ) -> FloatTensor<Self>;
}

/// The sum of a vector's values.
#[cube]
pub(super) fn across<F: Float, N: Size>(vector: Vector<F, N>, #[comptime] lanes: usize) -> F {
    let mut sum = vector.extract(0usize);
    #[unroll]
    for lane in 1..lanes {
        sum += vector.extract(lane);
    }
    sum
}

/// The sum of what the threads of a row have; `memory`: a place for each thread of the block.
#[cube]
fn of_row<F: Float>(value: F, memory: &mut Shared<[F]>) -> F {
    let row = UNIT_POS_Y as usize * WIDE;
    memory[row + UNIT_POS_X as usize] = value;
    sync_cube();
    let mut sum = memory[row];
    #[unroll]
    for unit in 1..WIDE {
        sum += memory[row + unit];
    }
    sum
}

#[cube(launch_unchecked)]
fn norm_kernel<F: Float, N: Size>(
    input: &Tensor<Vector<F, N>>,
    residual: &Tensor<Vector<F, N>>,
    gamma: &Tensor<Vector<F, N>>,
    beta: &Tensor<Vector<F, N>>,
    output: &mut Tensor<Vector<F, N>>,
    rows: usize,
    // Vectors of a row.
    length: usize,
    epsilon: f32,
    #[comptime] added: bool,
    #[comptime] lanes: usize,
    #[define(F)] _dtype: ElemType,
) {
    let mut sums = Shared::<[F]>::new_slice(WIDE * HIGH);
    let mut squares = Shared::<[F]>::new_slice(WIDE * HIGH);
    let row = CUBE_POS * HIGH + UNIT_POS_Y as usize;
    // All threads of a block wait for each other: those below the last row do its work once more.
    let mut first = row * length;
    if row >= rows {
        first = (rows - 1) * length;
    }
    let share = F::new(1.0) / F::cast_from(length * lanes);

    let mut sum = Vector::<F, N>::new(F::new(0.0));
    let mut place = UNIT_POS_X as usize;
    while place < length {
        sum += input[first + place];
        place += WIDE;
    }
    let mean = Vector::<F, N>::new(of_row::<F>(across::<F, N>(sum, lanes), &mut sums) * share);
    let mut sum = Vector::<F, N>::new(F::new(0.0));
    let mut place = UNIT_POS_X as usize;
    while place < length {
        let centred = input[first + place] - mean;
        sum += centred * centred;
        place += WIDE;
    }
    let variance = of_row::<F>(across::<F, N>(sum, lanes), &mut squares) * share;
    let factor = Vector::<F, N>::new(F::new(1.0) / (variance + F::cast_from(epsilon)).sqrt());
    if row < rows {
        let mut place = UNIT_POS_X as usize;
        while place < length {
            let mut value = (input[first + place] - mean) * factor * gamma[place] + beta[place];
            if added {
                value += residual[first + place];
            }
            output[first + place] = value;
            place += WIDE;
        }
    }
}

impl NormOps for CubeBackend {
    fn norm_and_add(
        input: CubeTensor,
        residual: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        epsilon: f32,
        added: bool,
    ) -> CubeTensor {
        let output = of_shape(&input, input.shape());
        let [channels] = gamma.shape().dims();
        let lanes = lanes_of(channels);
        let rows = input.shape().num_elements() / channels;
        if rows == 0 {
            return output;
        }
        let client = input.client.clone();
        let dtype = dtype_to_storage_type(input.dtype);
        let [input, residual, gamma, beta] = [input, residual, gamma, beta].map(into_contiguous);
        let dim = CubeDim::new_2d(WIDE as u32, HIGH as u32);
        let count =
            cubecl::calculate_cube_count_elemwise(&client, rows.div_ceil(HIGH) * WIDE * HIGH, dim);
        // SAFETY: the kernel reads and writes rows below `rows` of `length` vectors only, of which its tensors are made.
        #[allow(unsafe_code)]
        unsafe {
            norm_kernel::launch_unchecked(
                &client,
                count,
                dim,
                lanes,
                input.into_tensor_arg(),
                residual.into_tensor_arg(),
                gamma.into_tensor_arg(),
                beta.into_tensor_arg(),
                output.clone().into_tensor_arg(),
                rows,
                channels / lanes,
                epsilon,
                added,
                lanes,
                dtype,
            );
        }
        output
    }
}
