//! The headers of all DICOM images among the inputs, read before any is answered: which series there are.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use medley_dicom::limits::MAX_FILE_BYTES;
use medley_dicom::{DicomFile, SliceHeader};

use crate::inputs::Input;
use crate::progress;

/// Bytes that are read of a file at first: more than the header of a plain slice has.
const START: u64 = 16 << 10;
/// How many times as much is read of it where that was not enough.
const MORE: u64 = 4;

/// What sorting needs of each DICOM image; none of any other file, of one without an image, and of one that cannot be
/// read. What is wrong with a file is said when it is answered.
pub fn headers(inputs: &[Input]) -> Vec<Option<SliceHeader>> {
    let bar = progress::bar(inputs.len(), "headers");
    let headers = bar.wrap_iter(inputs.iter()).map(|input| of_file(&input.path)).collect();
    bar.finish_and_clear();
    headers
}

fn of_file(path: &Path) -> Option<SliceHeader> {
    let file = File::open(path).ok()?;
    let about = file.metadata().ok()?;
    // What comes through a pipe is there only once, for the answer.
    if !about.is_file() || about.len() > MAX_FILE_BYTES {
        return None;
    }
    of_source(file, about.len()).ok().flatten()
}

/// Reads on until the pixels begin; all, where it takes all to know the file. The bytes are dropped in either case.
fn of_source(mut source: impl Read, length: u64) -> io::Result<Option<SliceHeader>> {
    let mut bytes = Vec::new();
    let mut enough = START;
    while source.by_ref().take(enough - bytes.len() as u64).read_to_end(&mut bytes)? > 0 {
        if !DicomFile::is_dicom(&bytes) {
            return Ok(None);
        }
        if let Some(file) = DicomFile::parse_header(&bytes, length) {
            return Ok(SliceHeader::read(&file).ok());
        }
        enough *= MORE;
    }
    let file = DicomFile::parse(&bytes).ok();
    Ok(file.and_then(|file| SliceHeader::read(&file).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the bytes that are taken of it.
    struct Counted<R>(R, usize);

    impl<R: Read> Read for Counted<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.read(buffer)?;
            self.1 += count;
            Ok(count)
        }
    }

    /// The header of a slice of `side` by `side` pixels, with a comment of that many bytes, up to the pixels; and how
    /// long it is with them.
    fn slice(side: u16, comment: usize) -> (Vec<u8>, u64) {
        let mut file = Vec::new();
        let mut put = |group: u16, element: u16, vr: &[u8; 2], length: usize, value: &[u8]| {
            file.extend(group.to_le_bytes());
            file.extend(element.to_le_bytes());
            file.extend(vr);
            if [b"OW", b"UT"].contains(&vr) {
                file.extend([0, 0]);
                file.extend((length as u32).to_le_bytes());
            } else {
                file.extend((length as u16).to_le_bytes());
            }
            file.extend(value);
        };
        let texts = [
            (0x0008, 0x0016, "1.2.840.10008.5.1.4.1.1.2\0"),
            (0x0008, 0x0018, "1.2.7.1.1\0"),
            (0x0020, 0x000D, "1.2.7\0"),
            (0x0020, 0x000E, "1.2.7.1\0"),
        ];
        for (group, element, uid) in texts {
            put(group, element, b"UI", uid.len(), uid.as_bytes());
        }
        for (element, value) in [(0x0010, side), (0x0011, side), (0x0100, 16)] {
            put(0x0028, element, b"US", 2, &value.to_le_bytes());
        }
        put(0x0040, 0xA160, b"UT", comment, &vec![b' '; comment]);
        let pixels = usize::from(side) * usize::from(side) * 2;
        put(0x7FE0, 0x0010, b"OW", pixels, &[]);
        let length = (file.len() + pixels) as u64;
        (file, length)
    }

    #[test]
    fn no_more_is_read_than_a_few_times_the_header() {
        for comment in [0, 100_000] {
            let (header, length) = slice(8192, comment);
            let mut source = Counted(header.chain(io::repeat(0)).take(length), 0);
            let found = of_source(&mut source, length).unwrap().unwrap();
            assert_eq!(found.series_key(), ("1.2.7", "1.2.7.1"));
            let most = (header.len() as u64 * MORE).max(START);
            assert!(source.1 as u64 <= most, "{} bytes of {length}", source.1);
        }
    }

    #[test]
    fn a_slice_whose_pixels_are_cut_off_is_none() {
        let (header, length) = slice(64, 0);
        let there = length - 2;
        let source = header.chain(io::repeat(0)).take(there);
        assert!(of_source(source, there).unwrap().is_none());
        let length = 2 * START;
        let mut picture = Counted(b"\x89PNG".chain(io::repeat(1)).take(length), 0);
        assert!(of_source(&mut picture, length).unwrap().is_none());
        assert_eq!(picture.1 as u64, START);
    }
}
