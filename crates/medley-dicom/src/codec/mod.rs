//! Decoders of compressed frames, all of them Rust.

mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod jpeg_xl;
mod rle;

use std::io::Read;

use crate::error::DicomError;
use crate::layout::Layout;
use crate::syntax::Codec;

pub(crate) use rle::rle;

/// What colours are, where the compressed data say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Rgb,
    Ybr,
    /// What the header of the object says.
    AsStated,
}

/// Samples of a decoded frame, interleaved, row by row.
#[derive(Debug)]
pub(crate) struct Decoded {
    width: u32,
    height: u32,
    channels: u16,
    pub(crate) values: Vec<i32>,
    /// Whether values carry their sign; else they are bits as they lie in the file.
    pub(crate) has_sign: bool,
    pub(crate) content: Content,
}

/// Decodes a frame and compares its size with the header's.
pub(crate) fn decode(
    codec: Codec,
    layout: &Layout,
    bytes: &[u8],
    frame: u32,
) -> Result<Decoded, DicomError> {
    let (name, decoded) = match codec {
        Codec::Jpeg => ("JPEG", jpeg::decode(layout, bytes)),
        Codec::JpegLs => ("JPEG-LS", jpeg_ls::decode(layout, bytes)),
        Codec::Jpeg2000 => ("JPEG 2000", jpeg2000::decode(layout, bytes)),
        Codec::JpegXl => ("JPEG XL", jpeg_xl::decode(layout, bytes)),
        _ => ("", Err("no decoder of frames".into())),
    };
    let damaged = |reason: String| DicomError::BadFrame { frame, codec: name, reason };
    let decoded = decoded.map_err(|Fault(reason)| damaged(reason))?;
    let Decoded { width, height, channels, .. } = decoded;
    same_size(layout, width, height, channels).map_err(|Fault(reason)| damaged(reason))?;
    if decoded.values.len() != layout.values() {
        let (found, expected) = (decoded.values.len(), layout.values());
        return Err(damaged(format!("expected {expected} samples, found {found}")));
    }
    Ok(decoded)
}

/// What a decoder found wrong, in words.
#[derive(Debug)]
pub(crate) struct Fault(String);

impl From<&str> for Fault {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Compares a size that compressed data declare with the header's, which is within the limits; before anything
/// is allocated.
fn same_size(layout: &Layout, width: u32, height: u32, channels: u16) -> Result<(), Fault> {
    if (width, height, channels) == (layout.columns, layout.rows, layout.samples) {
        return Ok(());
    }
    Err(Fault(format!(
        "the data are of {width}x{height} pixels of {channels} samples, and the header says {}x{} of {}",
        layout.columns, layout.rows, layout.samples
    )))
}

/// Inflates a frame to `length` bytes; what would follow is left.
pub(crate) fn inflate_frame(
    bytes: &[u8],
    length: usize,
    frame: u32,
) -> Result<Vec<u8>, DicomError> {
    let mut out = Vec::new();
    match flate2::read::DeflateDecoder::new(bytes).take(length as u64).read_to_end(&mut out) {
        Ok(_) => Ok(out),
        Err(_) => Err(DicomError::BadFrame {
            frame,
            codec: "deflate",
            reason: "the data do not inflate".into(),
        }),
    }
}
