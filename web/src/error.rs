//! Errors on their way to JavaScript.

use medley_head::HeadError;
use medley_infer::{ImageError, InferError, MAX_PIXELS, MAX_SIDE};
use medley_package::PackageError;
use medley_web_glue::{Detail, js_error};
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

impl WebError {
    /// What it says, for those sentences that a reader of the page can come to see.
    fn detail(&self) -> Option<Detail> {
        match self {
            Self::Image(error) => image_detail(error),
            Self::Head(error) | Self::Infer(InferError::Taught(error)) => head_detail(error),
            Self::Package(PackageError::Length { file, expected, found }) => Some(
                Detail::new("file-length")
                    .with("file", file)
                    .with("expected", *expected)
                    .with("found", *found),
            ),
            Self::Package(PackageError::Digest { file, expected, found }) => Some(
                Detail::new("file-digest")
                    .with("file", file)
                    .with("expected", expected)
                    .with("found", found),
            ),
            Self::Device(reason) => Some(Detail::new("device-start").with("reason", reason)),
            Self::Threads(reason) => Some(Detail::new("threads-start").with("reason", reason)),
            _ => None,
        }
    }
}

fn image_detail(error: &ImageError) -> Option<Detail> {
    Some(match error {
        ImageError::UnknownFormat { found } => Detail::new("image-format").with("found", *found),
        ImageError::Truncated { format, missing, length } => Detail::new("image-truncated")
            .with("format", *format)
            .with("missing", *missing)
            .with("length", *length),
        ImageError::Damaged { format, reason } => {
            Detail::new("image-damaged").with("format", *format).with("reason", reason)
        }
        ImageError::Unsupported { format, reason } => {
            Detail::new("image-unsupported").with("format", *format).with("reason", reason)
        }
        ImageError::Empty { width, height } => {
            Detail::new("image-empty").with("width", *width).with("height", *height)
        }
        ImageError::TooLarge { width, height } => Detail::new("image-too-large")
            .with("width", *width)
            .with("height", *height)
            .with("side", MAX_SIDE)
            .with("pixels", MAX_PIXELS),
        _ => return None,
    })
}

fn head_detail(error: &HeadError) -> Option<Detail> {
    Some(match error {
        HeadError::FewClasses { found } => Detail::new("head-few-classes").with("found", *found),
        HeadError::Unsolvable { reason } => Detail::new("head-unsolvable").with("reason", *reason),
        HeadError::File { found } => Detail::new("head-file").with("found", found),
        HeadError::Encoder { name, .. } => Detail::new("head-encoder").with("name", name),
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
        let large = WebError::Image(ImageError::TooLarge { width: 20_000, height: 3 });
        let expected = Detail::new("image-too-large")
            .with("width", 20_000_u32)
            .with("height", 3_u32)
            .with("side", MAX_SIDE)
            .with("pixels", MAX_PIXELS);
        assert_eq!(large.detail(), Some(expected));
        let taught = WebError::Infer(InferError::Taught(HeadError::FewClasses { found: 1 }));
        assert_eq!(taught.detail(), Some(Detail::new("head-few-classes").with("found", 1_usize)));
        let fault = WebError::Argument { argument: "data", expected: "pixels" };
        assert_eq!(fault.detail(), None);
    }
}
