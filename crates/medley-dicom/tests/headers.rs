//! The first bytes of a file give what the whole file gives, as far as sorting and results need it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod support;

use medley_dicom::{DicomError, DicomFile, Layout, SliceHeader};
use support::{fixture, fixtures, index, read};

/// A data set that is deflated as a whole hides where its pixels begin.
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// Tags of pixels as they lie in files, of both byte orders: whole numbers, floats, doubles.
const PIXEL_TAGS: [[u8; 4]; 4] =
    [[0xE0, 0x7F, 0x10, 0], [0x7F, 0xE0, 0, 0x10], [0xE0, 0x7F, 0x08, 0], [0xE0, 0x7F, 0x09, 0]];

/// The fewest bytes from which the header is read.
fn needed(bytes: &[u8]) -> Option<usize> {
    let enough =
        |count: usize| DicomFile::parse_header(&bytes[..count], bytes.len() as u64).is_some();
    if !enough(bytes.len()) {
        return None;
    }
    let (mut none, mut some) = (0, bytes.len());
    while some - none > 1 {
        let middle = none + (some - none) / 2;
        if enough(middle) { some = middle } else { none = middle }
    }
    Some(some)
}

/// Whether an element of pixels ends there, with a length of two or four bytes, and a VR or not.
fn ends_with_pixel_tag(bytes: &[u8]) -> bool {
    [8, 12].iter().any(|&header| {
        let tag = bytes.len().checked_sub(header).map(|at| &bytes[at..at + 4]);
        tag.is_some_and(|tag| PIXEL_TAGS.iter().any(|pixels| pixels == tag))
    })
}

#[test]
fn headers_are_read_up_to_the_pixels_and_say_the_same() {
    let Some(folder) = fixtures("headers") else { return };
    let (mut count, mut taken, mut total) = (0, 0, 0);
    for entry in index(&folder) {
        let name = &entry["file"];
        let bytes = read(&folder, &entry);
        let Ok(whole) = DicomFile::parse(&bytes) else { continue };
        let Some(needed) = needed(&bytes) else {
            let has_none = matches!(Layout::read(&whole), Err(DicomError::NoImage { .. }));
            assert!(has_none || whole.syntax().uid == DEFLATED, "{name}");
            continue;
        };
        assert!(ends_with_pixel_tag(&bytes[..needed]), "{name}: {needed} bytes");
        let length = bytes.len() as u64;
        let header = DicomFile::parse_header(&bytes[..needed], length).unwrap();
        assert_eq!(header.syntax(), whole.syntax(), "{name}");
        assert_eq!(header.states_syntax(), whole.states_syntax(), "{name}");
        assert_eq!(SliceHeader::read(&header), SliceHeader::read(&whole), "{name}");
        assert_eq!(header.technical_header(), whole.technical_header(), "{name}");
        assert_eq!(header.personal_header(), whole.personal_header(), "{name}");
        assert!(header.windows(0) == whole.windows(0), "{name}");
        assert!(header.frame(0).is_err(), "{name}: a frame without pixels");
        count += 1;
        taken += needed;
        total += bytes.len();
    }
    // All but those that are deflated, have no image, or are damaged before it.
    assert!(count > 115, "{count}");
    assert!(taken * 10 < total, "{taken} bytes of {total}");
}

#[test]
fn a_file_that_ends_before_its_pixels_do_has_no_header_to_survey() {
    let Some(folder) = fixtures("headers of files that are cut off") else { return };
    let bytes = fixture(&folder, "002_CT_small.dcm");
    let start = &bytes[..needed(&bytes).unwrap()];
    // 128 by 128 pixels of two bytes.
    let end = start.len() as u64 + 128 * 128 * 2;
    assert!(DicomFile::parse_header(start, end).is_some());
    assert!(DicomFile::parse_header(start, end - 1).is_none());
    let whole = DicomFile::parse(&bytes[..end as usize - 1]).unwrap_err();
    assert!(whole.to_string().contains("the DICOM file is"), "{whole}");
}
