//! What the header says of the pixels (PS3.3 C.7.6.3): checked, and within the limits.

use dicom_dictionary_std::tags;

use crate::attributes::bad;
use crate::error::DicomError;
use crate::limits::{
    MAX_FRAME_BYTES, MAX_FRAME_PIXELS, MAX_FRAMES, MAX_SAMPLES_PER_PIXEL, MAX_SIDE,
};
use crate::read::{DicomFile, has_pixels};

/// What the samples mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Photometric {
    /// Grey, 0 is white.
    Monochrome1,
    /// Grey, 0 is black.
    Monochrome2,
    /// Indices into the palette.
    Palette,
    /// Red, green, blue.
    Rgb,
    /// Luminance and two colour differences, full range.
    YbrFull,
    /// As `YbrFull`, colour at half the columns.
    YbrFull422,
    /// The irreversible transform of JPEG 2000, which its decoder undoes.
    YbrIct,
    /// The reversible transform of JPEG 2000, which its decoder undoes.
    YbrRct,
}

impl Photometric {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Monochrome1, "MONOCHROME1"),
        (Self::Monochrome2, "MONOCHROME2"),
        (Self::Palette, "PALETTE COLOR"),
        (Self::Rgb, "RGB"),
        (Self::YbrFull, "YBR_FULL"),
        (Self::YbrFull422, "YBR_FULL_422"),
        (Self::YbrIct, "YBR_ICT"),
        (Self::YbrRct, "YBR_RCT"),
    ];

    /// The term of the standard.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Whether samples are brightness and no colours or indices.
    pub fn is_grey(self) -> bool {
        matches!(self, Self::Monochrome1 | Self::Monochrome2)
    }
}

/// Number type of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleType {
    /// Whole numbers without sign.
    Unsigned,
    /// Whole numbers in two's complement.
    Signed,
    /// 32-bit floats (Float Pixel Data).
    Float,
    /// 64-bit floats (Double Float Pixel Data).
    Double,
}

/// What the header says of the pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Height of a frame in pixels, at least 1.
    pub rows: u32,
    /// Width of a frame in pixels, at least 1.
    pub columns: u32,
    /// Number of frames, at least 1.
    pub frames: u32,
    /// Samples of a pixel: 1, 3, or 4 of which the last is left out.
    pub samples: u16,
    /// Bits that a sample takes: 1, 8, 16, 32 or 64.
    pub bits_allocated: u16,
    /// Bits of a sample that count.
    pub bits_stored: u16,
    /// The highest of them.
    pub high_bit: u16,
    /// Number type.
    pub sample_type: SampleType,
    /// Whether each colour has a plane of its own in uncompressed data.
    pub planar: bool,
    /// What samples mean.
    pub photometric: Photometric,
}

