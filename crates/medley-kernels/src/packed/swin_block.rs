//! A block of Swin V2: attention within windows, and then for some tokens at a time all that follows, while they are in a cache.
//!
//! Liu et al., *Swin Transformer V2* (2022), §3.1 to §3.3.

use super::attention::{Attended, Weights, WindowGrid, attend};
use super::conv::Layer;
use super::norm;
use super::product::Activation;
use super::tile::ROWS;
use crate::team::{for_each_piece, share};

/// Values of a block's maps that stay in a second cache beside the weights, 256 kB.
const KEPT: usize = 1 << 16;

/// Tokens that are worth a pass over all weights.
const LEAST: usize = 4 * ROWS;

/// A block's weights, laid out.
#[derive(Debug)]
pub(crate) struct SwinBlock {
    pub qkv: Layer,
    /// Queries, keys and values of a token outside the map, `[3 · channels]`.
    pub padding: Vec<f32>,
    /// Factor of the cosines, one for each head.
    pub scale: Vec<f32>,
    /// `[heads, window², window²]`, query before key.
    pub position_bias: Vec<f32>,
    pub proj: Layer,
    /// γ and β after the attention and after the perceptron.
    pub norms: [[Vec<f32>; 2]; 2],
    pub perceptron: [Layer; 2],
    pub epsilon: f32,
}

impl SwinBlock {
    /// `[batch, height, width, channels]` to the same.
    ///
    /// regions: of [`Weights`]
    pub(crate) fn forward(&self, grid: WindowGrid, tokens: &[f32], regions: &[f32]) -> Vec<f32> {
        let side = [grid.height, grid.width];
        let qkv = self.qkv.forward(side, tokens, None, Activation::None);
        let attended = self.attend(grid, &qkv, regions);
        drop(qkv);
        let [first_norm, second_norm] =
            self.norms.each_ref().map(|scales| scales.each_ref().map(Vec::as_slice));
        let [widen, narrow] = &self.perceptron;
        let (channels, hidden) = (narrow.shape.channels_out, widen.shape.channels_out);
        let most = (KEPT / (2 * channels + hidden)).max(LEAST);
        let share = share(tokens.len() / channels, ROWS, most);
        let mut output = vec![0.0; tokens.len()];
        for_each_piece(&mut output, share * channels, |index, output| {
            let rows = output.len() / channels;
            let tokens = &tokens[index * share * channels..][..output.len()];
            let mut scratch = vec![0.0; rows * (2 * channels + hidden)];
            let (branch, rest) = scratch.split_at_mut(rows * channels);
            let (sum, hidden) = rest.split_at_mut(rows * channels);
            attended.copy(index * share, branch);
            self.proj.rows(branch, Activation::None, output);
            norm::rows(output, Some(tokens), first_norm, self.epsilon, sum);
            widen.rows(sum, Activation::Gelu, hidden);
            narrow.rows(hidden, Activation::None, branch);
            norm::rows(branch, Some(sum), second_norm, self.epsilon, output);
        });
        output
    }

    /// qkv: `[batch, height, width, 3 · channels]`
    pub(crate) fn attend(&self, grid: WindowGrid, qkv: &[f32], regions: &[f32]) -> Attended {
        let Self { padding, scale, position_bias, .. } = self;
        attend(grid, qkv, Weights { padding, scale, position_bias, regions })
    }
}
