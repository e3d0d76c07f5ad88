//! Decoding: the first and the last frame, raw and as a viewer shows them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use medley_dicom::{DicomFile, Layout, Presentation};

/// Larger frames are right or wrong in the same ways, and slow.
const MAX_PIXELS: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = DicomFile::parse(bytes) else { return };
    let Ok(layout) = Layout::read(&file) else { return };
    if layout.pixels() > MAX_PIXELS {
        return;
    }
    let _ = file.display(0, &Presentation::Default);
    let _ = file.frame(layout.frames - 1);
});
