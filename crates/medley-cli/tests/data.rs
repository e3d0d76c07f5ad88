//! `medley data import` and `medley data check`, one after the other on drawn pictures.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use medley_package::NOTICE;
use serde_json::Value;
use support::{Answer, Place, exists};

/// Draws a folder for each of two classes with eight pictures of four patients each.
fn source(place: &Place) {
    for folder in ["cells/round", "cells/square"] {
        std::fs::create_dir_all(place.path(folder)).unwrap();
    }
    for number in 0..8u32 {
        let draw = |name: String, phase: f32| {
            image::RgbImage::from_fn(60, 40, |x, y| {
                let (x, y) = (x as f32 / 60.0, y as f32 / 40.0);
                let wave = (7.0 * x + phase).sin() * (5.0 * y + 2.0 * phase).cos();
                image::Rgb([(127.0 + 60.0 * (wave + (11.0 * x * y + phase).sin())) as u8; 3])
            })
            .save(place.path(&name))
            .unwrap();
        };
        let patient = number / 2;
        draw(format!("cells/round/p{patient}_{number}.png"), 1.7 * number as f32);
        draw(format!("cells/square/q{patient}_{number}.png"), 1.7 * (number + 8) as f32);
    }
}

fn import(place: &Place, more: &[&str]) -> Answer {
    let always = [
        "data",
        "import",
        "folders",
        "cells",
        "--out",
        "db",
        "--name",
        "cells",
        "--modality",
        "microscopy",
        "--body",
        "blood",
        "--licence",
        "CC0",
        "--group-regex",
        r"^([pq]\d+)_",
    ];
    place.medley(&[&always[..], more].concat())
}

#[test]
fn a_folder_is_imported_and_its_check_is_clean() {
    let place = Place::new();
    source(&place);
    let written = import(&place, &["--split", "50,25,25", "--seed", "3", "--task-name", "shape"]);
    assert_eq!(written.code, 0, "{written:?}");
    for word in
        ["db/cells", "16 images (8 train, 4 val, 4 test", "50,25,25 with seed 3", "round, square"]
    {
        assert!(written.stdout.contains(word), "{word:?}: {written:?}");
    }

    let checked = place.medley(&["data", "check", "db", "--json", "check.json"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    for word in ["shape (cells)", "4 (50 %)", "all images", "groups", "0 wrong"] {
        assert!(checked.stdout.contains(word), "{word:?}: {checked:?}");
    }
    let json: Value = serde_json::from_slice(&place.read("check.json")).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["tasks"][0]["splits"][0]["records"], 8);
    assert_eq!(json["datasets"][0]["leaks"], Value::Array(Vec::new()));

    let again = import(&place, &[]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("--force"), "{again:?}");
    assert_eq!(import(&place, &["--force"]).code, 0);
}

#[test]
fn a_bad_source_writes_nothing_and_every_bad_file_is_named() {
    let place = Place::new();
    source(&place);
    place.write("cells/round/p9_1.png", "no picture");
    place.write("cells/square/q9_1.png", "");
    let refused = import(&place, &[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    for word in ["p9_1.png", "q9_1.png", "2 of 18 records are bad", "--skip-bad"] {
        assert!(refused.stderr.contains(word), "{word:?}: {refused:?}");
    }
    assert!(!exists(&place.path("db")));
    let skipped = import(&place, &["--skip-bad"]);
    assert_eq!(skipped.code, 0, "{skipped:?}");
    assert!(skipped.stdout.contains("2 bad records were left out"), "{skipped:?}");
    assert!(skipped.stderr.contains("left out: cells/round/p9_1.png"), "{skipped:?}");
}

#[test]
fn a_check_that_finds_a_leak_or_a_bad_file_ends_with_2_and_names_it() {
    let place = Place::new();
    source(&place);
    assert_eq!(import(&place, &["--split", "50,25,25"]).code, 0);
    let records = String::from_utf8(place.read("db/cells/records.jsonl")).unwrap();
    let find = |split: &str| {
        let line = records.lines().find(|line| line.contains(&format!("\"{split}\""))).unwrap();
        serde_json::from_str::<Value>(line).unwrap()
    };
    let (train, test) = (find("train"), find("test"));
    let name = |record: &Value, field: &str| record[field].as_str().unwrap().to_string();

    let leaking = records.replace(&name(&test, "group"), &name(&train, "group"));
    place.write("db/cells/records.jsonl", leaking);
    let found = place.medley(&["data", "check", "db"]);
    assert_eq!(found.code, 2, "{found:?}");
    let leak = format!("wrong: the group {:?} is in train (2) and test (2)", name(&train, "group"));
    assert!(found.stdout.contains(&leak), "{found:?}");

    // The test picture is the training one: a warning alone.
    place.write("db/cells/records.jsonl", &records);
    let (from, to) = (name(&train, "image"), name(&test, "image"));
    let (good, bytes) =
        (place.read(&format!("db/cells/{to}")), place.read(&format!("db/cells/{from}")));
    place.write(&format!("db/cells/{to}"), bytes);
    let found = place.medley(&["data", "check", "db"]);
    assert_eq!(found.code, 0, "{found:?}");
    assert!(found.stdout.contains("warning: ") && found.stdout.contains(&from), "{found:?}");

    place.write(&format!("db/cells/{to}"), &good[..good.len() / 2]);
    let found = place.medley(&["data", "check", "db"]);
    assert_eq!(found.code, 2, "{found:?}");
    assert!(
        found.stdout.contains("cannot be decoded") && found.stdout.contains("line "),
        "{found:?}"
    );
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let place = Place::new();
    source(&place);
    for (more, word) in [
        (&["--split", "70,20,20"][..], "100 in all"),
        (&["--group-folder"], "cannot be used with"),
        (&["--role", "both"], "target, pretrain"),
        (&["--classes", "round"], "none of round"),
    ] {
        let refused = import(&place, more);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(word), "{word:?}: {refused:?}");
    }
    assert_eq!(place.medley(&["data", "check", "none"]).code, 2);
    let unknown = place.medley(&["data", "import", "dicom", "cells"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("medmnist"), "{unknown:?}");
}

#[cfg(unix)]
#[test]
fn a_disk_that_cannot_be_written_is_no_bad_input() {
    let place = Place::new();
    source(&place);
    // A file where the database's folder should be made.
    place.write("db", "");
    let failed = import(&place, &[]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stderr.contains("cannot write db"), "{failed:?}");
}

#[test]
fn the_help_has_examples_and_the_notice() {
    let place = Place::new();
    for command in [&["data"][..], &["data", "import"], &["data", "check"]] {
        let answer = place.medley(&[command, &["--help"]].concat());
        assert_eq!(answer.code, 0);
        let example = format!("medley {}", command.join(" "));
        for word in ["Example", &example, NOTICE] {
            assert!(answer.stdout.contains(word), "{command:?}, {word:?}: {}", answer.stdout);
        }
    }
}
