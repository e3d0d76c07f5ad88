//! From the bytes of a file to an [`Image`]; what a file says of itself is checked before use.

use std::io::Cursor;

use image::codecs::{jpeg::JpegDecoder, png::PngDecoder};
use image::{DynamicImage, ImageDecoder};

use crate::error::ImageError;
use crate::image::{Image, check_size, unit_of_u8, unit_of_u16};
use crate::jpeg;
use crate::limits::{MAX_EXTRAS_BYTES, MAX_SIDE};

const PNG: &str = "PNG";
const JPEG: &str = "JPEG";
const PNG_SIGNATURE: [u8; 8] = [137, 80, 78, 71, 13, 10, 26, 10];

impl Image {
    /// Reads a PNG or JPEG file: 8 or 16 bits, grey, palette or RGB, with or without alpha (laid
    /// over black). 16 bits keep their precision. The orientation in the file's EXIF is applied.
    ///
    /// The format is known by its first bytes, not by a name. The size in the header is checked
    /// against [`MAX_SIDE`] and [`MAX_PIXELS`](crate::MAX_PIXELS) before anything is allocated.
    ///
    /// # Errors
    /// Another format, a file that is cut off or damaged, a size past the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, ImageError> {
        let header = Header::read(bytes)?;
        match header.format {
            PNG => decode_png(bytes, &header),
            _ => decode_jpeg(bytes, &header),
        }
    }

    /// Width and height that a PNG or JPEG file states, in pixels, before its EXIF turns the
    /// picture; no pixel is decoded.
    ///
    /// # Errors
    /// Another format, a file without a whole header, a JPEG that is cut off, a size past the limits.
    pub fn stated_size(bytes: &[u8]) -> Result<(u32, u32), ImageError> {
        let header = Header::read(bytes)?;
        Ok((header.width, header.height))
    }
}

/// Whether the values of a file have 16 bits, by its header: only a PNG's can.
///
/// [`Image::decode`] keeps them: where nothing is transparent, a value of the file is exactly `round(pixel · 65535)`.
pub fn has_sixteen_bits(bytes: &[u8]) -> bool {
    // After signature, length and name of the first chunk, width and height.
    bytes.starts_with(&PNG_SIGNATURE) && bytes.get(24) == Some(&16)
}

/// What the beginning of a file says.
struct Header {
    /// [`PNG`] or [`JPEG`].
    format: &'static str,
    width: u32,
    height: u32,
}

impl Header {
    /// Refuses what is no picture that is read, and sizes past the limits.
    fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let header = if bytes.starts_with(&PNG_SIGNATURE) {
            // Signature, length and name of the first chunk, width, height: the first 24 bytes.
            let (Some(width), Some(height)) = (be_u32(bytes, 16), be_u32(bytes, 20)) else {
                let (missing, length) = ("the header", bytes.len());
                return Err(ImageError::Truncated { format: PNG, missing, length });
            };
            Self { format: PNG, width, height }
        } else if bytes.starts_with(&jpeg::SIGNATURE) {
            // The decoder fills what is missing with grey and says nothing, so completeness is checked first.
            let jpeg::Header { width, height } = jpeg::scan(bytes)?;
            Self { format: JPEG, width, height }
        } else {
            return Err(ImageError::UnknownFormat { found: guess(bytes) });
        };
        check_size(header.width, header.height)?;
        Ok(header)
    }
}

fn decode_png(bytes: &[u8], header: &Header) -> Result<Image, ImageError> {
    let mut limits = image::Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_EXTRAS_BYTES);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits)
        .map_err(|error| failure(PNG, bytes, error))?;
    finish(header, bytes, decoder)
}

fn decode_jpeg(bytes: &[u8], header: &Header) -> Result<Image, ImageError> {
    let decoder =
        JpegDecoder::new(Cursor::new(bytes)).map_err(|error| failure(JPEG, bytes, error))?;
    finish(header, bytes, decoder)
}

