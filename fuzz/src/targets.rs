//! What is done with the bytes. A target must not panic, whatever they are; it says whether they were read.

use medley_dicom::{DicomFile, Layout, Presentation, SliceHeader, sort_series};
use medley_head::Head;
use medley_image::Image;
use medley_package::{Manifest, Package};

/// Larger pictures are right or wrong in the same ways, and slow.
const MAX_PIXELS: u64 = 1 << 20;

/// A reader of foreign bytes.
pub struct Target {
    /// Its name, which is that of its program for cargo-fuzz.
    pub name: &'static str,
    /// Reads bytes; whether they are what the reader takes.
    pub read: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: [Target; 5] = [
    Target { name: "dicom_frames", read: dicom_frames },
    Target { name: "dicom_reader", read: dicom_reader },
    Target { name: "head_file", read: head_file },
    Target { name: "image_decoding", read: image_decoding },
    Target { name: "weight_package", read: weight_package },
];

/// All decoders of DICOM: the first and the last frame, raw and as a viewer shows them.
pub fn dicom_frames(bytes: &[u8]) -> bool {
    let Ok(file) = DicomFile::parse(bytes) else { return false };
    let Ok(layout) = Layout::read(&file) else { return false };
    if layout.pixels() as u64 > MAX_PIXELS {
        return false;
    }
    let shown = file.display(0, &Presentation::Default).is_ok();
    file.frame(layout.frames - 1).is_ok() && shown
}

/// Structure and header of DICOM: parsing, with and without the pixels, geometry, windows, sorting.
pub fn dicom_reader(bytes: &[u8]) -> bool {
    if let Some(file) = DicomFile::parse_header(bytes, bytes.len() as u64) {
        assert!(file.frame(0).is_err(), "a header has no pixels to decode");
    }
    let Ok(file) = DicomFile::parse(bytes) else { return false };
    let _ = Layout::read(&file);
    let _ = file.geometry(0);
    let _ = file.windows(0);
    if let Ok(header) = SliceHeader::read(&file) {
        let _ = sort_series(&[header.clone(), header]);
    }
    true
}

/// The file of a taught head: what is read can be written and read again, and answers.
pub fn head_file(bytes: &[u8]) -> bool {
    let Ok(head) = Head::from_bytes(bytes) else { return false };
    let Ok(written) = head.to_bytes() else { return false };
    assert!(Head::from_bytes(&written).is_ok(), "a head that was read and written is read again");
    head.probabilities(&vec![0.5; head.width()]).is_ok()
}

/// PNG and JPEG files: what is decoded has the size that was checked, and every value is in 0..=1.
pub fn image_decoding(bytes: &[u8]) -> bool {
    let Ok((width, height)) = Image::stated_size(bytes) else {
        assert!(Image::decode(bytes).is_err(), "a picture whose header is refused is refused");
        return false;
    };
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return false;
    }
    let Ok(image) = Image::decode(bytes) else { return false };
    let found = (image.width(), image.height());
    assert!(
        found == (width, height) || found == (height, width),
        "{found:?} pixels were decoded, {width}x{height} were stated"
    );
    assert_eq!(image.pixels().len() as u64, u64::from(width) * u64::from(height));
    assert!(image.values().iter().all(|value| (0.0..=1.0).contains(value)));
    true
}

/// The weight package: header, tensors, metadata; and its manifest.
pub fn weight_package(bytes: &[u8]) -> bool {
    let package = Package::from_bytes(bytes).is_ok();
    Manifest::from_json(bytes).is_ok() || package
}
