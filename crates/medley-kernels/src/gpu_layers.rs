//! The encoders' layers on a browser's GPU, for inference.
//!
//! burn composes one of Swin's blocks of some fifty operations, each a kernel that reads and writes whole maps, and its matrix
//! product without autotune is slow where blocks of threads have to wait for each other (docs/performance.md). A block is seven
//! kernels here: four linear layers with their bias and GELU, attention that reads its windows where they lie in the map, and
//! two norms with the sum behind them. A convolution is one, with bias, residual and activation. Maps keep their channels side
//! by side, and with the windows of 8 × 8 that models have none needs more than a kilobyte of a block's shared memory.

mod attention;
mod norm;
mod product;

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Tensor};

use attention::MapAttentionOps;
use norm::NormOps;
use product::ProductOps;

use crate::packed::{Activation, Shape, WindowGrid};

/// Values that a thread reads at once.
const LANES: usize = 4;

/// Whether the layers here serve a tensor: on a GPU, in f32, for inference.
pub fn serves_gpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    let device = tensor.device();
    !device.is_autodiff() && device != Device::flex() && tensor.dtype() == DType::F32
}

/// A convolution for inference on a GPU, its weights laid out for it.
#[derive(Debug, Clone)]
pub(crate) struct GpuConv {
    shape: Shape,
    /// `[kernel² · channels, channels_out]`, both channels multiples of 4 with zeros at their ends.
    weight: Tensor<2>,
    /// `[channels_out]`, likewise
    bias: Tensor<1>,
}

impl GpuConv {
    /// None where the weights are not on a GPU, or may need gradients.
    ///
    /// # Shapes
    /// - weight: `[channels_out, channels, kernel, kernel]`; bias: `[channels_out]`
    pub(crate) fn new(weight: Tensor<4>, bias: Option<Tensor<1>>, shape: Shape) -> Option<Self> {
        serves_gpu(&weight).then(|| Self::laid_out(weight.permute([2, 3, 1, 0]), bias, shape))
    }

    /// weight: `[kernel, kernel, channels, channels_out]`
    fn laid_out(weight: Tensor<4>, bias: Option<Tensor<1>>, shape: Shape) -> Self {
        let Shape { channels, channels_out, kernel, .. } = shape;
        let bias = bias.unwrap_or_else(|| Tensor::zeros([channels_out], &weight.device()));
        // A picture's three channels become four, and so do a task's three classes.
        let [whole, whole_out] = [channels, channels_out].map(|it| it.next_multiple_of(LANES));
        let weight = with_channels(with_channels(weight, 2, whole), 3, whole_out);
        let bias = with_channels(bias.reshape([1, 1, 1, channels_out]), 3, whole_out);
        Self {
            shape,
            weight: weight.reshape([kernel * kernel * whole, whole_out]),
            bias: bias.reshape([whole_out]),
        }
    }

    /// # Shapes
    /// - input: `[batch, height, width, channels]`
    /// - residual, added before the activation, and output: `[batch, out_height, out_width, channels_out]`
    ///
    /// Shapes that do not fit are found by whoever asks.
    pub(crate) fn forward(
        &self,
        input: Tensor<4>,
        residual: Option<Tensor<4>>,
        activation: Activation,
    ) -> Tensor<4> {
        let shape = self.shape;
        let [batch, height, width, channels] = input.dims();
        let out = [batch, shape.out(height), shape.out(width), shape.channels_out];
        let [whole, whole_out] =
            [channels, shape.channels_out].map(|it| it.next_multiple_of(LANES));
        let input = with_channels(input, 3, whole).into_dispatch();
        let [weight, bias] =
            [self.weight.clone().into_dispatch(), self.bias.clone().into_dispatch()];
        let shape = Shape { channels: whole, channels_out: whole_out, ..shape };
        let output = Tensor::<4>::from_dispatch(match residual {
            Some(residual) => {
                let residual = with_channels(residual, 3, whole_out).into_dispatch();
                Dispatch::convolve_and_add(input, weight, bias, residual, shape, activation)
            }
            None => Dispatch::convolve(input, weight, bias, shape, activation),
        });
        if whole_out == out[3] { output } else { output.slice(out.map(|end| 0..end)) }
    }
}

