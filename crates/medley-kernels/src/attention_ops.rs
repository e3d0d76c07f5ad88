//! Attention of the tokens of a window to each other by the cosines of their queries and keys, as one operation, with its
//! gradients.
//!
//! burn composes it of some forty operations, and its gradients of twice as many: on a GPU each of them reads and writes all
//! queries and keys, or the table of all scores, once more (docs/scaling.md). Here a table never leaves the block of threads
//! that computes it, and the gradients compute it again.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use crate::extension::{Float, float, values};
use crate::gradients::finish;
use crate::packed::MIN_LENGTH;
use crate::parallel::for_each_piece;
use crate::row_ops::sum;
use crate::rows::divisor_up_to;

/// What devices learn to do, with gradients where they have them.
#[backend_extension(
    Flex,
    Autodiff,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait AttentionOps: Backend {
    /// See [`cosine_attention`].
    #[fusion(dtype = qkv, shape = attended_shape(qkv))]
    fn attend(
        qkv: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// What the gradients need of devices that have none themselves.
#[backend_extension(
    Flex,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait AttentionGradients: AttentionOps {
    /// Those of [`AttentionOps::attend`]'s `qkv`; of the scores, `[count, heads, tokens, tokens]`; and of the scale by each
    /// query, `[count, heads, tokens]`.
    #[fusion(meta = |qkv, scale, _bias, _gradient| {
        let scores = scores_shape(&qkv.shape, &scale.shape);
        let queries = Shape::new([scores[0], scores[1], scores[2]]);
        let spec = |shape| burn::backend::fusion::custom::TensorSpec::new(shape, qkv.dtype);
        (qkv.clone(), spec(scores), spec(queries))
    })]
    fn attend_gradients(
        qkv: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// `[count, tokens, channels]` of `[count, tokens, 3·channels]`.
pub(crate) fn attended_shape(qkv: &Shape) -> Shape {
    Shape::new([qkv[0], qkv[1], qkv[2] / 3])
}

/// `[count, heads, tokens, tokens]`
pub(crate) fn scores_shape(qkv: &Shape, scale: &Shape) -> Shape {
    Shape::new([qkv[0], scale[0], qkv[1], qkv[1]])
}

/// `softmax(scale · cos(queries, keys) + bias) · values` for each window and head, in training: on a device with gradients.
///
/// Liu and others, *Swin Transformer V2* (2022), equation 2.
///
/// # Shapes
/// - qkv: `[count, tokens, 3·channels]`, the channels of queries, keys and values, each head after head
/// - scale: `[heads]`
/// - bias: `[windows, heads, tokens, tokens]`, where `windows` divides `count`: window i has the i-th of them, and so on from
///   the beginning
/// - output: `[count, tokens, channels]`
///
/// # Panics
/// Shapes that do not fit each other, other numbers than f32 on the CPU: mistakes of the program.
pub fn cosine_attention(qkv: Tensor<3>, scale: Tensor<1>, bias: Tensor<4>) -> Tensor<3> {
    let ([count, tokens, triple], [heads]) = (qkv.dims(), scale.dims());
    let [windows, of_bias, rows, columns] = bias.dims();
    assert!(
        triple.is_multiple_of(3 * heads) && count.is_multiple_of(windows),
        "{triple} channels of {heads} heads, {count} windows, {windows} of them with a bias"
    );
    assert_eq!([of_bias, rows, columns], [heads, tokens, tokens], "a bias for each head and pair");
    Tensor::from_dispatch(Dispatch::attend(
        qkv.into_dispatch(),
        scale.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// The sizes of one call, on the CPU.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    tokens: usize,
    heads: usize,
    /// Channels of a head.
    width: usize,
    /// Windows with a bias of their own.
    windows: usize,
}

impl Sizes {
    fn of(qkv: &Float, scale: &Float, bias: &Float) -> Self {
        let [_, tokens, triple] = qkv.shape().dims();
        let heads = scale.shape()[0];
        Self { tokens, heads, width: triple / 3 / heads, windows: bias.shape()[0] }
    }

    fn channels(self) -> usize {
        self.heads * self.width
    }
}

/// One head of one window, on the CPU.
struct Head {
    /// Of length 1, `[tokens, width]`.
    queries: Vec<f32>,
    /// Of length 1, `[tokens, width]`.
    keys: Vec<f32>,
    /// `[tokens, width]`
    values: Vec<f32>,
    /// What queries and keys were divided by, and whether that depends on them.
    lengths: [Vec<(f32, bool)>; 2],
    /// `[tokens, tokens]`, a query in each row: cosines, and the shares that they come to.
    cosines: Vec<f32>,
    shares: Vec<f32>,
}

impl Head {
    /// `qkv`: of the window; `bias`: of window and head.
    fn of(sizes: Sizes, head: usize, qkv: &[f32], scale: f32, bias: &[f32]) -> Self {
        let Sizes { tokens, width, .. } = sizes;
        let part = |index: usize| -> Vec<f32> {
            let first = index * sizes.channels() + head * width;
            qkv.chunks_exact(3 * sizes.channels())
                .flat_map(|token| &token[first..first + width])
                .copied()
                .collect()
        };
        let (mut queries, mut keys, values) = (part(0), part(1), part(2));
        let lengths = [&mut queries, &mut keys].map(|vectors| {
            vectors
                .chunks_exact_mut(width)
                .map(|vector| {
                    let length = dot(vector, vector).sqrt();
                    let divisor = length.max(MIN_LENGTH);
                    vector.iter_mut().for_each(|value| *value /= divisor);
                    (divisor, length > MIN_LENGTH)
                })
                .collect()
        });
        let mut cosines = vec![0.0; tokens * tokens];
        let mut shares = vec![0.0; tokens * tokens];
        for (((query, bias), cosines), shares) in queries
            .chunks_exact(width)
            .zip(bias.chunks_exact(tokens))
            .zip(cosines.chunks_exact_mut(tokens))
            .zip(shares.chunks_exact_mut(tokens))
        {
            let mut most = f32::NEG_INFINITY;
            for (key, ((cosine, share), bias)) in
                keys.chunks_exact(width).zip(cosines.iter_mut().zip(shares.iter_mut()).zip(bias))
            {
                *cosine = dot(query, key);
                *share = scale * *cosine + bias;
                most = most.max(*share);
            }
            shares.iter_mut().for_each(|share| *share = (*share - most).exp());
            let total: f32 = shares.iter().sum();
            shares.iter_mut().for_each(|share| *share /= total);
        }
        Self { queries, keys, values, lengths, cosines, shares }
    }
}

/// The sum of the products.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    sum(one, other, |one, other| one * other)
}

/// `sum += factor · vector`
fn add(sum: &mut [f32], vector: &[f32], factor: f32) {
    for (sum, value) in sum.iter_mut().zip(vector) {
        *sum += factor * value;
    }
}

impl AttentionOps for Flex {
    fn attend(qkv: Float, scale: Float, bias: Float) -> Float {
        let shape = attended_shape(&qkv.shape());
        let sizes = Sizes::of(&qkv, &scale, &bias);
        let Sizes { tokens, heads, width, windows } = sizes;
        let [qkv, scale, bias] = [qkv, scale, bias].map(|tensor| tensor.to_contiguous());
        let (qkv, scale, bias) = (values(&qkv), values(&scale), values(&bias));
        let mut output = vec![0.0; shape.num_elements()];
        let one = tokens * sizes.channels();
        for_each_piece(&mut output, one, |window, output| {
            let qkv = &qkv[window * 3 * one..][..3 * one];
            for (head, &scale) in scale.iter().enumerate() {
                let table = (window % windows * heads + head) * tokens * tokens;
                let bias = &bias[table..][..tokens * tokens];
                let found = Head::of(sizes, head, qkv, scale, bias);
                for (row, shares) in found.shares.chunks_exact(tokens).enumerate() {
                    let place = row * sizes.channels() + head * width;
                    let output = &mut output[place..place + width];
                    for (share, value) in shares.iter().zip(found.values.chunks_exact(width)) {
                        add(output, value, *share);
                    }
                }
            }
        });
        float(output, shape.to_vec())
    }
}

impl AttentionGradients for Flex {
    fn attend_gradients(
        qkv: Float,
        scale: Float,
        bias: Float,
        gradient: Float,
    ) -> (Float, Float, Float) {
        let (shape, of_scores) = (qkv.shape(), scores_shape(&qkv.shape(), &scale.shape()));
        let sizes = Sizes::of(&qkv, &scale, &bias);
        let Sizes { tokens, heads, width, windows } = sizes;
        let [qkv, scale, bias, gradient] =
            [qkv, scale, bias, gradient].map(|tensor| tensor.to_contiguous());
        let (qkv, scale, bias) = (values(&qkv), values(&scale), values(&bias));
        let gradient = values(&gradient);
        let channels = sizes.channels();
        let one = tokens * channels;
        // Of each window: that of qkv, of the scores, of the scale.
        let parts = [3 * one, heads * tokens * tokens, heads * tokens];
        let mut all = vec![0.0; shape[0] * parts.iter().sum::<usize>()];
        for_each_piece(&mut all, parts.iter().sum(), |window, piece| {
            let (of_qkv, rest) = piece.split_at_mut(parts[0]);
            let (of_scores, of_scale) = rest.split_at_mut(parts[1]);
            let qkv = &qkv[window * 3 * one..][..3 * one];
            let gradient = &gradient[window * one..][..one];
            for (head, &scale) in scale.iter().enumerate() {
                let table = (window % windows * heads + head) * tokens * tokens;
                let bias = &bias[table..][..tokens * tokens];
                let found = Head::of(sizes, head, qkv, scale, bias);
                let own = |row: usize| &gradient[row * channels + head * width..][..width];
                // Of the queries and keys of length 1, and of the values.
                let mut sums = [(); 3].map(|()| vec![0.0; tokens * width]);
                for row in 0..tokens {
                    let place = row * tokens..(row + 1) * tokens;
                    let (shares, cosines) =
                        (&found.shares[place.clone()], &found.cosines[place.clone()]);
                    let scores = &mut of_scores[head * tokens * tokens..][place];
                    for (score, value) in scores.iter_mut().zip(found.values.chunks_exact(width)) {
                        *score = dot(own(row), value);
                    }
                    let mean = dot(scores, shares);
                    for (score, share) in scores.iter_mut().zip(shares) {
                        *score = share * (*score - mean);
                    }
                    of_scale[head * tokens + row] = dot(scores, cosines);
                    let [of_queries, of_keys, of_values] = &mut sums;
                    for (column, (score, share)) in scores.iter().zip(shares).enumerate() {
                        let (here, there) = (row * width.., column * width..);
                        let slope = score * scale;
                        let key = &found.keys[there.clone()][..width];
                        add(&mut of_queries[here.clone()][..width], key, slope);
                        let query = &found.queries[here][..width];
                        add(&mut of_keys[there.clone()][..width], query, slope);
                        add(&mut of_values[there][..width], own(row), *share);
                    }
                }
                let [of_queries, of_keys, of_values] = sums;
                let mut write =
                    |part: usize, token: usize, values: &mut dyn Iterator<Item = f32>| {
                        let place = token * 3 * channels + part * channels + head * width;
                        for (place, value) in of_qkv[place..place + width].iter_mut().zip(values) {
                            *place = value;
                        }
                    };
                for (part, (vectors, gradients)) in
                    [(&found.queries, &of_queries), (&found.keys, &of_keys)].into_iter().enumerate()
                {
                    for token in 0..tokens {
                        let place = token * width..(token + 1) * width;
                        let (vector, gradient) = (&vectors[place.clone()], &gradients[place]);
                        let (length, depends) = found.lengths[part][token];
                        let along = if depends { dot(vector, gradient) } else { 0.0 };
                        let both = gradient.iter().zip(vector);
                        write(part, token, &mut both.map(|(g, v)| (g - v * along) / length));
                    }
                }
                for token in 0..tokens {
                    write(2, token, &mut of_values[token * width..][..width].iter().copied());
                }
            }
        });
        let mut starts = [0; 4];
        for part in 0..3 {
            starts[part + 1] = starts[part] + parts[part];
        }
        let gathered = |part: usize| -> Vec<f32> {
            all.chunks_exact(starts[3].max(1))
                .flat_map(|piece| &piece[starts[part]..starts[part + 1]])
                .copied()
                .collect()
        };
        let of_queries = of_scores.to_vec()[..3].to_vec();
        (
            float(gathered(0), shape.to_vec()),
            float(gathered(1), of_scores.to_vec()),
            float(gathered(2), of_queries),
        )
    }
}

/// What the gradients need of the forward pass.
#[derive(Debug, Clone)]
struct State<B: Backend> {
    qkv: FloatTensor<B>,
    scale: FloatTensor<B>,
    bias: FloatTensor<B>,
}

#[derive(Debug)]
struct AttentionGradient;

impl<B: AttentionGradients> Backward<B, 3> for AttentionGradient {
    type State = State<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let State { qkv, scale, bias } = ops.state;
        let (of_scale_shape, of_bias_shape) = (scale.shape(), bias.shape());
        let (of_qkv, scores, queries) = B::attend_gradients(qkv, scale, bias, gradient);
        let [qkv, scale, bias] = ops.parents;
        if let Some(node) = qkv {
            grads.register::<B>(node.id, of_qkv);
        }
        if let Some(node) = scale {
            let each = B::float_sum_dim(queries, 2);
            grads.register::<B>(node.id, sum_of_rows::<B>(each, of_scale_shape));
        }
        if let Some(node) = bias {
            grads.register::<B>(node.id, sum_of_rows::<B>(scores, of_bias_shape));
        }
    }
}

/// The sum over rows of this shape, in two stages: no sum is long enough to leave a GPU idle.
fn sum_of_rows<B: Backend>(all: FloatTensor<B>, of_row: Shape) -> FloatTensor<B> {
    let row = of_row.num_elements().max(1);
    let rows = all.shape().num_elements() / row;
    let parts = divisor_up_to(rows, rows.isqrt());
    let all = B::float_reshape(all, Shape::new([parts, rows / parts.max(1), row]));
    let sums = B::float_sum_dim(B::float_sum_dim(all, 1), 0);
    B::float_reshape(sums, of_row)
}

impl<B: AttentionGradients, C: CheckpointStrategy> AttentionOps for Autodiff<B, C> {
    fn attend(
        qkv: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (qkv, of_qkv) = qkv.into_parts();
        let (scale, of_scale) = scale.into_parts();
        let (bias, of_bias) = bias.into_parts();
        let output = B::attend(qkv.clone(), scale.clone(), bias.clone());
        let state = State { qkv, scale, bias };
        finish::<B, C, _, _>(AttentionGradient, [of_qkv, of_scale, of_bias], state, output)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::softmax;
    use burn::tensor::{Device, Distribution, Tolerance};

    use super::*;

    /// The same of burn's operations.
    fn composed(qkv: Tensor<3>, scale: Tensor<1>, bias: Tensor<4>) -> Tensor<3> {
        let ([count, tokens, triple], [heads]) = (qkv.dims(), scale.dims());
        let windows = bias.dims()[0];
        let width = triple / 3 / heads;
        let parts = qkv.reshape([count, tokens, 3, heads, width]).permute([2, 0, 3, 1, 4]);
        let part = |index: usize| {
            parts.clone().slice(index..index + 1).reshape([count, heads, tokens, width])
        };
        let unit = |vectors: Tensor<4>| {
            let length = vectors.clone().square().sum_dim(3).sqrt();
            vectors / length
        };
        let cosines = unit(part(0)).matmul(unit(part(1)).swap_dims(2, 3));
        let scores =
            cosines * scale.reshape([1, heads, 1, 1]) + bias.repeat_dim(0, count / windows);
        let attended = softmax(scores, 3).matmul(part(2));
        attended.swap_dims(1, 2).reshape([count, tokens, triple / 3])
    }

    #[test]
    fn values_and_gradients_are_those_of_burns_operations() {
        let device = Device::flex().autodiff();
        device.seed(7);
        for (count, windows, tokens, heads, width) in
            [(6, 3, 4, 2, 5), (4, 1, 16, 1, 8), (1, 1, 9, 3, 4), (8, 8, 4, 4, 16)]
        {
            let normal = Distribution::Normal(0.2, 1.0);
            let qkv = Tensor::<3>::random([count, tokens, 3 * heads * width], normal, &device);
            let qkv = qkv.require_grad();
            let scale = Tensor::<1>::random([heads], Distribution::Uniform(1.0, 12.0), &device);
            let scale = scale.require_grad();
            let bias = Tensor::<4>::random([windows, heads, tokens, tokens], normal, &device);
            let bias = bias.require_grad();
            let factors = Tensor::<3>::random([count, tokens, heads * width], normal, &device);
            let found = [cosine_attention, composed].map(|of| {
                let output = of(qkv.clone(), scale.clone(), bias.clone());
                let gradients = (output.clone() * factors.clone()).sum().backward();
                [
                    output.inner().into_data(),
                    qkv.grad(&gradients).unwrap().into_data(),
                    scale.grad(&gradients).unwrap().into_data(),
                    bias.grad(&gradients).unwrap().into_data(),
                ]
            });
            for (ours, theirs) in found[0].iter().zip(&found[1]) {
                ours.assert_approx_eq::<f32>(theirs, Tolerance::rel_abs(1e-3, 1e-4));
            }
        }
    }

    #[test]
    fn a_key_of_zeros_has_the_cosine_zero() {
        let device = Device::flex().autodiff();
        let qkv = Tensor::<3>::from_data([[[1.0, 0.0, 4.0], [1.0, 2.0, 6.0]]], &device);
        let bias = Tensor::<4>::zeros([1, 1, 2, 2], &device);
        let output = cosine_attention(qkv, Tensor::from_data([3.0], &device), bias);
        // Cosines 0 and 1.
        let share = 1.0 / (1.0 + 3f32.exp());
        let expected = 4.0 * share + 6.0 * (1.0 - share);
        let output = output.into_data().try_to_vec::<f32>().unwrap();
        assert!(output.iter().all(|value| (value - expected).abs() < 1e-5), "{output:?}");
    }
}
