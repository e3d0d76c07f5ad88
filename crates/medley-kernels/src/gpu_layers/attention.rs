//! Attention within the windows of a map: a block for each head of a window, with a thread for each query, or some. Threads know
//! where in the map the window's tokens are, and how long its keys; queries and sums are in registers, keys and values are
//! read from the map, which all threads of a block do at the same places.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::prelude::*;

use super::lanes_of;
use super::norm::across;
use crate::cube::{LEAST, of_shape};
use crate::packed::{MASKED, MIN_LENGTH, WindowGrid};

/// Threads of a block at most: a window of 8 × 8 has one for each query.
const MOST_THREADS: usize = 64;

/// What devices learn to do.
#[backend_extension(Cube)]
pub(crate) trait MapAttentionOps: Backend {
    /// See [`super::gpu_window_attention`]; `masked`: whether `regions` are any.
    fn attend_in_map(
        qkv: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        outside: FloatTensor<Self>,
        regions: FloatTensor<Self>,
        grid: WindowGrid,
        masked: bool,
    ) -> FloatTensor<Self>;
}

/// A [`WindowGrid`], in tokens but for `down` and `across`, the windows of each side.
#[derive(CubeLaunch, CubeType)]
struct Grid {
    height: usize,
    width: usize,
    down: usize,
    across: usize,
    shift_down: usize,
    shift_across: usize,
}

/// Vectors of a head's part of a token: of the map, or of what stands outside it (`place` is that of no token).
#[allow(clippy::collapsible_if, reason = "the outer one is decided when the kernel is compiled")]
#[cube]
fn read_head<F: Float, N: Size>(
    qkv: &Tensor<Vector<F, N>>,
    outside: &Tensor<Vector<F, N>>,
    place: usize,
    none: usize,
    triple: usize,
    first: usize,
    vector: &mut Array<Vector<F, N>>,
    #[comptime] width: usize,
    #[comptime] padded: bool,
) {
    let mut at = place * triple + first;
    if padded && place == none {
        at = 0usize;
    }
    #[unroll]
    for channel in 0..width {
        let mut value = qkv[at + channel];
        if padded {
            if place == none {
                value = outside[first + channel];
            }
        }
        vector[channel] = value;
    }
}

#[cube]
fn dot<F: Float, N: Size>(
    one: &Array<Vector<F, N>>,
    other: &Array<Vector<F, N>>,
    #[comptime] width: usize,
    #[comptime] lanes: usize,
) -> F {
    let mut sum = one[0] * other[0];
    #[unroll]
    for channel in 1..width {
        sum = fma(one[channel], other[channel], sum);
    }
    across::<F, N>(sum, lanes)
}

/// The length of a vector, no shorter than [`MIN_LENGTH`].
#[cube]
fn length<F: Float, N: Size>(
    vector: &Array<Vector<F, N>>,
    #[comptime] width: usize,
    #[comptime] lanes: usize,
) -> F {
    let mut length = dot::<F, N>(vector, vector, width, lanes).sqrt();
    if length < F::new(MIN_LENGTH) {
        length = F::new(MIN_LENGTH);
    }
    length
}