/// The same with zeros behind the values of an axis, so that it is as long as this.
fn with_channels(map: Tensor<4>, axis: usize, channels: usize) -> Tensor<4> {
    let mut missing = map.dims();
    missing[axis] = channels - missing[axis];
    if missing[axis] == 0 {
        return map;
    }
    let zeros = Tensor::zeros(missing, &map.device());
    Tensor::cat(vec![map, zeros], axis)
}

/// A linear layer over the last axis, and its activation.
///
/// # Shapes
/// - input: `[…, channels]`; weight: `[channels, channels_out]`; bias: `[channels_out]`
/// - output: `[…, channels_out]`
///
/// # Panics
/// Shapes that do not fit each other: mistakes of the program.
pub fn gpu_linear<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    let [channels, channels_out] = weight.dims();
    let mut dims = input.dims();
    assert_eq!(dims[D - 1], channels, "channels of a linear layer");
    let rows = dims[..D - 1].iter().product();
    dims[D - 1] = channels_out;
    let shape = Shape { channels, channels_out, kernel: 1, stride: 1, pad: 0 };
    let conv = GpuConv::laid_out(weight.reshape([1, 1, channels, channels_out]), bias, shape);
    conv.forward(input.reshape([1, 1, rows, channels]), None, activation).reshape(dims)
}

/// A norm over the last axis, `residual + (x − mean) / √(variance + epsilon) · gamma + beta`; without a residual 0 in its place.
///
/// # Shapes
/// - input, residual and output: `[…, channels]`; gamma and beta: `[channels]`
///
/// # Panics
/// Shapes that do not fit each other: mistakes of the program.
pub fn gpu_norm<const D: usize>(
    input: Tensor<D>,
    residual: Option<Tensor<D>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let channels = input.dims()[D - 1];
    assert!(
        gamma.dims() == [channels] && beta.dims() == [channels],
        "a norm of {:?} and {:?} channels on {:?}",
        gamma.dims(),
        beta.dims(),
        input.dims()
    );
    let added = residual.is_some();
    let residual = residual.unwrap_or_else(|| input.clone());
    assert_eq!(residual.dims(), input.dims(), "what is added has the input's shape");
    let [input, residual] = [input, residual].map(Tensor::into_dispatch);
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let epsilon = epsilon as f32;
    Tensor::from_dispatch(Dispatch::norm_and_add(input, residual, gamma, beta, epsilon, added))
}

/// `softmax(scale · cos(queries, keys) + bias) · values` within each window of a map, which is not cut for it.
///
/// Liu and others, *Swin Transformer V2* (2022), equation 2.
///
/// # Shapes
/// - qkv: `[batch, height, width, 3·channels]`, the channels of queries, keys and values, each head after head
/// - scale: `[heads]`; bias: `[heads, window², window²]`
/// - outside: `[3·channels]`, what stands in windows where the map has ended
/// - regions: `[windows, window²]`: tokens of different regions do not see each other (−100 is added)
/// - output: `[batch, height, width, channels]`
///
/// # Panics
/// Shapes that do not fit each other: mistakes of the program.
pub fn gpu_window_attention(
    qkv: Tensor<4>,
    scale: Tensor<1>,
    bias: Tensor<3>,
    outside: Tensor<1>,
    regions: Option<Tensor<2>>,
    grid: WindowGrid,
) -> Tensor<4> {
    let ([_, height, width, triple], [heads]) = (qkv.dims(), scale.dims());
    let tokens = grid.window * grid.window;
    assert!(
        triple.is_multiple_of(3 * heads) && [height, width] == [grid.height, grid.width],
        "{triple} channels of {heads} heads on {height} × {width} tokens, in windows of {} × {}",
        grid.height,
        grid.width
    );
    assert_eq!(bias.dims(), [heads, tokens, tokens], "a bias for each head and pair");
    assert_eq!(outside.dims(), [triple], "one value for each channel");
    let masked = regions.is_some();
    let regions = regions.map_or_else(|| scale.clone().into_dispatch(), Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::attend_in_map(
        qkv.into_dispatch(),
        scale.into_dispatch(),
        bias.into_dispatch(),
        outside.into_dispatch(),
        regions,
        grid,
        masked,
    ))
}

/// Values that a thread reads at once of rows as long as this.
fn lanes_of(length: usize) -> usize {
    if length.is_multiple_of(LANES) { LANES } else { 1 }
}
