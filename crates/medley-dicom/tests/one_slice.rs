//! One CT slice gives the same samples in the eighteen transfer syntaxes that are read and lose nothing of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use dicom_core::value::{PixelFragmentSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use medley_dicom::{DicomFile, Samples};
use support::readers::Readers;
use support::{fixture, fixtures};
use zune_core::bit_depth::BitDepth;
use zune_core::colorspace::ColorSpace;
use zune_core::options::EncoderOptions;
use zune_jpegxl::JxlSimpleEncoder;

const SLICE: &str = "002_CT_small.dcm";
const NEAR_LOSSLESS: &str = "1.2.840.10008.1.2.4.81";

/// The syntax that comes out, DCMTK's program and its options.
const TRANSCODED: [(&str, &str, &[&str]); 14] = [
    ("1.2.840.10008.1.2", "dcmconv", &["+ti"]),
    ("1.2.840.10008.1.2.1", "dcmconv", &["+te"]),
    ("1.2.840.10008.1.2.2", "dcmconv", &["+tb"]),
    ("1.2.840.10008.1.2.1.99", "dcmconv", &["+td"]),
    ("1.2.840.10008.1.2.5", "dcmcrle", &[]),
    ("1.2.840.10008.1.2.4.57", "dcmcjpeg", &["+el", "+sv", "2"]),
    ("1.2.840.10008.1.2.4.57", "dcmcjpeg", &["+el", "+sv", "3"]),
    ("1.2.840.10008.1.2.4.57", "dcmcjpeg", &["+el", "+sv", "4"]),
    ("1.2.840.10008.1.2.4.57", "dcmcjpeg", &["+el", "+sv", "5"]),
    ("1.2.840.10008.1.2.4.57", "dcmcjpeg", &["+el", "+sv", "6"]),
    ("1.2.840.10008.1.2.4.57", "dcmcjpeg", &["+el", "+sv", "7"]),
    ("1.2.840.10008.1.2.4.70", "dcmcjpeg", &["+e1"]),
    ("1.2.840.10008.1.2.4.80", "dcmcjpls", &["+el"]),
    // A lossless stream of cooked samples in the syntax's other form.
    ("1.2.840.10008.1.2.4.80", "dcmcjpls", &["+el", "+pr"]),
];

fn transcode(program: &str, options: &[&str], from: &Path, to: &Path) -> DicomFile {
    let status = Command::new(program).args(options).arg(from).arg(to).status().unwrap();
    assert!(status.success(), "{program} {options:?}");
    DicomFile::parse(&fs::read(to).unwrap()).unwrap()
}

#[test]
fn what_dcmtk_transcodes_has_the_same_samples() {
    let Some(folder) = fixtures("transcoded slices") else { return };
    if Readers::find("transcoded slices").is_none() {
        return;
    }
    let bytes = fixture(&folder, SLICE);
    let samples = DicomFile::parse(&bytes).unwrap().frame(0).unwrap().samples;
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    fs::write(&from, &bytes).unwrap();
    for (syntax, program, options) in TRANSCODED {
        let file = transcode(program, options, &from, &to);
        assert_eq!(file.syntax().uid, syntax, "{program} {options:?}");
        assert!(file.frame(0).unwrap().samples == samples, "{program} {options:?}");
    }
    // A lossless stream is as good in the syntax that allows losses.
    let lossless = transcode("dcmcjpls", &["+el"], &from, &to);
    let mut object = dicom_object::open_file(&to).unwrap();
    object.update_meta(|meta| meta.transfer_syntax = NEAR_LOSSLESS.into());
    let file = DicomFile::parse(&written(&object)).unwrap();
    assert_eq!(file.syntax().uid, NEAR_LOSSLESS);
    assert!(file.frame(0).unwrap().samples == lossless.frame(0).unwrap().samples);
}

#[test]
fn what_dcmtk_encodes_nearly_without_loss_is_as_near_as_that() {
    let Some(folder) = fixtures("near-lossless slices") else { return };
    if Readers::find("near-lossless slices").is_none() {
        return;
    }
    let mut object = dicom_object::from_reader(fixture(&folder, SLICE).as_slice()).unwrap();
    // DCMTK encodes no signs, and the slice has no value below 0.
    let unsigned = PrimitiveValue::from(0_u16);
    object.put(DataElement::new(tags::PIXEL_REPRESENTATION, VR::US, unsigned));
    let values = |file: &DicomFile| file.frame(0).unwrap().samples.to_f64();
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    fs::write(&from, written(&object)).unwrap();
    let original = values(&DicomFile::parse(&written(&object)).unwrap());
    for deviation in ["1", "2", "5", "40"] {
        let file = transcode("dcmcjpls", &["+en", "+md", deviation], &from, &to);
        assert_eq!(file.syntax().uid, NEAR_LOSSLESS);
        let pairs = original.iter().zip(values(&file));
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // Also no nearer: the losses are those that were asked for.
        assert_eq!(worst, deviation.parse::<f64>().unwrap());
    }
}

