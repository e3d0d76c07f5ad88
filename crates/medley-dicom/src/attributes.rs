//! Values of attributes, also where the file calls their VR unknown.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::value::PrimitiveValue;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use dicom_object::InMemDicomObject;

use crate::error::DicomError;

/// A data set, or an item of a sequence in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes<'a> {
    object: &'a InMemDicomObject,
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(object: &'a InMemDicomObject) -> Self {
        Self { object }
    }

    /// The items of a sequence; none if it is missing.
    pub(crate) fn items(&self, tag: Tag) -> &'a [InMemDicomObject] {
        self.object.get(tag).and_then(|element| element.items()).unwrap_or_default()
    }

    /// The first item of a sequence.
    pub(crate) fn item(&self, tag: Tag) -> Option<Attributes<'a>> {
        self.items(tag).first().map(Attributes::new)
    }

    /// A text without padding; none if it is missing or empty.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        let value = self.primitive(tag)?;
        let text = match value {
            PrimitiveValue::U8(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => other.to_str().into_owned(),
        };
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whole numbers; none if the attribute is missing or empty.
    pub(crate) fn integers(
        &self,
        name: &'static str,
        tag: Tag,
    ) -> Result<Option<Vec<i64>>, DicomError> {
        let Some(value) = self.primitive(tag) else { return Ok(None) };
        let bad = || bad(name, tag, "whole numbers");
        let values = match (self.unknown_vr(tag), value) {
            (Some(vr), PrimitiveValue::U8(bytes)) => match vr {
                VR::US => two_bytes(bytes).map(i64::from).collect(),
                VR::SS => two_bytes(bytes).map(|v| i64::from(v as i16)).collect(),
                VR::UL => bytes
                    .chunks_exact(4)
                    .map(|c| i64::from(u32::from_le_bytes([c[0], c[1], c[2], c[3]])))
                    .collect(),
                _ => {
                    let text = self.text(tag).unwrap_or_default();
                    let parse = |part: &str| part.trim().parse().map_err(|_| bad());
                    let parts = text.split('\\').filter(|part| !part.trim().is_empty());
                    parts.map(parse).collect::<Result<Vec<i64>, _>>()?
                }
            },
            (_, value) => value.to_multi_int::<i64>().map_err(|_| bad())?,
        };
        Ok((!values.is_empty()).then_some(values))
    }

    /// The first whole number.
    pub(crate) fn integer(&self, name: &'static str, tag: Tag) -> Result<Option<i64>, DicomError> {
        Ok(self.integers(name, tag)?.map(|values| values[0]))
    }

    /// A whole number that must be there and lie within a range.
    pub(crate) fn required(
        &self,
        name: &'static str,
        tag: Tag,
        range: std::ops::RangeInclusive<i64>,
        expected: &'static str,
    ) -> Result<u32, DicomError> {
        let missing = || DicomError::MissingAttribute { name, tag: tag.to_string() };
        let value = self.integer(name, tag)?.ok_or_else(missing)?;
        if !range.contains(&value) {
            return Err(bad(name, tag, expected));
        }
        u32::try_from(value).map_err(|_| bad(name, tag, expected))
    }

    /// Decimal numbers, all finite; none if the attribute is missing, empty or not of numbers. Windows, spacing
    /// and positions are of use where they are right; a wrong one does not make an image unreadable.
    pub(crate) fn decimals(&self, tag: Tag) -> Option<Vec<f64>> {
        let values = match (self.unknown_vr(tag), self.primitive(tag)?) {
            (Some(_), PrimitiveValue::U8(_)) => {
                let text = self.text(tag)?;
                text.split('\\')
                    .map(|part| part.trim().parse().ok())
                    .collect::<Option<Vec<f64>>>()?
            }
            (_, value) => value.to_multi_float64().ok()?,
        };
        (!values.is_empty() && values.iter().all(|value| value.is_finite())).then_some(values)
    }

    /// The first decimal number.
    pub(crate) fn decimal(&self, tag: Tag) -> Option<f64> {
        self.decimals(tag).map(|values| values[0])
    }

    /// Bytes as they lie in the file's order; for lookup tables.
    pub(crate) fn words(&self, tag: Tag) -> Option<Vec<u16>> {
        Some(match self.primitive(tag)? {
            PrimitiveValue::U8(bytes) => two_bytes(bytes).collect(),
            PrimitiveValue::U16(words) => words.to_vec(),
            PrimitiveValue::I16(words) => words.iter().map(|&word| word as u16).collect(),
            _ => return None,
        })
    }

    fn primitive(&self, tag: Tag) -> Option<&'a PrimitiveValue> {
        self.object.get(tag)?.value().primitive()
    }

    /// The VR in the dictionary of an element that the file calls unknown.
    fn unknown_vr(&self, tag: Tag) -> Option<VR> {
        let element = self.object.get(tag)?;
        let entry = (element.vr() == VR::UN).then(|| StandardDataDictionary.by_tag(tag))??;
        Some(entry.vr().relaxed())
    }
}

pub(crate) fn bad(name: &'static str, tag: Tag, expected: &'static str) -> DicomError {
    DicomError::BadAttribute { name, tag: tag.to_string(), expected }
}

fn two_bytes(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}
