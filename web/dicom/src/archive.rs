//! ZIP archives, as discs and portals hand studies out.

use std::io::{Cursor, Read};

use js_sys::Uint8Array;
use medley_dicom::limits::MAX_FILE_BYTES;
use wasm_bindgen::prelude::wasm_bindgen;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::WebError;

/// Longest archive, in bytes: it lies in the wasm memory while it is unpacked.
const MAX_ARCHIVE_BYTES: u64 = 1 << 30;
/// Most entries of an archive, folders included.
const MAX_ENTRIES: u64 = 100_000;
/// Most bytes of all entries together after unpacking: a few kilobytes can claim any size.
const MAX_UNPACKED_BYTES: u64 = 4 << 30;

/// An open archive; its entries are unpacked one by one.
#[wasm_bindgen]
pub struct WasmArchive {
    archive: ZipArchive<Cursor<Vec<u8>>>,
    left: u64,
}

#[wasm_bindgen]
impl WasmArchive {
    /// Reads the list of entries.
    ///
    /// # Errors
    /// Another format, a damaged archive, more than the limits allow.
    pub fn open(bytes: Vec<u8>) -> Result<WasmArchive, WebError> {
        let too_large = |what, found, limit| WebError::ArchiveTooLarge { what, found, limit };
        if bytes.len() as u64 > MAX_ARCHIVE_BYTES {
            return Err(too_large("the length in bytes", bytes.len() as u64, MAX_ARCHIVE_BYTES));
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refused(&error))?;
        if archive.len() as u64 > MAX_ENTRIES {
            return Err(too_large("the number of entries", archive.len() as u64, MAX_ENTRIES));
        }
        Ok(Self { archive, left: MAX_UNPACKED_BYTES })
    }

    /// How many entries there are, folders included.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.archive.len()
    }

    /// The path of an entry as the archive states it; never to be taken for one on a disk.
    ///
    /// # Errors
    /// No such entry.
    pub fn name(&mut self, index: usize) -> Result<String, WebError> {
        let entry = self.archive.by_index_raw(index).map_err(|error| refused(&error))?;
        Ok(entry.name().map_err(|error| refused(&error))?.into_owned())
    }

    /// Unpacks an entry; none for a folder.
    ///
    /// Its declared size is compared with the limits before anything is allocated, and no more than it declares is
    /// unpacked.
    ///
    /// # Errors
    /// An entry that is damaged, encrypted, packed in another way than by deflate, or too large.
    pub fn unpack(&mut self, index: usize) -> Result<Option<Uint8Array>, WebError> {
        let entry = self.archive.by_index(index).map_err(|error| refused(&error))?;
        if entry.is_dir() {
            return Ok(None);
        }
        let size = entry.size();
        if size > MAX_FILE_BYTES {
            let what = "the unpacked size of an entry";
            return Err(WebError::ArchiveTooLarge { what, found: size, limit: MAX_FILE_BYTES });
        }
        if size > self.left {
            let found = MAX_UNPACKED_BYTES - self.left + size;
            let what = "the unpacked size of all entries";
            return Err(WebError::ArchiveTooLarge { what, found, limit: MAX_UNPACKED_BYTES });
        }
        let mut bytes = Vec::new();
        let read = entry.take(size + 1).read_to_end(&mut bytes);
        if read.is_err() || bytes.len() as u64 != size {
            return Err(WebError::Archive("an entry is damaged"));
        }
        self.left -= size;
        Ok(Some(Uint8Array::from(&bytes[..])))
    }
}

fn refused(error: &ZipError) -> WebError {
    WebError::Archive(match error {
        ZipError::UnsupportedArchive(_) => "it is encrypted, or packed in a way other than deflate",
        ZipError::FileNotFound => "there is no such entry",
        _ => "it is damaged",
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn packed(name: &str, content: &[u8]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn no_cut_or_flipped_archive_panics() {
        let bytes = packed("a/IM1", &[7; 5000]);
        for at in 0..bytes.len() {
            let _ = WasmArchive::open(bytes[..at].to_vec());
            let mut flipped = bytes.clone();
            flipped[at] ^= 0xFF;
            let _ = WasmArchive::open(flipped).map(|mut archive| archive.name(0).is_ok());
        }
    }

    #[test]
    fn names_are_told_and_what_is_no_archive_is_refused() {
        let mut archive = WasmArchive::open(packed("a/IM1", b"x")).unwrap();
        assert_eq!((archive.length(), archive.name(0).unwrap().as_str()), (1, "a/IM1"));
        assert!(matches!(archive.name(1), Err(WebError::Archive(_))));
        assert!(matches!(WasmArchive::open(b"PK no".to_vec()), Err(WebError::Archive(_))));
    }
}
