//! A file full of canaries: what of it gets into facts, errors and results.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod support;

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use medley_dicom::export::{
    CaptureInput, Code, ExportContext, Finding, ModelIdentity, Privacy, ReportInput, Segment,
    SegmentationInput, SegmentationKind, SegmentedSlice, SourceImage, Timestamp,
    write_secondary_capture, write_segmentation, write_structured_report,
};
use medley_dicom::{DicomFile, Presentation, SliceHeader, describe_studies, info, sort_series};
use support::{fixture, fixtures};

/// Attributes that say who, where or when, each with a word of its own that occurs nowhere else.
const CANARIES: [(Tag, VR, &str); 18] = [
    (tags::PATIENT_NAME, VR::PN, "CANARYNAME^KEPT"),
    (tags::PATIENT_ID, VR::LO, "CANARYID-KEPT"),
    (tags::PATIENT_BIRTH_DATE, VR::DA, "19420107"),
    (tags::ACCESSION_NUMBER, VR::SH, "CANARYACC-KEPT"),
    (tags::STUDY_ID, VR::SH, "CANARYSTUD-KEPT"),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN, "CANARYREF^KEPT"),
    (tags::STUDY_DATE, VR::DA, "20040119"),
    (tags::INSTITUTION_NAME, VR::LO, "CANARYINST"),
    (tags::INSTITUTION_ADDRESS, VR::ST, "CANARYADDRESS"),
    (tags::STATION_NAME, VR::SH, "CANARYSTATION"),
    (tags::OPERATORS_NAME, VR::PN, "CANARYOPERATOR"),
    (tags::PERFORMING_PHYSICIAN_NAME, VR::PN, "CANARYPERFORMER"),
    (tags::PATIENT_ADDRESS, VR::LO, "CANARYHOME"),
    (tags::PATIENT_COMMENTS, VR::LT, "CANARYCOMMENT"),
    (tags::STUDY_DESCRIPTION, VR::LO, "CANARYDESCRIPTION"),
    (tags::SERIES_DESCRIPTION, VR::LO, "CANARYSERIES"),
    (tags::PROTOCOL_NAME, VR::LO, "CANARYPROTOCOL"),
    (Tag(0x0009, 0x1001), VR::LO, "CANARYPRIVATE"),
];

/// Of these the standard wants the attribute in the result: they may be copied if privacy is not asked for.
const COPIED: usize = 7;

/// Identifiers that must not get into de-identified results.
const IDENTIFIERS: [(Tag, &str); 4] = [
    (tags::STUDY_INSTANCE_UID, "1.2.777.1"),
    (tags::SERIES_INSTANCE_UID, "1.2.777.2"),
    (tags::SOP_INSTANCE_UID, "1.2.777.3"),
    (tags::FRAME_OF_REFERENCE_UID, "1.2.777.4"),
];

