//! What can go wrong with a DICOMweb server. Addresses and identifiers are not repeated: they may name patients.

use thiserror::Error;

/// Why a request cannot be made, or a response is of no use.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DicomWebError {
    /// The address is none of a server.
    #[error("the address of the server should begin with https:// or http:// and have no ? or #")]
    Address,
    /// A part of the path is no identifier.
    #[error(
        "expected one to three unique identifiers (digits and dots, 64 at most): study, series, instance"
    )]
    Identifier,
    /// A search key is no keyword or tag.
    #[error("a search key should be a keyword, as PatientID, or a tag of eight hexadecimal digits")]
    Key,
    /// Frames are counted from 1.
    #[error("expected at least one frame, counted from 1")]
    Frames,
    /// There is nothing to store.
    #[error("there is no object to store")]
    Nothing,
    /// The server refuses.
    #[error("the server answered with status {status}: {hint}")]
    Status {
        /// HTTP status.
        status: u16,
        /// What to do.
        hint: &'static str,
    },
    /// The response is of another kind.
    #[error(
        "the server's answer should be {expected}; is this the address of its DICOMweb interface?"
    )]
    Content {
        /// The kind that was expected.
        expected: &'static str,
    },
    /// The response does not follow its own form.
    #[error("the server's answer is damaged: {reason}")]
    Damaged {
        /// What does not fit.
        reason: &'static str,
    },
}
