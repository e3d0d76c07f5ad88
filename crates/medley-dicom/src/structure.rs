//! The structure of a data set, walked over before anything is read of it.

use std::cell::Cell;
use std::io::Read;

use dicom_core::{Length, Tag};
use dicom_dictionary_std::tags;
use dicom_encoding::TransferSyntax as Encoding;
use dicom_parser::dataset::DataToken;
use dicom_parser::dataset::read::DataSetReader;

use crate::error::DicomError;
use crate::limits::MAX_DEPTH;
use crate::read::PIXELS;

/// Where the pixels are, counted in bytes of the data set.
pub(crate) struct Pixels {
    pub(crate) tag: Tag,
    /// Where their element begins.
    pub(crate) begin: usize,
    /// Where it ends; none for fragments, whose element does not say.
    pub(crate) end: Option<u64>,
}

/// Walks over the tokens as the reader does, and compares each length with the bytes that there are before the
/// value is allocated: the reader itself trusts lengths, and its recursion has no limit.
pub(crate) fn check(bytes: &[u8], encoding: &Encoding) -> Result<(), DicomError> {
    walk(bytes, encoding, |_| false).map(|_| ())
}

/// Checks as much as comes before the pixels, and finds them. None if they do not begin in these bytes, or the
/// structure before them is damaged.
pub(crate) fn find_pixels(bytes: &[u8], encoding: &Encoding) -> Option<Pixels> {
    let is_pixels = |tag: Tag| PIXELS.contains(&tag);
    walk(bytes, encoding, is_pixels).ok()?
}

/// Ends at the first element of the data set itself, of no item in it, that is to be stopped at.
fn walk(
    bytes: &[u8],
    encoding: &Encoding,
    stop: impl Fn(Tag) -> bool,
) -> Result<Option<Pixels>, DicomError> {
    let damaged = |reason: &str| DicomError::Damaged { reason: reason.to_owned() };
    let taken = Cell::new(0);
    let mut tokens = DataSetReader::new_with_ts(Counted { rest: bytes, taken: &taken }, encoding)
        .map_err(|_| damaged("it has no elements"))?;
    let there = bytes.len() as u64;
    let fits = |tag: Option<Tag>, length: Length| match length.get() {
        Some(length) if u64::from(length) > there => {
            let what = tag.map_or_else(|| "an item".to_owned(), |tag| format!("the element {tag}"));
            Err(DicomError::Truncated { what, claimed: u64::from(length), there })
        }
        _ => Ok(()),
    };
    let mut depth = 0_usize;
    loop {
        let begin = taken.get();
        let Some(token) = tokens.next() else { break };
        // The text of this error may quote a value of the header.
        let token = token.map_err(|_| damaged("an element is cut off or does not decode"))?;
        if let Some((tag, length)) = element(&token).filter(|(tag, _)| depth == 0 && stop(*tag)) {
            let end = length.get().map(|length| taken.get() as u64 + u64::from(length));
            return Ok(Some(Pixels { tag, begin, end }));
        }
        match token {
            DataToken::ElementHeader(header) => fits(Some(header.tag), header.len)?,
            DataToken::ItemStart { len } => fits(None, len)?,
            DataToken::SequenceStart { .. } | DataToken::PixelSequenceStart => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let (found, limit) = (depth as u64, MAX_DEPTH as u64);
                    let what = "the depth of nested sequences";
                    return Err(DicomError::TooLarge { what, found, limit });
                }
            }
            DataToken::SequenceEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    // The reader takes the end of the file for the end of whatever is open: fragments may be missing.
    if depth > 0 {
        return Err(damaged("it ends inside of a sequence"));
    }
    Ok(None)
}

/// Tag and length of the element that a token begins.
fn element(token: &DataToken) -> Option<(Tag, Length)> {
    match token {
        DataToken::ElementHeader(header) => Some((header.tag, header.len)),
        DataToken::SequenceStart { tag, len } => Some((*tag, *len)),
        DataToken::PixelSequenceStart => Some((tags::PIXEL_DATA, Length::UNDEFINED)),
        _ => None,
    }
}

/// Bytes, and how many of them were taken.
struct Counted<'a> {
    rest: &'a [u8],
    taken: &'a Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.rest.read(buffer)?;
        self.taken.set(self.taken.get() + count);
        Ok(count)
    }
}
