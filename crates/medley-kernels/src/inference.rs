//! The layers for inference as burn knows them: operations on tensors of its CPU device.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
#[cfg(any(feature = "train", feature = "wgpu"))]
use burn::tensor::module::avg_pool2d;
#[cfg(feature = "train")]
use burn::tensor::module::interpolate;
#[cfg(any(feature = "train", feature = "wgpu"))]
use burn::tensor::ops::AvgPoolOptions;
#[cfg(feature = "train")]
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{DType, Device, Tensor};

use crate::extension::{Float, float, values};
#[cfg(feature = "wgpu")]
use crate::gpu_layers::{GpuConv, serves_gpu};
use crate::packed::{self, Activation, Layer, Shape, SwinBlock, WindowGrid};

/// What the CPU device learns to do for inference alone.
#[backend_extension(Flex)]
pub(crate) trait InferenceOps: Backend {
    /// See [`PackedConv`].
    fn packed_conv2d(
        input: FloatTensor<Self>,
        layer: Arc<Layer>,
        activation: Activation,
    ) -> FloatTensor<Self>;

    /// See [`PackedConv`].
    fn packed_conv2d_add(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        layer: Arc<Layer>,
        activation: Activation,
    ) -> FloatTensor<Self>;

    /// See [`PackedSwinBlock`](crate::PackedSwinBlock).
    fn packed_swin_block(
        input: FloatTensor<Self>,
        block: Arc<SwinBlock>,
        regions: Arc<Vec<f32>>,
        grid: WindowGrid,
    ) -> FloatTensor<Self>;

    /// See [`layer_norm`].
    fn packed_layer_norm(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// See [`standardize`].
    fn packed_standardize(input: FloatTensor<Self>, least_variance: f64) -> FloatTensor<Self>;

    /// See [`halve`].
    fn packed_halve(input: FloatTensor<Self>) -> FloatTensor<Self>;

    /// See [`double`].
    fn packed_double(input: FloatTensor<Self>) -> FloatTensor<Self>;

    /// See [`double`].
    fn packed_double_beside(input: FloatTensor<Self>, skip: FloatTensor<Self>)
    -> FloatTensor<Self>;
}

impl InferenceOps for Flex {
    fn packed_conv2d(input: Float, layer: Arc<Layer>, activation: Activation) -> Float {
        convolve(&input, None, &layer, activation)
    }

    fn packed_conv2d_add(
        input: Float,
        residual: Float,
        layer: Arc<Layer>,
        activation: Activation,
    ) -> Float {
        convolve(&input, Some(&residual), &layer, activation)
    }

    fn packed_swin_block(
        input: Float,
        block: Arc<SwinBlock>,
        regions: Arc<Vec<f32>>,
        grid: WindowGrid,
    ) -> Float {
        let shape = input.shape().to_vec();
        let input = input.to_contiguous();
        float(block.forward(grid, values(&input), &regions), shape)
    }

    fn packed_layer_norm(input: Float, gamma: Float, beta: Float, epsilon: f64) -> Float {
        let shape = input.shape().to_vec();
        let (input, gamma, beta) =
            (input.to_contiguous(), gamma.to_contiguous(), beta.to_contiguous());
        let scales = [values(&gamma), values(&beta)];
        float(packed::normalize(values(&input), scales, epsilon as f32), shape)
    }

    fn packed_standardize(input: Float, least_variance: f64) -> Float {
        let [batch, channels, height, width] = input.shape().dims();
        let input = input.to_contiguous();
        let shape = [channels, height * width];
        let output = packed::standardize(shape, values(&input), least_variance as f32);
        float(output, vec![batch, height, width, channels])
    }

    fn packed_halve(input: Float) -> Float {
        let [batch, height, width, channels] = input.shape().dims();
        let input = input.to_contiguous();
        let output = packed::halve([height, width, channels], values(&input));
        float(output, vec![batch, height / 2, width / 2, channels])
    }

    fn packed_double(input: Float) -> Float {
        let [batch, height, width, channels] = input.shape().dims();
        let input = input.to_contiguous();
        let output = packed::double([height, width, channels], values(&input), None);
        float(output, vec![batch, 2 * height, 2 * width, channels])
    }

