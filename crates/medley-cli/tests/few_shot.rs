//! `medley evaluate --protocol few-shot` on drawn pictures: rows, going on, refusals, Ctrl-C.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use medley_package::NOTICE;
use medley_tests::{Drawn, config};
use serde_json::Value;
use support::{Answer, Place, answer, exists};

/// A run that was pretrained, for a moment, on the boxes of the drawn pictures.
fn pretrained(place: &Place, data: &str) {
    place.write("drawn.toml", config("drawn", "mixed", 2, &["where"]));
    let trained = place.medley(&["pretrain", "drawn.toml", "--data", data]);
    assert_eq!(trained.code, 0, "{trained:?}");
}

fn few_shot<'a>(data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let begin = [
        "evaluate",
        "--protocol",
        "few-shot",
        "--run",
        "runs/drawn",
        "--data",
        data,
        "--seeds",
        "1",
    ];
    [&begin, more].concat()
}

fn rows(place: &Place) -> Vec<Value> {
    serde_json::from_slice(&place.read("r.json")).unwrap()
}

#[test]
fn a_task_is_learned_measured_drawn_and_gone_on_with() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    pretrained(&place, data);
    let options = [
        "--task",
        "area",
        "--mode",
        "frozen,scratch",
        "--fractions",
        "50,100",
        "--steps",
        "2",
        "--json",
        "r.json",
        "--csv",
        "r.csv",
        "--plots",
        "plots",
    ];
    let measured = place.medley(&few_shot(data, &options));
    assert_eq!(measured.code, 0, "{measured:?}");
    for word in ["4 runs to do", "other labels (where)", "area, scratch, 100 %, seed 1", "plots"] {
        assert!(measured.stderr.contains(word), "{word:?}: {measured:?}");
    }
    for word in ["groups %", "spread", "dice", NOTICE] {
        assert!(measured.stdout.contains(word), "{word:?}: {measured:?}");
    }
    let found = rows(&place);
    let of = |row: &Value| (row["mode"].as_str().unwrap().to_owned(), row["n_train"].as_u64());
    let wanted = [("frozen", 6), ("scratch", 6), ("frozen", 12), ("scratch", 12)];
    assert_eq!(
        found.iter().map(of).collect::<Vec<_>>(),
        wanted.map(|(mode, n)| (mode.to_owned(), Some(n)))
    );
    let csv = String::from_utf8(place.read("r.csv")).unwrap();
    assert_eq!(csv.lines().count(), 5, "{csv}");
    let figure = String::from_utf8(place.read("plots/area.svg")).unwrap();
    assert!(figure.contains("from scratch") && figure.ends_with("</svg>\n"), "{figure}");

    let again = place.medley(&few_shot(data, &options));
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.stderr.contains("0 runs to do (4 are in the file already)"), "{again:?}");
    assert_eq!(rows(&place), found);

    let other = [&options[..], &["--learning-rate", "0.01"]].concat();
    let other = place.medley(&few_shot(data, &other));
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.stderr.contains("name another file"), "{other:?}");
}

#[test]
fn leaks_and_options_without_sense_are_bad_input() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    pretrained(&place, data);
    let refused = |arguments: &[&str], word: &str| {
        let answer = place.medley(arguments);
        assert_eq!(answer.code, 2, "{arguments:?}: {answer:?}");
        assert!(answer.stderr.contains(word), "{word:?}: {answer:?}");
        assert!(answer.stdout.is_empty(), "{answer:?}");
    };
    refused(&few_shot(data, &["--task", "where"]), "leak");
    refused(&few_shot(data, &["--task", "nothing"]), "nothing");
    refused(&few_shot(data, &[]), "--task");
    refused(&few_shot(data, &["--task", "area", "--mode", "frozen,magic"]), "finetune");
    refused(&few_shot(data, &["--task", "area", "--fractions", "0"]), "per cent");
    refused(&few_shot(data, &["--task", "area", "--limit", "3"]), "whole split");
    refused(&few_shot(data, &["--task", "area", "--split", "train"]), "expected test or val");
    place.write("r.json", "{}");
    refused(&few_shot(data, &["--task", "area", "--json", "r.json"]), "r.json");
    let plain = ["evaluate", "--model", "model", "--data", data];
    refused(&[&plain[..], &["--csv", "r.csv"]].concat(), "few-shot");
    refused(&[&plain[..], &["--zero-shot", "shape"]].concat(), "SOURCE:TARGET");
    let of_validation = ["--zero-shot", "shape:area", "--split", "val"];
    refused(&[&plain[..], &of_validation].concat(), "test split");
    refused(&[&plain[..], &["--zero-shot", "shape:shape"]].concat(), "leak");
    refused(&[&plain[..], &["--zero-shot", "lungs:area"]].concat(), "leak");
    // The package's own tasks, by name.
    let package = ["--protocol", "few-shot", "--task", "area"];
    refused(&[&plain[..], &package].concat(), "leak");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_rows_that_are_there() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    pretrained(&place, data);
    // The probe is done at once, the training from scratch on no machine before the signal.
    let options = [
        "--task",
        "shape",
        "--mode",
        "frozen,scratch",
        "--fractions",
        "100",
        "--steps",
        "1000000",
        "--json",
        "r.json",
    ];
    let mut child = place
        .command(few_shot(data, &options))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while !exists(&place.path("r.json")) || rows(&place).is_empty() {
        // A few embeddings take a second; two minutes are a machine that does nothing.
        assert!(begin.elapsed() < Duration::from_secs(120), "no row after two minutes");
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        sleep(Duration::from_millis(50));
    }
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let stopped: Answer = answer(&child.wait_with_output().unwrap());
    assert_eq!(stopped.code, 130, "{stopped:?}");
    assert!(stopped.stderr.contains("the same command goes on"), "{stopped:?}");
    assert!(stopped.stdout.contains("knn"), "{stopped:?}");
    let modes: Vec<String> =
        rows(&place).iter().map(|row| row["mode"].as_str().unwrap().to_owned()).collect();
    assert_eq!(modes, ["frozen", "knn"]);
}
