//! The images that the reference reader refuses for want of a decoder, against decoders of others.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use medley_dicom::{DicomFile, Layout, Samples};
use sha2::{Digest, Sha256};
use support::readers::Readers;
use support::{fixtures, index, read};

/// Two right decoders of the same coefficients of a DCT round differently by one grey level at the most.
const ROUNDING: f64 = 1.0;

/// Compares with DCMTK's `dcmdjpeg`, whose library decodes 12-bit DCT.
fn compare_with_dcmtk(name: &str, path: &Path, ours: &[Samples]) {
    let decoded = path.with_extension("decoded");
    let output = Command::new("dcmdjpeg").arg(path).arg(&decoded).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let theirs = DicomFile::parse(&fs::read(&decoded).unwrap()).unwrap();
    assert_eq!(theirs.syntax().uid, "1.2.840.10008.1.2.1", "{name}");
    for (frame, ours) in (0..).zip(ours) {
        let theirs = theirs.frame(frame).unwrap().samples;
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let pairs = ours.to_f64().into_iter().zip(theirs.to_f64());
        let differences: Vec<f64> = pairs.map(|(a, b)| (a - b).abs()).collect();
        let worst = differences.iter().copied().fold(0.0, f64::max);
        let other = differences.iter().filter(|difference| **difference > 0.0).count();
        let share = other as f64 / differences.len() as f64;
        println!("{name}: at most {worst} grey levels off, {:.3} % of the pixels", share * 100.0);
        assert!(worst <= ROUNDING, "{name}, frame {frame}: {worst} grey levels off");
    }
}

/// Compares with what zlib and pydicom's own unpacking make of bits.
fn compare_with_python(name: &str, readers: &Readers, path: &Path, ours: &[Samples]) {
    let found = readers.python("bits.py", path, &[]);
    let digest = |samples: &Samples| {
        let bytes = Sha256::digest(samples.to_le_bytes());
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let ours: Vec<String> = ours.iter().map(digest).collect();
    assert_eq!(found["frames"], serde_json::json!(ours), "{name}");
}

#[test]
fn what_the_reference_reader_merely_lacks_others_decode_to_the_same() {
    let Some(folder) = fixtures("images that the reference reader refuses") else { return };
    let Some(readers) = Readers::find("images that the reference reader refuses") else { return };
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("image");
    let (mut lossy, mut bits) = (0, 0);
    for entry in index(&folder).iter().filter(|entry| entry["expect"] != "image") {
        let bytes = read(&folder, entry);
        let Ok(file) = DicomFile::parse(&bytes) else { continue };
        if file.frame(0).is_err() {
            continue;
        }
        let frames = 0..Layout::read(&file).unwrap().frames;
        let ours: Vec<Samples> = frames.map(|f| file.frame(f).unwrap().samples).collect();
        let name = entry["file"].as_str().unwrap();
        fs::write(&path, &bytes).unwrap();
        match file.syntax().uid {
            "1.2.840.10008.1.2.4.51" => {
                compare_with_dcmtk(name, &path, &ours);
                lossy += 1;
            }
            "1.2.840.10008.1.2.5" | "1.2.840.10008.1.2.8.1" => {
                compare_with_python(name, &readers, &path, &ours);
                bits += 1;
            }
            other => panic!("{name}: nobody else decodes {other}"),
        }
    }
    assert_eq!((lossy, bits), (7, 4));
}
