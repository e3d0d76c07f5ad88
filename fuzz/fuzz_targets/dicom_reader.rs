//! Structure and header: parsing, geometry, windows, sorting.
#![no_main]

use libfuzzer_sys::fuzz_target;
use medley_dicom::{DicomFile, Layout, SliceHeader, sort_series};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = DicomFile::parse(bytes) else { return };
    let _ = Layout::read(&file);
    let _ = file.geometry(0);
    let _ = file.windows(0);
    if let Ok(header) = SliceHeader::read(&file) {
        let _ = sort_series(&[header.clone(), header]);
    }
});
