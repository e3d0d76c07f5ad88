//! JPEG 2000 and High-Throughput JPEG 2000.

use super::{Content, Decoded, Fault, same_size};
use crate::layout::{Layout, SampleType};

/// Marker SIZ and the bytes from it to the number of components.
const SIZ: [u8; 2] = [0xFF, 0x51];
const COMPONENTS_AT: usize = 38;

pub(super) fn decode(layout: &Layout, bytes: &[u8]) -> Result<Decoded, Fault> {
    check_header(layout, bytes)?;
    let parameters = jpeg2k::DecodeParameters::new().strict(true);
    let image = jpeg2k::Image::from_bytes_with(bytes, parameters)
        .map_err(|error| Fault(format!("{error}")))?;
    let components = image.components();
    let pixels = layout.pixels();
    if components.len() != usize::from(layout.samples)
        || components.iter().any(|component| component.data().len() != pixels)
    {
        return Err("its components differ in size or number from the header".into());
    }
    // Where the data and the header disagree about the sign, the bits count.
    let signed = layout.sample_type == SampleType::Signed;
    let same = components.iter().all(|component| component.is_signed() == signed);
    let mut values = Vec::with_capacity(layout.values());
    for pixel in 0..pixels {
        values.extend(components.iter().map(|component| component.data()[pixel]));
    }
    if !same {
        let precision = components[0].precision().clamp(1, 32);
        let unused = 32 - precision;
        for value in &mut values {
            *value = if signed {
                *value << unused >> unused
            } else {
                ((*value as u32) << unused >> unused) as i32
            };
        }
    }
    Ok(Decoded {
        width: layout.columns,
        height: layout.rows,
        channels: layout.samples,
        values,
        has_sign: true,
        content: Content::AsStated,
    })
}

/// Compares the sizes of the codestream's first marker with the header: the decoder allocates by them.
fn check_header(layout: &Layout, bytes: &[u8]) -> Result<(), Fault> {
    let at = bytes.windows(2).position(|pair| pair == SIZ).ok_or("no marker SIZ")?;
    let siz = bytes.get(at..at + COMPONENTS_AT + 2).ok_or("the marker SIZ is cut off")?;
    let word = |at: usize| u32::from_be_bytes([siz[at], siz[at + 1], siz[at + 2], siz[at + 3]]);
    let (width, height) = (word(6), word(10));
    let (left, top) = (word(14), word(18));
    let size = (width.checked_sub(left), height.checked_sub(top));
    let (Some(width), Some(height)) = size else { return Err("its size is below 0".into()) };
    let channels = u16::from_be_bytes([siz[COMPONENTS_AT], siz[COMPONENTS_AT + 1]]);
    same_size(layout, width, height, channels)
}
