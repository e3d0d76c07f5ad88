//! Normalisation of rows and GELU with their gradients, as one operation each.
//!
//! burn composes a norm of ten operations on whole tensors and GELU of five, and their gradients of twenty and a dozen. On a
//! GPU each of them reads and writes the map once more (docs/scaling.md); on the CPU it is a pass over memory too.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Device, Tensor};

use crate::extension::{Float, float, values};
use crate::gradients::finish;
use crate::packed::{gelu_all, gelu_slope_all};
use crate::parallel::{for_each_piece, map};

/// Values that one thread of the CPU takes at a time.
const PIECE: usize = 16_384;

/// Sums that the CPU keeps side by side.
const LANES: usize = 16;

/// What devices learn to do, with gradients where they have them.
#[backend_extension(
    Flex,
    Autodiff,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait RowOps: Backend {
    /// See [`gelu`].
    #[fusion(dtype = input, shape = input)]
    fn gelu_of(input: FloatTensor<Self>) -> FloatTensor<Self>;

    /// See [`normal_rows`].
    #[fusion(dtype = input, shape = input)]
    fn normal_rows(input: FloatTensor<Self>, epsilon: f32) -> FloatTensor<Self>;
}

/// What the gradients need of devices that have none themselves.
#[backend_extension(
    Flex,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait RowGradients: RowOps {
    /// Of [`RowOps::gelu_of`]'s input.
    #[fusion(dtype = input, shape = input)]
    fn gelu_gradient(input: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Of [`RowOps::normal_rows`]' input.
    #[fusion(dtype = input, shape = input)]
    fn normal_rows_gradient(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;
}

/// See [`crate::gelu`]; none where burn's own serves.
pub(crate) fn gelu<const D: usize>(input: &Tensor<D>) -> Option<Tensor<D>> {
    serves(input).then(|| Tensor::from_dispatch(Dispatch::gelu_of(input.clone().into_dispatch())))
}

/// Every row of the last axis at mean 0 and variance 1, up to `epsilon` beside the variance; none where burn's operations serve.
pub(crate) fn normal_rows<const D: usize>(input: &Tensor<D>, epsilon: f64) -> Option<Tensor<D>> {
    serves(input).then(|| {
        let input = input.clone().into_dispatch();
        Tensor::from_dispatch(Dispatch::normal_rows(input, epsilon as f32))
    })
}

/// Whether the operations here serve the tensor: in training, on the CPU in f32.
fn serves<const D: usize>(input: &Tensor<D>) -> bool {
    let device = input.device();
    device.is_autodiff() && (input.dtype() == DType::F32 || device.inner() != Device::flex())
}

impl RowOps for Flex {
    fn gelu_of(input: Float) -> Float {
        let shape = input.shape().to_vec();
        let mut output = values(&input.to_contiguous()).to_vec();
        for_each_piece(&mut output, PIECE, |_, piece| gelu_all(piece));
        float(output, shape)
    }

    fn normal_rows(input: Float, epsilon: f32) -> Float {
        let shape = input.shape().to_vec();
        let input = input.to_contiguous();
        let rows = Rows::of(values(&input), &shape, epsilon);
        let mut output = vec![0.0; rows.values.len()];
        for_each_piece(&mut output, rows.piece(), |index, piece| {
            let first = index * rows.piece() / rows.length;
            for (row, output) in (first..).zip(piece.chunks_exact_mut(rows.length)) {
                let (mean, factor) = rows.statistics[row];
                for (output, value) in output.iter_mut().zip(rows.row(row)) {
                    *output = (value - mean) * factor;
                }
            }
        });
        float(output, shape)
    }
}

impl RowGradients for Flex {
    fn gelu_gradient(input: Float, gradient: Float) -> Float {
        let shape = input.shape().to_vec();
        let mut output = values(&input.to_contiguous()).to_vec();
        let gradient = gradient.to_contiguous();
        let gradient = values(&gradient);
        for_each_piece(&mut output, PIECE, |index, piece| {
            gelu_slope_all(piece);
            for (slope, gradient) in piece.iter_mut().zip(&gradient[index * PIECE..]) {
                *slope *= gradient;
            }
        });
        float(output, shape)
    }

    fn normal_rows_gradient(input: Float, gradient: Float, epsilon: f32) -> Float {
        let shape = input.shape().to_vec();
        let (input, gradient) = (input.to_contiguous(), gradient.to_contiguous());
        let rows = Rows::of(values(&input), &shape, epsilon);
        let gradient = values(&gradient);
        let mut output = vec![0.0; gradient.len()];
        for_each_piece(&mut output, rows.piece(), |index, piece| {
            let first = index * rows.piece() / rows.length;
            for (row, output) in (first..).zip(piece.chunks_exact_mut(rows.length)) {
                let (mean, factor) = rows.statistics[row];
                let gradient = &gradient[row * rows.length..][..rows.length];
                let share = 1.0 / rows.length as f32;
                let even = sum(gradient, gradient, |gradient, _| gradient) * share;
                let along = sum(gradient, rows.row(row), |gradient, value| {
                    gradient * ((value - mean) * factor)
                }) * share;
                let both = gradient.iter().zip(rows.row(row));
                for (output, (gradient, value)) in output.iter_mut().zip(both) {
                    *output = factor * (gradient - even - (value - mean) * factor * along);
                }
            }
        });
        float(output, shape)
    }
}

/// Rows with the mean and the reciprocal deviation of each.
struct Rows<'a> {
    values: &'a [f32],
    /// At least 1.
    length: usize,
    statistics: Vec<(f32, f32)>,
}

impl<'a> Rows<'a> {
    fn of(values: &'a [f32], shape: &[usize], epsilon: f32) -> Self {
        let length = shape.last().copied().unwrap_or(1).max(1);
        let statistics = map(values.len() / length, |row| {
            let row = &values[row * length..][..length];
            let share = 1.0 / length as f32;
            let mean = sum(row, row, |value, _| value) * share;
            let variance = sum(row, row, |value, _| (value - mean) * (value - mean)) * share;
            (mean, (variance + epsilon).sqrt().recip())
        });
        Self { values, length, statistics }
    }

    fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.length..][..self.length]
    }

    /// Values that one thread takes at a time, in whole rows.
    fn piece(&self) -> usize {
        PIECE.div_ceil(self.length) * self.length
    }
}

