//! What is written, read back by readers that nobody here wrote.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::fs;

use dicom_dictionary_std::tags;
use medley_dicom::export::{
    CaptureInput, Code, ExportContext, Finding, Measurement, ModelIdentity, Privacy, Region,
    ReportInput, Segment, SegmentationInput, SegmentationKind, SegmentedSlice, SelfTestOutcome,
    SourceImage, Timestamp, planes_of_labels, write_secondary_capture, write_segmentation,
    write_structured_report,
};
use medley_dicom::{DicomFile, Samples};
use sha2::{Digest, Sha256};
use support::readers::Readers;
use support::{fixture, fixtures, moved};

const WEIGHTS: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn context(privacy: Privacy) -> ExportContext {
    ExportContext {
        model: ModelIdentity {
            name: "medley-nano".into(),
            version: "0.1.0".into(),
            weights_sha256: WEIGHTS.into(),
            self_test: Some(SelfTestOutcome { passed: true, worst: 0.0012, tolerance: 0.02 }),
        },
        created: Timestamp::from_unix_seconds(1_700_000_000),
        privacy,
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Two classes that differ from slice to slice, with slices that lack one.
fn labels(rows: u32, columns: u32, slice: usize) -> Vec<u8> {
    let inside = |y: u32, x: u32, top: u32, side: u32| {
        (top..top + side).contains(&y) && (top..top + side).contains(&x)
    };
    (0..rows)
        .flat_map(|y| (0..columns).map(move |x| (y, x)))
        .map(|(y, x)| match slice {
            0 => u8::from(inside(y, x, 3, 17)),
            1 => 2 * u8::from(inside(y, x, 20, 9)),
            _ => u8::from(inside(y, x, 1 + slice as u32, 11)) + 2 * u8::from(inside(y, x, 40, 5)),
        })
        .collect()
}

#[test]
fn a_binary_segmentation_comes_back_from_highdicom_as_it_was() {
    let Some(folder) = fixtures("segmentations") else { return };
    let Some(readers) = Readers::find("segmentations") else { return };
    let place = tempfile::tempdir().unwrap();
    // Frames of an enhanced object, a plain slice of a volume, a radiograph that lies nowhere.
    for name in ["056_emri_small.dcm", "002_CT_small.dcm", "021_RG3_J2KI.dcm"] {
        let file = DicomFile::parse(&fixture(&folder, name)).unwrap();
        let count = if name.contains("emri") { 4 } else { 1 };
        let slices: Vec<SegmentedSlice<'_>> = (0..count)
            .map(|frame| {
                let source = SourceImage::new(&file, frame).unwrap();
                let (rows, columns) = (source.rows(), source.columns());
                let labels = labels(rows, columns, frame as usize + usize::from(count == 1) * 2);
                SegmentedSlice { planes: planes_of_labels(&labels, 3), source }
            })
            .collect();
        let input = SegmentationInput {
            kind: SegmentationKind::Binary,
            segments: vec![Segment::of_class("lung"), Segment::of_class("malignant lesion")],
            slices,
        };
        let bytes = write_segmentation(&input, &context(Privacy::Keep)).unwrap();
        let path = place.path().join("seg.dcm");
        fs::write(&path, &bytes).unwrap();
        readers.validate(&path);
        let found = readers.python("seg.py", &path, &[]);
        assert_eq!(found["type"], "BINARY");
        assert_eq!(found["notice"], "Research use only. Not for diagnostic use.");
        let mut expected = Vec::new();
        for segment in 0..2 {
            for (frame, slice) in input.slices.iter().enumerate() {
                if slice.planes[segment].contains(&1) {
                    expected.push((segment + 1, frame + 1, sha256(&slice.planes[segment])));
                }
            }
        }
        let frames: Vec<(usize, usize, String)> = found["frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| {
                let number = |key: &str| frame[key].as_u64().unwrap() as usize;
                (number("segment"), number("frame"), frame["sha256"].as_str().unwrap().to_owned())
            })
            .collect();
        assert_eq!(frames, expected, "{name}");
        assert_eq!(found["by_source"], expected[0].2, "{name}");
        let geometry = file.geometry(0);
        assert_eq!(found["spacing"], serde_json::to_value(geometry.spacing).unwrap(), "{name}");
        let placed = geometry.position.is_some();
        let orientation = geometry.orientation.filter(|_| placed);
        assert_eq!(found["orientation"], serde_json::to_value(orientation).unwrap(), "{name}");
        let at = found["frames"][0]["position"].clone();
        assert_eq!(at, serde_json::to_value(geometry.position).unwrap(), "{name}");
        let segments = found["segments"].as_array().unwrap();
        assert_eq!(segments[0]["property"], "39607008");
        assert_eq!(segments[1]["scheme"], "99MEDLEY");
        assert_eq!(segments[1]["category"], "49755003");
        assert_eq!(segments[0]["algorithm"], "medley-nano");
        // Orange, as this reader turns it back from integers of sixteen bits.
        let colour = segments[0]["colour"].as_array().unwrap();
        for (found, wanted) in colour.iter().zip([230, 159, 0]) {
            assert!(found.as_i64().unwrap().abs_diff(wanted) <= 1, "{name}: {colour:?}");
        }
        assert_ne!(segments[0]["colour"], segments[1]["colour"]);
        assert!(segments[0]["parameters"].as_str().unwrap().contains(WEIGHTS));
    }
}

#[test]
fn the_slices_of_a_volume_keep_their_places() {
    let Some(folder) = fixtures("segmentation of a volume") else { return };
    let Some(readers) = Readers::find("segmentation of a volume") else { return };
    let bytes = fixture(&folder, "002_CT_small.dcm");
    let heights = [-75.0, -70.5, -80.25];
    let files: Vec<DicomFile> =
        heights.iter().map(|&z| DicomFile::parse(&moved(&bytes, z)).unwrap()).collect();
    let slices: Vec<SegmentedSlice<'_>> = files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let source = SourceImage::new(file, 0).unwrap();
            let labels = labels(source.rows(), source.columns(), index + 2);
            SegmentedSlice { planes: planes_of_labels(&labels, 2), source }
        })
        .collect();
    let planes: Vec<Vec<u8>> = slices.iter().map(|slice| slice.planes[0].clone()).collect();
    let input = SegmentationInput {
        kind: SegmentationKind::Binary,
        segments: vec![Segment::of_class("lung")],
        slices,
    };
    let bytes = write_segmentation(&input, &context(Privacy::Keep)).unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("seg.dcm");
    fs::write(&path, &bytes).unwrap();
    readers.validate(&path);
    let found = readers.python("seg.py", &path, &[]);
    // The crate's own reader takes positions from the functional groups too.
    let own = DicomFile::parse(&bytes).unwrap();
    for (index, (z, plane)) in heights.iter().zip(&planes).enumerate() {
        let frame = &found["frames"][index];
        assert_eq!(frame["position"][2], *z);
        assert_eq!(frame["sha256"], sha256(plane));
        let expected = files[index].geometry(0);
        let geometry = own.geometry(index as u32);
        assert_eq!((geometry.position, geometry.spacing), (expected.position, expected.spacing));
        let samples = own.frame(index as u32).unwrap().samples;
        assert_eq!(samples, Samples::U8(plane.clone()));
    }
}