fn canary_file(bytes: &[u8]) -> Vec<u8> {
    let mut object = dicom_object::from_reader(bytes).unwrap();
    for (tag, vr, text) in CANARIES {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
    }
    for (tag, uid) in IDENTIFIERS {
        object.put(DataElement::new(tag, VR::UI, PrimitiveValue::from(uid)));
    }
    let mut file = Vec::new();
    object.write_all(&mut file).unwrap();
    file
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn results(file: &DicomFile, privacy: &Privacy) -> [Vec<u8>; 3] {
    let context = ExportContext {
        model: ModelIdentity {
            name: "medley-nano".into(),
            version: "0.1.0".into(),
            weights_sha256: "00".repeat(32),
            self_test: None,
        },
        created: Timestamp::from_unix_seconds(1_700_000_000),
        privacy: privacy.clone(),
    };
    let source = SourceImage::new(file, 0).unwrap();
    let pixels = (source.rows() * source.columns()) as usize;
    let segmentation = SegmentationInput {
        kind: SegmentationKind::Binary,
        segments: vec![Segment::of_class("lung")],
        slices: vec![SegmentedSlice { source: source.clone(), planes: vec![vec![1; pixels]] }],
    };
    let report = ReportInput {
        images: vec![source.clone()],
        findings: vec![Finding {
            image: 0,
            task: "lung-ct".into(),
            finding: Code::of_class("malignant"),
            probability: Some(0.5),
            region: None,
            measurements: Vec::new(),
        }],
    };
    let rgb = vec![9; pixels * 3];
    let (width, height) = (source.columns(), source.rows());
    let capture = CaptureInput { source, number: 1, width, height, rgb: &rgb };
    [
        write_segmentation(&segmentation, &context).unwrap(),
        write_structured_report(&report, &context).unwrap(),
        write_secondary_capture(&capture, &context).unwrap(),
    ]
}

#[test]
fn results_copy_only_what_the_standard_wants() {
    let Some(folder) = fixtures("canaries in results") else { return };
    let bytes = canary_file(&fixture(&folder, "002_CT_small.dcm"));
    let file = DicomFile::parse(&bytes).unwrap();
    for result in results(&file, &Privacy::Keep) {
        for (index, (tag, _, text)) in CANARIES.iter().enumerate() {
            assert_eq!(has(&result, text), index < COPIED, "{tag} {text}");
        }
    }
}

#[test]
fn de_identified_results_have_no_canary_and_belong_together() {
    let Some(folder) = fixtures("canaries in de-identified results") else { return };
    let bytes = canary_file(&fixture(&folder, "002_CT_small.dcm"));
    let file = DicomFile::parse(&bytes).unwrap();
    let study_of = |bytes: &[u8]| {
        let object = dicom_object::from_reader(bytes).unwrap();
        object.element(tags::STUDY_INSTANCE_UID).unwrap().to_str().unwrap().into_owned()
    };
    let one = results(&file, &Privacy::Deidentify { secret: "one".into() });
    for result in &one {
        for text in CANARIES.iter().map(|c| c.2).chain(IDENTIFIERS.iter().map(|i| i.1)) {
            assert!(!has(result, text), "{text}");
        }
        assert!(has(result, "Basic Application Confidentiality Profile"));
        assert_eq!(study_of(result), study_of(&one[0]));
    }
    let other = results(&file, &Privacy::Deidentify { secret: "other".into() });
    assert_ne!(study_of(&other[0]), study_of(&one[0]));
}

#[test]
fn neither_facts_nor_errors_repeat_a_value_of_the_header() {
    let Some(folder) = fixtures("canaries in facts and errors") else { return };
    let bytes = canary_file(&fixture(&folder, "002_CT_small.dcm"));
    let mut said = vec![serde_json::to_string(&info(&bytes).unwrap()).unwrap()];
    let file = DicomFile::parse(&bytes).unwrap();
    let studies =
        sort_series(&[SliceHeader::read(&file).unwrap(), SliceHeader::read(&file).unwrap()]);
    said.extend(studies[0].series[0].problems.iter().map(ToString::to_string));
    // Cut off and flipped everywhere: as many different errors as there are.
    for at in (0..bytes.len()).step_by(37) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0xFF;
        for broken in [&bytes[..at], &flipped] {
            let result = DicomFile::parse(broken)
                .and_then(|file| file.display(0, &Presentation::Default).map(|_| file))
                .and_then(|file| SourceImage::new(&file, 0).map(|_| ()));
            if let Err(error) = result {
                said.push(format!("{error} {error:?}"));
            }
        }
    }
    // A header whose numbers are canaries.
    for tag in [tags::ROWS, tags::NUMBER_OF_FRAMES, tags::PHOTOMETRIC_INTERPRETATION] {
        let mut object = dicom_object::from_reader(bytes.as_slice()).unwrap();
        object.put(DataElement::new(tag, VR::LO, PrimitiveValue::from("CANARYNUMBER")));
        let mut broken = Vec::new();
        object.write_all(&mut broken).unwrap();
        said.push(format!("{:?}", DicomFile::parse(&broken).unwrap().frame(0).unwrap_err()));
    }
    assert!(said.len() > 500, "{} messages", said.len());
    for message in said {
        assert!(!message.contains("CANARY"), "{message}");
        assert!(!message.contains("19420107") && !message.contains("1.2.777"), "{message}");
    }
}

#[test]
fn the_technical_header_has_no_canary_and_the_personal_one_is_asked_for() {
    let Some(folder) = fixtures("canaries in headers") else { return };
    let bytes = canary_file(&fixture(&folder, "002_CT_small.dcm"));
    let file = DicomFile::parse(&bytes).unwrap();
    let text = |entries| serde_json::to_string(&entries).unwrap();
    let technical = text(file.technical_header());
    assert!(technical.contains("SliceThickness"), "{technical}");
    let secrets = CANARIES.iter().map(|c| c.2).chain(IDENTIFIERS.iter().map(|i| i.1));
    for secret in secrets {
        assert!(!technical.contains(secret), "{secret}");
    }
    assert!(text(file.personal_header()).contains("CANARYNAME^KEPT"));
    let kept = file.without_pixels();
    let studies = sort_series(&[SliceHeader::read(&kept).unwrap()]);
    let described = serde_json::to_string(&describe_studies(&studies, &[kept]).unwrap()).unwrap();
    for (_, _, secret) in CANARIES {
        assert!(!described.contains(secret), "{secret}");
    }
}

#[test]
fn results_of_a_header_alone_are_those_of_the_whole_file() {
    let Some(folder) = fixtures("results without pixels") else { return };
    let file = DicomFile::parse(&fixture(&folder, "002_CT_small.dcm")).unwrap();
    let whole = results(&file, &Privacy::Keep);
    let kept = file.without_pixels();
    assert!(kept.frame(0).is_err());
    assert!(results(&kept, &Privacy::Keep) == whole);
}
