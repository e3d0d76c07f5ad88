//! 135 public files against what pydicom finds in them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use medley_dicom::{DicomFile, info};
use serde_json::Value;
use support::{fixture, fixtures, index, read};

/// Syntaxes that lose something: the mean must agree. All others must agree bit by bit.
const LOSSY: [&str; 6] = [
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.4.112",
];

/// Half a grey level: two right decoders of a lossy syntax may round differently.
const MEAN_TOLERANCE: f64 = 0.5;

fn compare(entry: &Value, bytes: &[u8]) -> Result<(), String> {
    let found = info(bytes).map_err(|error| error.to_string())?;
    let image = found.image.ok_or("no image")?;
    let found_json = serde_json::to_value(&image).unwrap();
    for field in [
        "photometric",
        "rows",
        "columns",
        "frames",
        "bits_allocated",
        "bits_stored",
        "pixel_representation",
    ] {
        if found_json[field] != entry[field] {
            return Err(format!("{field}: {} for {}", found_json[field], entry[field]));
        }
    }
    let modality = entry["modality"].as_str().filter(|modality| *modality != "None");
    if found.modality.as_deref() != modality {
        return Err(format!("modality {:?} for {modality:?}", found.modality));
    }
    let (first, expected) = (&image.first_frame, &entry["first_frame"]);
    if serde_json::to_value(&first.shape).unwrap() != expected["shape"] {
        return Err(format!("shape {:?}", first.shape));
    }
    let syntax = entry["transfer_syntax"].as_str().unwrap();
    if !LOSSY.contains(&syntax) {
        let same = first.sha256_le == expected["sha256_le"].as_str().unwrap();
        return if same { Ok(()) } else { Err(format!("digest differs: {first:?}, {expected}")) };
    }
    let difference = (first.mean - expected["mean"].as_f64().unwrap()).abs();
    if difference > MEAN_TOLERANCE {
        return Err(format!("mean off by {difference}: {first:?}, {expected}"));
    }
    Ok(())
}

#[test]
fn every_image_agrees_with_the_reference_reader() {
    let Some(folder) = fixtures("images against the reference reader") else { return };
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in index(&folder).iter().filter(|entry| entry["expect"] == "image") {
        count += 1;
        if let Err(reason) = compare(entry, &read(&folder, entry)) {
            wrong.push(format!("{}: {reason}", entry["file"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(count, 112);
}

/// What becomes of an entry of which the index says that the reference reader has no image.
enum Outcome {
    /// A typed error, whose text begins so.
    Fails(&'static str),
    /// It is an image, and the reference reader merely has no decoder: the first frame's samples are those of
    /// another entry.
    SameAs(&'static str),
    /// As `SameAs`, with the mean that DCMTK 3.6.7 finds (`dcmdjpeg`, then the mean of the samples).
    Mean(f64),
}

/// Each of the 23 entries, with the reason.
const NEGATIVE: [(&str, Outcome); 23] = [
    // A data set without an image; pydicom refuses it for want of a preamble, which is no fault here.
    ("004_ExplVR_BigEndNoMeta.dcm", Outcome::Fails("the object has no image")),
    ("005_ExplVR_LitEndNoMeta.dcm", Outcome::Fails("the object has no image")),
    // 12-bit DCT, which pydicom's plug-ins do not decode.
    ("007_JPEG-lossy.dcm", Outcome::Mean(14.369991)),
    // The number of frames is "1A".
    ("053_badVR.dcm", Outcome::Fails("the attribute NumberOfFrames")),
    ("055_empty_charset_LEI.dcm", Outcome::Fails("the object has no image")),
    // Cut off before the end of the fragments: some may be missing, so nothing is shown.
    ("060_emri_small_jpeg_2k_lossless_too_short.dcm", Outcome::Fails("the DICOM file is damaged")),
    // Neither a transfer syntax nor a first element that shows one.
    ("068_meta_missing_tsyntax.dcm", Outcome::Fails("the attribute TransferSyntaxUID")),
    // Two bytes of pixel data, and no size.
    ("069_nested_priv_SQ.dcm", Outcome::Fails("the attribute Rows")),
    ("070_reportsi.dcm", Outcome::Fails("the object has no image")),
    ("071_reportsi_with_empty_number_tags.dcm", Outcome::Fails("the object has no image")),
    ("078_rtplan.dcm", Outcome::Fails("the object has no image")),
    ("079_rtplan_truncated.dcm", Outcome::Fails("the DICOM file is")),
    // 12-bit DCT.
    ("107_MR1_JPLY", Outcome::Mean(481.498604)),
    ("108_MR2_JPLY", Outcome::Mean(75.645362)),
    ("109_MR3_JPLY", Outcome::Mean(329.441238)),
    ("110_MR4_JPLY", Outcome::Mean(1515.897785)),
    ("111_NM1_JPLY", Outcome::Mean(14.369991)),
    ("112_RG3_JPLY", Outcome::Mean(333.288299)),
    ("125_emri_small_jpeg_2k_lossless_too_short.dcm", Outcome::Fails("the DICOM file is damaged")),
    // Deflated frames, younger than the reference reader; the same masks as in other syntaxes.
    ("127_liver_deflate.dcm", Outcome::SameAs("064_liver.dcm")),
    ("129_liver_nonbyte_aligned_deflate.dcm", Outcome::SameAs("130_liver_nonbyte_aligned_j2k.dcm")),
    // RLE of one bit a sample, which the reference reader does not know.
    ("131_liver_nonbyte_aligned_rle.dcm", Outcome::SameAs("130_liver_nonbyte_aligned_j2k.dcm")),
    ("132_liver_rle.dcm", Outcome::SameAs("064_liver.dcm")),
];

/// Two decoders of the same coefficients differ by rounding alone.
const DECODER_TOLERANCE: f64 = 0.002;

#[test]
fn what_the_reference_reader_refuses_is_an_error_or_decodes_right() {
    let Some(folder) = fixtures("negative cases") else { return };
    let entries = index(&folder);
    let negative: Vec<_> = entries.iter().filter(|entry| entry["expect"] != "image").collect();
    assert_eq!(negative.len(), NEGATIVE.len());
    for (entry, (name, outcome)) in negative.into_iter().zip(&NEGATIVE) {
        assert!(entry["file"].as_str().unwrap().ends_with(name), "{entry}: {name}");
        let frame = DicomFile::parse(&read(&folder, entry)).and_then(|file| file.frame(0));
        match (outcome, frame) {
            (Outcome::Fails(start), Err(error)) => {
                assert!(error.to_string().starts_with(start), "{name}: {error}");
            }
            (Outcome::SameAs(other), Ok(frame)) => {
                let other = DicomFile::parse(&fixture(&folder, other)).unwrap().frame(0).unwrap();
                assert!(frame.samples == other.samples, "{name}");
            }
            (Outcome::Mean(mean), Ok(frame)) => {
                let found = frame.samples.statistics().mean;
                assert!((found - mean).abs() < DECODER_TOLERANCE, "{name}: {found} for {mean}");
            }
            (_, Ok(frame)) => panic!("{name}: decoded, {:?}", frame.samples.statistics()),
            (_, Err(error)) => panic!("{name}: {error}"),
        }
    }
}