/// The sum of what `of` makes of two values each, in lanes: the compiler may not reorder one sum of floats.
pub(crate) fn sum(one: &[f32], other: &[f32], of: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (chunks, rest) = one.as_chunks::<LANES>();
    let (others, other_rest) = other.as_chunks::<LANES>();
    for (one, other) in chunks.iter().zip(others) {
        for lane in 0..LANES {
            lanes[lane] += of(one[lane], other[lane]);
        }
    }
    let rest: f32 = rest.iter().zip(other_rest).map(|(&one, &other)| of(one, other)).sum();
    lanes.iter().sum::<f32>() + rest
}

#[derive(Debug)]
struct GeluGradient;

#[derive(Debug)]
struct NormalGradient;

impl<B: RowGradients> Backward<B, 1> for GeluGradient {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let [input] = ops.parents;
        if let Some(node) = input {
            grads.register::<B>(node.id, B::gelu_gradient(ops.state, gradient));
        }
    }
}

impl<B: RowGradients> Backward<B, 1> for NormalGradient {
    type State = (FloatTensor<B>, f32);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let [input] = ops.parents;
        let (of, epsilon) = ops.state;
        if let Some(node) = input {
            grads.register::<B>(node.id, B::normal_rows_gradient(of, gradient, epsilon));
        }
    }
}

impl<B: RowGradients, C: CheckpointStrategy> RowOps for Autodiff<B, C> {
    fn gelu_of(input: FloatTensor<Self>) -> FloatTensor<Self> {
        let (input, of_input) = input.into_parts();
        let output = B::gelu_of(input.clone());
        finish::<B, C, _, _>(GeluGradient, [of_input], input, output)
    }

    fn normal_rows(input: FloatTensor<Self>, epsilon: f32) -> FloatTensor<Self> {
        let (input, of_input) = input.into_parts();
        let output = B::normal_rows(input.clone(), epsilon);
        finish::<B, C, _, _>(NormalGradient, [of_input], (input, epsilon), output)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Tolerance, activation};

    use super::*;

    /// Output and gradient of both ways.
    fn alike(ours: impl Fn(Tensor<3>) -> Tensor<3>, theirs: impl Fn(Tensor<3>) -> Tensor<3>) {
        let device = Device::flex().autodiff();
        for shape in [[2, 3, 5], [1, 40, 96], [3, 1, 1000], [2, 2, 1]] {
            let input = Tensor::<3>::random(shape, Distribution::Normal(0.7, 2.0), &device);
            let input = input.require_grad();
            let factors = Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device);
            let [ours, theirs] = [ours(input.clone()), theirs(input.clone())].map(|output| {
                let gradients = (output.clone() * factors.clone()).sum().backward();
                [output.inner().into_data(), input.grad(&gradients).unwrap().into_data()]
            });
            for (ours, theirs) in ours.iter().zip(&theirs) {
                ours.assert_approx_eq::<f32>(theirs, Tolerance::rel_abs(1e-4, 2e-5));
            }
        }
    }

    #[test]
    fn gelu_and_its_gradient_are_burns() {
        alike(|input| gelu(&input).unwrap(), activation::gelu);
    }

    #[test]
    fn normal_rows_and_their_gradient_are_those_of_the_formula() {
        alike(
            |input| normal_rows(&input, 1e-3).unwrap(),
            |input| {
                let centred = input.clone() - input.mean_dim(2);
                let variance = centred.clone().square().mean_dim(2);
                centred / (variance + 1e-3).sqrt()
            },
        );
    }
}
