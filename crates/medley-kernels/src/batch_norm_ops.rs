//! Batch normalisation with its rectifier and its gradients, as one operation each.
//!
//! burn composes it of some twenty operations on whole tensors and its gradients of as many again, and takes the mean of a
//! channel in one reduction of millions of values, which keeps as many of a GPU's thousands of threads busy as there are
//! channels (docs/known-issues.md). Here the moments are those of parts of a channel first, put together by all who read them.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::Tensor;

use crate::batch_norm::{self, Shape, Statistics};
use crate::extension::{Float, float, values};
use crate::gradients::finish;

/// What follows the statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Normalization {
    /// Added to the variance.
    pub epsilon: f32,
    /// Whether a rectifier follows.
    pub relu: bool,
}

/// What devices learn to do, with gradients where they have them.
#[backend_extension(
    Flex,
    Autodiff,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait BatchNormOps: Backend {
    /// Output, mean and variance; see [`batch_norm`].
    #[fusion(meta = |input, gamma, _beta, _how| (input.clone(), gamma.clone(), gamma.clone()))]
    fn normal_channels(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        how: Normalization,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// What the gradients need of devices that have none themselves. `moments` are what [`Self::channel_moments`] answers of the
/// same input, which is laid out as [`Self::in_planes`] does it.
#[backend_extension(
    Flex,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait BatchNormGradients: BatchNormOps {
    /// The same values, plane after plane.
    #[fusion(dtype = input, shape = input)]
    fn in_planes(input: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Mean, and sum of the squared distances from it, of equal parts of each channel: `[2, parts, channels]` in f32, on
    /// GPUs with a part for each picture.
    #[fusion(meta = |input| {
        let shape = [2, input.shape[0], input.shape[1]].into();
        burn::backend::fusion::custom::TensorSpec::new(shape, burn::tensor::DType::F32)
    })]
    fn channel_moments(input: FloatTensor<Self>) -> FloatTensor<Self>;

    /// [`BatchNormOps::normal_channels`] with the moments.
    #[fusion(meta = |input, _moments, gamma, _beta, _how| (input.clone(), gamma.clone(), gamma.clone()))]
    fn normalize_channels(
        input: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        how: Normalization,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Those of its input, γ and β, given that of its output.
    #[fusion(meta = |input, _moments, gamma, beta, _gradient, _how| {
        (input.clone(), gamma.clone(), beta.clone())
    })]
    fn normalize_channels_gradients(
        input: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        how: Normalization,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// What [`batch_norm`] answers.
#[derive(Debug, Clone)]
pub struct BatchNormOutput {
    /// Normalised, and rectified if asked for: the shape of the input.
    pub output: Tensor<4>,
    /// Mean of the batch, `[channels]`; without gradient.
    pub mean: Tensor<1>,
    /// Biased variance of the batch, `[channels]`; without gradient.
    pub variance: Tensor<1>,
}

/// Batch normalisation with the batch's own statistics, followed by a rectifier with `relu`.
///
/// Ioffe and Szegedy, *Batch normalization* (2015), algorithm 1.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - gamma, beta: `[channels]`
///
/// # Panics
/// Shapes that do not fit each other, other numbers than f32 on the CPU: mistakes of the program.
pub fn batch_norm(
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    relu: bool,
) -> BatchNormOutput {
    let [_, channels, _, _] = input.dims();
    assert_eq!([gamma.dims(), beta.dims()], [[channels]; 2], "one γ and β for each channel");
    let (output, mean, variance) = Dispatch::normal_channels(
        input.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        Normalization { epsilon: epsilon as f32, relu },
    );
    BatchNormOutput {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean),
        variance: Tensor::from_dispatch(variance),
    }
}

impl BatchNormOps for Flex {
    fn normal_channels(
        input: Float,
        gamma: Float,
        beta: Float,
        how: Normalization,
    ) -> (Float, Float, Float) {
        let input = Self::in_planes(input);
        let moments = Self::channel_moments(input.clone());
        Self::normalize_channels(input, moments, gamma, beta, how)
    }
}

