//! The shared segmentation decoder: from the pyramid to an embedding of every second pixel.
//!
//! After Ronneberger et al., *U-Net* (2015), with nearest-neighbour doubling.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::conv_norm::{ConvNorm, ConvNormConfig, NormKind};

/// Channels of the four steps, at strides 16, 8, 4, 2.
const CHANNELS: [usize; 4] = [96, 64, 32, 16];

/// Channels of the embedding of a pixel.
pub const PIXEL_CHANNELS: usize = CHANNELS[3];

#[derive(Module, Debug)]
struct Step {
    conv1: ConvNorm,
    conv2: ConvNorm,
}

/// The segmentation decoder.
#[derive(Module, Debug)]
pub(crate) struct SegmentationDecoder {
    steps: Vec<Step>,
}

impl SegmentationDecoder {
    /// `widths`: channels of s1, s2, s3; `deepest`: of the squeezed map.
    pub(crate) fn new(widths: [usize; 3], deepest: usize, norm: NormKind, device: &Device) -> Self {
        let conv = |channels_in, channels_out| {
            ConvNormConfig::dense(channels_in, channels_out, 3, 1, norm).init(device)
        };
        let skips = [widths[2], widths[1], widths[0], 0];
        let mut below = deepest;
        let steps = CHANNELS
            .iter()
            .zip(skips)
            .map(|(&channels, skip)| {
                let step =
                    Step { conv1: conv(below + skip, channels), conv2: conv(channels, channels) };
                below = channels;
                step
            })
            .collect();
        Self { steps }
    }

    /// # Shapes
    /// - s1, s2, s3: `[batch, widths[i], height / 4, 8, 16, …]`
    /// - squeezed: `[batch, deepest, height / 32, width / 32]`
    /// - output: `[batch, PIXEL_CHANNELS, height / 2, width / 2]`
    pub(crate) fn forward(
        &self,
        s1: Tensor<4>,
        s2: Tensor<4>,
        s3: Tensor<4>,
        squeezed: Tensor<4>,
    ) -> Tensor<4> {
        let mut map = squeezed;
        let skips = [Some(s3), Some(s2), Some(s1), None];
        for (step, skip) in self.steps.iter().zip(skips) {
            map = medley_kernels::double(map, skip);
            map = step.conv1.forward_relu(map);
            map = step.conv2.forward_relu(map);
        }
        map
    }

    pub(crate) fn prepare(&mut self) {
        for step in &mut self.steps {
            step.conv1.prepare();
            step.conv2.prepare();
        }
    }

    pub(crate) fn map_convs(&self, change: fn(&ConvNorm) -> ConvNorm) -> Self {
        Self {
            steps: self
                .steps
                .iter()
                .map(|step| Step { conv1: change(&step.conv1), conv2: change(&step.conv2) })
                .collect(),
        }
    }
}
