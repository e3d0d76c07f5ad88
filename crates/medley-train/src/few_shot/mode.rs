//! The ways in which a task is learned.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a task was learned, or answered without learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The pretrained encoder is untouched; a linear probe, or decoder and head, are trained.
    Frozen,
    /// The nearest neighbours of the frozen embedding (classification); measured beside `Frozen`.
    Knn,
    /// Everything is trained, from the pretrained weights.
    Finetune,
    /// Everything is trained, from random weights.
    Scratch,
    /// As `Frozen`, on random weights.
    Random,
    /// A pretrained head as it is, on another centre's images.
    ZeroShot,
    /// The same head on its own centre's images, with the same classes.
    OwnCentre,
}

impl Mode {
    /// Those that can be asked for.
    pub const LEARNED: [Self; 4] = [Self::Frozen, Self::Finetune, Self::Scratch, Self::Random];

    /// The name, as in rows and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Knn => "knn",
            Self::Finetune => "finetune",
            Self::Scratch => "scratch",
            Self::Random => "random",
            Self::ZeroShot => "zero-shot",
            Self::OwnCentre => "own-centre",
        }
    }

    /// Whether it begins with the pretrained weights.
    pub fn is_pretrained(self) -> bool {
        !matches!(self, Self::Scratch | Self::Random)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
