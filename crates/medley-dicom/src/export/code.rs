//! Coded concepts.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use sha2::{Digest, Sha256};

use super::build::{put_text, sequence};

/// Designator of the codes that the standard's vocabularies do not have.
pub(super) const PRIVATE_SCHEME: &str = "99MEDLEY";

/// A concept with its code, as `(39607008, SCT, "Lung")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The code, 16 characters at most.
    pub value: String,
    /// The coding scheme, as "SCT" or "DCM".
    pub scheme: String,
    /// What it means, 64 characters at most.
    pub meaning: String,
}

/// Classes that the standard's context groups have a SNOMED CT code for; all are named in PS3.16.
const KNOWN: [(&str, &str, &str); 8] = [
    ("lung", "39607008", "Lung"),
    ("lungs", "39607008", "Lung"),
    ("nucleus", "84640000", "Nucleus"),
    ("vessel", "59820001", "Blood Vessel"),
    ("tumour", "108369006", "Neoplasm"),
    ("lesion", "52988006", "Lesion"),
    ("heart", "80891009", "Heart"),
    ("normal", "17621005", "Normal"),
];

/// Classes that are no anatomy.
const ABNORMAL: [&str; 4] = ["tumour", "lesion", "fracture", "pneumonia"];

impl Code {
    /// A code of the DICOM vocabulary (PS3.16 annex D).
    pub(super) fn dcm(value: &str, meaning: &str) -> Self {
        Self::new(value, "DCM", meaning)
    }

    /// A code of SNOMED CT.
    pub(super) fn sct(value: &str, meaning: &str) -> Self {
        Self::new(value, "SCT", meaning)
    }

    /// A code from its three parts.
    pub fn new(value: &str, scheme: &str, meaning: &str) -> Self {
        Self { value: value.into(), scheme: scheme.into(), meaning: meaning.into() }
    }

    /// The code of a model's class: of SNOMED CT where PS3.16 has one for just this name, else one of Medley's own
    /// (scheme 99MEDLEY), derived from the name, so that the same name has the same code everywhere.
    pub fn of_class(name: &str) -> Self {
        if let Some((_, value, meaning)) = KNOWN.iter().find(|(known, ..)| *known == name) {
            return Self::sct(value, meaning);
        }
        let digest = Sha256::digest(name.as_bytes());
        let value: String = digest.iter().take(6).map(|byte| format!("{byte:02X}")).collect();
        Self::new(&value, PRIVATE_SCHEME, &cut(name, 64))
    }

    /// The category of a segment of this class: an abnormal structure, or anatomy.
    pub fn category_of_class(name: &str) -> Self {
        if ABNORMAL.iter().any(|word| name.contains(word)) {
            Self::sct("49755003", "Morphologically Abnormal Structure")
        } else {
            Self::sct("123037004", "Anatomical Structure")
        }
    }

    /// The item of a code sequence.
    pub(super) fn item(&self) -> InMemDicomObject {
        let mut item = InMemDicomObject::new_empty();
        put_text(&mut item, tags::CODE_VALUE, VR::SH, &cut(&self.value, 16));
        put_text(&mut item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, &cut(&self.scheme, 16));
        put_text(&mut item, tags::CODE_MEANING, VR::LO, &cut(&self.meaning, 64));
        item
    }

    /// A sequence of this one code.
    pub(super) fn put(&self, object: &mut InMemDicomObject, tag: Tag) {
        sequence(object, tag, vec![self.item()]);
    }
}

/// What the private scheme is (PS3.3 C.12.1, Coding Scheme Identification Sequence).
pub(super) fn identify_private_scheme(object: &mut InMemDicomObject) {
    let mut item = InMemDicomObject::new_empty();
    put_text(&mut item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, PRIVATE_SCHEME);
    item.put(DataElement::new(
        tags::CODING_SCHEME_NAME,
        VR::ST,
        PrimitiveValue::from("Classes of Medley models, by the hash of their names"),
    ));
    sequence(object, tags::CODING_SCHEME_IDENTIFICATION_SEQUENCE, vec![item]);
}

/// At most so many characters; the backslash separates values and is replaced.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().map(|c| if c == '\\' || c.is_control() { ' ' } else { c }).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_standard_codes_or_stable_private_ones() {
        assert_eq!(Code::of_class("lung"), Code::sct("39607008", "Lung"));
        let own = Code::of_class("fetal head");
        assert_eq!((own.scheme.as_str(), own.value.len()), (PRIVATE_SCHEME, 12));
        assert_eq!(own, Code::of_class("fetal head"));
        assert_ne!(own.value, Code::of_class("benign lesion").value);
        assert_eq!(Code::category_of_class("benign lesion").value, "49755003");
    }
}
