//! What all results share: who made them, when, and what they may say of the patient.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::build::{put_text, sequence};
use super::code::{Code, cut, identify_private_scheme};
use super::source::SourceImage;
use super::timestamp::Timestamp;
use super::uid;
use medley_package::NOTICE;

/// How the self-test of the model's package went on the device that made the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelfTestOutcome {
    /// Whether it passed.
    pub passed: bool,
    /// The largest difference on any output.
    pub worst: f64,
    /// What the package allows.
    pub tolerance: f64,
}

/// Which model made a result.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelIdentity {
    /// Name, as "medley-nano".
    pub name: String,
    /// Version of the code or the weights.
    pub version: String,
    /// SHA-256 of the weights, in hexadecimal.
    pub weights_sha256: String,
    /// How the self-test went; none if it was not run.
    pub self_test: Option<SelfTestOutcome>,
}

impl ModelIdentity {
    /// Digest and self-test in words.
    pub(super) fn parameters(&self) -> [String; 2] {
        let test = match self.self_test {
            Some(SelfTestOutcome { passed, worst, tolerance }) => {
                let word = if passed { "passed" } else { "FAILED" };
                format!(
                    "self-test {word}: largest difference {worst:.3e}, tolerance {tolerance:.3e}"
                )
            }
            None => "self-test not run".into(),
        };
        [format!("weights sha256 {}", self.weights_sha256), test]
    }
}

/// What a result may say of the patient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Privacy {
    /// What the standard wants of patient and study is copied from the images, and nothing else.
    #[default]
    Keep,
    /// By the basic profile of PS3.15 annex E: no name, number, date; identifiers replaced.
    Deidentify {
        /// Goes into the new identifiers. Results of one study belong together if they share it, and who does not
        /// know it cannot find the old ones by trying.
        secret: String,
    },
}

/// What all results share.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportContext {
    /// Who made them.
    pub model: ModelIdentity,
    /// When.
    pub created: Timestamp,
    /// What they may say of the patient.
    pub privacy: Privacy,
}

/// A date that says nothing, where one must stand.
const DUMMY_DATE: &str = "19000101";
const DUMMY_TIME: &str = "000000";

/// What is copied from the images: attributes of patient and study that the standard wants (type 2), each empty
/// where the image has none.
const COPIED: [(Tag, VR); 9] = [
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::STUDY_ID, VR::SH),
    (tags::ACCESSION_NUMBER, VR::SH),
];

impl ExportContext {
    /// An identifier of the images as the result shows it.
    pub(super) fn uid(&self, original: &str) -> String {
        match &self.privacy {
            Privacy::Keep => original.to_owned(),
            Privacy::Deidentify { secret } => uid::derive(&["de-identified", secret, original]),
        }
    }

    pub(super) fn date(&self) -> String {
        match self.privacy {
            Privacy::Keep => self.created.date(),
            Privacy::Deidentify { .. } => DUMMY_DATE.into(),
        }
    }

    pub(super) fn time(&self) -> String {
        match self.privacy {
            Privacy::Keep => self.created.time(),
            Privacy::Deidentify { .. } => DUMMY_TIME.into(),
        }
    }

    /// A new identifier for something of this kind made from this image.
    pub(super) fn derive(&self, kind: &str, source: &SourceImage<'_>, more: &[&str]) -> String {
        self.derive_from(kind, source.instance(), more)
    }

    /// As `derive`, the same for all images of a series.
    pub(super) fn derive_of_series(&self, kind: &str, source: &SourceImage<'_>) -> String {
        self.derive_from(kind, source.series(), &[])
    }

    fn derive_from(&self, kind: &str, original: &str, more: &[&str]) -> String {
        let original = self.uid(original);
        let mut parts = vec!["medley", kind, &self.model.weights_sha256, &original];
        let (date, time) = (self.date(), self.time());
        parts.extend([date.as_str(), time.as_str()]);
        parts.extend(more);
        uid::derive(&parts)
    }