fn finish(
    header: &Header,
    bytes: &[u8],
    mut decoder: impl ImageDecoder,
) -> Result<Image, ImageError> {
    let format = header.format;
    let (width, height) = decoder.dimensions();
    if (width, height) != (header.width, header.height) {
        // A JPEG may have several frame headers: the limits must hold for the one that is decoded.
        let reason = format!(
            "it states {}x{} pixels in one place and {width}x{height} in another",
            header.width, header.height
        );
        return Err(ImageError::Damaged { format, reason });
    }
    // A damaged EXIF block is no reason to refuse the picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture =
        DynamicImage::from_decoder(decoder).map_err(|error| failure(format, bytes, error))?;
    picture.apply_orientation(orientation);
    to_image(picture)
}

fn to_image(picture: DynamicImage) -> Result<Image, ImageError> {
    let (width, height) = (picture.width(), picture.height());
    let unit = unit_of_u8();
    match picture {
        DynamicImage::ImageLuma8(p) => Image::from_gray8(width, height, p.as_raw()),
        DynamicImage::ImageRgb8(p) => Image::from_rgb8(width, height, p.as_raw()),
        DynamicImage::ImageRgba8(p) => Image::from_rgba8(width, height, p.as_raw()),
        DynamicImage::ImageLuma16(p) => Image::from_gray16(width, height, p.as_raw()),
        DynamicImage::ImageLumaA8(p) => {
            let grey = |p: &[u8]| unit[p[0] as usize] * unit[p[1] as usize];
            Image::from_grey(width, height, p.as_raw().chunks_exact(2).map(grey).collect())
        }
        DynamicImage::ImageLumaA16(p) => {
            let grey = |p: &[u16]| unit_of_u16(p[0]) * unit_of_u16(p[1]);
            Image::from_grey(width, height, p.as_raw().chunks_exact(2).map(grey).collect())
        }
        DynamicImage::ImageRgba16(p) => {
            let over = |p: &[u16]| {
                let alpha = unit_of_u16(p[3]);
                [p[0], p[1], p[2]].map(|v| unit_of_u16(v) * alpha)
            };
            Image::new(width, height, p.as_raw().chunks_exact(4).flat_map(over).collect())
        }
        other => Image::new(width, height, other.into_rgb32f().into_raw()),
    }
}

/// The decoder's error in this crate's words.
fn failure(format: &'static str, bytes: &[u8], error: image::ImageError) -> ImageError {
    match error {
        image::ImageError::Unsupported(error) => {
            ImageError::Unsupported { format, reason: error.to_string() }
        }
        image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ImageError::Truncated { format, missing: "part of the pixels", length: bytes.len() }
        }
        error => ImageError::Damaged { format, reason: error.to_string() },
    }
}

/// What bytes of no supported format look like, for the error's reader.
fn guess(bytes: &[u8]) -> &'static str {
    let at =
        |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|b| b.starts_with(magic));
    if bytes.is_empty() {
        "an empty file"
    } else if at(128, b"DICM") {
        "DICOM"
    } else if at(0, b"GIF8") {
        "GIF"
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        "WebP"
    } else if at(0, b"II*\0") || at(0, b"MM\0*") {
        "TIFF"
    } else if at(0, b"BM") {
        "BMP"
    } else if at(0, b"\0\0\0\x0cjP  ") {
        "JPEG 2000"
    } else if at(4, b"ftyp") {
        "HEIF or AVIF"
    } else if at(0, b"\x1f\x8b") {
        "a gzip archive (NIfTI?)"
    } else if at(0, b"%PDF") {
        "PDF"
    } else if at(0, b"<svg") || at(0, b"<?xml") {
        "SVG or XML"
    } else if is_text(&bytes[..bytes.len().min(64)]) {
        "text"
    } else {
        "something unknown"
    }
}

/// Whether bytes are the beginning of a text in UTF-8; its last character may be cut in two.
fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_whitespace())
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

#[cfg(test)]
mod tests;