#[test]
fn what_openjpeg_and_openjph_encode_has_the_same_samples() {
    let Some(folder) = fixtures("slices in JPEG 2000") else { return };
    let Some(readers) = Readers::find("slices in JPEG 2000") else { return };
    let bytes = fixture(&folder, SLICE);
    let samples = DicomFile::parse(&bytes).unwrap().frame(0).unwrap().samples;
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let same = |syntax: &str, stream: &Path| {
        let file = encapsulated(&bytes, syntax, fs::read(stream).unwrap());
        let file = DicomFile::parse(&file).unwrap();
        assert_eq!(file.syntax().uid, syntax);
        assert!(file.frame(0).unwrap().samples == samples, "{syntax}");
    };

    let (raw, stream) = (path("raw"), path("slice.j2k"));
    fs::write(&raw, samples.to_le_bytes()).unwrap();
    for (syntax, sign) in [("1.2.840.10008.1.2.4.90", "signed"), ("1.2.840.10008.1.2.4.91", "")] {
        readers.python("j2k.py", &raw, &["128", "128", sign, stream.to_str().unwrap()]);
        same(syntax, &stream);
    }

    // Bits of 16, the high byte first, without a sign.
    let Samples::I16(values) = &samples else { unreachable!("the slice has 16 bits with sign") };
    let words = values.iter().flat_map(|value| value.to_be_bytes());
    let (grey, stream) = (path("slice.pgm"), path("slice.j2c"));
    fs::write(&grey, b"P5\n128 128\n65535\n".iter().copied().chain(words).collect::<Vec<u8>>())
        .unwrap();
    for (syntax, order) in [
        ("1.2.840.10008.1.2.4.201", "LRCP"),
        ("1.2.840.10008.1.2.4.202", "RPCL"),
        ("1.2.840.10008.1.2.4.203", "CPRL"),
    ] {
        let mut encoder = Command::new("ojph_compress");
        encoder.args(["-reversible", "true", "-prog_order", order, "-i"]).arg(&grey);
        assert!(encoder.arg("-o").arg(&stream).output().unwrap().status.success(), "{order}");
        same(syntax, &stream);
    }
}

fn written(object: &DefaultDicomObject) -> Vec<u8> {
    let mut file = Vec::new();
    object.write_all(&mut file).unwrap();
    file
}

/// The slice with its pixels in one fragment, of that syntax.
fn encapsulated(bytes: &[u8], syntax: &str, mut fragment: Vec<u8>) -> Vec<u8> {
    if !fragment.len().is_multiple_of(2) {
        fragment.push(0);
    }
    let mut object = dicom_object::from_reader(bytes).unwrap();
    let pixels = PixelFragmentSequence::new_fragments(vec![fragment]);
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, Value::PixelSequence(pixels)));
    object.update_meta(|meta| meta.transfer_syntax = syntax.into());
    written(&object)
}

#[test]
fn what_rust_encodes_has_the_same_samples() {
    let Some(folder) = fixtures("encoded slices") else { return };
    let bytes = fixture(&folder, SLICE);
    let samples = DicomFile::parse(&bytes).unwrap().frame(0).unwrap().samples;
    let Samples::I16(values) = &samples else { unreachable!("the slice has 16 bits with sign") };
    let raw = samples.to_le_bytes();

    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&raw).unwrap();
    let deflated = deflated.finish().unwrap();

    // JPEG XL knows no sign: the bits are kept.
    let words: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    let options = EncoderOptions::new(128, 128, ColorSpace::Luma, BitDepth::Sixteen);
    let mut jpeg_xl = Vec::new();
    JxlSimpleEncoder::new(&words, options).encode(&mut jpeg_xl).unwrap();

    for (syntax, fragment) in [
        ("1.2.840.10008.1.2.1.98", raw),
        ("1.2.840.10008.1.2.8.1", deflated),
        ("1.2.840.10008.1.2.4.110", jpeg_xl.clone()),
        ("1.2.840.10008.1.2.4.112", jpeg_xl),
    ] {
        let file = DicomFile::parse(&encapsulated(&bytes, syntax, fragment)).unwrap();
        assert_eq!(file.syntax().uid, syntax);
        assert!(file.frame(0).unwrap().samples == samples, "{syntax}");
    }
}
