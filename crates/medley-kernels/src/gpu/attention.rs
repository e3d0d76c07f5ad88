//! Attention within windows: a block for each head of a window, with a thread for each token. What all threads read lies in
//! their shared memory, the rest in registers; the table of scores is computed anew where it is asked for.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::Shape;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;
use cubecl::std::tensor::layout::linear::{LinearView, LinearViewMut};

use super::like;
use crate::attention_ops::{AttentionGradients, AttentionOps, attended_shape, scores_shape};
use crate::cube::{LEAST, of_shape};
use crate::packed::MIN_LENGTH;

/// Reads a vector and answers its length, no shorter than [`MIN_LENGTH`].
#[cube]
fn read_vector<F: Float>(
    from: &LinearView<'_, F>,
    first: usize,
    vector: &mut Array<f32>,
    #[comptime] width: usize,
) -> f32 {
    let mut squares = 0.0f32;
    #[unroll]
    for channel in 0..width {
        let value = f32::cast_from(from.read(first + channel));
        vector[channel] = value;
        squares += value * value;
    }
    let mut length = squares.sqrt();
    if length < MIN_LENGTH {
        length = f32::new(MIN_LENGTH);
    }
    length
}

#[cube]
fn scale_vector(vector: &mut Array<f32>, factor: f32, #[comptime] width: usize) {
    #[unroll]
    for channel in 0..width {
        vector[channel] *= factor;
    }
}

/// With row `row` of shared memory.
#[cube]
fn dot(vector: &Array<f32>, rows: &Shared<[f32]>, row: usize, #[comptime] width: usize) -> f32 {
    let mut sum = 0.0f32;
    #[unroll]
    for channel in 0..width {
        sum += vector[channel] * rows[row * width + channel];
    }
    sum
}

/// Adds row `row` of shared memory.
#[cube]
fn add(
    sum: &mut Array<f32>,
    rows: &Shared<[f32]>,
    row: usize,
    factor: f32,
    #[comptime] width: usize,
) {
    #[unroll]
    for channel in 0..width {
        sum[channel] += factor * rows[row * width + channel];
    }
}

#[cube]
fn share_vector(
    vector: &Array<f32>,
    rows: &mut Shared<[f32]>,
    row: usize,
    #[comptime] width: usize,
) {
    #[unroll]
    for channel in 0..width {
        rows[row * width + channel] = vector[channel];
    }
}

#[cube]
fn clear(vector: &mut Array<f32>, #[comptime] width: usize) {
    #[unroll]
    for channel in 0..width {
        vector[channel] = 0.0f32;
    }
}

/// Writes the gradient of a vector, given that of the vector of length 1.
#[cube]
fn write_gradient<F: Float>(
    to: &mut LinearViewMut<'_, F>,
    first: usize,
    vector: &Array<f32>,
    length: f32,
    gradient: &Array<f32>,
    #[comptime] width: usize,
) {
    let mut along = 0.0f32;
    #[unroll]
    for channel in 0..width {
        along += vector[channel] * gradient[channel];
    }
    // Where it is divided by the least length, that does not depend on it.
    if length <= MIN_LENGTH {
        along = 0.0f32;
    }
    #[unroll]
    for channel in 0..width {
        let value = (gradient[channel] - vector[channel] * along) / length;
        to.write(first + channel, F::cast_from(value));
    }
}

