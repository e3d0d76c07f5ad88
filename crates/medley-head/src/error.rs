//! Why a head cannot be taught or read.

use thiserror::Error;

/// Why a head was not taught, read or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HeadError {
    /// A head tells classes apart; with one there is nothing to tell.
    #[error(
        "expected examples of at least 2 classes, found {found}; add an example of another class"
    )]
    FewClasses {
        /// How many classes have an example.
        found: usize,
    },
    /// The classes cannot be those of a head.
    #[error("classes: expected {expected}, found {found}; correct the list")]
    Classes {
        /// What is allowed.
        expected: String,
        /// What is there.
        found: String,
    },
    /// An example of a class that the head does not have.
    #[error("expected a class from 0 to {last}, found {found}; use one of the head's classes")]
    Class {
        /// The last class that there is.
        last: usize,
        /// The class given.
        found: usize,
    },
    /// Features of another length than the first ones or than the head's.
    #[error("expected {expected} features, found {found}; they come from another encoder")]
    Width {
        /// Features of the first example, or of the head.
        expected: usize,
        /// Features given.
        found: usize,
    },
    /// Features that are no numbers.
    #[error(
        "example {index}: expected finite features; the device computed wrongly, load the model again"
    )]
    NotFinite {
        /// The example.
        index: usize,
    },
    /// The equations have no solution that a computer can find.
    #[error("the examples could not be learned: {reason}; remove the last ones and try again")]
    Unsolvable {
        /// What failed.
        reason: &'static str,
    },
    /// The bytes are no head file.
    #[error("expected a head file of Medley, found {found}; export the head again")]
    File {
        /// What is there instead.
        found: String,
    },
    /// The head was taught on another encoder.
    #[error(
        "the head {name:?} was taught on another encoder (expected {expected}, found {found}); load the model \
         that it was taught on, or teach it anew"
    )]
    Encoder {
        /// The head.
        name: String,
        /// Digest of the loaded encoder.
        expected: String,
        /// Digest in the head.
        found: String,
    },
}
