//! RLE (PS3.5 annex G): byte planes, each packed by runs.

use crate::error::DicomError;
use crate::layout::Layout;

/// The header: a count and the offsets of up to 15 segments.
const HEADER: usize = 64;
const MAX_SEGMENTS: usize = 15;

/// Unpacks a frame to bytes, little endian, interleaved. One-bit samples stay packed in bytes.
pub(crate) fn rle(layout: &Layout, bytes: &[u8], frame: u32) -> Result<Vec<u8>, DicomError> {
    unpack(layout, bytes).map_err(|reason| DicomError::BadFrame {
        frame,
        codec: "RLE",
        reason: reason.into(),
    })
}

fn unpack(layout: &Layout, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let header = bytes.get(..HEADER).ok_or("the header is cut off")?;
    let word = |index: usize| {
        let at = index * 4;
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize
    };
    let samples = usize::from(layout.samples);
    let width = usize::from(layout.bits_allocated.max(8) / 8);
    let segments = samples * width;
    if word(0) != segments || segments > MAX_SEGMENTS {
        return Err("the number of segments does not go with samples and bits");
    }
    let plane = match layout.bits_allocated {
        1 => layout.values().div_ceil(8),
        _ => layout.pixels(),
    };
    let mut out = vec![0; plane * segments];
    for segment in 0..segments {
        let start = word(segment + 1);
        let end = if segment + 1 < segments { word(segment + 2) } else { bytes.len() };
        let packed = bytes.get(start..end).ok_or("a segment lies outside of the frame")?;
        // Segments run from the highest byte of the first sample to the lowest of the last.
        let (sample, byte) = (segment / width, width - 1 - segment % width);
        let first = sample * width + byte;
        segment_into(packed, &mut out, first, segments, plane)?;
    }
    Ok(out)
}

/// Unpacks `count` bytes, and writes each `step` bytes on from `first`.
fn segment_into(
    packed: &[u8],
    out: &mut [u8],
    first: usize,
    step: usize,
    count: usize,
) -> Result<(), &'static str> {
    let mut targets = out.iter_mut().skip(first).step_by(step).take(count);
    let mut left = count;
    let mut rest = packed;
    while left > 0 {
        let (&control, after) = rest.split_first().ok_or("a segment ends too early")?;
        rest = after;
        match control as i8 {
            -128 => {}
            literal @ 0.. => {
                let length = literal as usize + 1;
                // The padding of the last run may lie beyond the plane.
                let used = length.min(left);
                let (values, after) =
                    rest.split_at_checked(used).ok_or("a segment ends inside of a run")?;
                for (value, target) in values.iter().zip(targets.by_ref()) {
                    *target = *value;
                }
                rest = after.get(length - used..).unwrap_or_default();
                left -= used;
            }
            repeat => {
                let (&value, after) = rest.split_first().ok_or("a segment ends inside of a run")?;
                let used = (1 - isize::from(repeat)) as usize;
                let used = used.min(left);
                targets.by_ref().take(used).for_each(|target| *target = value);
                rest = after;
                left -= used;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_literals_unpack_and_stop_at_the_plane() {
        let mut out = [0; 6];
        // Three literal bytes, then a run of four of which three fit.
        segment_into(&[2, 1, 2, 3, 253, 9], &mut out, 0, 1, 6).unwrap();
        assert_eq!(out, [1, 2, 3, 9, 9, 9]);
        assert!(segment_into(&[2, 1], &mut out, 0, 1, 6).is_err());
    }
}
