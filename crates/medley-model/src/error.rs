//! What can be wrong with a configuration or a request to a model.

/// A configuration that describes no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A part without channels.
    #[error("the {part} has a width of 0 channels; every width must be at least 1")]
    ZeroChannels {
        /// The part, in words.
        part: &'static str,
    },
    /// A stage without blocks that should change the number of channels.
    #[error("stage {stage} has no block but changes the width; give it a depth of at least 1")]
    EmptyStage {
        /// Which stage, from 1.
        stage: usize,
    },
    /// Channels that the detection towers' normalisation cannot divide into its groups.
    #[error("{channels} detection channels do not divide into {groups} groups; use a multiple")]
    DetectionChannels {
        /// Channels found.
        channels: usize,
        /// Groups of the normalisation.
        groups: usize,
    },
    /// Two heads of one name.
    #[error("two heads are called “{name}”; names of heads must differ")]
    DuplicateHead {
        /// The name.
        name: String,
    },
    /// A head without classes.
    #[error("head “{name}” has {classes} classes; expected {expected}")]
    HeadClasses {
        /// The head's name.
        name: String,
        /// Classes found.
        classes: usize,
        /// What was expected, in words.
        expected: &'static str,
    },
}

/// A request that the model cannot answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No head of that name and kind.
    #[error("the model has no {kind} head “{name}”; it has: {}", existing.join(", "))]
    NoHead {
        /// The name asked for.
        name: String,
        /// The kind asked for.
        kind: &'static str,
        /// Names of the heads of that kind.
        existing: Vec<String>,
    },
    /// Sides that the encoder cannot halve five times.
    #[error("the input is {width}×{height}; both sides must be multiples of 32 and not 0")]
    InputSize {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
}
