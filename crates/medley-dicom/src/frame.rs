//! From the bytes of a frame to its samples.

use crate::codec::{self, Content};
use crate::color;
use crate::encapsulated::{encapsulated_frame, native_frame, unpack_bits};
use crate::error::DicomError;
use crate::layout::{Layout, Photometric};
use crate::read::DicomFile;
use crate::samples::Samples;
use crate::syntax::Codec;

/// A decoded frame, its samples as stored: grey before the modality transform, indices of palettes, colours
/// before YBR becomes RGB. [`DicomFile::display`] gives what a viewer shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Height in pixels.
    pub rows: u32,
    /// Width in pixels.
    pub columns: u32,
    /// Samples of a pixel: 1 or 3.
    pub channels: u16,
    /// What they mean: as the data say where they do; colour at half the columns is repeated, and the transforms
    /// of JPEG 2000 are undone.
    pub photometric: Photometric,
    /// Interleaved, row by row.
    pub samples: Samples,
}

impl DicomFile {
    /// Decodes a frame, counted from 0.
    ///
    /// # Errors
    /// What [`Layout::read`] refuses, no such frame, a syntax without a decoder, damaged data.
    pub fn frame(&self, frame: u32) -> Result<Frame, DicomError> {
        let layout = Layout::read(self)?;
        self.frame_of(&layout, frame)
    }

    pub(crate) fn frame_of(&self, layout: &Layout, frame: u32) -> Result<Frame, DicomError> {
        let syntax = self.syntax();
        if !syntax.is_decoded() {
            let uid = syntax.uid.to_owned();
            return Err(DicomError::UnsupportedSyntax { uid, name: syntax.name });
        }
        if frame >= layout.frames {
            return Err(DicomError::NoSuchFrame { frame, frames: layout.frames });
        }
        let (samples, photometric) = match syntax.codec {
            Codec::Native => {
                let bytes = native_frame(self, layout, frame)?;
                (uncompressed(layout, bytes), layout.photometric)
            }
            Codec::EncapsulatedNative | Codec::DeflatedFrame => {
                let bytes = encapsulated_frame(self, layout, frame)?;
                let length = stored_length(layout);
                let bytes = match syntax.codec {
                    Codec::DeflatedFrame => codec::inflate_frame(&bytes, length, frame)?,
                    _ => bytes.into_owned(),
                };
                if bytes.len() < length {
                    let what = format!("frame {frame}");
                    let (claimed, there) = (length as u64, bytes.len() as u64);
                    return Err(DicomError::Truncated { what, claimed, there });
                }
                (uncompressed(layout, unpacked(layout, bytes)), layout.photometric)
            }
            Codec::Rle => {
                let bytes = encapsulated_frame(self, layout, frame)?;
                let bytes = codec::rle(layout, &bytes, frame)?;
                // Segments are planes, and the decoder interleaves them.
                let interleaved = Layout { planar: false, ..layout.clone() };
                (uncompressed(&interleaved, unpacked(layout, bytes)), layout.photometric)
            }
            _ => {
                let bytes = encapsulated_frame(self, layout, frame)?;
                compressed(layout, &codec::decode(syntax.codec, layout, &bytes, frame)?)
            }
        };
        let samples = if layout.samples == 4 { three_of_four(&samples) } else { samples };
        let photometric = match photometric {
            Photometric::YbrFull422 => Photometric::YbrFull,
            Photometric::YbrIct | Photometric::YbrRct => Photometric::Rgb,
            other => other,
        };
        Ok(Frame {
            rows: layout.rows,
            columns: layout.columns,
            channels: layout.samples.min(3),
            photometric,
            samples,
        })
    }
}

/// Bytes of an uncompressed frame in a fragment of its own.
fn stored_length(layout: &Layout) -> usize {
    match layout.photometric {
        Photometric::YbrFull422 => layout.pixels() * 2 * usize::from(layout.bits_allocated) / 8,
        _ => (layout.values() * usize::from(layout.bits_allocated)).div_ceil(8),
    }
}

fn unpacked(layout: &Layout, bytes: Vec<u8>) -> Vec<u8> {
    if layout.bits_allocated == 1 { unpack_bits(&bytes, 0, layout.values()) } else { bytes }
}

fn uncompressed(layout: &Layout, bytes: Vec<u8>) -> Samples {
    let width = usize::from(layout.bits_allocated.max(8) / 8);
    let bytes = if layout.photometric == Photometric::YbrFull422 {
        color::expand_422(layout, &bytes, width)
    } else if layout.planar && layout.samples > 1 {
        interleaved(&bytes, layout.pixels(), usize::from(layout.samples), width)
    } else {
        bytes
    };
    Samples::from_bytes(layout, &bytes[..bytes.len().min(layout.values() * width)])
}

/// Planes to pixels.
fn interleaved(bytes: &[u8], pixels: usize, samples: usize, width: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for pixel in 0..pixels {
        for plane in 0..samples {
            let at = (plane * pixels + pixel) * width;
            out.extend_from_slice(bytes.get(at..at + width).unwrap_or_default());
        }
    }
    out
}

fn compressed(layout: &Layout, decoded: &codec::Decoded) -> (Samples, Photometric) {
    let photometric = match decoded.content {
        Content::Rgb => Photometric::Rgb,
        Content::Ybr => Photometric::YbrFull,
        Content::AsStated => layout.photometric,
    };
    let values = decoded.values.iter().copied();
    let samples = if decoded.has_sign {
        Samples::from_values(layout, values)
    } else {
        Samples::from_words(layout, values.map(|value| value as u32))
    };
    (samples, photometric)
}

/// Leaves out the fourth sample of each pixel.
fn three_of_four(samples: &Samples) -> Samples {
    fn cut<T: Copy>(values: &[T]) -> Vec<T> {
        values.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
    }
    match samples {
        Samples::U8(values) => Samples::U8(cut(values)),
        Samples::I8(values) => Samples::I8(cut(values)),
        Samples::U16(values) => Samples::U16(cut(values)),
        Samples::I16(values) => Samples::I16(cut(values)),
        Samples::U32(values) => Samples::U32(cut(values)),
        Samples::I32(values) => Samples::I32(cut(values)),
        Samples::F32(values) => Samples::F32(cut(values)),
        Samples::F64(values) => Samples::F64(cut(values)),
    }
}