#[cube(launch)]
fn attend_kernel<F: Float>(
    qkv: LinearView<'_, F>,
    scale: LinearView<'_, F>,
    bias: LinearView<'_, F>,
    mut output: LinearViewMut<'_, F>,
    windows: usize,
    #[comptime] heads: usize,
    #[comptime] tokens: usize,
    #[comptime] width: usize,
    #[define(F)] _dtype: ElemType,
) {
    let block = CUBE_POS;
    if block * tokens * width >= output.shape() {
        terminate!();
    }
    let channels = comptime!(heads * width);
    let (window, head) = (block / heads, block % heads);
    let token = UNIT_POS as usize;
    let place = (window * tokens + token) * channels;
    let first = place * 3 + head * width;
    let mut keys = Shared::new_slice(tokens * width);
    let mut values = Shared::new_slice(tokens * width);
    let mut query = Array::<f32>::new(width);
    let mut own = Array::<f32>::new(width);
    let length = read_vector::<F>(&qkv, first + channels, &mut own, width);
    scale_vector(&mut own, 1.0 / length, width);
    share_vector(&own, &mut keys, token, width);
    let _ = read_vector::<F>(&qkv, first + 2 * channels, &mut own, width);
    share_vector(&own, &mut values, token, width);
    let length = read_vector::<F>(&qkv, first, &mut query, width);
    scale_vector(&mut query, f32::cast_from(scale.read(head)) / length, width);
    sync_cube();

    let table = ((window % windows * heads + head) * tokens + token) * tokens;
    let mut most = f32::new(LEAST);
    let mut sum = 0.0f32;
    clear(&mut own, width);
    for other in 0..tokens {
        let score = dot(&query, &keys, other, width) + f32::cast_from(bias.read(table + other));
        if score > most {
            let less = (most - score).exp();
            sum *= less;
            scale_vector(&mut own, less, width);
            most = score;
        }
        let share = (score - most).exp();
        sum += share;
        add(&mut own, &values, other, share, width);
    }
    #[unroll]
    for channel in 0..width {
        output.write(place + head * width + channel, F::cast_from(own[channel] / sum));
    }
}

#[cube(launch)]
fn attend_gradients_kernel<F: Float>(
    qkv: LinearView<'_, F>,
    scale: LinearView<'_, F>,
    bias: LinearView<'_, F>,
    gradient: LinearView<'_, F>,
    mut of_qkv: LinearViewMut<'_, F>,
    mut of_scores: LinearViewMut<'_, F>,
    mut of_scale: LinearViewMut<'_, F>,
    windows: usize,
    #[comptime] heads: usize,
    #[comptime] tokens: usize,
    #[comptime] width: usize,
    #[define(F)] _dtype: ElemType,
) {
    let block = CUBE_POS;
    if block * tokens >= of_scale.shape() {
        terminate!();
    }
    let channels = comptime!(heads * width);
    let (window, head) = (block / heads, block % heads);
    let token = UNIT_POS as usize;
    let place = (window * tokens + token) * channels;
    let first = place * 3 + head * width;
    let factor = f32::cast_from(scale.read(head));
    let table = (window % windows * heads + head) * tokens * tokens;

    // Of the thread's own token.
    let mut query = Array::<f32>::new(width);
    let mut key = Array::<f32>::new(width);
    let mut value = Array::<f32>::new(width);
    let mut slope = Array::<f32>::new(width);
    let query_length = read_vector::<F>(&qkv, first, &mut query, width);
    scale_vector(&mut query, 1.0 / query_length, width);
    let key_length = read_vector::<F>(&qkv, first + channels, &mut key, width);
    scale_vector(&mut key, 1.0 / key_length, width);
    let _ = read_vector::<F>(&qkv, first + 2 * channels, &mut value, width);
    let _ = read_vector::<F>(&gradient, place + head * width, &mut slope, width);

    // The keys and values of all tokens, for this query; then the queries and slopes of all, for this key.
    let mut one = Shared::new_slice(tokens * width);
    let mut two = Shared::new_slice(tokens * width);
    // Of each query the logarithm of its sum, and the mean of its slopes.
    let mut logarithms = Shared::new_slice(tokens);
    let mut means = Shared::new_slice(tokens);
    share_vector(&key, &mut one, token, width);
    share_vector(&value, &mut two, token, width);
    sync_cube();

    let row = table + token * tokens;
    let mut most = f32::new(LEAST);
    let mut sum = 0.0f32;
    let mut weighted = 0.0f32;
    for other in 0..tokens {
        let cosine = dot(&query, &one, other, width);
        let score = factor * cosine + f32::cast_from(bias.read(row + other));
        if score > most {
            let less = (most - score).exp();
            sum *= less;
            weighted *= less;
            most = score;
        }
        let share = (score - most).exp();
        sum += share;
        weighted += share * dot(&slope, &two, other, width);
    }
    let logarithm = most + sum.ln();
    let mean = weighted / sum;
    let mut result = Array::<f32>::new(width);
    clear(&mut result, width);
    let mut by_scale = 0.0f32;
    for other in 0..tokens {
        let cosine = dot(&query, &one, other, width);
        let score = factor * cosine + f32::cast_from(bias.read(row + other));
        let share = (score - logarithm).exp();
        let of_score = share * (dot(&slope, &two, other, width) - mean);
        by_scale += of_score * cosine;
        add(&mut result, &one, other, of_score * factor, width);
    }
    write_gradient::<F>(&mut of_qkv, first, &query, query_length, &result, width);
    of_scale.write(block * tokens + token, F::cast_from(by_scale));

    sync_cube();
    share_vector(&query, &mut one, token, width);
    share_vector(&slope, &mut two, token, width);
    logarithms[token] = logarithm;
    means[token] = mean;
    sync_cube();

    // The thread's own query and slope are in shared memory now.
    clear(&mut query, width);
    clear(&mut slope, width);
    for other in 0..tokens {
        let cosine = dot(&key, &one, other, width);
        let bias = f32::cast_from(bias.read(table + other * tokens + token));
        let share = (factor * cosine + bias - logarithms[other]).exp();
        let of_score = share * (dot(&value, &two, other, width) - means[other]);
        let score = (block * tokens + other) * tokens + token;
        of_scores.write(score, F::cast_from(of_score));
        add(&mut query, &one, other, of_score * factor, width);
        add(&mut slope, &two, other, share, width);
    }
    write_gradient::<F>(&mut of_qkv, first + channels, &key, key_length, &query, width);
    #[unroll]
    for channel in 0..width {
        of_qkv.write(first + 2 * channels + channel, F::cast_from(slope[channel]));
    }
}

