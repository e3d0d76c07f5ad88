//! DICOM objects: images of the kinds and transfer syntaxes that can be written without a foreign encoder, and
//! reports about them. The public files of `../shared/dicom` have the other syntaxes.

use std::io::Write;

use dicom_core::value::{PixelFragmentSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_transfer_syntax_registry::entries;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use image::ExtendedColorType;
use medley_dicom::DicomFile;
use medley_dicom::export::{
    CaptureInput, ExportContext, Finding, ModelIdentity, Privacy, Region, ReportInput, Segment,
    SegmentationInput, SegmentationKind, SegmentedSlice, SelfTestOutcome, SourceImage, Timestamp,
    write_secondary_capture, write_segmentation, write_structured_report,
};
use zune_core::bit_depth::BitDepth;
use zune_core::colorspace::ColorSpace;
use zune_core::options::EncoderOptions;
use zune_jpegxl::JxlSimpleEncoder;

use super::Seed;
use super::pictures::{jpeg, values};

/// Columns and rows of each image.
const SIZE: (u32, u32) = (24, 18);
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const BIG: &str = "1.2.840.10008.1.2.2";

/// Images, and those of the results that have pixels.
pub(super) fn images() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, syntax) in
        [("implicit", IMPLICIT), ("explicit", EXPLICIT), ("deflated", DEFLATED), ("big", BIG)]
    {
        seeds.push(Seed::new(format!("{name}.dcm"), file(&slice(), syntax)));
    }
    seeds.push(Seed::new("rgb.dcm", file(&rgb(), EXPLICIT)));
    seeds.push(Seed::new("palette.dcm", file(&palette(), EXPLICIT)));
    for (name, syntax, bits, fragment) in [
        ("rle", "1.2.840.10008.1.2.5", 16, rle()),
        ("jpeg", "1.2.840.10008.1.2.4.50", 8, jpeg(SIZE, ExtendedColorType::L8, 1)),
        ("jpeg-xl", "1.2.840.10008.1.2.4.110", 16, jpeg_xl()),
        ("deflated-frame", "1.2.840.10008.1.2.8.1", 16, deflated(&words())),
    ] {
        let mut object = grey(bits);
        let fragments = PixelFragmentSequence::new_fragments(vec![even(fragment)]);
        let pixels = Value::PixelSequence(fragments);
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, pixels));
        seeds.push(Seed::new(format!("{name}.dcm"), file(&object, syntax)));
    }
    let source = DicomFile::parse(&file(&slice(), EXPLICIT)).unwrap();
    for (name, kind) in
        [("binary", SegmentationKind::Binary), ("fractional", SegmentationKind::Fractional)]
    {
        let planes = vec![values(SIZE, 1), values(SIZE, 1).into_iter().rev().collect()];
        let input = SegmentationInput {
            kind,
            segments: vec![Segment::of_class("lung"), Segment::of_class("heart")],
            slices: vec![SegmentedSlice { source: of(&source), planes }],
        };
        let bytes = write_segmentation(&input, &context()).unwrap();
        seeds.push(Seed::new(format!("segmentation-{name}.dcm"), bytes));
    }
    let rgb = values(SIZE, 3);
    let (source, (width, height)) = (of(&source), SIZE);
    let capture = CaptureInput { source, number: 1, width, height, rgb: &rgb };
    let bytes = write_secondary_capture(&capture, &context()).unwrap();
    seeds.push(Seed::new("capture.dcm", bytes));
    seeds
}

/// Objects without pixels.
pub(super) fn reports() -> Vec<Seed> {
    let source = DicomFile::parse(&file(&slice(), EXPLICIT)).unwrap();
    let finding = Finding {
        image: 0,
        task: "chest".into(),
        finding: Segment::of_class("nodule").property,
        probability: Some(0.75),
        region: Some(Region::Box([2.0, 3.0, 9.5, 11.0])),
        measurements: Vec::new(),
    };
    let input = ReportInput { images: vec![of(&source)], findings: vec![finding] };
    vec![Seed::new("report.dcm", write_structured_report(&input, &context()).unwrap())]
}

fn of(file: &DicomFile) -> SourceImage<'_> {
    SourceImage::new(file, 0).unwrap()
}

fn context() -> ExportContext {
    ExportContext {
        model: ModelIdentity {
            name: "drawn".into(),
            version: "0.1.0".into(),
            weights_sha256: "ab".repeat(32),
            self_test: Some(SelfTestOutcome { passed: true, worst: 0.0, tolerance: 0.01 }),
        },
        created: Timestamp::from_unix_seconds(1_700_000_000),
        privacy: Privacy::Keep,
    }
}

fn text(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
}

fn numbers(object: &mut InMemDicomObject, tag: Tag, values: &[u16]) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::U16(values.into())));
}

