//! Which bytes belong to a frame: uncompressed pixels (PS3.5 section 8) and fragments (annex A.4).

use std::borrow::Cow;

use dicom_core::value::{PrimitiveValue, Value};
use dicom_dictionary_std::tags;

use crate::error::DicomError;
use crate::layout::{Layout, Photometric, SampleType};
use crate::read::DicomFile;
use crate::syntax::DataSet;

/// Bytes of an item's tag and length before each fragment.
const ITEM_HEADER: u64 = 8;

/// The bytes of an uncompressed frame, little endian. One-bit frames are unpacked to a byte a sample, because
/// the next one may begin inside of a byte.
pub(crate) fn native_frame(
    file: &DicomFile,
    layout: &Layout,
    frame: u32,
) -> Result<Vec<u8>, DicomError> {
    let tag = match layout.sample_type {
        SampleType::Float => tags::FLOAT_PIXEL_DATA,
        SampleType::Double => tags::DOUBLE_FLOAT_PIXEL_DATA,
        _ => tags::PIXEL_DATA,
    };
    let value = file.object.get(tag).and_then(|element| element.value().primitive());
    let value = value.ok_or_else(|| DicomError::Damaged {
        reason: "its pixels are in fragments, and its transfer syntax says that they are not"
            .into(),
    })?;
    let values = layout.values() as u64;
    let bits = match layout.photometric {
        // Two luminances, one of each colour difference for two pixels.
        Photometric::YbrFull422 => layout.pixels() as u64 * 2 * u64::from(layout.bits_allocated),
        _ => values * u64::from(layout.bits_allocated),
    };
    let (begin, end) = (bits * u64::from(frame), bits * (u64::from(frame) + 1));
    let (from, to) = (begin / 8, end.div_ceil(8));
    let big = file.syntax().data_set == DataSet::ExplicitBig;
    let bytes = byte_range(value, from, to, u32::from(layout.bits_allocated), big)?;
    if layout.bits_allocated != 1 {
        return Ok(bytes);
    }
    Ok(unpack_bits(&bytes, begin % 8, values as usize))
}

/// Bits to bytes, from the lowest bit of each on.
pub(crate) fn unpack_bits(bytes: &[u8], first: u64, count: usize) -> Vec<u8> {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    bits.skip(first as usize).take(count).collect()
}

