//! One CT slice in many transfer syntaxes gives the same samples in all of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod support;

use std::fs;
use std::io::Write;
use std::process::Command;

use dicom_core::value::{PixelFragmentSequence, Value};
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;
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
        let status = Command::new(program).args(options).arg(&from).arg(&to).status().unwrap();
        assert!(status.success(), "{program} {options:?}");
        let file = DicomFile::parse(&fs::read(&to).unwrap()).unwrap();
        assert_eq!(file.syntax().uid, syntax, "{program} {options:?}");
        assert!(file.frame(0).unwrap().samples == samples, "{program} {options:?}");
    }
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
    let mut file = Vec::new();
    object.write_all(&mut file).unwrap();
    file
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
