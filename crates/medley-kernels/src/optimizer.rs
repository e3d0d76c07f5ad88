//! What a training step does to one parameter, as one operation each: AdamW with the gradient's clipping, and the moving average.
//!
//! burn composes them of some twenty-five operations on whole tensors. On a GPU each is a launch, and handing over those of a
//! few hundred parameters takes the host longer than the GPU takes for the arithmetic (docs/scaling.md); on the CPU each is a
//! pass over memory.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use crate::extension::{Float, float, values};
use crate::parallel::{for_each_piece, map};

/// Values that one thread of the CPU takes at a time.
const PIECE: usize = 16_384;

/// One step of AdamW for one parameter.
///
/// Loshchilov and Hutter, *Decoupled weight decay regularization* (2019), algorithm 2, with the gradient scaled down beforehand
/// where its norm is above `clip`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// The learning rate.
    pub learning_rate: f64,
    /// Weight decay; times the learning rate, this share of a weight is taken away.
    pub weight_decay: f32,
    /// Decay of the first and of the second moment, 0 to 1.
    pub betas: [f32; 2],
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Largest norm of the gradient; infinite for none.
    pub clip: f32,
    /// The how many-th step of this parameter this is, from 1.
    pub time: usize,
}

/// The numbers that the kernels need of an [`AdamWStep`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors {
    /// What is left of a weight after its decay.
    pub keep: f32,
    pub rate: f32,
    pub betas: [f32; 2],
    /// 1 − β^time: what the moments lack of their full size at the start.
    pub corrections: [f32; 2],
    pub epsilon: f32,
    pub clip: f32,
}

impl From<AdamWStep> for Factors {
    fn from(step: AdamWStep) -> Self {
        // Beyond that many steps a power of β is 0 in f32 anyway.
        let time = i32::try_from(step.time).unwrap_or(i32::MAX);
        Self {
            keep: (1.0 - step.learning_rate * f64::from(step.weight_decay)) as f32,
            rate: step.learning_rate as f32,
            betas: step.betas,
            corrections: step.betas.map(|beta| 1.0 - beta.powi(time)),
            epsilon: step.epsilon,
            clip: step.clip,
        }
    }
}

/// What devices learn to do. All tensors of a call have one shape.
#[backend_extension(
    Flex,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait OptimizerOps: Backend {
    /// See [`adamw`].
    #[fusion(meta = |weight, _gradient, _first, _second, _step| {
        (weight.clone(), weight.clone(), weight.clone())
    })]
    fn adamw_step(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`towards`].
    #[fusion(dtype = average, shape = average)]
    fn move_towards(
        average: FloatTensor<Self>,
        newest: FloatTensor<Self>,
        keep: f32,
    ) -> FloatTensor<Self>;
}

impl OptimizerOps for Flex {
    fn adamw_step(
        weight: Float,
        gradient: Float,
        first: Float,
        second: Float,
        step: AdamWStep,
    ) -> (Float, Float, Float) {
        let Factors { keep, rate, betas, corrections, epsilon, clip } = step.into();
        let shape = weight.shape().to_vec();
        let inputs = [weight, gradient, first, second].map(|tensor| tensor.to_contiguous());
        let [weight, gradient, first, second] = [0, 1, 2, 3].map(|index| values(&inputs[index]));
        let scale = (clip / (norm(gradient) + f32::MIN_POSITIVE)).min(1.0);
        let moment = |old: &[f32], beta: f32, of: fn(f32) -> f32| {
            let mut new = vec![0.0; old.len()];
            for_each_piece(&mut new, PIECE, |index, piece| {
                let place = index * PIECE..index * PIECE + piece.len();
                let both = old[place.clone()].iter().zip(&gradient[place]);
                for (new, (old, gradient)) in piece.iter_mut().zip(both) {
                    *new = old * beta + of(gradient * scale) * (1.0 - beta);
                }
            });
            new
        };
        let first = moment(first, betas[0], |gradient| gradient);
        let second = moment(second, betas[1], |gradient| gradient * gradient);
        let mut new = vec![0.0; weight.len()];
        for_each_piece(&mut new, PIECE, |index, piece| {
            let place = index * PIECE..index * PIECE + piece.len();
            let moments = first[place.clone()].iter().zip(&second[place.clone()]);
            for (new, (weight, (first, second))) in
                piece.iter_mut().zip(weight[place].iter().zip(moments))
            {
                let length = (second / corrections[1]).sqrt() + epsilon;
                *new = weight * keep - first / corrections[0] / length * rate;
            }
        });
        (float(new, shape.clone()), float(first, shape.clone()), float(second, shape))
    }

    fn move_towards(average: Float, newest: Float, keep: f32) -> Float {
        let shape = average.shape().to_vec();
        let (average, newest) = (average.to_contiguous(), newest.to_contiguous());
        let (average, newest) = (values(&average), values(&newest));
        let mut new = vec![0.0; average.len()];
        for_each_piece(&mut new, PIECE, |index, piece| {
            let place = index * PIECE..index * PIECE + piece.len();
            let both = average[place.clone()].iter().zip(&newest[place]);
            for (new, (average, newest)) in piece.iter_mut().zip(both) {
                *new = average * keep + newest * (1.0 - keep);
            }
        });
        float(new, shape)
    }
}

fn norm(gradient: &[f32]) -> f32 {
    let squares = map(gradient.len().div_ceil(PIECE), |index| {
        let piece = &gradient[index * PIECE..gradient.len().min((index + 1) * PIECE)];
        piece.iter().map(|value| value * value).sum::<f32>()
    });
    squares.iter().sum::<f32>().sqrt()
}

/// One step of AdamW: the new weight, and the first and second moment after it. On devices without gradients.
///
/// # Shapes
/// All are of one shape; `moments` are zeros before the first step.
///
/// # Panics
/// Shapes that differ, and on the CPU another type than f32: mistakes of the program.
pub fn adamw<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    [first, second]: [Tensor<D>; 2],
    step: AdamWStep,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    for other in [&gradient, &first, &second] {
        assert_eq!(weight.dims(), other.dims(), "a weight, its gradient and its moments");
    }
    let (weight, first, second) = Dispatch::adamw_step(
        weight.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        step,
    );
    (Tensor::from_dispatch(weight), [first, second].map(Tensor::from_dispatch))
}

/// `keep · average + (1 − keep) · newest`, on devices without gradients.
///
/// # Panics
/// As [`adamw`].
pub fn towards<const D: usize>(average: Tensor<D>, newest: Tensor<D>, keep: f32) -> Tensor<D> {
    assert_eq!(average.dims(), newest.dims(), "an average and what it is of");
    Tensor::from_dispatch(Dispatch::move_towards(
        average.into_dispatch(),
        newest.into_dispatch(),
        keep,
    ))
}
