//! Errors on their way to JavaScript.

use medley_head::HeadError;
use medley_infer::{ImageError, InferError};
use medley_package::PackageError;
use wasm_bindgen::JsValue;

/// Everything that this crate's functions reject with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// The package is not valid.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The image cannot be read.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The model cannot be made or cannot answer.
    #[error(transparent)]
    Infer(#[from] InferError),
    /// A head cannot be taught, read or used.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The device cannot be started.
    #[error("the device cannot be started: {0}; try the other backend")]
    Device(String),
    /// Threads cannot be started.
    #[error("the threads cannot be started: {0}; load the model with `threads: 1`")]
    Threads(String),
    /// An argument from JavaScript is not what it should be.
    #[error("{argument}: expected {expected}; correct the call")]
    Argument {
        /// Its name.
        argument: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A value cannot be turned into JavaScript's.
    #[error("the answer cannot be handed over: {0}")]
    Convert(String),
    /// The file for the parity check is not what it should be.
    #[error("the golden file: {0}")]
    Golden(String),
}

impl WebError {
    /// The `code` of the npm package's `MedleyError`.
    fn code(&self) -> &'static str {
        match self {
            Self::Package(PackageError::Length { .. } | PackageError::Digest { .. }) => "integrity",
            Self::Package(_) => "package",
            Self::Image(_) => "image",
            Self::Infer(InferError::UnknownTask { .. }) => "unknown-task",
            Self::Head(_) | Self::Infer(InferError::Taught(_)) => "head",
            Self::Device(_) | Self::Threads(_) => "backend",
            Self::Infer(_) | Self::Argument { .. } | Self::Convert(_) | Self::Golden(_) => {
                "internal"
            }
        }
    }
}

impl From<WebError> for JsValue {
    /// A JavaScript `Error` with a `code`.
    fn from(error: WebError) -> Self {
        let value = js_sys::Error::new(&error.to_string());
        // An error is an ordinary object: setting a property on it cannot fail.
        let _ = js_sys::Reflect::set(&value, &"code".into(), &error.code().into());
        value.into()
    }
}
