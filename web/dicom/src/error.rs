//! Errors on their way to JavaScript.

use medley_dicom::DicomError;
use medley_dicom::dicomweb::DicomWebError;
use wasm_bindgen::JsValue;

/// Everything that this crate's functions reject with. No message repeats a value of a header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// A file cannot be used, or results cannot be written.
    #[error(transparent)]
    Dicom(#[from] DicomError),
    /// A server refuses, or answers what is of no use.
    #[error(transparent)]
    Server(#[from] DicomWebError),
    /// An archive cannot be opened.
    #[error("the ZIP archive cannot be opened: {0}; unpack it and choose the files")]
    Archive(&'static str),
    /// An archive asks for more than is allowed.
    #[error(
        "{what} of the ZIP archive is {found}, and at most {limit} is read; nothing was allocated for it"
    )]
    ArchiveTooLarge {
        /// Which size.
        what: &'static str,
        /// What the archive declares.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// An argument from JavaScript is not what it should be.
    #[error("{argument}: expected {expected}; correct the call")]
    Argument {
        /// Its name.
        argument: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

impl WebError {
    /// The `code` of the npm package's `MedleyError`.
    fn code(&self) -> &'static str {
        match self {
            Self::Dicom(_) | Self::Archive(_) | Self::ArchiveTooLarge { .. } => "dicom",
            Self::Server(_) => "dicomweb",
            Self::Argument { .. } => "internal",
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