    fn packed_double_beside(input: Float, skip: Float) -> Float {
        let [batch, height, width, channels] = input.shape().dims();
        let [_, _, _, more] = skip.shape().dims();
        let (input, skip) = (input.to_contiguous(), skip.to_contiguous());
        let skip = Some((values(&skip), more));
        let output = packed::double([height, width, channels], values(&input), skip);
        float(output, vec![batch, 2 * height, 2 * width, channels + more])
    }
}

fn convolve(
    input: &Float,
    residual: Option<&Float>,
    layer: &Layer,
    activation: Activation,
) -> Float {
    let [batch, height, width, _] = input.shape().dims();
    let input = input.to_contiguous();
    let residual = residual.map(Float::to_contiguous);
    let side = [height, width];
    let output = layer.forward(side, values(&input), residual.as_ref().map(values), activation);
    let [height, width] = side.map(|side| layer.shape.out(side));
    float(output, vec![batch, height, width, layer.shape.channels_out])
}

/// Whether a tensor is one that the layers here take: f32, on the CPU, without gradients.
pub fn is_plain_cpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32
        && tensor.device() == Device::flex()
        && !tensor.device().is_autodiff()
}

pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Option<Vec<f32>> {
    tensor.into_data().try_into_vec().ok()
}

/// A convolution for inference, on the CPU and on a browser's GPU: its weights are laid out once for the method that fits its
/// shape, and bias, residual and activation are applied in the pass that computes the sums.
///
/// Maps stay with their channels side by side in memory from layer to layer: what [`Self::forward`] answers has the usual
/// shape, but is a permuted view, which the next layer takes as it is.
#[derive(Debug, Clone)]
pub struct PackedConv {
    shape: Shape,
    place: Place,
}

/// Where a layer was laid out.
#[derive(Debug, Clone)]
enum Place {
    Cpu(Arc<Layer>),
    #[cfg(feature = "wgpu")]
    Gpu(Box<GpuConv>),
}

impl PackedConv {
    /// `None` where the weights may need gradients, or are where no layout of them is known: on a GPU that is no browser's, or with
    /// channels that its kernels do not take.
    ///
    /// # Shapes
    /// - weight: `[channels_out, channels, kernel, kernel]`
    /// - bias: `[channels_out]`
    ///
    /// # Panics
    /// A kernel that is not square, a stride of 0: mistakes of the program.
    pub fn new(
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        stride: usize,
        pad: usize,
    ) -> Option<Self> {
        let [channels_out, channels, kernel, width] = weight.dims();
        assert!(kernel == width && stride > 0, "a kernel of {kernel} × {width}, stride {stride}");
        let shape = Shape { channels, channels_out, kernel, stride, pad };
        #[cfg(feature = "wgpu")]
        if serves_gpu(&weight) {
            let conv = GpuConv::new(weight, bias, shape)?;
            return Some(Self { shape, place: Place::Gpu(Box::new(conv)) });
        }
        if !is_plain_cpu(&weight) {
            return None;
        }
        let bias = match bias {
            Some(bias) => Some(read(bias)?),
            None => None,
        };
        let layer = Layer::pack(shape, &read(weight)?, bias)?;
        Some(Self { shape, place: Place::Cpu(Arc::new(layer)) })
    }

    /// Whether it can be asked about this map: one where it was laid out, without gradients.
    pub fn takes(&self, map: &Tensor<4>) -> bool {
        match &self.place {
            Place::Cpu(_) => is_plain_cpu(map),
            #[cfg(feature = "wgpu")]
            Place::Gpu(_) => serves_gpu(map),
        }
    }

    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - residual, added before the activation, and output: `[batch, channels_out, out_height, out_width]`
    ///
    /// # Panics
    /// Shapes that do not fit, a map that it does not take ([`Self::takes`]).
    pub fn forward(
        &self,
        input: Tensor<4>,
        residual: Option<Tensor<4>>,
        activation: Activation,
    ) -> Tensor<4> {
        let inside = |tensor: Tensor<4>| tensor.permute([0, 2, 3, 1]);
        let output = self.forward_inside(inside(input), residual.map(inside), activation);
        output.permute([0, 3, 1, 2])
    }

    /// The same on maps whose shape names the channels last, `[batch, height, width, channels]`.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn forward_inside(
        &self,
        input: Tensor<4>,
        residual: Option<Tensor<4>>,
        activation: Activation,
    ) -> Tensor<4> {
        assert!(self.takes(&input), "a map where the layer was laid out");
        let shape = &self.shape;
        let [batch, height, width, channels] = input.dims();
        assert_eq!(channels, shape.channels, "channels of a convolution");
        if let Some(residual) = &residual {
            let expected = [batch, shape.out(height), shape.out(width), shape.channels_out];
            assert_eq!(residual.dims(), expected, "the residual of a convolution");
        }
        let layer = match &self.place {
            Place::Cpu(layer) => Arc::clone(layer),
            #[cfg(feature = "wgpu")]
            Place::Gpu(conv) => return conv.forward(input, residual, activation),
        };
        let input = input.into_dispatch();
        Tensor::from_dispatch(match residual {
            Some(residual) => {
                Dispatch::packed_conv2d_add(input, residual.into_dispatch(), layer, activation)
            }
            None => Dispatch::packed_conv2d(input, layer, activation),
        })
    }
}

