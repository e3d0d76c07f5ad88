//! The bytes of a package's file, wherever they lie.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::digest::{PART, hexadecimal};

/// The bytes of a file, read piece by piece. A browser keeps them outside of WebAssembly's memory, which never shrinks: what is
/// copied there whole stays a hole after it was let go.
pub trait FileBytes {
    /// How many there are.
    fn length(&self) -> usize;

    /// Fills `into` with the bytes from `start` on; callers ask for no more than there are.
    fn read(&self, start: usize, into: &mut [u8]);
}

impl FileBytes for [u8] {
    fn length(&self) -> usize {
        self.len()
    }

    fn read(&self, start: usize, into: &mut [u8]) {
        into.copy_from_slice(&self[start..start + into.len()]);
    }
}

/// A range of them.
pub(crate) fn bytes(file: &(impl FileBytes + ?Sized), range: Range<usize>) -> Vec<u8> {
    let mut bytes = vec![0; range.len()];
    file.read(range.start, &mut bytes);
    bytes
}

/// SHA-256 of a range of them, as [`digest`](crate::digest()).
pub(crate) fn digest_of(file: &(impl FileBytes + ?Sized), range: Range<usize>) -> String {
    let mut sum = Sha256::new();
    let mut part = Vec::new();
    for start in range.clone().step_by(PART) {
        part.resize(PART.min(range.end - start), 0);
        file.read(start, &mut part);
        sum.update(&part);
    }
    hexadecimal(&sum.finalize())
}
