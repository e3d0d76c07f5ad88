//! Putting elements into data sets, and data sets into files.

use dicom_core::value::{DataSetSequence, PrimitiveValue, Value};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use crate::error::DicomError;

/// Root 2.25 of a UUID-derived identifier that names this implementation, the same in all files.
const IMPLEMENTATION_UID: &str = "2.25.151929640231398547213764891266410738293";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

pub(super) fn put_text(object: &mut InMemDicomObject, tag: Tag, vr: VR, text: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
}

pub(super) fn put_words(object: &mut InMemDicomObject, tag: Tag, words: &[u16]) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::U16(words.into())));
}

pub(super) fn put_longs(object: &mut InMemDicomObject, tag: Tag, values: &[u32]) {
    object.put(DataElement::new(tag, VR::UL, PrimitiveValue::U32(values.into())));
}

/// Decimal strings, 16 characters each at most.
pub(super) fn put_decimals(object: &mut InMemDicomObject, tag: Tag, values: &[f64]) {
    let text: Vec<String> = values.iter().map(|&value| decimal(value)).collect();
    put_text(object, tag, VR::DS, &text.join("\\"));
}

pub(super) fn sequence(object: &mut InMemDicomObject, tag: Tag, items: Vec<InMemDicomObject>) {
    let value = Value::Sequence(DataSetSequence::new(items, Length::UNDEFINED));
    object.put(DataElement::new(tag, VR::SQ, value));
}

/// The shortest decimal that fits 16 characters with as many digits as they allow.
pub(super) fn decimal(value: f64) -> String {
    /// Width of a decimal string.
    const WIDTH: usize = 16;
    let plain = value.to_string();
    if plain.len() <= WIDTH {
        return plain;
    }
    (0..=WIDTH)
        .rev()
        .map(|digits| format!("{value:.digits$}"))
        .find(|text| text.len() <= WIDTH && (value == 0.0 || text.parse() != Ok(0.0)))
        .unwrap_or_else(|| format!("{value:.8e}"))
}

/// The object as a file, explicit VR little endian.
pub(super) fn to_file(object: InMemDicomObject) -> Result<Vec<u8>, DicomError> {
    let failed = |reason: &str| DicomError::BadResult { reason: reason.to_owned() };
    let text = |tag| {
        let element: Option<&dicom_object::mem::InMemElement> = object.get(tag);
        element.and_then(|element| element.to_str().ok()).map(|text| text.into_owned())
    };
    let class = text(tags::SOP_CLASS_UID).ok_or_else(|| failed("it has no class"))?;
    let instance = text(tags::SOP_INSTANCE_UID).ok_or_else(|| failed("it has no identifier"))?;
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(EXPLICIT_LITTLE)
        .media_storage_sop_class_uid(class)
        .media_storage_sop_instance_uid(instance)
        .implementation_class_uid(IMPLEMENTATION_UID)
        .implementation_version_name("MEDLEY")
        .build()
        .map_err(|_| failed("its meta information is not complete"))?;
    let mut bytes = Vec::new();
    object
        .with_exact_meta(meta)
        .write_all(&mut bytes)
        .map_err(|_| failed("an element cannot be written"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_fit_their_width_and_come_back() {
        for value in [0.0, 1.0, -0.661468, 1.0 / 3.0, -123_456_789.123_456_78, 1e-30, 2e40] {
            let text = decimal(value);
            assert!(text.len() <= 16, "{text}");
            let back: f64 = text.parse().unwrap();
            // 16 characters hold at least 8 significant digits, sign, point and exponent included.
            assert!((back - value).abs() <= value.abs() * 1e-8, "{value}: {text}");
        }
    }
}