/// Each picture less its own mean, by its own standard deviation, over all channels together:
/// `(x − mean) / √(variance + least_variance)`.
///
/// # Shapes
/// - images, output: `[batch, channels, height, width]`
pub fn standardize(images: Tensor<4>, least_variance: f64) -> Tensor<4> {
    #[cfg(any(feature = "train", feature = "wgpu"))]
    if !is_plain_cpu(&images) {
        let [batch, channels, height, width] = images.dims();
        let flat = images.reshape([batch, channels * height * width]);
        let centred = flat.clone() - flat.mean_dim(1);
        let variance = (centred.clone() * centred.clone()).mean_dim(1);
        let scaled = centred / (variance + least_variance).sqrt();
        return scaled.reshape([batch, channels, height, width]);
    }
    let output = Dispatch::packed_standardize(images.into_dispatch(), least_variance);
    Tensor::from_dispatch(output).permute([0, 3, 1, 2])
}

/// Mean of every 2×2 values; an odd last row or column is left out.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - output: `[batch, channels, ⌊height / 2⌋, ⌊width / 2⌋]`
pub fn halve(input: Tensor<4>) -> Tensor<4> {
    #[cfg(any(feature = "train", feature = "wgpu"))]
    if !is_plain_cpu(&input) {
        return avg_pool2d(input, AvgPoolOptions::new([2; 2]));
    }
    let input = input.permute([0, 2, 3, 1]).into_dispatch();
    Tensor::from_dispatch(Dispatch::packed_halve(input)).permute([0, 3, 1, 2])
}

/// A map of twice the sides, each value four times, and the channels of `skip` after its own.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - skip: `[batch, more, 2 · height, 2 · width]`
/// - output: `[batch, channels + more, 2 · height, 2 · width]`
///
/// # Panics
/// Shapes that do not fit each other: mistakes of the program.
pub fn double(input: Tensor<4>, skip: Option<Tensor<4>>) -> Tensor<4> {
    let [batch, _, height, width] = input.dims();
    let sides = [2 * height, 2 * width];
    if let Some(skip) = &skip {
        let [skip_batch, _, height, width] = skip.dims();
        assert_eq!(
            (skip_batch, [height, width]),
            (batch, sides),
            "a map beside one of half its sides"
        );
    }
    #[cfg(any(feature = "train", feature = "wgpu"))]
    if !is_plain_cpu(&input) {
        let doubled = doubled(input);
        return match skip {
            Some(skip) => Tensor::cat(vec![doubled, skip], 1),
            None => doubled,
        };
    }
    let inside = |tensor: Tensor<4>| tensor.permute([0, 2, 3, 1]).into_dispatch();
    let output = match skip {
        Some(skip) => Dispatch::packed_double_beside(inside(input), inside(skip)),
        None => Dispatch::packed_double(inside(input)),
    };
    Tensor::from_dispatch(output).permute([0, 3, 1, 2])
}

/// Each value of a map four times, by burn's operations.
#[cfg(any(feature = "train", feature = "wgpu"))]
fn doubled(input: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = input.dims();
    #[cfg(feature = "train")]
    if input.device().is_autodiff() {
        let options = InterpolateOptions::new(InterpolateMode::Nearest)
            .with_align_corners(false)
            .with_output_size([2 * height, 2 * width]);
        return interpolate(input, options);
    }
    // burn's interpolation is a twentieth of the code for WebGPU; a copy does.
    input
        .permute([0, 2, 3, 1])
        .reshape([batch, height, 1, width, 1, channels])
        .expand([batch, height, 2, width, 2, channels])
        .reshape([batch, 2 * height, 2 * width, channels])
        .permute([0, 3, 1, 2])
}

/// Layer normalisation over the last axis in one pass, on the CPU.
///
/// # Shapes
/// - input, output: `[batch, height, width, channels]`
/// - gamma, beta: `[channels]`
///
/// # Panics
/// Shapes that do not fit, a tensor that is not [`is_plain_cpu`].
pub fn layer_norm(input: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Tensor<4> {
    let [_, _, _, channels] = input.dims();
    assert_eq!([gamma.dims(), beta.dims()], [[channels]; 2], "one γ and β for each channel");
    assert!(is_plain_cpu(&input), "a map on the CPU");
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let output = Dispatch::packed_layer_norm(input.into_dispatch(), gamma, beta, epsilon);
    Tensor::from_dispatch(output)
}