impl Layout {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// No image, an attribute that is missing or of no use, a size past the limits.
    pub fn read(file: &DicomFile) -> Result<Self, DicomError> {
        if !has_pixels(file) {
            return Err(DicomError::NoImage { reason: "it has no pixel data" });
        }
        let attributes = file.attributes();
        let side = 1..=i64::from(MAX_SIDE);
        let rows = attributes.required("Rows", tags::ROWS, side.clone(), "1 to 65535")?;
        let columns = attributes.required("Columns", tags::COLUMNS, side, "1 to 65535")?;
        let frames =
            attributes.integer("NumberOfFrames", tags::NUMBER_OF_FRAMES)?.unwrap_or(1).max(1);
        if frames > i64::from(MAX_FRAMES) {
            let (found, limit) = (frames as u64, u64::from(MAX_FRAMES));
            return Err(DicomError::TooLarge { what: "the number of frames", found, limit });
        }
        let samples = attributes.integer("SamplesPerPixel", tags::SAMPLES_PER_PIXEL)?.unwrap_or(1);
        if samples != 1 && samples != 3 && samples != i64::from(MAX_SAMPLES_PER_PIXEL) {
            return Err(bad("SamplesPerPixel", tags::SAMPLES_PER_PIXEL, "1, 3 or 4"));
        }
        let bits_allocated = attributes.required(
            "BitsAllocated",
            tags::BITS_ALLOCATED,
            1..=64,
            "1, 8, 16, 32 or 64",
        )?;
        let sample_type = if file.object.get(tags::FLOAT_PIXEL_DATA).is_some() {
            SampleType::Float
        } else if file.object.get(tags::DOUBLE_FLOAT_PIXEL_DATA).is_some() {
            SampleType::Double
        } else if attributes.integer("PixelRepresentation", tags::PIXEL_REPRESENTATION)? == Some(1)
        {
            SampleType::Signed
        } else {
            SampleType::Unsigned
        };
        let fits = match sample_type {
            SampleType::Float => bits_allocated == 32,
            SampleType::Double => bits_allocated == 64,
            _ => matches!(bits_allocated, 1 | 8 | 16 | 32),
        };
        if !fits {
            return Err(bad(
                "BitsAllocated",
                tags::BITS_ALLOCATED,
                "1, 8, 16 or 32 (64 for doubles)",
            ));
        }
        let allocated = i64::from(bits_allocated);
        let bits_stored = attributes.integer("BitsStored", tags::BITS_STORED)?.unwrap_or(allocated);
        if !(1..=allocated).contains(&bits_stored) {
            return Err(bad("BitsStored", tags::BITS_STORED, "1 to BitsAllocated"));
        }
        let high_bit = attributes.integer("HighBit", tags::HIGH_BIT)?.unwrap_or(bits_stored - 1);
        if !(bits_stored - 1..allocated).contains(&high_bit) {
            return Err(bad("HighBit", tags::HIGH_BIT, "BitsStored - 1 to BitsAllocated - 1"));
        }
        let photometric = match attributes.text(tags::PHOTOMETRIC_INTERPRETATION) {
            Some(text) => Photometric::ALL.iter().find(|(_, name)| *name == text).map(|(p, _)| *p),
            None if samples == 1 => Some(Photometric::Monochrome2),
            None => Some(Photometric::Rgb),
        };
        let name = "PhotometricInterpretation";
        let photometric = photometric.ok_or_else(|| {
            let expected = "MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB or a YBR_ one";
            bad(name, tags::PHOTOMETRIC_INTERPRETATION, expected)
        })?;
        let one = photometric.is_grey() || photometric == Photometric::Palette;
        if one != (samples == 1) {
            let expected = "one that goes with SamplesPerPixel";
            return Err(bad(name, tags::PHOTOMETRIC_INTERPRETATION, expected));
        }
        let planar =
            attributes.integer("PlanarConfiguration", tags::PLANAR_CONFIGURATION)? == Some(1);
        let layout = Self {
            rows,
            columns,
            frames: frames as u32,
            samples: samples as u16,
            bits_allocated: bits_allocated as u16,
            bits_stored: bits_stored as u16,
            high_bit: high_bit as u16,
            sample_type,
            planar,
            photometric,
        };
        layout.check_size()?;
        Ok(layout)
    }

    fn check_size(&self) -> Result<(), DicomError> {
        let pixels = self.pixels() as u64;
        if pixels > MAX_FRAME_PIXELS {
            let what = "the number of pixels of a frame";
            return Err(DicomError::TooLarge { what, found: pixels, limit: MAX_FRAME_PIXELS });
        }
        let bytes = pixels * u64::from(self.samples) * u64::from(self.bits_allocated.max(8) / 8);
        if bytes > MAX_FRAME_BYTES {
            let what = "the number of bytes of a frame";
            return Err(DicomError::TooLarge { what, found: bytes, limit: MAX_FRAME_BYTES });
        }
        Ok(())
    }

    /// Pixels of a frame. Rows and columns have 16 bits: no overflow in 64, and `MAX_FRAME_PIXELS` fits 32.
    pub fn pixels(&self) -> usize {
        (u64::from(self.rows) * u64::from(self.columns)).min(usize::MAX as u64) as usize
    }

    /// Samples of a frame.
    pub fn values(&self) -> usize {
        self.pixels() * usize::from(self.samples)
    }
}
