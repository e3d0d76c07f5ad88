//! The weight package: header, tensors, metadata; and its manifest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use medley_package::{Manifest, Package};

fuzz_target!(|bytes: &[u8]| {
    let _ = Package::from_bytes(bytes);
    let _ = Manifest::from_json(bytes);
});
