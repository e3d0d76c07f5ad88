//! What can be wrong with a DICOM object. No message repeats a value of the header: values identify people.

use thiserror::Error;

/// Why bytes are not a DICOM image that can be used, or results cannot be written.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DicomError {
    /// Neither the signature nor a first element that fits.
    #[error(
        "not a DICOM file: neither the signature DICM nor a data element was found at the start; choose a DICOM file"
    )]
    NotDicom,
    /// The file stops inside of a value.
    #[error(
        "the DICOM file is cut off: {what} claims {claimed} bytes and {there} are there; fetch or copy it again"
    )]
    Truncated {
        /// Which part.
        what: String,
        /// Bytes that it claims.
        claimed: u64,
        /// Bytes that there are, at the most.
        there: u64,
    },
    /// The structure of the data set is broken.
    #[error("the DICOM file is damaged: {reason}; fetch or copy it again")]
    Damaged {
        /// What does not fit.
        reason: String,
    },
    /// More than a limit of this crate.
    #[error("{what} is {found}, and at most {limit} is read; nothing was allocated for it")]
    TooLarge {
        /// Which size.
        what: &'static str,
        /// What the file declares.
        found: u64,
        /// The limit (`limits`).
        limit: u64,
    },
    /// The object has no pixels: a report, a plan, a directory.
    #[error("the object has no image: {reason}; choose an object with pixel data")]
    NoImage {
        /// What is missing.
        reason: &'static str,
    },
    /// An attribute that an image must have.
    #[error("the attribute {name} {tag} is missing; an image must have it")]
    MissingAttribute {
        /// Keyword of the attribute.
        name: &'static str,
        /// Group and element, as (7FE0,0010).
        tag: String,
    },
    /// An attribute that does not say what it should.
    #[error("the attribute {name} {tag} is not usable: expected {expected}")]
    BadAttribute {
        /// Keyword of the attribute.
        name: &'static str,
        /// Group and element, as (7FE0,0010).
        tag: String,
        /// What would do.
        expected: &'static str,
    },
    /// A transfer syntax for which there is no decoder.
    #[error(
        "the transfer syntax {name} ({uid}) is not supported; convert the file to Explicit VR Little Endian"
    )]
    UnsupportedSyntax {
        /// Unique identifier.
        uid: String,
        /// Name in the standard, or "unknown".
        name: &'static str,
    },
    /// Pixels of a kind that is not read.
    #[error("pixels of this kind are not supported: {reason}")]
    UnsupportedPixels {
        /// Which kind.
        reason: String,
    },
    /// Compressed pixels that do not decode.
    #[error("frame {frame} is damaged: {codec}: {reason}; fetch or copy the file again")]
    BadFrame {
        /// Which frame, from 0.
        frame: u32,
        /// "JPEG-LS", for instance.
        codec: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// A frame that the object does not have.
    #[error("there is no frame {frame}: the object has {frames}, counted from 0")]
    NoSuchFrame {
        /// The frame that was asked for.
        frame: u32,
        /// How many there are.
        frames: u32,
    },
    /// Results that do not fit the images that they are about.
    #[error("the result cannot be written as DICOM: {reason}")]
    BadResult {
        /// What does not fit.
        reason: String,
    },
}
