//! JPEG (ITU-T T.81): DCT of 8 bits by `zune-jpeg`; DCT of 12 bits and lossless, which no kept Rust crate reads
//! for all predictors and precisions, by hand.

mod baseline;
mod dct;
mod header;
mod huffman;
mod lossless;
mod scan;

use super::{Content, Decoded, Fault, same_size};
use crate::layout::{Layout, Photometric};
use header::{Header, Process};

pub(super) fn decode(layout: &Layout, bytes: &[u8]) -> Result<Decoded, Fault> {
    let header = Header::read(bytes)?;
    same_size(layout, header.width, header.height, header.components.len() as u16)?;
    let values = match header.process {
        Process::Dct if header.precision == 8 => baseline::decode(layout, bytes)?,
        Process::Dct => dct::decode(&header, bytes)?,
        Process::Lossless => lossless::decode(&header, bytes)?,
        Process::Progressive if header.precision == 8 => baseline::decode(layout, bytes)?,
        Process::Progressive => return Err("progressive JPEG of 12 bits is not read".into()),
    };
    Ok(Decoded {
        width: header.width,
        height: header.height,
        channels: layout.samples,
        values,
        has_sign: false,
        content: content(layout, &header),
    })
}

/// What the colours are. Headers of objects are often wrong about compressed data, so what the data say of
/// themselves goes first; lossless JPEG has no colour transform of its own.
fn content(layout: &Layout, header: &Header) -> Content {
    if layout.samples == 1 || header.process == Process::Lossless {
        return Content::AsStated;
    }
    let ids: Vec<u8> = header.components.iter().map(|component| component.id).collect();
    match header.adobe_transform {
        Some(0) => Content::Rgb,
        Some(_) => Content::Ybr,
        None if ids == *b"RGB" => Content::Rgb,
        None if header.jfif => Content::Ybr,
        None if layout.photometric == Photometric::Rgb => Content::Rgb,
        None => Content::Ybr,
    }
}
