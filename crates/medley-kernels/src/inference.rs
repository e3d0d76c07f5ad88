//! The layers for inference as burn knows them: operations on tensors of its CPU device.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::module::{avg_pool2d, interpolate};
use burn::tensor::ops::{AvgPoolOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{DType, Device, Tensor};

use crate::extension::{Float, float, values};
use crate::packed::{self, Activation, Finish, Shape, Weight, WindowGrid};

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

    /// See [`window_attention`].
    fn packed_window_attention(
        input: FloatTensor<Self>,
        layer: Arc<AttentionLayer>,
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

    /// See [`layer_norm`].
    fn packed_layer_norm_add(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
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
        layer.forward(&input, None, activation)
    }

    fn packed_conv2d_add(
        input: Float,
        residual: Float,
        layer: Arc<Layer>,
        activation: Activation,
    ) -> Float {
        layer.forward(&input, Some(&residual), activation)
    }

    fn packed_window_attention(
        input: Float,
        layer: Arc<AttentionLayer>,
        regions: Arc<Vec<f32>>,
        grid: WindowGrid,
    ) -> Float {
        let [batch, height, width, triple] = input.shape().dims();
        let input = input.to_contiguous();
        let output = packed::attend(grid, values(&input), layer.weights(&regions));
        float(output, vec![batch, height, width, triple / 3])
    }

    fn packed_layer_norm(input: Float, gamma: Float, beta: Float, epsilon: f64) -> Float {
        norm(&input, None, &gamma, &beta, epsilon)
    }

    fn packed_layer_norm_add(
        input: Float,
        residual: Float,
        gamma: Float,
        beta: Float,
        epsilon: f64,
    ) -> Float {
        norm(&input, Some(&residual), &gamma, &beta, epsilon)
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

fn norm(
    input: &Float,
    residual: Option<&Float>,
    gamma: &Float,
    beta: &Float,
    epsilon: f64,
) -> Float {
    let shape = input.shape().to_vec();
    let (input, gamma, beta) = (input.to_contiguous(), gamma.to_contiguous(), beta.to_contiguous());
    let residual = residual.map(Float::to_contiguous);
    let scales = [values(&gamma), values(&beta)];
    let residual = residual.as_ref().map(values);
    float(packed::normalize(values(&input), residual, scales, epsilon as f32), shape)
}

/// A convolution's shape and weights.
#[derive(Debug)]
pub(crate) struct Layer {
    shape: Shape,
    weight: Weight,
    bias: Option<Vec<f32>>,
}

impl Layer {
    fn forward(&self, input: &Float, residual: Option<&Float>, activation: Activation) -> Float {
        let [batch, height, width, _] = input.shape().dims();
        let input = input.to_contiguous();
        let residual = residual.map(Float::to_contiguous);
        let finish = Finish {
            bias: self.bias.as_deref(),
            residual: residual.as_ref().map(values),
            activation,
        };
        let side = [height, width];
        let output = self.shape.forward(side, values(&input), &self.weight, finish);
        let [height, width] = side.map(|side| self.shape.out(side));
        float(output, vec![batch, height, width, self.shape.channels_out])
    }
}

/// Whether a tensor is one that the layers here take: f32, on the CPU, without gradients.
pub fn is_plain_cpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32
        && tensor.device() == Device::flex()
        && !tensor.device().is_autodiff()
}

fn read<const D: usize>(tensor: Tensor<D>) -> Option<Vec<f32>> {
    tensor.into_data().try_into_vec().ok()
}

/// A convolution for inference on the CPU: its weights are laid out once for the method that fits its shape, and bias,
/// residual and activation are applied in the pass that computes the sums.
///
/// Maps stay with their channels side by side in memory from layer to layer: what [`Self::forward`] answers has the usual
/// shape, but is a permuted view, which the next layer takes as it is.
#[derive(Debug, Clone)]
pub struct PackedConv {
    layer: Arc<Layer>,
}

impl PackedConv {
    /// `None` where the weights are not on the CPU, or may need gradients.
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
        if !is_plain_cpu(&weight) {
            return None;
        }
        let shape = Shape { channels, channels_out, kernel, stride, pad };
        let values = read(weight)?;
        let weight = shape.methods().iter().find_map(|method| shape.pack(*method, &values))?;
        let bias = match bias {
            Some(bias) => Some(read(bias)?),
            None => None,
        };
        Some(Self { layer: Arc::new(Layer { shape, weight, bias }) })
    }

    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - residual, added before the activation, and output: `[batch, channels_out, out_height, out_width]`
    ///
    /// # Panics
    /// Shapes that do not fit, a tensor that is not [`is_plain_cpu`].
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
        let shape = &self.layer.shape;
        let [batch, height, width, channels] = input.dims();
        assert_eq!(channels, shape.channels, "channels of a convolution");
        assert!(is_plain_cpu(&input), "a layer that was packed for the CPU");
        let layer = Arc::clone(&self.layer);
        let input = input.into_dispatch();
        Tensor::from_dispatch(match residual {
            Some(residual) => {
                let expected = [batch, shape.out(height), shape.out(width), shape.channels_out];
                assert_eq!(residual.dims(), expected, "the residual of a convolution");
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
    if !is_plain_cpu(&input) {
        let options = InterpolateOptions::new(InterpolateMode::Nearest)
            .with_align_corners(false)
            .with_output_size(sides);
        let doubled = interpolate(input, options);
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

/// What the attention of one layer depends on.
#[derive(Debug)]
pub(crate) struct AttentionLayer {
    padding: Vec<f32>,
    scale: Vec<f32>,
    position_bias: Vec<f32>,
}

impl AttentionLayer {
    fn weights<'a>(&'a self, regions: &'a [f32]) -> packed::Weights<'a> {
        packed::Weights {
            padding: &self.padding,
            scale: &self.scale,
            position_bias: &self.position_bias,
            regions,
        }
    }
}

/// Scaled cosine attention within windows, for inference on the CPU.
#[derive(Debug, Clone)]
pub struct WindowAttention {
    layer: Arc<AttentionLayer>,
}

impl WindowAttention {
    /// `None` where the weights are not on the CPU, or may need gradients.
    ///
    /// # Shapes
    /// - padding: queries, keys and values of a token outside the map, `[3 · channels]`
    /// - scale: factor of the cosines, `[heads]`
    /// - position_bias: added to the attention, query before key, `[heads, tokens, tokens]`
    ///
    /// # Panics
    /// Shapes that do not fit each other: mistakes of the program.
    pub fn new(padding: Tensor<1>, scale: Tensor<1>, position_bias: Tensor<3>) -> Option<Self> {
        let ([triple], [heads]) = (padding.dims(), scale.dims());
        let [bias_heads, queries, keys] = position_bias.dims();
        assert!(
            triple % (3 * heads) == 0 && bias_heads == heads && queries == keys,
            "{heads} heads over {triple} channels, a bias of {bias_heads} × {queries} × {keys}"
        );
        if !is_plain_cpu(&padding) {
            return None;
        }
        Some(Self {
            layer: Arc::new(AttentionLayer {
                padding: read(padding)?,
                scale: read(scale)?,
                position_bias: read(position_bias)?,
            }),
        })
    }

    /// Attention of the tokens of each window of a map to each other. What lies beyond the map in its last windows counts as
    /// `padding`.
    ///
    /// # Shapes
    /// - qkv: queries, keys and values, `[batch, height, width, 3 · channels]`
    /// - regions: a number for each token of each window, `[windows · window²]` values; tokens of different numbers do not
    ///   see each other. Empty where all do.
    /// - output: `[batch, height, width, channels]`
    ///
    /// # Panics
    /// Shapes that do not fit, a tensor that is not [`is_plain_cpu`].
    pub fn forward(&self, qkv: Tensor<4>, grid: WindowGrid, regions: Arc<Vec<f32>>) -> Tensor<4> {
        let [_, height, width, triple] = qkv.dims();
        assert_eq!([height, width, triple], [grid.height, grid.width, self.layer.padding.len()]);
        let pairs = self.layer.position_bias.len() / self.layer.scale.len();
        assert_eq!(pairs, grid.window.pow(4), "the position bias of a window of {}", grid.window);
        assert!(is_plain_cpu(&qkv), "a layer that was packed for the CPU");
        let layer = Arc::clone(&self.layer);
        let output = Dispatch::packed_window_attention(qkv.into_dispatch(), layer, regions, grid);
        Tensor::from_dispatch(output)
    }
}

/// Layer normalisation over the last axis, plus `residual`, in one pass, on the CPU.
///
/// # Shapes
/// - input, residual, output: `[batch, height, width, channels]`
/// - gamma, beta: `[channels]`
///
/// # Panics
/// Shapes that do not fit, a tensor that is not [`is_plain_cpu`].
pub fn layer_norm(
    input: Tensor<4>,
    residual: Option<Tensor<4>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<4> {
    let [_, _, _, channels] = input.dims();
    assert_eq!([gamma.dims(), beta.dims()], [[channels]; 2], "one γ and β for each channel");
    assert!(is_plain_cpu(&input), "a map on the CPU");
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    Tensor::from_dispatch(match residual {
        Some(residual) => {
            assert_eq!(residual.dims(), input.dims(), "the residual of a normalisation");
            let [input, residual] = [input, residual].map(Tensor::into_dispatch);
            Dispatch::packed_layer_norm_add(input, residual, gamma, beta, epsilon)
        }
        None => Dispatch::packed_layer_norm(input.into_dispatch(), gamma, beta, epsilon),
    })
}