#[test]
fn a_fractional_segmentation_keeps_its_probabilities() {
    let Some(folder) = fixtures("fractional segmentations") else { return };
    let Some(readers) = Readers::find("fractional segmentations") else { return };
    let file = DicomFile::parse(&fixture(&folder, "002_CT_small.dcm")).unwrap();
    let source = SourceImage::new(&file, 0).unwrap();
    let plane: Vec<u8> = (0..source.rows() * source.columns()).map(|i| (i % 251) as u8).collect();
    let input = SegmentationInput {
        kind: SegmentationKind::Fractional,
        segments: vec![Segment::of_class("tumour")],
        slices: vec![SegmentedSlice { source, planes: vec![plane.clone()] }],
    };
    let bytes = write_segmentation(&input, &context(Privacy::Keep)).unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("seg.dcm");
    fs::write(&path, bytes).unwrap();
    readers.validate(&path);
    let found = readers.python("seg.py", &path, &[]);
    assert_eq!(found["type"], "FRACTIONAL");
    assert_eq!(found["frames"][0]["sha256"], sha256(&plane));
}

#[test]
fn a_report_comes_back_from_highdicom_and_dcmtk_prints_it() {
    let Some(folder) = fixtures("reports") else { return };
    let Some(readers) = Readers::find("reports") else { return };
    let file = DicomFile::parse(&fixture(&folder, "002_CT_small.dcm")).unwrap();
    let image = SourceImage::new(&file, 0).unwrap();
    let finding = |task: &str, class: &str, probability| Finding {
        image: 0,
        task: task.into(),
        finding: Code::of_class(class),
        probability,
        region: None,
        measurements: Vec::new(),
    };
    let input = ReportInput {
        images: vec![image],
        findings: vec![
            finding("lung-ct", "malignant", Some(0.873_214_5)),
            Finding {
                measurements: vec![Measurement::area(1234.5)],
                ..finding("lungs", "lung", None)
            },
            Finding {
                region: Some(Region::Box([10.0, 20.5, 40.0, 60.25])),
                ..finding("nuclei-boxes", "nucleus", Some(0.5))
            },
        ],
    };
    let bytes = write_structured_report(&input, &context(Privacy::Keep)).unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("sr.dcm");
    fs::write(&path, bytes).unwrap();
    readers.validate(&path);

    let found = readers.python("sr.py", &path, &[]);
    assert_eq!(found["title"], "126000");
    let groups = found["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 3);
    let of = |task: &str| {
        let named = |group: &&serde_json::Value| {
            group["tracking"].as_str().is_some_and(|name| name.starts_with(task))
        };
        groups.iter().find(named).unwrap()
    };
    let malignant = of("lung-ct");
    assert_eq!(malignant["finding"], Code::of_class("malignant").value);
    assert_eq!(malignant["numbers"]["122157"]["value"], 0.873_214_5);
    assert_eq!(malignant["name"][0], "medley-nano");
    assert_eq!(malignant["version"][0], "0.1.0");
    assert!(malignant["parameters"][0].as_str().unwrap().contains(WEIGHTS));
    assert!(malignant["parameters"][1].as_str().unwrap().contains("self-test passed"));
    let lung = of("lungs");
    assert_eq!(lung["finding"], "39607008");
    assert_eq!(lung["numbers"]["42798000"], serde_json::json!({"value": 1234.5, "unit": "mm2"}));
    let nucleus = of("nuclei-boxes");
    let corners = [10.0, 20.5, 40.0, 20.5, 40.0, 60.25, 10.0, 60.25, 10.0, 20.5];
    assert_eq!(nucleus["points"][0], serde_json::json!(corners));
    assert_ne!(nucleus["tracking_uid"], lung["tracking_uid"]);

    let printed = readers.print_report(&path);
    for text in ["Research use only. Not for diagnostic use.", "malignant", "0.8732145", WEIGHTS] {
        assert!(printed.contains(text), "{text}: {printed}");
    }
}

#[test]
fn a_capture_has_the_drawing_and_the_sentence_below_it() {
    let Some(folder) = fixtures("captures") else { return };
    let Some(readers) = Readers::find("captures") else { return };
    let bytes = fixture(&folder, "002_CT_small.dcm");
    let (width, height) = (128, 127);
    let rgb: Vec<u8> = (0..width * height * 3).map(|i| (i % 200) as u8).collect();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("sc.dcm");
    let capture = |slice: &[u8], number| {
        let file = DicomFile::parse(slice).unwrap();
        let source = SourceImage::new(&file, 0).unwrap();
        let input = CaptureInput { source, number, width, height, rgb: &rgb };
        fs::write(&path, write_secondary_capture(&input, &context(Privacy::Keep)).unwrap())
            .unwrap();
        readers.validate(&path);
        readers.python("sc.py", &path, &[&height.to_string()])
    };
    let found = capture(&bytes, 7);
    assert_eq!(found["columns"], width);
    assert!(found["rows"].as_u64().unwrap() > u64::from(height));
    assert_eq!(found["drawing"], sha256(&rgb));
    assert_eq!(found["strip"], 230);
    assert_eq!(found["burned"], "YES");
    assert_eq!(found["comments"], "Research use only. Not for diagnostic use.");
    // Of the next slice: another instance of the same new series.
    let next = capture(&moved(&bytes, 5.0), 8);
    assert_eq!((&found["number"], &next["number"]), (&7.into(), &8.into()));
    assert_eq!(found["series"], next["series"]);
    let source = dicom_object::from_reader(bytes.as_slice()).unwrap();
    let source = source.element(tags::SERIES_INSTANCE_UID).unwrap().to_str().unwrap();
    assert_ne!(found["series"], source.as_ref());
    assert_ne!(found["instance"], next["instance"]);
}
