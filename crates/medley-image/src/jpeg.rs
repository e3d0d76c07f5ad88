//! Walks a JPEG file's markers: how large is it, and is it all there?
//!
//! Source: ITU-T T.81, annex B. The decoder in use paints what is missing grey without a word; a
//! grey lung is worse than no answer, so a file without its end is refused before decoding.

use crate::error::ImageError;

/// Start of image, and the first byte of the next marker.
pub(crate) const SIGNATURE: [u8; 3] = [0xff, 0xd8, 0xff];

/// What the frame header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub width: u32,
    pub height: u32,
}

/// Reads the size and checks that at least one scan and the end marker are there.
pub(crate) fn scan(bytes: &[u8]) -> Result<Header, ImageError> {
    let cut = |missing| ImageError::Truncated { format: "JPEG", missing, length: bytes.len() };
    let mut header = None;
    let mut scans = 0;
    let mut at = 2;
    loop {
        let Some((marker, after)) = next_marker(bytes, at) else {
            return Err(cut(match (header, scans) {
                (None, _) => "the header",
                (_, 0) => "the pixels",
                _ => "the end of the pixels",
            }));
        };
        at = after;
        match marker {
            // End of image. What follows is not looked at: some cameras append a second picture.
            0xd9 => break,
            // Restart, temporary and start of image: no length follows.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let length = match bytes.get(at..at + 2) {
            Some(two) => usize::from(two[0]) << 8 | usize::from(two[1]),
            None => return Err(cut("a segment")),
        };
        if length < 2 {
            return Err(ImageError::Damaged {
                format: "JPEG",
                reason: format!("the segment at byte {at} says it is {length} bytes long"),
            });
        }
        let Some(segment) = bytes.get(at + 2..at + length) else {
            return Err(cut("a segment"));
        };
        match marker {
            // Frame headers, all but the tables that share their range of numbers.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                if segment.len() < 5 {
                    return Err(cut("the header"));
                }
                let side = |i: usize| u32::from(segment[i]) << 8 | u32::from(segment[i + 1]);
                header = Some(Header { height: side(1), width: side(3) });
            }
            0xda => scans += 1,
            _ => {}
        }
        // After a start of scan the pixels follow; `next_marker` passes over them.
        at += length;
    }
    match header {
        Some(header) if scans > 0 => Ok(header),
        Some(_) => Err(cut("the pixels")),
        None => Err(cut("the header")),
    }
}

/// The next marker at or after `at`, and where it ends. Stuffed zeros (`FF 00`) and fill bytes are
/// no markers.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|&b| b == 0xff)?;
        match *bytes.get(at + 1)? {
            0x00 => at += 2,
            0xff => at += 1,
            marker => return Some((marker, at + 2)),
        }
    }
}
