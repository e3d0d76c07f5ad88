//! Sizes of a Swin V2 encoder, checked once.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::encoder::SwinEncoder;

/// Number of stages: the pyramid s1..s4.
pub(super) const STAGES: usize = 4;
/// Side of the window of the released Swin V2 weights at 256 pixels.
const DEFAULT_WINDOW: usize = 8;

// What a configuration read from a file may ask for. Swin V2's largest published encoder has
// 352 channels, 42 blocks in a stage and windows of 24.
const MAX_EMBED_DIM: usize = 512;
const MAX_DEPTH: usize = 64;
const MAX_WINDOW: usize = 32;

/// Sizes of a [`SwinEncoder`]. A value of this type is always valid, also one that was
/// deserialized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct SwinConfig {
    embed_dim: usize,
    depths: [usize; STAGES],
    heads: [usize; STAGES],
    window: usize,
}

/// The same fields before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    embed_dim: usize,
    depths: [usize; STAGES],
    heads: [usize; STAGES],
    window: usize,
}

/// Why sizes do not make a [`SwinConfig`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SwinConfigError {
    /// A size lies outside what an encoder may have.
    #[error("swin {field}: expected {min} to {max}, found {found}; correct the configuration")]
    OutOfRange {
        /// Name of the field, with the stage where there is one per stage.
        field: String,
        /// Smallest allowed value.
        min: usize,
        /// Largest allowed value.
        max: usize,
        /// The value found.
        found: usize,
    },
    /// The channels of a stage cannot be shared out evenly among its heads.
    #[error(
        "swin heads of stage {stage}: expected a divisor of its {channels} channels, found \
         {heads}; change embed_dim or heads"
    )]
    UnevenHeads {
        /// Stage, from 1.
        stage: usize,
        /// Channels of the stage.
        channels: usize,
        /// Attention heads of the stage.
        heads: usize,
    },
}

impl SwinConfig {
    /// Checks sizes into a configuration.
    ///
    /// - `embed_dim`: channels of s1, 1 to 512; every later stage doubles them.
    /// - `depths`: blocks of every stage, 1 to 64. Every second block shifts its windows.
    /// - `heads`: attention heads of every stage, a divisor of its channels.
    /// - `window`: side of the attention windows in tokens, 2 to 32.
    ///
    /// # Errors
    ///
    /// [`SwinConfigError`] names the first size that does not fit.
    pub fn new(
        embed_dim: usize,
        depths: [usize; STAGES],
        heads: [usize; STAGES],
        window: usize,
    ) -> Result<Self, SwinConfigError> {
        in_range("embed_dim", embed_dim, 1, MAX_EMBED_DIM)?;
        in_range("window", window, 2, MAX_WINDOW)?;
        let config = Self { embed_dim, depths, heads, window };
        for (index, channels) in config.channels().into_iter().enumerate() {
            let stage = index + 1;
            in_range(&format!("depth of stage {stage}"), depths[index], 1, MAX_DEPTH)?;
            in_range(&format!("heads of stage {stage}"), heads[index], 1, channels)?;
            if !channels.is_multiple_of(heads[index]) {
                return Err(SwinConfigError::UnevenHeads { stage, channels, heads: heads[index] });
            }
        }
        Ok(config)
    }

    /// 1.3 M parameters, for tests.
    pub fn micro() -> Self {
        Self::named(24, [2, 2, 2, 2], [2, 4, 8, 8])
    }

    /// 6.1 M parameters, to compare with the convolutional nano encoder.
    pub fn nano() -> Self {
        Self::named(48, [2, 2, 4, 2], [3, 6, 12, 24])
    }

    /// 27.6 M parameters, for WebGPU and workstations.
    pub fn tiny() -> Self {
        Self::named(96, [2, 2, 6, 2], [3, 6, 12, 24])
    }

    /// 86.9 M parameters, the size of the encoder that UMedPT released.
    pub fn base() -> Self {
        Self::named(128, [2, 2, 18, 2], [4, 8, 16, 32])
    }

    /// For sizes that a test holds against [`Self::new`].
    fn named(embed_dim: usize, depths: [usize; STAGES], heads: [usize; STAGES]) -> Self {
        Self { embed_dim, depths, heads, window: DEFAULT_WINDOW }
    }

    /// Channels of s1.
    pub fn embed_dim(&self) -> usize {
        self.embed_dim
    }

    /// Channels of s1..s4.
    pub fn channels(&self) -> [usize; STAGES] {
        std::array::from_fn(|stage| self.embed_dim << stage)
    }

    /// Blocks of every stage.
    pub fn depths(&self) -> [usize; STAGES] {
        self.depths
    }

    /// Attention heads of every stage.
    pub fn heads(&self) -> [usize; STAGES] {
        self.heads
    }

    /// Side of the attention windows in tokens.
    pub fn window(&self) -> usize {
        self.window
    }

    /// An encoder with random weights.
    pub fn init(&self, device: &Device) -> SwinEncoder {
        SwinEncoder::new(self, device)
    }
}

impl TryFrom<Unchecked> for SwinConfig {
    type Error = SwinConfigError;

    fn try_from(sizes: Unchecked) -> Result<Self, Self::Error> {
        Self::new(sizes.embed_dim, sizes.depths, sizes.heads, sizes.window)
    }
}

fn in_range(field: &str, found: usize, min: usize, max: usize) -> Result<(), SwinConfigError> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(SwinConfigError::OutOfRange { field: field.to_owned(), min, max, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_sizes_pass_the_check_that_others_must_pass() {
        for named in
            [SwinConfig::micro(), SwinConfig::nano(), SwinConfig::tiny(), SwinConfig::base()]
        {
            let checked = SwinConfig::new(named.embed_dim, named.depths, named.heads, named.window);
            assert_eq!(checked, Ok(named));
        }
    }

    #[test]
    fn heads_that_do_not_divide_the_channels_are_named_with_their_stage() {
        let error = SwinConfig::new(24, [2, 2, 2, 2], [2, 4, 7, 8], 8);
        assert_eq!(error, Err(SwinConfigError::UnevenHeads { stage: 3, channels: 96, heads: 7 }));
    }

    #[test]
    fn sizes_out_of_range_are_refused() {
        // A window of one token has no relative coordinates; a stage needs a block and a head.
        let fields = [
            SwinConfig::new(0, [2; 4], [1; 4], 8),
            SwinConfig::new(usize::MAX, [2; 4], [1; 4], 8),
            SwinConfig::new(24, [2; 4], [1; 4], 1),
            SwinConfig::new(24, [2, 0, 2, 2], [1; 4], 8),
            SwinConfig::new(24, [2; 4], [1, 1, 0, 1], 8),
        ];
        for result in fields {
            assert!(matches!(result, Err(SwinConfigError::OutOfRange { .. })), "{result:?}");
        }
    }
}
