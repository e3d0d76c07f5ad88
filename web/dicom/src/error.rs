//! Errors on their way to JavaScript.

use medley_dicom::DicomError;
use medley_dicom::dicomweb::DicomWebError;
use medley_web_glue::{Detail, js_error};
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

impl WebError {
    /// What it says, for those sentences that a reader of the page can come to see.
    fn detail(&self) -> Option<Detail> {
        match self {
            Self::Dicom(error) => dicom_detail(error),
            Self::Archive(reason) => Some(Detail::new("zip-damaged").with("reason", *reason)),
            Self::ArchiveTooLarge { what, found, limit } => Some(
                Detail::new("zip-too-large")
                    .with("what", *what)
                    .with("found", *found)
                    .with("limit", *limit),
            ),
            Self::Server(_) | Self::Argument { .. } => None,
        }
    }
}

fn dicom_detail(error: &DicomError) -> Option<Detail> {
    Some(match error {
        DicomError::NotDicom => Detail::new("dicom-not"),
        DicomError::Truncated { what, claimed, there } => Detail::new("dicom-truncated")
            .with("what", what)
            .with("claimed", *claimed)
            .with("there", *there),
        DicomError::Damaged { reason } => Detail::new("dicom-damaged").with("reason", reason),
        DicomError::TooLarge { what, found, limit } => Detail::new("dicom-too-large")
            .with("what", *what)
            .with("found", *found)
            .with("limit", *limit),
        DicomError::NoImage { reason } => Detail::new("dicom-no-image").with("reason", *reason),
        DicomError::MissingAttribute { name, tag } => {
            Detail::new("dicom-missing").with("name", *name).with("tag", tag)
        }
        DicomError::BadAttribute { name, tag, expected } => Detail::new("dicom-attribute")
            .with("name", *name)
            .with("tag", tag)
            .with("expected", *expected),
        DicomError::UnsupportedSyntax { uid, name } => {
            Detail::new("dicom-syntax").with("uid", uid).with("name", *name)
        }
        DicomError::UnsupportedPixels { reason } => {
            Detail::new("dicom-pixels").with("reason", reason)
        }
        DicomError::BadFrame { frame, codec, reason } => Detail::new("dicom-frame")
            .with("frame", *frame)
            .with("codec", *codec)
            .with("reason", reason),
        DicomError::BadResult { reason } => Detail::new("dicom-result").with("reason", reason),
        _ => return None,
    })
}

impl From<WebError> for JsValue {
    /// A JavaScript `Error` with a `code`, and where there is one a `detail`.
    fn from(error: WebError) -> Self {
        js_error(&error.to_string(), error.code(), error.detail().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_can_come_to_see_has_a_detail() {
        let frame = DicomError::BadFrame { frame: 3, codec: "JPEG-LS", reason: "cut".into() };
        let expected = Detail::new("dicom-frame")
            .with("frame", 3_u32)
            .with("codec", "JPEG-LS")
            .with("reason", "cut");
        assert_eq!(WebError::Dicom(frame).detail(), Some(expected));
        let fault = WebError::Argument { argument: "data", expected: "pixels" };
        assert_eq!(fault.detail(), None);
    }
}
