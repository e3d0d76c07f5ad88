//! What a file holds, without a word that identifies anybody.

use dicom_dictionary_std::tags;
use serde::Serialize;

use crate::error::DicomError;
use crate::frame::Frame;
use crate::layout::{Layout, SampleType};
use crate::read::{DicomFile, has_pixels};

/// Technical facts about a DICOM file. Nothing here names a patient, a place or a time.
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(rename = "FileInfo"))]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Info {
    /// Length of the file.
    pub bytes: usize,
    /// UID of the transfer syntax; none if the file does not state it.
    pub transfer_syntax: Option<String>,
    /// Its name.
    pub syntax_name: &'static str,
    /// Modality, as "CT".
    pub modality: Option<String>,
    /// What the pixels are; none if the object has no image.
    // Written by hand there: its fields lie beside these, where there is an image.
    #[cfg_attr(feature = "types", ts(skip))]
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageInfo>,
}

/// What the header says of the pixels, and what they are.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ImageInfo {
    /// Photometric interpretation.
    pub photometric: &'static str,
    /// Height in pixels.
    pub rows: u32,
    /// Width in pixels.
    pub columns: u32,
    /// Number of frames.
    pub frames: u32,
    /// Bits that a sample takes.
    pub bits_allocated: u16,
    /// Bits that count; none for floats.
    pub bits_stored: Option<u16>,
    /// 1 for samples with sign, 0 without; none for floats.
    pub pixel_representation: Option<u8>,
    /// Millimetres between rows and between columns.
    pub pixel_spacing: Option<[f64; 2]>,
    /// The first frame, decoded.
    pub first_frame: FrameInfo,
}

/// Figures of a decoded frame, of its samples as stored.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FrameInfo {
    /// Least sample.
    pub min: f64,
    /// Greatest sample.
    pub max: f64,
    /// Mean of all samples.
    pub mean: f64,
    /// SHA-256 of the samples, interleaved, little endian, in hexadecimal.
    pub sha256_le: String,
    /// Rows, columns, and samples of a pixel where there are several.
    pub shape: Vec<u32>,
    /// Number type, as NumPy names it.
    pub dtype: &'static str,
}

/// Reads a file and decodes its first frame.
///
/// # Errors
/// What [`DicomFile::parse`] and [`DicomFile::frame`] refuse. An object without pixels is no error here.
pub fn info(bytes: &[u8]) -> Result<Info, DicomError> {
    let file = DicomFile::parse(bytes)?;
    let image = if has_pixels(&file) { Some(image_info(&file)?) } else { None };
    Ok(Info {
        bytes: bytes.len(),
        transfer_syntax: file.states_syntax().then(|| file.syntax().uid.to_owned()),
        syntax_name: file.syntax().name,
        modality: file.modality(),
        image,
    })
}

impl DicomFile {
    /// Modality, as "CT"; none if the file does not say.
    pub fn modality(&self) -> Option<String> {
        let text = self.attributes().text(tags::MODALITY)?;
        // A code string; anything else is not passed on.
        let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_ ".contains(c);
        (text.len() <= 16 && text.chars().all(is_code)).then_some(text)
    }
}

fn image_info(file: &DicomFile) -> Result<ImageInfo, DicomError> {
    let layout = Layout::read(file)?;
    let frame = file.frame_of(&layout, 0)?;
    let whole = matches!(layout.sample_type, SampleType::Signed | SampleType::Unsigned);
    Ok(ImageInfo {
        photometric: layout.photometric.name(),
        rows: layout.rows,
        columns: layout.columns,
        frames: layout.frames,
        bits_allocated: layout.bits_allocated,
        bits_stored: whole.then_some(layout.bits_stored),
        pixel_representation: whole.then_some(u8::from(layout.sample_type == SampleType::Signed)),
        pixel_spacing: file.geometry(0).spacing,
        first_frame: frame_info(&frame),
    })
}

fn frame_info(frame: &Frame) -> FrameInfo {
    let found = frame.samples.statistics();
    let mut shape = vec![frame.rows, frame.columns];
    if frame.channels > 1 {
        shape.push(u32::from(frame.channels));
    }
    FrameInfo {
        min: found.min,
        max: found.max,
        mean: found.mean,
        sha256_le: medley_package::digest(&frame.samples.to_le_bytes()),
        shape,
        dtype: frame.samples.type_name(),
    }
}
