//! The operations as burn knows them: on tensors of its CPU device.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
#[cfg(any(feature = "train", feature = "wgpu"))]
use burn::tensor::ops::ConvOptions;
#[cfg(any(feature = "train", feature = "wgpu"))]
use burn::tensor::{DType, Device};
use burn::tensor::{Tensor, TensorData};

use crate::conv;
use crate::depthwise::Depthwise;
use crate::patches::Geometry;

/// A tensor of the CPU device.
pub(crate) type Float = FloatTensor<Flex>;

/// What the CPU device learns to do.
#[cfg_attr(feature = "train", backend_extension(Flex, Autodiff))]
#[cfg_attr(not(feature = "train"), backend_extension(Flex))]
pub(crate) trait KernelOps: Backend {
    /// See [`conv2d`].
    fn same_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self>;

    /// See [`conv2d`].
    fn same_conv2d_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self>;

    /// See [`depthwise_conv2d`].
    fn same_depthwise(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self>;
}

impl KernelOps for Flex {
    fn same_conv2d(input: Float, weight: Float, stride: usize) -> Float {
        Convolution::of(&input, &weight, stride).forward(&input, &weight, None)
    }

    fn same_conv2d_bias(input: Float, weight: Float, bias: Float, stride: usize) -> Float {
        Convolution::of(&input, &weight, stride).forward(&input, &weight, Some(&bias))
    }

    fn same_depthwise(input: Float, weight: Float, stride: usize) -> Float {
        let call = Convolution::of(&input, &weight, stride);
        let (input, weight) = (input.to_contiguous(), weight.to_contiguous());
        float(
            call.depthwise().forward(values(&input), values(&weight)),
            call.output_shape().to_vec(),
        )
    }
}

/// The shapes of one convolution of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Convolution {
    pub batch: usize,
    pub channels_out: usize,
    pub geometry: Geometry,
}

impl Convolution {
    pub(crate) fn of(input: &Float, weight: &Float, stride: usize) -> Self {
        let [batch, channels, height, width] = input.shape().dims();
        let [channels_out, _, kernel, _] = weight.shape().dims();
        let geometry = Geometry { channels, height, width, kernel, stride };
        Self { batch, channels_out, geometry }
    }

    fn forward(&self, input: &Float, weight: &Float, bias: Option<&Float>) -> Float {
        let (input, weight) = (input.to_contiguous(), weight.to_contiguous());
        let bias = bias.map(Float::to_contiguous);
        let bias = bias.as_ref().map(values);
        let output =
            conv::forward(&self.geometry, values(&input), values(&weight), bias, self.channels_out);
        float(output, self.output_shape().to_vec())
    }

    /// The same with a kernel for each channel.
    pub(crate) fn depthwise(&self) -> Depthwise {
        let plane = Geometry { channels: 1, ..self.geometry };
        Depthwise { plane, channels: self.channels_out }
    }

    pub(crate) fn output_shape(&self) -> [usize; 4] {
        let geometry = &self.geometry;
        [self.batch, self.channels_out, geometry.out_height(), geometry.out_width()]
    }

    pub(crate) fn input_shape(&self) -> [usize; 4] {
        let Geometry { channels, height, width, .. } = self.geometry;
        [self.batch, channels, height, width]
    }

    pub(crate) fn weight_shape(&self) -> [usize; 4] {
        let Geometry { channels, kernel, .. } = self.geometry;
        [self.channels_out, channels, kernel, kernel]
    }
}

/// The values of a contiguous tensor. [`on_cpu`] has seen that they are f32.
pub(crate) fn values(tensor: &Float) -> &[f32] {
    tensor.as_slice().unwrap_or_else(|| unreachable!("contiguous f32"))
}

/// A tensor of values.
pub(crate) fn float(values: Vec<f32>, shape: Vec<usize>) -> Float {
    Float::from_data(TensorData::new(values, shape))
}

/// Whether the kernels here serve these tensors. A browser's build for the CPU has nothing else.
#[cfg(any(feature = "train", feature = "wgpu"))]
fn on_cpu<const D: usize>(input: &Tensor<D>, weight: DType) -> bool {
    input.dtype() == DType::F32 && weight == DType::F32 && input.device() == Device::flex()
}

/// A convolution with a square odd kernel and "same" padding (`kernel / 2` zeros on every side).
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - weight: `[channels_out, channels, kernel, kernel]`
/// - bias: `[channels_out]`
/// - output: `[batch, channels_out, ⌈height / stride⌉, ⌈width / stride⌉]`
///
/// # Panics
/// Shapes that do not fit each other, an even kernel, a stride of 0: mistakes of the program.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
) -> Tensor<4> {
    let [_, channels, _, _] = input.dims();
    let [channels_out, channels_in, height, width] = weight.dims();
    assert!(
        channels == channels_in && height == width && height % 2 == 1 && stride > 0,
        "a kernel of {channels_in} channels, {height} × {width}, stride {stride}, on {channels} channels"
    );
    if let Some(bias) = &bias {
        assert_eq!(bias.dims(), [channels_out], "one bias for each channel");
    }
    #[cfg(any(feature = "train", feature = "wgpu"))]
    if !on_cpu(&input, weight.dtype()) {
        #[cfg(feature = "train")]
        if input.device().is_autodiff() && crate::unrolled::pays(&input, &weight, stride) {
            return crate::unrolled::conv2d(input, weight, bias, stride);
        }
        let pad = height / 2;
        let options = ConvOptions::new([stride; 2], [pad; 2], [1; 2], 1);
        return burn::tensor::module::conv2d(input, weight, bias, options);
    }
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::same_conv2d_bias(input, weight, bias.into_dispatch(), stride),
        None => Dispatch::same_conv2d(input, weight, stride),
    })
}

/// A convolution of each channel with its own square odd kernel, with "same" padding and no bias.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - weight: `[channels, 1, kernel, kernel]`
/// - output: `[batch, channels, ⌈height / stride⌉, ⌈width / stride⌉]`
///
/// # Panics
/// As [`conv2d`].
pub fn depthwise_conv2d(input: Tensor<4>, weight: Tensor<4>, stride: usize) -> Tensor<4> {
    let [_, channels, _, _] = input.dims();
    let [kernels, one, height, width] = weight.dims();
    assert!(
        channels == kernels && one == 1 && height == width && height % 2 == 1 && stride > 0,
        "{kernels} kernels of {one} channels, {height} × {width}, stride {stride}, on {channels} channels"
    );
    #[cfg(any(feature = "train", feature = "wgpu"))]
    if !on_cpu(&input, weight.dtype()) {
        let options = ConvOptions::new([stride; 2], [height / 2; 2], [1; 2], channels);
        return burn::tensor::module::conv2d(input, weight, None, options);
    }
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::same_depthwise(input, weight, stride))
}
