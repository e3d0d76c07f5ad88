//! Colour: YBR to RGB (PS3.3 C.7.6.3.1.2), and palettes (C.7.6.3.1.5).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::error::DicomError;
use crate::frame::Frame;
use crate::layout::{Layout, Photometric};
use crate::limits::MAX_LUT_ENTRIES;
use crate::lut::Lut;
use crate::read::DicomFile;
use crate::samples::Samples;

/// Gives both pixels of each pair their colour: Y Y Cb Cr becomes Y Cb Cr, Y Cb Cr.
pub(crate) fn expand_422(layout: &Layout, bytes: &[u8], width: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(layout.values() * width);
    for pair in bytes.chunks_exact(4 * width) {
        let (first, rest) = pair.split_at(width);
        let (second, color) = rest.split_at(width);
        for luminance in [first, second] {
            out.extend_from_slice(luminance);
            out.extend_from_slice(color);
        }
    }
    out
}

/// Converts YBR to RGB; RGB is passed on.
pub(crate) fn to_rgb(frame: &Frame) -> Result<Samples, DicomError> {
    match (&frame.samples, frame.photometric) {
        (samples, Photometric::Rgb) => Ok(samples.clone()),
        (Samples::U8(values), Photometric::YbrFull) => {
            let pixels = values.chunks_exact(3);
            Ok(Samples::U8(pixels.flat_map(|p| ybr_to_rgb([p[0], p[1], p[2]])).collect()))
        }
        (_, photometric) => Err(DicomError::UnsupportedPixels {
            reason: format!("{} other than of 8 bits without sign", photometric.name()),
        }),
    }
}

fn ybr_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let red = y + 1.402 * cr;
    let green = y - (0.114 * 1.772 / 0.587) * cb - (0.299 * 1.402 / 0.587) * cr;
    let blue = y + 1.772 * cb;
    // The cast cuts to 0..255.
    [red, green, blue].map(|v| (v + 0.5).floor() as u8)
}

/// The three tables of a palette.
pub(crate) struct Palette {
    tables: [Lut; 3],
}

impl Palette {
    /// Reads the plain tables. Segmented ones are refused.
    pub(crate) fn read(file: &DicomFile) -> Result<Self, DicomError> {
        let attributes = file.attributes();
        let table = |name, descriptor, data: Tag| {
            let missing = || DicomError::MissingAttribute { name, tag: data.to_string() };
            Lut::read(&attributes, name, descriptor, data)?.ok_or_else(missing)
        };
        if file.object.get(tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA).is_some() {
            let reason = "a palette in segments; one in plain tables is read".to_owned();
            return Err(DicomError::UnsupportedPixels { reason });
        }
        let tables = [
            table(
                "RedPaletteColorLookupTableData",
                tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            )?,
            table(
                "GreenPaletteColorLookupTableData",
                tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            )?,
            table(
                "BluePaletteColorLookupTableData",
                tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            )?,
        ];
        debug_assert!(tables.iter().all(|table| table.len() <= MAX_LUT_ENTRIES));
        Ok(Self { tables })
    }

    /// Red, green, blue in 0..1.
    pub(crate) fn color(&self, index: f64) -> [f32; 3] {
        [0, 1, 2].map(|c| {
            let table = &self.tables[c];
            (table.value(index) / table.full_scale()) as f32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_stays_grey_and_primaries_come_back() {
        assert_eq!(ybr_to_rgb([77, 128, 128]), [77, 77, 77]);
        // Pure red has Y 76, Cb 85, Cr 255 by the forward equations, rounded: within 1 of 255, 0, 0.
        let [red, green, blue] = ybr_to_rgb([76, 85, 255]);
        assert!(red >= 254 && green <= 1 && blue <= 1, "{red} {green} {blue}");
    }
}