impl BatchNormGradients for Flex {
    fn in_planes(input: Float) -> Float {
        input.to_contiguous()
    }

    /// Of all pictures as one part.
    fn channel_moments(input: Float) -> Float {
        let shape = planes(&input);
        let Statistics { mean, variance } = batch_norm::statistics(shape, values(&input));
        let count = count(shape, &input);
        let squares = variance.into_iter().map(|variance| variance * count);
        float(mean.into_iter().chain(squares).collect(), vec![2, 1, shape.channels])
    }

    fn normalize_channels(
        input: Float,
        moments: Float,
        gamma: Float,
        beta: Float,
        Normalization { epsilon, relu }: Normalization,
    ) -> (Float, Float, Float) {
        let shape = planes(&input);
        let (gamma, beta) = (gamma.to_contiguous(), beta.to_contiguous());
        let gamma_beta = [values(&gamma), values(&beta)];
        let statistics = statistics(shape, &input, &moments);
        let output =
            batch_norm::normalize(shape, values(&input), &statistics, gamma_beta, epsilon, relu);
        let Statistics { mean, variance } = statistics;
        let of_channels = |values| float(values, vec![shape.channels]);
        (float(output, input.shape().to_vec()), of_channels(mean), of_channels(variance))
    }

    fn normalize_channels_gradients(
        input: Float,
        moments: Float,
        gamma: Float,
        beta: Float,
        gradient: Float,
        Normalization { epsilon, relu }: Normalization,
    ) -> (Float, Float, Float) {
        let shape = planes(&input);
        let [gamma, beta, gradient] = [gamma, beta, gradient].map(|tensor| tensor.to_contiguous());
        let result = batch_norm::backward(
            shape,
            values(&input),
            &statistics(shape, &input, &moments),
            [values(&gamma), values(&beta)],
            epsilon,
            relu,
            values(&gradient),
        );
        let of_channels = |values| float(values, vec![shape.channels]);
        let of_input = float(result.input, input.shape().to_vec());
        (of_input, of_channels(result.gamma), of_channels(result.beta))
    }
}

/// The planes of `[batch, channels, height, width]`.
fn planes(input: &Float) -> Shape {
    let [_, channels, height, width] = input.shape().dims();
    Shape { channels, area: height * width }
}

/// Values of a channel.
fn count(shape: Shape, input: &Float) -> f32 {
    (values(input).len() / shape.channels.max(1)) as f32
}

/// Those of one part.
fn statistics(shape: Shape, input: &Float, moments: &Float) -> Statistics {
    let (mean, squares) = values(moments).split_at(shape.channels);
    let count = count(shape, input);
    let variance = squares.iter().map(|squares| squares / count).collect();
    Statistics { mean: mean.to_vec(), variance }
}

/// What the gradients need of the forward pass.
#[derive(Debug, Clone)]
struct State<B: Backend> {
    input: FloatTensor<B>,
    moments: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    how: Normalization,
}

#[derive(Debug)]
struct NormGradient;

impl<B: BatchNormGradients> Backward<B, 3> for NormGradient {
    type State = State<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let State { input, moments, gamma, beta, how } = ops.state;
        let (of_input, of_gamma, of_beta) =
            B::normalize_channels_gradients(input, moments, gamma, beta, gradient, how);
        for (parent, gradient) in ops.parents.into_iter().zip([of_input, of_gamma, of_beta]) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: BatchNormGradients, C: CheckpointStrategy> BatchNormOps for Autodiff<B, C> {
    fn normal_channels(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        how: Normalization,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (input, of_input) = input.into_parts();
        let (gamma, of_gamma) = gamma.into_parts();
        let (beta, of_beta) = beta.into_parts();
        let input = B::in_planes(input);
        let moments = B::channel_moments(input.clone());
        let (output, mean, variance) =
            B::normalize_channels(input.clone(), moments.clone(), gamma.clone(), beta.clone(), how);
        let state = State { input, moments, gamma, beta, how };
        let parents = [of_input, of_gamma, of_beta];
        let output = finish::<B, C, _, _>(NormGradient, parents, state, output);
        (output, Self::from_inner(mean), Self::from_inner(variance))
    }
}
