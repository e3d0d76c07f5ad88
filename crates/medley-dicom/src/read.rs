//! From the bytes of a file to its data set: with or without preamble and meta information.

use std::io::Read;

use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_encoding::TransferSyntax as Encoding;
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries;

use crate::attributes::Attributes;
use crate::error::DicomError;
use crate::limits::{MAX_FILE_BYTES, MAX_INFLATED_BYTES};
use crate::structure;
use crate::syntax::{DataSet, TransferSyntax};

const SIGNATURE: &[u8; 4] = b"DICM";
const PREAMBLE: usize = 128;
const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";
/// Where pixels of any kind are.
pub(crate) const PIXELS: [Tag; 3] =
    [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];

/// A DICOM object in memory.
#[derive(Debug, Clone)]
pub struct DicomFile {
    pub(crate) object: InMemDicomObject,
    syntax: &'static TransferSyntax,
    declared: bool,
}

impl DicomFile {
    /// Whether the bytes look like DICOM, from their start alone; names play no part.
    pub fn is_dicom(bytes: &[u8]) -> bool {
        let body = after_signature(bytes);
        body.len() < bytes.len() || starts_meta(bytes) || guess_encoding(bytes).is_some()
    }

    /// Reads a file: preamble and meta information may be missing, the encoding is then known by the first
    /// element. Pixels are not decoded yet.
    ///
    /// Lengths are compared with the bytes that are there, and nesting with `MAX_DEPTH`, before anything is
    /// allocated.
    ///
    /// # Errors
    /// Another format, a file that is cut off, damaged or too large, an unknown transfer syntax.
    pub fn parse(bytes: &[u8]) -> Result<Self, DicomError> {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let (found, limit) = (bytes.len() as u64, MAX_FILE_BYTES);
            return Err(DicomError::TooLarge { what: "the file's length in bytes", found, limit });
        }
        let Beginning { syntax, declared, body } = Beginning::read(bytes)?;
        let inflated;
        let body: &[u8] = match syntax.data_set {
            DataSet::Deflated => {
                inflated = inflate(body)?;
                &inflated
            }
            _ => body,
        };
        let encoding = encoding(syntax.data_set);
        structure::check(body, &encoding)?;
        Ok(Self { object: read_data_set(body, &encoding)?, syntax, declared })
    }

    /// Reads what comes before the pixels, as [`DicomFile::without_pixels`] leaves it, from the first bytes of a file
    /// of `length` bytes.
    ///
    /// None where those bytes do not settle it: they end before the pixels begin, the file ends before its pixels do, it
    /// is deflated, damaged or has no pixels. More of them may do, and [`DicomFile::parse`] of all of them tells.
    pub fn parse_header(start: &[u8], length: u64) -> Option<Self> {
        let Beginning { syntax, declared, body } = Beginning::read(start).ok()?;
        if syntax.data_set == DataSet::Deflated {
            return None;
        }
        let encoding = encoding(syntax.data_set);
        let pixels = structure::find_pixels(body, &encoding)?;
        let before = (start.len() - body.len()) as u64;
        if pixels.end.is_some_and(|end| before + end > length) {
            return None;
        }
        let mut object = read_data_set(body.get(..pixels.begin)?, &encoding).ok()?;
        object.put(DataElement::empty(pixels.tag, VR::OW));
        Some(Self { object, syntax, declared })
    }

    /// The transfer syntax that the file states, else the one that its first element shows.
    pub fn syntax(&self) -> &'static TransferSyntax {
        self.syntax
    }

    /// Whether the file itself states its transfer syntax.
    pub fn states_syntax(&self) -> bool {
        self.declared
    }

    /// A copy without the pixels, with all that is said of them: what results and sorting need of hundreds of files
    /// at once. Frames of it do not decode.
    #[must_use]
    pub fn without_pixels(&self) -> Self {
        let elements = self.object.iter().map(|element| match element.header().tag {
            tag if PIXELS.contains(&tag) => DataElement::empty(tag, element.vr()),
            _ => element.clone(),
        });
        Self { object: InMemDicomObject::from_element_iter(elements), ..*self }
    }

    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes::new(&self.object)
    }
}

/// What comes before the data set says.
struct Beginning<'a> {
    syntax: &'static TransferSyntax,
    /// Whether the file states the syntax.
    declared: bool,
    /// The data set, deflated where the syntax says so.
    body: &'a [u8],
}

impl<'a> Beginning<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, DicomError> {
        let signed = after_signature(bytes);
        let has_signature = signed.len() < bytes.len();
        let (stated, body) = if starts_meta(signed) { read_meta(signed)? } else { (None, signed) };
        let declared = stated.is_some();
        let syntax = match stated {
            Some(uid) => TransferSyntax::find(&uid)?,
            None => match guess_encoding(body) {
                Some(uid) => TransferSyntax::find(uid)?,
                None if has_signature && body.is_empty() => {
                    let what = "the file after its meta information".to_owned();
                    return Err(DicomError::Truncated { what, claimed: 8, there: 0 });
                }
                None if has_signature => {
                    let (name, tag) = ("TransferSyntaxUID", tags::TRANSFER_SYNTAX_UID.to_string());
                    return Err(DicomError::MissingAttribute { name, tag });
                }
                None => return Err(DicomError::NotDicom),
            },
        };
        Ok(Self { syntax, declared, body })
    }
}