/// What any grey image of a CT says, but its pixels.
fn grey(bits: u16) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    for (tag, vr, value) in [
        (tags::SOP_CLASS_UID, VR::UI, CT),
        (tags::SOP_INSTANCE_UID, VR::UI, "1.2.3.4"),
        (tags::MODALITY, VR::CS, "CT"),
        (tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3"),
        (tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.1"),
        (tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.3.2"),
        (tags::INSTANCE_NUMBER, VR::IS, "7"),
        (tags::IMAGE_POSITION_PATIENT, VR::DS, "-20\\-30\\2.5"),
        (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0"),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        (tags::PIXEL_SPACING, VR::DS, "0.5\\0.8"),
        (tags::WINDOW_CENTER, VR::DS, "40\\-600"),
        (tags::WINDOW_WIDTH, VR::DS, "400\\1500"),
        (tags::RESCALE_INTERCEPT, VR::DS, "-1024"),
        (tags::RESCALE_SLOPE, VR::DS, "1"),
    ] {
        text(&mut object, tag, vr, value);
    }
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, SIZE.1 as u16),
        (tags::COLUMNS, SIZE.0 as u16),
        (tags::BITS_ALLOCATED, bits),
        (tags::BITS_STORED, bits),
        (tags::HIGH_BIT, bits - 1),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        numbers(&mut object, tag, &[value]);
    }
    object
}

/// A slice of 16 bits.
fn slice() -> InMemDicomObject {
    let mut object = grey(16);
    let pixels: Vec<u16> =
        words().chunks_exact(2).map(|w| u16::from_le_bytes([w[0], w[1]])).collect();
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into())));
    object
}

fn rgb() -> InMemDicomObject {
    let mut object = grey(8);
    text(&mut object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB");
    numbers(&mut object, tags::SAMPLES_PER_PIXEL, &[3]);
    numbers(&mut object, tags::PLANAR_CONFIGURATION, &[0]);
    bytes(&mut object, values(SIZE, 3));
    object
}

fn palette() -> InMemDicomObject {
    let mut object = grey(8);
    text(&mut object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "PALETTE COLOR");
    let table: Vec<u16> = (0..256).map(|v| v * 257).collect();
    for (descriptor, data) in [
        (
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ),
        (
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ),
        (
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ),
    ] {
        numbers(&mut object, descriptor, &[256, 0, 16]);
        let table = PrimitiveValue::U16(table.as_slice().into());
        object.put(DataElement::new(data, VR::OW, table));
    }
    bytes(&mut object, values(SIZE, 1));
    object
}

fn bytes(object: &mut InMemDicomObject, pixels: Vec<u8>) {
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(pixels.into())));
}

/// Samples of 16 bits, little endian.
fn words() -> Vec<u8> {
    values(SIZE, 1).into_iter().flat_map(|v| (u16::from(v) * 9).to_le_bytes()).collect()
}

/// RLE (PS3.5 annex G): a segment for the upper bytes and one for the lower, all of it literal runs.
fn rle() -> Vec<u8> {
    let segment = |upper: usize| {
        let plane: Vec<u8> = words().chunks_exact(2).map(|word| word[upper]).collect();
        let runs = plane.chunks(128).flat_map(|run| [&[run.len() as u8 - 1], run].concat());
        even(runs.collect())
    };
    let (upper, lower) = (segment(1), segment(0));
    let mut header = [0_u32; 16];
    header[..3].copy_from_slice(&[2, 64, 64 + upper.len() as u32]);
    let header: Vec<u8> = header.iter().flat_map(|v| v.to_le_bytes()).collect();
    [header, upper, lower].concat()
}

fn jpeg_xl() -> Vec<u8> {
    let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
    let native: Vec<u8> = words()
        .chunks_exact(2)
        .flat_map(|w| u16::from_le_bytes([w[0], w[1]]).to_ne_bytes())
        .collect();
    let options = EncoderOptions::new(width, height, ColorSpace::Luma, BitDepth::Sixteen);
    let mut bytes = Vec::new();
    JxlSimpleEncoder::new(&native, options).encode(&mut bytes).unwrap();
    bytes
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// With a zero behind it where its length is odd.
fn even(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

/// The object as a file.
fn file(object: &InMemDicomObject, syntax: &str) -> Vec<u8> {
    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(CT)
        .media_storage_sop_instance_uid("1.2.3.4")
        .transfer_syntax(syntax)
        .build()
        .unwrap();
    let mut file = [vec![0; 128], b"DICM".to_vec()].concat();
    meta.write(&mut file).unwrap();
    let encoding = match syntax {
        IMPLICIT => entries::IMPLICIT_VR_LITTLE_ENDIAN.erased(),
        BIG => entries::EXPLICIT_VR_BIG_ENDIAN.erased(),
        _ => entries::EXPLICIT_VR_LITTLE_ENDIAN.erased(),
    };
    let mut body = Vec::new();
    object.write_dataset_with_ts(&mut body, &encoding).unwrap();
    file.extend(if syntax == DEFLATED { deflated(&body) } else { body });
    file
}
