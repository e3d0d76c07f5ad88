//! What can be wrong with a picture.

use thiserror::Error;

use crate::limits::{MAX_PIXELS, MAX_SIDE};

/// Why bytes or pixels are not a usable picture.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// The first bytes are those of no supported format.
    #[error(
        "not a PNG or JPEG picture: the first bytes look like {found}; save the picture as PNG or JPEG"
    )]
    UnknownFormat {
        /// What the bytes look like, in words.
        found: &'static str,
    },
    /// The file stops before the picture is complete.
    #[error(
        "the {format} file is cut off: {missing} is missing after {length} bytes; fetch or copy it again"
    )]
    Truncated {
        /// "PNG" or "JPEG".
        format: &'static str,
        /// What should have followed.
        missing: &'static str,
        /// Length of the bytes that are there.
        length: usize,
    },
    /// The file is of a known format but its content is damaged.
    #[error("the {format} file is damaged: {reason}")]
    Damaged {
        /// "PNG" or "JPEG".
        format: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// A variant of the format that is not read (12-bit or lossless JPEG, for instance).
    #[error(
        "this kind of {format} is not supported: {reason}; save the picture as 8-bit or 16-bit PNG"
    )]
    Unsupported {
        /// "PNG" or "JPEG".
        format: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// A side is zero.
    #[error("the picture is {width}x{height} pixels: both sides must be at least 1")]
    Empty {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The picture is larger than the limits; nothing was allocated for it.
    #[error(
        "the picture is {width}x{height} pixels: at most {MAX_SIDE} a side and {MAX_PIXELS} in all are read; scale it down first"
    )]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The number of values does not fit the stated size.
    #[error("{width}x{height} pixels need {expected} values, found {found}")]
    WrongLength {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Values that the size asks for.
        expected: usize,
        /// Values that were given.
        found: usize,
    },
    /// A value is not a number or infinite.
    #[error("value {index} of the pixels is {value}: every value must be a finite number in 0..1")]
    NotFinite {
        /// Position in the values.
        index: usize,
        /// "NaN", "inf" or "-inf".
        value: String,
    },
}