/// How elements are written, once inflated.
fn encoding(data_set: DataSet) -> Encoding {
    match data_set {
        DataSet::ImplicitLittle => entries::IMPLICIT_VR_LITTLE_ENDIAN.erased(),
        DataSet::ExplicitBig => entries::EXPLICIT_VR_BIG_ENDIAN.erased(),
        DataSet::ExplicitLittle | DataSet::Deflated => entries::EXPLICIT_VR_LITTLE_ENDIAN.erased(),
    }
}

/// What follows preamble and signature; all of it if there is no signature.
fn after_signature(bytes: &[u8]) -> &[u8] {
    let at = |start: usize| bytes.get(start..start + 4) == Some(SIGNATURE.as_slice());
    if at(PREAMBLE) {
        &bytes[PREAMBLE + 4..]
    } else if at(0) {
        &bytes[4..]
    } else {
        bytes
    }
}

/// Whether an element of group 0002 comes first: meta information, always explicit VR little endian.
fn starts_meta(bytes: &[u8]) -> bool {
    bytes.starts_with(&[2, 0]) && bytes.get(4..6).is_some_and(is_vr)
}

fn is_vr(bytes: &[u8]) -> bool {
    <[u8; 2]>::try_from(bytes).is_ok_and(|pair| dicom_core::VR::from_binary(pair).is_some())
}

/// The transfer syntax UID of the meta information, and what follows it.
///
/// By hand, because a reader of the complete group refuses files whose other elements are missing.
fn read_meta(bytes: &[u8]) -> Result<(Option<String>, &[u8]), DicomError> {
    let mut rest = bytes;
    let mut syntax = None;
    while rest.starts_with(&[2, 0]) {
        let cut = || DicomError::Truncated {
            what: "an element of the meta information".into(),
            claimed: 8,
            there: rest.len() as u64,
        };
        let element = rest.get(2..4).ok_or_else(cut)?;
        let vr = rest.get(4..6).ok_or_else(cut)?;
        let (start, length) = if matches!(vr, b"OB" | b"OW" | b"UN" | b"SQ" | b"UT") {
            let length = rest.get(8..12).ok_or_else(cut)?;
            (12, u64::from(u32::from_le_bytes([length[0], length[1], length[2], length[3]])))
        } else {
            let length = rest.get(6..8).ok_or_else(cut)?;
            (8, u64::from(u16::from_le_bytes([length[0], length[1]])))
        };
        let there = (rest.len() - start) as u64;
        if length > there {
            let what = "an element of the meta information".to_owned();
            return Err(DicomError::Truncated { what, claimed: length, there });
        }
        let (value, next) = rest[start..].split_at(length as usize);
        if element == [0x10, 0] {
            let text = String::from_utf8_lossy(value);
            let uid = text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned();
            syntax = (!uid.is_empty()).then_some(uid);
        }
        rest = next;
    }
    Ok((syntax, rest))
}

/// The encoding that the first element of a data set shows.
fn guess_encoding(body: &[u8]) -> Option<&'static str> {
    let head: &[u8; 8] = body.first_chunk()?;
    // Images and reports begin with group 0008; directories with 0004.
    let explicit = is_vr(&head[4..6]);
    match head[..2] {
        [4 | 8, 0] if explicit => Some(EXPLICIT_LITTLE),
        [0, 4 | 8] if explicit => Some(EXPLICIT_BIG),
        [4 | 8, 0] => {
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            let fits = u64::from(length) <= (body.len() - 8) as u64 || length == u32::MAX;
            fits.then_some(IMPLICIT_LITTLE)
        }
        _ => None,
    }
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, DicomError> {
    let mut data = Vec::new();
    flate2::read::DeflateDecoder::new(bytes)
        .take(MAX_INFLATED_BYTES + 1)
        .read_to_end(&mut data)
        .map_err(|_| DicomError::Damaged {
            reason: "the deflated data set does not inflate".into(),
        })?;
    if data.len() as u64 > MAX_INFLATED_BYTES {
        let (found, limit) = (data.len() as u64, MAX_INFLATED_BYTES);
        return Err(DicomError::TooLarge { what: "the inflated data set in bytes", found, limit });
    }
    Ok(data)
}

/// The elements, of a structure that was checked.
fn read_data_set(bytes: &[u8], encoding: &Encoding) -> Result<InMemDicomObject, DicomError> {
    InMemDicomObject::read_dataset_with_ts(bytes, encoding).map_err(|_| DicomError::Damaged {
        reason: "its elements do not nest as they should".into(),
    })
}

/// Whether the object has pixels of any kind.
pub(crate) fn has_pixels(file: &DicomFile) -> bool {
    PIXELS.iter().any(|tag| file.object.get(*tag).is_some())
}
