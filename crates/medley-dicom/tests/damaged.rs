//! Hostile files end in typed errors: no panic, no memory for sizes that are only declared. Damage by chance is in
//! `fuzz/tests/short_runs.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use medley_dicom::{DicomError, DicomFile, limits};

/// The meta information of an explicit file, and what follows.
fn explicit(body: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    file.extend(*b"\x02\x00\x10\x00UI\x14\x00");
    file.extend(b"1.2.840.10008.1.2.1\0");
    file.extend(body);
    file
}

#[test]
fn a_length_beyond_the_file_is_refused_before_it_is_allocated() {
    // A value of 4 GiB less two bytes, of which four bytes are there.
    let mut body = b"\x08\x00\x05\x00CS\x02\x00 A".to_vec();
    body.extend(*b"\xE0\x7F\x10\x00OW\0\0\xFE\xFF\xFF\xFF\x01\x02\x03\x04");
    let error = DicomFile::parse(&explicit(&body)).unwrap_err();
    assert!(matches!(error, DicomError::Truncated { claimed: 0xFFFF_FFFE, .. }), "{error}");
}

#[test]
fn nesting_without_end_is_refused_before_the_stack_is_full() {
    let mut body = Vec::new();
    for _ in 0..100_000 {
        body.extend(*b"\x08\x00\x40\x11SQ\0\0\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF");
    }
    let error = DicomFile::parse(&explicit(&body)).unwrap_err();
    let limit = limits::MAX_DEPTH as u64;
    assert!(matches!(error, DicomError::TooLarge { limit: l, .. } if l == limit), "{error}");
}

#[test]
fn frames_of_sizes_past_the_limits_are_refused() {
    let image = |rows: u16, frames: &str| {
        let mut body = b"\x28\x00\x02\x00US\x02\x00\x01\x00".to_vec();
        body.splice(0..0, *b"\x08\x00\x16\x00UI\x04\x001.2\0");
        body.extend(*b"\x28\x00\x08\x00IS\x06\x00");
        body.extend(frames.as_bytes());
        for (element, value) in [(0x10, rows), (0x11, rows), (0x100, 16)] {
            body.extend(*b"\x28\x00");
            body.extend(u16::to_le_bytes(element));
            body.extend(*b"US\x02\x00");
            body.extend(value.to_le_bytes());
        }
        body.extend(*b"\xE0\x7F\x10\x00OW\0\0\x02\x00\x00\x00\x01\x02");
        DicomFile::parse(&explicit(&body)).unwrap().frame(0).unwrap_err()
    };
    assert!(matches!(image(65_535, "1     "), DicomError::TooLarge { .. }));
    assert!(matches!(image(16, "999999"), DicomError::TooLarge { .. }));
    assert!(matches!(image(16, "1     "), DicomError::Truncated { claimed: 512, there: 2, .. }));
}
