//! Halving the sides between two stages.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor};
use medley_kernels::{Activation, PackedConv};

use super::packed::norm;
use super::{apply_linear, apply_norm, linear, norm_config};
use crate::conv_norm::{forget, packed_for};

/// Merges every 2×2 tokens into one with twice the channels; V2 norms after the reduction.
#[derive(Module, Debug)]
pub(super) struct PatchMerging {
    reduction: Linear,
    norm: LayerNorm,
    /// The reduction as a convolution of 2×2 tokens, laid out for inference on the CPU.
    #[module(skip)]
    packed: Option<PackedConv>,
}

impl PatchMerging {
    /// `channels`: those of the input.
    pub(super) fn new(channels: usize, device: &Device) -> Self {
        Self {
            reduction: linear(4 * channels, 2 * channels, false, device),
            norm: norm_config(2 * channels).init(device),
            packed: None,
        }
    }

    /// # Shapes
    ///
    /// - tokens: `[batch, height, width, channels]`
    /// - output: `[batch, ⌈height/2⌉, ⌈width/2⌉, 2·channels]`
    pub(super) fn forward(&self, tokens: Tensor<4>) -> Tensor<4> {
        if let Some(packed) = packed_for(&self.packed, &tokens) {
            let map = packed.forward_inside(pad_odd(tokens), None, Activation::None);
            return norm(&self.norm, map);
        }
        apply_norm(&self.norm, apply_linear(&self.reduction, gather(tokens)))
    }

    pub(super) fn prepare(&mut self) {
        let weight = self.reduction.weight.val();
        let [four, channels_out] = weight.dims();
        // The linear layer reads a square's tokens column by column.
        let kernel = weight.reshape([2, 2, four / 4, channels_out]).permute([3, 2, 1, 0]);
        self.packed = PackedConv::new(kernel, None, 2, 0);
        if self.packed.is_some() {
            forget(&mut self.reduction.weight);
        }
    }
}

/// Odd sides end in zeros.
fn pad_odd(tokens: Tensor<4>) -> Tensor<4> {
    let [_, height, width, _] = tokens.dims();
    let (odd_rows, odd_columns) = (height % 2, width % 2);
    if odd_rows + odd_columns == 0 {
        return tokens;
    }
    tokens.pad([(0, odd_rows), (0, odd_columns), (0, 0)], PadMode::Constant(0.0))
}

/// `[b, h, w, c]` to `[b, ⌈h/2⌉, ⌈w/2⌉, 4c]`: the tokens (row, column) = (0,0), (1,0), (0,1), (1,1)
/// of each 2×2 square one after the other, odd sides padded with zeros.
fn gather(tokens: Tensor<4>) -> Tensor<4> {
    let [batch, height, width, channels] = tokens.dims();
    let tokens = pad_odd(tokens);
    let (rows, columns) = (height.div_ceil(2), width.div_ceil(2));
    tokens.reshape([batch, rows, 2, columns, 2, channels]).permute([0, 1, 3, 4, 2, 5]).reshape([
        batch,
        rows,
        columns,
        4 * channels,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn squares_are_read_column_by_column_and_odd_sides_end_in_zeros() {
        let device = Device::flex();
        let values = TensorData::new((1..=6).map(|v| v as f32).collect(), [1, 2, 3, 1]);
        let merged = gather(Tensor::from_data(values, &device));
        let expected = TensorData::new(vec![1.0f32, 4., 2., 5., 3., 6., 0., 0.], [1, 1, 2, 4]);
        merged.into_data().assert_eq(&expected, true);
    }
}