    /// Patient, study, series, equipment and SOP common.
    pub(super) fn begin(
        &self,
        source: &SourceImage<'_>,
        class: &str,
        modality: &str,
        description: &str,
        content: &str,
    ) -> InMemDicomObject {
        let mut object = InMemDicomObject::new_empty();
        put_text(&mut object, tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
        put_text(&mut object, tags::SOP_CLASS_UID, VR::UI, class);
        let instance = self.derive(modality, source, &[content]);
        put_text(&mut object, tags::SOP_INSTANCE_UID, VR::UI, &instance);
        for (tag, vr) in COPIED {
            let text = match self.privacy {
                Privacy::Keep => source.text(tag).unwrap_or_default(),
                Privacy::Deidentify { .. } => String::new(),
            };
            put_text(&mut object, tag, vr, &text);
        }
        let study = self.uid(source.study());
        put_text(&mut object, tags::STUDY_INSTANCE_UID, VR::UI, &study);
        put_text(&mut object, tags::MODALITY, VR::CS, modality);
        let series = self.derive("series", source, &[modality, content]);
        put_text(&mut object, tags::SERIES_INSTANCE_UID, VR::UI, &series);
        put_text(&mut object, tags::SERIES_NUMBER, VR::IS, "1");
        put_text(&mut object, tags::INSTANCE_NUMBER, VR::IS, "1");
        let description = format!("{description}. {NOTICE}");
        put_text(&mut object, tags::SERIES_DESCRIPTION, VR::LO, &cut(&description, 64));
        put_text(&mut object, tags::CONTENT_DATE, VR::DA, &self.date());
        put_text(&mut object, tags::CONTENT_TIME, VR::TM, &self.time());
        put_text(&mut object, tags::MANUFACTURER, VR::LO, "Medley");
        let model = cut(&self.model.name, 64);
        put_text(&mut object, tags::MANUFACTURER_MODEL_NAME, VR::LO, &model);
        // The weights are the device: what identifies them is its serial number.
        let serial = cut(&self.model.weights_sha256, 64);
        put_text(&mut object, tags::DEVICE_SERIAL_NUMBER, VR::LO, &serial);
        put_text(&mut object, tags::SOFTWARE_VERSIONS, VR::LO, &cut(&self.model.version, 64));
        identify_private_scheme(&mut object);
        if let Privacy::Deidentify { .. } = self.privacy {
            put_text(&mut object, tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES");
            let profile = Code::dcm("113100", "Basic Application Confidentiality Profile");
            put_text(&mut object, tags::DEIDENTIFICATION_METHOD, VR::LO, &profile.meaning);
            profile.put(&mut object, tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE);
        }
        object
    }

    /// Who computed it (PS3.3 table 10-19, Algorithm Identification).
    pub(super) fn algorithm(&self) -> InMemDicomObject {
        let mut item = InMemDicomObject::new_empty();
        Code::dcm("123110", "Artificial Intelligence")
            .put(&mut item, tags::ALGORITHM_FAMILY_CODE_SEQUENCE);
        put_text(&mut item, tags::ALGORITHM_NAME, VR::LO, &cut(&self.model.name, 64));
        put_text(&mut item, tags::ALGORITHM_VERSION, VR::LO, &cut(&self.model.version, 64));
        let parameters = self.model.parameters().join("; ");
        put_text(&mut item, tags::ALGORITHM_PARAMETERS, VR::LT, &parameters);
        item
    }

    /// References to the images of a series (PS3.3 C.12.2, Common Instance Reference).
    pub(super) fn references(&self, object: &mut InMemDicomObject, sources: &[SourceImage<'_>]) {
        let mut series: Vec<(String, Vec<InMemDicomObject>)> = Vec::new();
        for source in unique(sources) {
            let uid = self.uid(source.series());
            let item = source.reference(self);
            match series.iter_mut().find(|(known, _)| *known == uid) {
                Some((_, items)) => items.push(item),
                None => series.push((uid, vec![item])),
            }
        }
        let items = series.into_iter().map(|(uid, instances)| {
            let mut item = InMemDicomObject::new_empty();
            put_text(&mut item, tags::SERIES_INSTANCE_UID, VR::UI, &uid);
            sequence(&mut item, tags::REFERENCED_INSTANCE_SEQUENCE, instances);
            item
        });
        sequence(object, tags::REFERENCED_SERIES_SEQUENCE, items.collect());
    }
}

/// Each instance once, in the order of the slices.
pub(super) fn unique<'a, 'b>(sources: &'a [SourceImage<'b>]) -> Vec<&'a SourceImage<'b>> {
    let mut all: Vec<&SourceImage<'b>> = Vec::new();
    for source in sources {
        if !all.iter().any(|known| known.instance() == source.instance()) {
            all.push(source);
        }
    }
    all
}
