//! `medley predict` and `medley info`: what they print and write.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::io::Read;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use medley_package::NOTICE;
use serde_json::Value;
use support::{Place, exists};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn json_is_one_object_a_line_with_the_documented_fields() {
    let place = Place::new();
    place.draw("b.jpg", 50, 200);
    // A low threshold, so that weights that learned nothing answer with boxes.
    let answer = place.predict(&["--json", "--threshold", "0.01", "a.png", "b.jpg"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let lines: Vec<Value> =
        answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let fields = ["backend", "file", "format", "model", "notice", "results", "timing_ms"];
    for (json, (file, width, height)) in lines.iter().zip([("a.png", 120, 90), ("b.jpg", 50, 200)])
    {
        assert_eq!(keys(json), fields);
        assert_eq!(json["format"], 1);
        assert_eq!(json["notice"], NOTICE);
        assert_eq!(json["file"], file);
        assert_eq!(json["model"], "medley-fresh");
        assert_eq!(json["backend"], "cpu");
        let timing = &json["timing_ms"];
        assert_eq!(keys(timing), ["encode", "finish", "heads", "prepare", "total"]);
        assert!(timing["total"].as_f64().unwrap() > 0.0);

        let [shape, area, place] = &json["results"].as_array().unwrap()[..] else {
            panic!("{json}")
        };
        assert_eq!(keys(shape), ["classes", "kind", "task"]);
        assert_eq!((&shape["task"], &shape["kind"]), (&"shape".into(), &"classification".into()));
        let classes = shape["classes"].as_array().unwrap();
        let sum: f64 = classes.iter().map(|c| c["probability"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}: 32-bit probabilities add up to 1");
        assert_eq!(classes[0]["name"], "disc");

        assert_eq!(keys(area), ["kind", "mask", "task"]);
        let mask = &area["mask"];
        assert_eq!(keys(mask), ["height", "pixels", "png_base64", "width"]);
        let png = STANDARD.decode(mask["png_base64"].as_str().unwrap()).unwrap();
        let png = image::load_from_memory(&png).unwrap();
        let png = png.as_luma8().unwrap();
        assert_eq!(png.dimensions(), (width, height));
        assert_eq!((&mask["width"], &mask["height"]), (&width.into(), &height.into()));
        for (index, class) in ["background", "shape"].iter().enumerate() {
            let count = png.pixels().filter(|pixel| usize::from(pixel.0[0]) == index).count();
            assert_eq!(mask["pixels"][class], count);
        }

        assert_eq!(keys(place), ["boxes", "kind", "task"]);
        let boxes = place["boxes"].as_array().unwrap();
        assert!(!boxes.is_empty());
        for found in boxes {
            assert_eq!(keys(found), ["box", "class", "score"]);
            let corners: Vec<f64> =
                found["box"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            assert!(corners[0] < corners[2] && corners[2] <= f64::from(width), "{found}");
            assert!(corners[1] < corners[3] && corners[3] <= f64::from(height), "{found}");
            assert!(found["score"].as_f64().unwrap() >= 0.01);
        }
    }
}

#[test]
fn people_get_a_table_and_the_notice() {
    let place = Place::new();
    let answer = place.predict(&["a.png", "--task", "shape", "--task", "area"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    for word in ["a.png", "120×90", "shape", "disc", "% of the image", NOTICE] {
        assert!(answer.stdout.contains(word), "{word:?}: {answer:?}");
    }
    assert!(!answer.stdout.contains("where"), "{answer:?}");
}

#[test]
fn overlays_have_the_size_of_the_image_and_a_legend() {
    let place = Place::new();
    place.draw("b.png", 40, 30);
    let tasks = ["--task", "area", "--task", "where", "--threshold", "0.01"];
    let one = place.predict(&[&tasks[..], &["--overlay", "over.png", "a.png"]].concat());
    assert_eq!(one.code, 0, "{one:?}");
    assert!(one.stderr.contains("wrote over.png"), "{one:?}");
    assert!(one.stderr.contains(": where / "), "{one:?}");
    assert_eq!(image::image_dimensions(place.path("over.png")).unwrap(), (120, 90));

    let two = place.predict(&[&tasks[..], &["--overlay", "o.png", "a.png", "b.png"]].concat());
    assert_eq!(two.code, 0, "{two:?}");
    assert_eq!(image::image_dimensions(place.path("o-a.png")).unwrap(), (120, 90));
    assert_eq!(image::image_dimensions(place.path("o-b.png")).unwrap(), (40, 30));
    assert!(!exists(&place.path("o.png")));

    let unwritable = place.predict(&["--overlay", "none/o.png", "a.png"]);
    assert_eq!(unwritable.code, 1, "{unwritable:?}");
    assert!(unwritable.stderr.contains("none/o.png"), "{unwritable:?}");
}

#[test]
fn the_model_is_found_in_the_documented_order() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("www/models")).unwrap();
    std::fs::rename(place.path("model"), place.path("www/models/medley-nano")).unwrap();
    let name = |command: &mut std::process::Command| {
        let answer = support::answer(&command.output().unwrap());
        assert_eq!(answer.code, 0, "{answer:?}");
        serde_json::from_str::<Value>(&answer.stdout).unwrap()["name"].clone()
    };
    let arguments = ["info", "--json"];
    assert_eq!(name(&mut place.command(arguments)), "medley-fresh");
    std::fs::rename(place.path("www/models"), place.path("elsewhere")).unwrap();
    let folder = "elsewhere/medley-nano";
    assert_eq!(name(place.command(arguments).env("MEDLEY_MODEL", folder)), "medley-fresh");
    assert_eq!(
        name(place.command([&arguments[..], &[folder]].concat()).env("MEDLEY_MODEL", "x")),
        "medley-fresh"
    );
}

#[test]
fn info_says_what_a_package_is() {
    let place = Place::new();
    let answer = place.medley(&["info", "model", "--json"]);
    let json: Value = serde_json::from_str(&answer.stdout).unwrap();
    let manifest: Value = serde_json::from_slice(&place.read("model/manifest.json")).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["notice"], NOTICE);
    assert_eq!(json["sha256"], manifest["sha256"]);
    assert_eq!(json["bytes"], manifest["length"]);
    assert_eq!(json["tasks"].as_array().unwrap().len(), 3);
    // More than its int8 bytes cannot be, as most weights are int8; fewer than a tenth neither.
    let (parameters, bytes) =
        (json["parameters"].as_u64().unwrap(), json["bytes"].as_u64().unwrap());
    assert!(parameters < bytes && parameters > bytes / 10, "{parameters} {bytes}");

    let answer = place.medley(&["info", "model"]);
    for word in
        ["medley-fresh", "micro", "shape", "tiles 64² of 128", "Nothing was measured", NOTICE]
    {
        assert!(answer.stdout.contains(word), "{word:?}: {answer:?}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let place = Place::new();
    let images = ["a.png"; 40];
    let mut child = place
        .command([&["predict", "--model", "model", "--json"], &images[..]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let answer = support::answer(&child.wait_with_output().unwrap());
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stderr.is_empty(), "{answer:?}");
}

#[test]
fn every_help_text_has_an_example_and_the_notice() {
    let place = Place::new();
    for command in ["predict", "info", "evaluate", "pretrain", "export"] {
        let answer = place.medley(&[command, "--help"]);
        assert_eq!(answer.code, 0);
        for word in ["Example", &format!("medley {command}"), NOTICE] {
            assert!(answer.stdout.contains(word), "{command}, {word:?}: {}", answer.stdout);
        }
    }
    assert!(place.medley(&["--help"]).stdout.contains("Exit codes"));
    let version = place.medley(&["--version"]).stdout;
    assert_eq!(version.trim(), format!("medley {}", env!("CARGO_PKG_VERSION")));
}
