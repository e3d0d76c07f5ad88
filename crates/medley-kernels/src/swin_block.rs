//! A whole block of Swin V2 as one operation, for inference on the CPU.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::inference::{InferenceOps, is_plain_cpu, read};
use crate::packed::{Layer, SwinBlock, WindowGrid};

/// A linear layer, laid out as the 1×1 convolution that it is on a map. Layers are packed one by one, so that each one's weights
/// can be let go before the next one's are widened.
#[derive(Debug)]
pub struct PackedLinear(Layer);

impl PackedLinear {
    /// `None` where the weights are not on the CPU, or may need gradients.
    ///
    /// # Shapes
    /// - weight: `[channels, channels_out]`
    /// - bias: `[channels_out]`
    pub fn new(weight: Tensor<2>, bias: Option<Tensor<1>>) -> Option<Self> {
        if !is_plain_cpu(&weight) {
            return None;
        }
        let [channels, channels_out] = weight.dims();
        let bias = match bias {
            Some(bias) => Some(read(bias)?),
            None => None,
        };
        Some(Self(Layer::pack_linear([channels, channels_out], &read(weight)?, bias)))
    }

    /// Inputs and outputs.
    fn channels(&self) -> [usize; 2] {
        [self.0.shape.channels, self.0.shape.channels_out]
    }
}

/// What a block is made of: `x + norm(proj(attention(qkv(x))))`, then `x + norm(narrow(GELU(widen(x))))`.
#[derive(Debug)]
pub struct SwinBlockParts {
    /// To queries, keys and values. Its bias stands for tokens outside the map too.
    pub qkv: PackedLinear,
    /// Factor of the cosines, `[heads]`.
    pub scale: Tensor<1>,
    /// Added to the attention, query before key, `[heads, window², window²]`.
    pub position_bias: Tensor<3>,
    /// After the attention.
    pub proj: PackedLinear,
    /// γ and β after the attention and after the perceptron, `[channels]` each.
    pub norms: [[Tensor<1>; 2]; 2],
    /// The perceptron's two layers.
    pub perceptron: [PackedLinear; 2],
    /// ε of both norms.
    pub epsilon: f64,
}

/// A block for inference on the CPU: weights laid out once, windows that are never cut out of the map, and all that follows
/// the attention done for some tokens at a time while they are in a cache.
#[derive(Debug, Clone)]
pub struct PackedSwinBlock {
    block: Arc<SwinBlock>,
}

impl PackedSwinBlock {
    /// `None` where the tensors are not on the CPU, or may need gradients.
    ///
    /// # Panics
    /// Shapes that do not fit each other: mistakes of the program.
    pub fn new(parts: SwinBlockParts) -> Option<Self> {
        let SwinBlockParts { qkv, scale, position_bias, proj, norms, perceptron, epsilon } = parts;
        let [channels, triple] = qkv.channels();
        let [heads] = scale.dims();
        let [bias_heads, queries, keys] = position_bias.dims();
        assert!(
            triple == 3 * channels && channels % heads == 0,
            "{heads} heads over {channels} channels, {triple} of queries, keys and values"
        );
        assert!(
            bias_heads == heads && queries == keys,
            "{heads} heads, a bias of {bias_heads} × {queries} × {keys}"
        );
        let [widen, narrow] = perceptron;
        let [hidden_in, hidden] = widen.channels();
        assert_eq!(
            (hidden_in, proj.channels(), narrow.channels()),
            (channels, [channels; 2], [hidden, channels]),
            "layers of a block of {channels} channels"
        );
        let padding = qkv.0.bias.clone().unwrap_or_else(|| vec![0.0; triple]);
        let norm = |[gamma, beta]: [Tensor<1>; 2]| Some([read(gamma)?, read(beta)?]);
        let [first, second] = norms;
        let block = SwinBlock {
            qkv: qkv.0,
            padding,
            scale: read(scale)?,
            position_bias: read(position_bias)?,
            proj: proj.0,
            norms: [norm(first)?, norm(second)?],
            perceptron: [widen.0, narrow.0],
            epsilon: epsilon as f32,
        };
        Some(Self { block: Arc::new(block) })
    }

    /// # Shapes
    /// - tokens, output: `[batch, height, width, channels]`
    /// - regions: a number for each token of each window, `[windows · window²]` values; tokens of different numbers do not
    ///   see each other. Empty where all do.
    ///
    /// # Panics
    /// Shapes that do not fit, a tensor that is not [`is_plain_cpu`].
    pub fn forward(
        &self,
        tokens: Tensor<4>,
        grid: WindowGrid,
        regions: Arc<Vec<f32>>,
    ) -> Tensor<4> {
        let [_, height, width, channels] = tokens.dims();
        let block = Arc::clone(&self.block);
        let expected = [grid.height, grid.width, block.proj.shape.channels];
        assert_eq!([height, width, channels], expected, "a map of a block");
        let pairs = block.position_bias.len() / block.scale.len();
        assert_eq!(pairs, grid.window.pow(4), "the position bias of a window of {}", grid.window);
        assert!(is_plain_cpu(&tokens), "a block that was packed for the CPU");
        let output = Dispatch::packed_swin_block(tokens.into_dispatch(), block, regions, grid);
        Tensor::from_dispatch(output)
    }
}
