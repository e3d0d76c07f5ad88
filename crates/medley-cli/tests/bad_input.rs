//! Bad input: exit code 2, a clear message, no panic, at once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::time::{Duration, Instant};

use support::{Answer, Place};

/// Far more than reading the tiny model and refusing takes, also on a busy machine; far less than allocating
/// and decoding 400 million pixels.
const PROMPT: Duration = Duration::from_secs(20);

/// Runs `medley predict` and wants it to refuse, saying each of `words`.
fn refused(place: &Place, arguments: &[&str], words: &[&str]) -> Answer {
    let begin = Instant::now();
    let answer = place.predict(arguments);
    assert!(begin.elapsed() < PROMPT, "{:?} for {answer:?}", begin.elapsed());
    assert_eq!(answer.code, 2, "{answer:?}");
    for word in words {
        assert!(answer.stderr.contains(word), "{word:?} is missing: {answer:?}");
    }
    answer
}

#[test]
fn a_truncated_jpeg_is_refused_by_name() {
    let place = Place::new();
    place.draw("cut.jpg", 200, 150);
    let bytes = place.read("cut.jpg");
    for length in [bytes.len() * 9 / 10, bytes.len() / 2, 100, 3] {
        place.write("cut.jpg", &bytes[..length]);
        refused(&place, &["cut.jpg"], &["cut.jpg", "cut off"]);
    }
}

#[test]
fn text_named_png_an_empty_file_a_folder_without_pictures_and_no_file_are_refused() {
    let place = Place::new();
    place.write("text.png", "this is no picture");
    refused(&place, &["text.png"], &["text.png", "not a PNG or JPEG"]);
    place.write("empty.png", "");
    refused(&place, &["empty.png"], &["empty.png"]);
    refused(&place, &["model"], &["model", "no PNG, JPEG or DICOM picture"]);
    refused(&place, &["missing.png"], &["missing.png", "cannot be read"]);
}

#[test]
fn a_header_of_20000_by_20000_is_refused_before_anything_is_allocated() {
    let place = Place::new();
    let mut png = place.read("a.png");
    png[16..20].copy_from_slice(&20_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&20_000_u32.to_be_bytes());
    place.write("huge.png", &png);
    refused(&place, &["huge.png"], &["huge.png", "20000x20000"]);

    place.draw("huge.jpg", 64, 64);
    let mut jpeg = place.read("huge.jpg");
    // Baseline frame: FF C0, length, precision, height, width.
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&20_000_u16.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&20_000_u16.to_be_bytes());
    place.write("huge.jpg", &jpeg);
    refused(&place, &["huge.jpg"], &["huge.jpg", "20000x20000"]);
}

#[test]
fn a_picture_of_one_pixel_is_answered() {
    let place = Place::new();
    place.draw("one.png", 1, 1);
    let answer = place.predict(&["--json", "--overlay", "over.png", "one.png"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(json["results"][1]["mask"]["width"], 1);
    assert_eq!(json["results"][1]["mask"]["height"], 1);
}

#[test]
fn weights_cut_short_are_refused() {
    let place = Place::new();
    let bytes = place.read("model/model.safetensors");
    for length in [bytes.len() - 1, bytes.len() / 2, 4, 0] {
        place.write("model/model.safetensors", &bytes[..length]);
        let answer = refused(&place, &["a.png"], &["model.safetensors", &bytes.len().to_string()]);
        assert!(answer.stdout.is_empty(), "{answer:?}");
    }
}

#[test]
fn a_flipped_byte_anywhere_in_a_shard_is_refused() {
    let place = Place::new();
    let bytes = place.read("model/model.safetensors");
    for position in [0, 9, 1000, bytes.len() / 2, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        place.write("model/model.safetensors", &flipped);
        let answer = refused(&place, &["a.png"], &["model.safetensors", "SHA-256"]);
        assert!(answer.stdout.is_empty(), "{answer:?}");
    }
}

#[test]
fn a_wrong_digest_a_broken_manifest_and_no_package_are_refused() {
    let place = Place::new();
    let manifest = String::from_utf8(place.read("model/manifest.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let digest = json["sha256"].as_str().unwrap();
    let other = digest.chars().rev().collect::<String>();
    place.write("model/manifest.json", manifest.replace(digest, &other));
    refused(&place, &["a.png"], &["model", &other]);

    place.write("model/manifest.json", &manifest[..manifest.len() / 2]);
    refused(&place, &["a.png"], &["manifest.json"]);
    place.write("model/manifest.json", manifest.replace("Not for diagnostic", "Good for"));
    refused(&place, &["a.png"], &["notice"]);
    std::fs::remove_file(place.path("model/manifest.json")).unwrap();
    refused(&place, &["a.png"], &["manifest.json"]);
}

#[test]
fn weights_that_do_not_belong_to_the_self_test_are_refused() {
    let place = Place::new();
    let mut package = medley_package::read_dir(place.path("model")).unwrap();
    for (name, tensor) in &mut package.tensors {
        if let medley_package::PackedTensor::Int8 { data, .. } = tensor {
            assert!(!name.starts_with("self_test."));
            data.iter_mut().for_each(|value| *value = value.saturating_neg());
        }
    }
    medley_package::write_dir(place.path("model"), &package).unwrap();
    refused(&place, &["a.png"], &["self-test failed", "export the package again"]);
}

#[test]
fn unknown_tasks_and_options_out_of_range_are_refused_and_the_tasks_are_listed() {
    let place = Place::new();
    let answer = refused(&place, &["--task", "lungz", "a.png"], &["lungz", "shape, area, where"]);
    assert!(answer.stdout.is_empty(), "{answer:?}");
    refused(&place, &["--threshold", "1.5", "a.png"], &["--threshold", "0 to 1"]);
    refused(&place, &["--overlay", "a.png", "a.png"], &["write over the input"]);
    refused(&place, &[], &["<IMAGE>"]);
    assert_eq!(place.medley(&["evaluate", "--model", "model", "--data", "none"]).code, 2);
    assert_eq!(place.medley(&["export", "none", "--out", "x", "--data", "none"]).code, 2);
    assert_eq!(place.medley(&["pretrain", "none.toml"]).code, 2);
    assert_eq!(place.medley(&["info", "none"]).code, 2);
}

#[test]
fn one_bad_image_does_not_keep_the_others_from_their_answers() {
    let place = Place::new();
    place.write("bad.png", "x");
    place.draw("b.jpg", 70, 70);
    let answer = refused(&place, &["--json", "a.png", "bad.png", "b.jpg"], &["bad.png"]);
    let files: Vec<String> = answer
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["file"].to_string())
        .collect();
    assert_eq!(files, ["\"a.png\"", "\"b.jpg\""]);
}