#[allow(clippy::collapsible_if, reason = "the outer one is decided when the kernel is compiled")]
#[cube(launch_unchecked)]
fn attend_kernel<F: Float, N: Size>(
    qkv: &Tensor<Vector<F, N>>,
    scale: &Tensor<F>,
    bias: &Tensor<F>,
    outside: &Tensor<Vector<F, N>>,
    regions: &Tensor<F>,
    output: &mut Tensor<Vector<F, N>>,
    grid: &Grid,
    blocks: usize,
    heads: usize,
    #[comptime] window: usize,
    // Vectors of a head.
    #[comptime] width: usize,
    #[comptime] masked: bool,
    #[comptime] padded: bool,
    #[comptime] lanes: usize,
    #[define(F)] _dtype: ElemType,
) {
    let tokens = comptime!(window * window);
    let mut places = Shared::<[usize]>::new_slice(tokens);
    let mut shrink = Shared::<[F]>::new_slice(tokens);
    let block = CUBE_POS;
    if block >= blocks {
        terminate!();
    }
    let channels = heads * width;
    let triple = channels * 3;
    let (index, head) = (block / heads, block % heads);
    let first = head * width;
    let column = index % grid.across;
    let row = index / grid.across % grid.down;
    let batch = index / (grid.across * grid.down);
    let none = (batch + 1) * grid.height * grid.width;
    let mut query = Array::<Vector<F, N>>::new(width);
    let mut other = Array::<Vector<F, N>>::new(width);
    let mut sums = Array::<Vector<F, N>>::new(width);

    let mut token = UNIT_POS as usize;
    while token < tokens {
        let y = (row * window + token / window + grid.shift_down) % (grid.down * window);
        let x = (column * window + token % window + grid.shift_across) % (grid.across * window);
        let mut place = (batch * grid.height + y) * grid.width + x;
        if y >= grid.height || x >= grid.width {
            place = none;
        }
        places[token] = place;
        let keys = channels + first;
        read_head::<F, N>(qkv, outside, place, none, triple, keys, &mut other, width, padded);
        shrink[token] = F::new(1.0) / length::<F, N>(&other, width, lanes);
        token += CUBE_DIM as usize;
    }
    sync_cube();

    let own_regions = index % (grid.across * grid.down) * tokens;
    let mut token = UNIT_POS as usize;
    while token < tokens {
        let place = places[token];
        read_head::<F, N>(qkv, outside, place, none, triple, first, &mut query, width, padded);
        let factor = Vector::<F, N>::new(scale[head] / length::<F, N>(&query, width, lanes));
        #[unroll]
        for channel in 0..width {
            query[channel] *= factor;
            sums[channel] = Vector::<F, N>::new(F::new(0.0));
        }
        let table = (head * tokens + token) * tokens;
        let mut own_region = F::new(0.0);
        if masked {
            own_region = regions[own_regions + token];
        }
        let mut most = F::new(LEAST);
        let mut total = F::new(0.0);
        for key in 0..tokens {
            let there = places[key];
            let keys = channels + first;
            read_head::<F, N>(qkv, outside, there, none, triple, keys, &mut other, width, padded);
            let cosine = dot::<F, N>(&query, &other, width, lanes) * shrink[key];
            let mut score = cosine + bias[table + key];
            if masked {
                if regions[own_regions + key] != own_region {
                    score += F::new(MASKED);
                }
            }
            if score > most {
                let less = (most - score).exp();
                total *= less;
                #[unroll]
                for channel in 0..width {
                    sums[channel] *= Vector::<F, N>::new(less);
                }
                most = score;
            }
            let share = (score - most).exp();
            total += share;
            let values = 2 * channels + first;
            read_head::<F, N>(qkv, outside, there, none, triple, values, &mut other, width, padded);
            #[unroll]
            for channel in 0..width {
                sums[channel] = fma(Vector::<F, N>::new(share), other[channel], sums[channel]);
            }
        }
        if place != none {
            let total = Vector::<F, N>::new(total);
            #[unroll]
            for channel in 0..width {
                output[place * channels + first + channel] = sums[channel] / total;
            }
        }
        token += CUBE_DIM as usize;
    }
}

impl MapAttentionOps for CubeBackend {
    fn attend_in_map(
        qkv: CubeTensor,
        scale: CubeTensor,
        bias: CubeTensor,
        outside: CubeTensor,
        regions: CubeTensor,
        grid: WindowGrid,
        masked: bool,
    ) -> CubeTensor {
        let mut shape = qkv.shape();
        let (triple, heads) = (shape[3], scale.shape()[0]);
        shape[3] = triple / 3;
        let lanes = lanes_of(triple / 3 / heads);
        let [down, across] = grid.windows();
        let blocks = shape[0] * down * across * heads;
        let output = of_shape(&qkv, shape);
        if blocks == 0 {
            return output;
        }
        let client = qkv.client.clone();
        let dtype = dtype_to_storage_type(qkv.dtype);
        let [qkv, scale, bias, outside, regions] =
            [qkv, scale, bias, outside, regions].map(into_contiguous);
        let tokens = grid.window * grid.window;
        let units = tokens.min(MOST_THREADS);
        let dim = CubeDim::new_1d(units as u32);
        let count = cubecl::calculate_cube_count_elemwise(&client, blocks * units, dim);
        let padded = [grid.height, grid.width] != [down * grid.window, across * grid.window];
        let [shift_down, shift_across] = grid.shift;
        // SAFETY: the kernel reads and writes tokens of the map, pairs of a window's tokens and heads below `heads` only, of which
        // its tensors are made.
        #[allow(unsafe_code)]
        unsafe {
            attend_kernel::launch_unchecked(
                &client,
                count,
                dim,
                lanes,
                qkv.into_tensor_arg(),
                scale.into_tensor_arg(),
                bias.into_tensor_arg(),
                outside.into_tensor_arg(),
                regions.into_tensor_arg(),
                output.clone().into_tensor_arg(),
                GridLaunch::new(grid.height, grid.width, down, across, shift_down, shift_across),
                blocks,
                heads,
                grid.window,
                triple / 3 / heads / lanes,
                masked,
                padded,
                lanes,
                dtype,
            );
        }
        output
    }
}