impl AttentionOps for CubeBackend {
    fn attend(qkv: CubeTensor, scale: CubeTensor, bias: CubeTensor) -> CubeTensor {
        let blocks = Blocks::of(&qkv, &scale, &bias);
        let output = of_shape(&qkv, attended_shape(&qkv.shape()));
        if blocks.count > 0 {
            let Blocks { heads, tokens, width, windows, .. } = blocks;
            let (count, dim) = blocks.launch(&qkv);
            let dtype = dtype_to_storage_type(qkv.dtype);
            attend_kernel::launch(
                &qkv.client.clone(),
                count,
                dim,
                into_contiguous(qkv).into_linear_view(),
                scale.into_linear_view(),
                into_contiguous(bias).into_linear_view(),
                output.clone().into_linear_view(),
                windows,
                heads,
                tokens,
                width,
                dtype,
            );
        }
        output
    }
}

impl AttentionGradients for CubeBackend {
    fn attend_gradients(
        qkv: CubeTensor,
        scale: CubeTensor,
        bias: CubeTensor,
        gradient: CubeTensor,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let blocks = Blocks::of(&qkv, &scale, &bias);
        let Blocks { heads, tokens, width, windows, .. } = blocks;
        let qkv = into_contiguous(qkv);
        let of_qkv = like(&qkv);
        let of_scores = of_shape(&qkv, scores_shape(&qkv.shape(), &scale.shape()));
        let of_scale = of_shape(&qkv, Shape::new([qkv.shape()[0], heads, tokens]));
        if blocks.count > 0 {
            let (count, dim) = blocks.launch(&qkv);
            let dtype = dtype_to_storage_type(qkv.dtype);
            attend_gradients_kernel::launch(
                &qkv.client.clone(),
                count,
                dim,
                qkv.into_linear_view(),
                scale.into_linear_view(),
                into_contiguous(bias).into_linear_view(),
                into_contiguous(gradient).into_linear_view(),
                of_qkv.clone().into_linear_view(),
                of_scores.clone().into_linear_view(),
                of_scale.clone().into_linear_view(),
                windows,
                heads,
                tokens,
                width,
                dtype,
            );
        }
        (of_qkv, of_scores, of_scale)
    }
}

/// A block for each head of each window.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    count: usize,
    heads: usize,
    tokens: usize,
    /// Channels of a head.
    width: usize,
    /// Windows with a bias of their own.
    windows: usize,
}

impl Blocks {
    fn of(qkv: &CubeTensor, scale: &CubeTensor, bias: &CubeTensor) -> Self {
        let [count, tokens, triple] = qkv.shape().dims();
        let heads = scale.shape()[0];
        let width = triple / 3 / heads;
        let count = if tokens * width == 0 { 0 } else { count * heads };
        Self { count, heads, tokens, width, windows: bias.shape()[0] }
    }

    fn launch(self, qkv: &CubeTensor) -> (CubeCount, CubeDim) {
        let dim = CubeDim::new_1d(self.tokens as u32);
        (calculate_cube_count_elemwise(&qkv.client, self.count * self.tokens, dim), dim)
    }
}
