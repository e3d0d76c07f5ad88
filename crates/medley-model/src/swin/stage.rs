//! The blocks that share one resolution.

use burn::module::Module;
#[cfg(feature = "wgpu")]
use burn::tensor::TensorData;
use burn::tensor::{Device, Tensor};

use super::block::SwinBlock;
use super::config::SwinConfig;
use super::patch_merging::PatchMerging;
use super::windows::Windows;

/// A stage: halves the sides (all but the first), then runs its blocks.
#[derive(Module, Debug)]
pub(super) struct SwinStage {
    merging: Option<PatchMerging>,
    blocks: Vec<SwinBlock>,
    window: usize,
}

impl SwinStage {
    /// `index`: 0 for the stage that makes s1.
    pub(super) fn new(config: &SwinConfig, index: usize, device: &Device) -> Self {
        let channels = config.channels()[index];
        let heads = config.heads()[index];
        let window = config.window();
        Self {
            merging: (index > 0).then(|| PatchMerging::new(channels / 2, device)),
            blocks: (0..config.depths()[index])
                .map(|_| SwinBlock::new(channels, heads, window, device))
                .collect(),
            window,
        }
    }

    /// # Shapes
    ///
    /// - tokens: `[batch, height, width, channels]` of the stage before
    /// - output: `[batch, ⌈height/2⌉, ⌈width/2⌉, 2·channels]`; the first stage keeps the shape
    pub(super) fn forward(&self, tokens: Tensor<4>) -> Tensor<4> {
        let mut tokens = match &self.merging {
            Some(merging) => merging.forward(tokens),
            None => tokens,
        };
        let [_, height, width, _] = tokens.dims();
        let plain = Windows::new(height, width, self.window, false);
        let shifted = Windows::new(height, width, self.window, true);
        #[cfg(feature = "wgpu")]
        if medley_kernels::serves_gpu(&tokens) {
            return self.blocks_on_gpu(tokens, [plain, shifted]);
        }
        // One mask serves all shifted blocks of the stage. Packed blocks make do with the regions.
        #[cfg(feature = "train")]
        let mask = match self.blocks.iter().all(|block| block.is_packed_for(&tokens)) {
            true => None,
            false => shifted.mask(&tokens.device()),
        };
        #[cfg(not(feature = "train"))]
        let mask: Option<Tensor<4>> = None;
        for (index, block) in self.blocks.iter().enumerate() {
            tokens = if index % 2 == 0 {
                block.forward(tokens, &plain, None)
            } else {
                block.forward(tokens, &shifted, mask.clone())
            };
        }
        tokens
    }

    /// All blocks on a browser's GPU; windows: of the even blocks, and of the odd ones.
    #[cfg(feature = "wgpu")]
    fn blocks_on_gpu(&self, tokens: Tensor<4>, windows: [Windows; 2]) -> Tensor<4> {
        let device = tokens.device();
        let regions = windows[1].regions().map(|regions| {
            let each = self.window * self.window;
            let shape = [regions.len() / each, each];
            Tensor::<2>::from_data(TensorData::new(regions, shape), &device)
        });
        let block = |tokens, (index, block): (usize, &SwinBlock)| {
            let regions = if index % 2 == 0 { None } else { regions.clone() };
            block.forward_on_gpu(tokens, &windows[index % 2], regions)
        };
        self.blocks.iter().enumerate().fold(tokens, block)
    }

    pub(super) fn prepare(&mut self) {
        self.blocks.iter_mut().for_each(SwinBlock::prepare);
        if let Some(merging) = &mut self.merging {
            merging.prepare();
        }
    }
}