fn byte_range(
    value: &PrimitiveValue,
    from: u64,
    to: u64,
    bits: u32,
    big: bool,
) -> Result<Vec<u8>, DicomError> {
    let short = |there: usize| DicomError::Truncated {
        what: "the pixel data".into(),
        claimed: to,
        there: there as u64,
    };
    // A last frame of odd length in words may lack its padding.
    let (start, end) = (from as usize, to as usize);
    let words = |width: usize| start / width..end.div_ceil(width);
    let cut = |bytes: Vec<u8>, width: usize| bytes[start % width..][..end - start].to_vec();
    match value {
        PrimitiveValue::U8(bytes) => {
            let bytes = bytes.get(start..end).ok_or_else(|| short(bytes.len()))?;
            let width = if big { (bits / 8).max(1) as usize } else { 1 };
            Ok(bytes.chunks(width).flat_map(|chunk| chunk.iter().rev().copied()).collect())
        }
        PrimitiveValue::U16(all) => {
            let all = all.get(words(2)).ok_or_else(|| short(all.len() * 2))?;
            if big && bits == 32 {
                // The word with the high half comes first.
                let swapped = all.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]);
                return Ok(swapped.flat_map(u16::to_le_bytes).collect());
            }
            Ok(cut(all.iter().flat_map(|word| word.to_le_bytes()).collect(), 2))
        }
        PrimitiveValue::U32(all) => {
            let all = all.get(words(4)).ok_or_else(|| short(all.len() * 4))?;
            Ok(cut(all.iter().flat_map(|word| word.to_le_bytes()).collect(), 4))
        }
        PrimitiveValue::F32(all) => {
            let all = all.get(words(4)).ok_or_else(|| short(all.len() * 4))?;
            Ok(all.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
        PrimitiveValue::F64(all) => {
            let all = all.get(words(8)).ok_or_else(|| short(all.len() * 8))?;
            Ok(all.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
        PrimitiveValue::Empty => Err(DicomError::NoImage { reason: "its pixel data are empty" }),
        _ => Err(DicomError::Damaged { reason: "its pixel data are not of a binary type".into() }),
    }
}

/// The bytes of a frame in fragments.
pub(crate) fn encapsulated_frame<'a>(
    file: &'a DicomFile,
    layout: &Layout,
    frame: u32,
) -> Result<Cow<'a, [u8]>, DicomError> {
    let element = file
        .object
        .get(tags::PIXEL_DATA)
        .ok_or(DicomError::NoImage { reason: "it has no pixel data" })?;
    let Value::PixelSequence(sequence) = element.value() else {
        let reason = "its pixels are not in fragments, and its transfer syntax says that they are";
        return Err(DicomError::Damaged { reason: reason.into() });
    };
    let fragments = sequence.fragments();
    let frames = layout.frames as usize;
    if fragments.is_empty() {
        return Err(DicomError::NoImage { reason: "its pixel data are empty" });
    }
    let index = frame as usize;
    let part = if frames == 1 {
        fragments
    } else if fragments.len() == frames {
        &fragments[index..=index]
    } else {
        let starts = frame_starts(file, sequence.offset_table(), fragments, frames)?;
        let end = starts.get(index + 1).copied().unwrap_or(fragments.len());
        &fragments[starts[index]..end]
    };
    Ok(match part {
        [one] => Cow::Borrowed(one.as_slice()),
        several => Cow::Owned(several.concat()),
    })
}

/// The first fragment of each frame, ascending, by the offset tables, else by the start codes of the data.
fn frame_starts(
    file: &DicomFile,
    basic: &[u32],
    fragments: &[Vec<u8>],
    frames: usize,
) -> Result<Vec<usize>, DicomError> {
    let extended = file.object.get(tags::EXTENDED_OFFSET_TABLE).and_then(|element| {
        match element.value().primitive()? {
            PrimitiveValue::U64(offsets) => Some(offsets.to_vec()),
            PrimitiveValue::U8(bytes) => {
                let eight =
                    |c: &[u8]| u64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]);
                Some(bytes.chunks_exact(8).map(eight).collect())
            }
            _ => None,
        }
    });
    let offsets = extended.unwrap_or_else(|| basic.iter().map(|&offset| offset.into()).collect());
    if offsets.len() == frames {
        let mut position = 0;
        let positions: Vec<u64> = fragments
            .iter()
            .map(|fragment| {
                let here = position;
                position += ITEM_HEADER + fragment.len() as u64;
                here
            })
            .collect();
        let found: Option<Vec<usize>> =
            offsets.iter().map(|offset| positions.binary_search(offset).ok()).collect();
        if let Some(starts) = found.filter(|starts| starts.is_sorted_by(|a, b| a < b)) {
            return Ok(starts);
        }
    }
    // JPEG and JPEG-LS begin with FFD8, JPEG 2000 with FF4F, JPEG XL with FF0A or a box.
    let begins = |fragment: &Vec<u8>| {
        [&[0xFF, 0xD8][..], &[0xFF, 0x4F], &[0xFF, 0x0A], b"\0\0\0\x0C"]
            .iter()
            .any(|code| fragment.starts_with(code))
    };
    let starts: Vec<usize> = (0..fragments.len()).filter(|&i| begins(&fragments[i])).collect();
    if starts.len() == frames && starts[0] == 0 {
        return Ok(starts);
    }
    let count = fragments.len();
    Err(DicomError::Damaged {
        reason: format!("no way to divide {count} fragments into {frames} frames"),
    })
}
