//! `medley pretrain`, `export`, `evaluate` and `predict`, one after the other on drawn pictures.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use medley_package::{NOTICE, read_dir};
use medley_tests::{Drawn, TASKS, config};
use serde_json::Value;
use support::{Answer, Place, answer};

/// Lines of the run's log that are steps.
fn steps(place: &Place) -> usize {
    std::fs::read_to_string(place.path("runs/drawn/metrics.jsonl"))
        .unwrap_or_default()
        .lines()
        .count()
}

#[test]
fn a_run_is_trained_exported_measured_and_used() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    let text =
        config("drawn", "mixed", 6, &TASKS).replace("validate_every = 0", "validate_every = 3");
    place.write("drawn.toml", text);

    let trained = place.medley(&["pretrain", "drawn.toml", "--data", data]);
    assert_eq!(trained.code, 0, "{trained:?}");
    for word in ["new run in runs/drawn", "validation after step 3", "macro-f1", "finished"] {
        assert!(trained.stderr.contains(word), "{word:?}: {trained:?}");
    }
    let again = place.medley(&["pretrain", "drawn.toml", "--data", data]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.stderr.contains("finished already"), "{again:?}");

    let rows = |name: &str| -> Vec<Value> { serde_json::from_slice(&place.read(name)).unwrap() };
    let arguments = ["evaluate", "--run", "runs/drawn", "--data", data, "--json", "q.json"];
    let measured = place.medley(&arguments);
    assert_eq!(measured.code, 0, "{measured:?}");
    assert!(measured.stdout.contains("map50") && measured.stdout.contains(NOTICE), "{measured:?}");
    let metrics: Vec<&str> =
        vec!["macro-f1", "accuracy", "calibration-error", "dice", "dice-pooled", "map50"];
    let found = rows("q.json");
    assert_eq!(
        found.iter().map(|row| row["metric"].as_str().unwrap()).collect::<Vec<_>>(),
        metrics
    );
    for row in &found {
        let mut keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["metric", "n", "split", "task", "value"]);
        assert_eq!((&row["split"], &row["n"]), (&"test".into(), &6.into()));
        assert!((0.0..=1.0).contains(&row["value"].as_f64().unwrap()), "{row}");
    }

    let arguments = ["export", "runs/drawn", "--out", "out", "--data", data, "--quality", "q.json"];
    let exported = place.medley(&arguments);
    assert_eq!(exported.code, 0, "{exported:?}");
    let card = String::from_utf8(place.read("out/README.md")).unwrap();
    for word in [NOTICE, "drawn by a test", "CC0", "dice-pooled"] {
        assert!(card.contains(word), "{word:?} is missing in {card}");
    }
    let info: Value =
        serde_json::from_str(&place.medley(&["info", "out", "--json"]).stdout).unwrap();
    assert_eq!(info["name"], "drawn");
    assert_eq!(info["variant"], "micro");
    assert_eq!(info["quality"].as_array().unwrap(), &found);
    assert_eq!(info["provenance"]["datasets"][0]["name"], "shapes");
    assert_eq!(info["provenance"]["training"]["config"]["steps"], 6);
    assert_eq!(info["provenance"]["training"]["config"]["augmentation"], 0.3);
    assert!(info["provenance"]["code_version"].as_str().unwrap().starts_with("0."));

    let arguments = [
        "evaluate", "--model", "out", "--data", data, "--split", "val", "--task", "area",
        "--limit", "2",
    ];
    let measured = place.medley(&arguments);
    assert_eq!(measured.code, 0, "{measured:?}");
    assert!(measured.stdout.contains("val"), "{measured:?}");
    let used = place.medley(&["predict", "--model", "out", "a.png"]);
    assert_eq!(used.code, 0, "{used:?}");

    let other = found.iter().take(1).cloned().collect::<Vec<_>>();
    place.write("other.json", serde_json::to_string(&other).unwrap());
    let arguments = [
        "export",
        "--model",
        "out",
        "--out",
        "named",
        "--name",
        "another",
        "--quality",
        "other.json",
    ];
    let exported = place.medley(&arguments);
    assert_eq!(exported.code, 0, "{exported:?}");
    let [old, new] = ["out", "named"].map(|folder| read_dir(place.path(folder)).unwrap());
    assert_eq!((new.metadata.name.as_str(), new.metadata.quality.len()), ("another", 1));
    assert_eq!(new.metadata.provenance, old.metadata.provenance);
    assert_eq!(new.tensors, old.tensors);
    let card = String::from_utf8(place.read("named/README.md")).unwrap();
    assert!(card.contains("# another") && !card.contains("dice-pooled"), "{card}");

    let fit = |model: &str, split: &str| {
        let arguments = ["evaluate", "--model", model, "--data", data, "--split", split];
        place.medley(&[&arguments[..], &["--calibration", "t.json"]].concat())
    };
    assert_eq!(fit("out", "test").code, 2);
    let fitted = fit("out", "val");
    assert_eq!(fitted.code, 0, "{fitted:?}");
    let found = rows("t.json");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["task"], "shape");
    let arguments = ["export", "--model", "out", "--out", "mild", "--calibration", "t.json"];
    let exported = place.medley(&arguments);
    assert_eq!(exported.code, 0, "{exported:?}");
    let card = String::from_utf8(place.read("mild/README.md")).unwrap();
    assert!(card.contains("calibrated by a temperature"), "{card}");
    let mild = read_dir(place.path("mild")).unwrap();
    let temperature = mild.metadata.temperature("shape");
    assert_eq!(Some(temperature), found[0]["temperature"].as_f64());
    // Fitted once more, what is there already is not counted twice.
    assert_eq!(fit("mild", "val").code, 0);
    let again = rows("t.json")[0]["temperature"].as_f64().unwrap();
    assert!((again / temperature - 1.0).abs() < 1e-3, "{temperature}, then {again}");
}

#[test]
fn two_devices_show_a_step_twice_the_images() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    let mut images = Vec::new();
    for (name, devices) in [("one", "cpu"), ("two", "cpu,cpu")] {
        place.write("drawn.toml", config(name, "mixed", 2, &TASKS));
        let trained =
            place.medley(&["pretrain", "drawn.toml", "--data", data, "--device", devices]);
        assert_eq!(trained.code, 0, "{trained:?}");
        let metrics = String::from_utf8(place.read(&format!("runs/{name}/metrics.jsonl"))).unwrap();
        let first: Value = serde_json::from_str(metrics.lines().next().unwrap()).unwrap();
        images.push(first["images"].as_u64().unwrap());
    }
    assert_eq!(images[1], 2 * images[0]);
}

/// Starts the run, sends the signal of Ctrl-C once it has done `count` steps, and gives what was said.
#[cfg(unix)]
fn interrupted(place: &Place, arguments: &[&str], count: usize) -> Answer {
    let mut child =
        place.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while steps(place) < count {
        // A step takes a fraction of a second; two minutes are a machine that does nothing.
        assert!(begin.elapsed() < Duration::from_secs(120), "no step after two minutes");
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        sleep(Duration::from_millis(50));
    }
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let stopped = answer(&child.wait_with_output().unwrap());
    assert_eq!(stopped.code, 130, "{stopped:?}");
    assert!(stopped.stderr.contains("the same command goes on"), "{stopped:?}");
    stopped
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_with_a_checkpoint_and_the_same_command_goes_on() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    // More steps than are done before the signal, on any machine.
    place.write("drawn.toml", config("drawn", "alternating", 100_000, &TASKS));
    let arguments = ["pretrain", "drawn.toml", "--data", data];
    let saved = || -> usize {
        let state = place.read("runs/drawn/checkpoint/state.json");
        let state: Value = serde_json::from_slice(&state).unwrap();
        state["step"].as_u64().unwrap() as usize
    };
    interrupted(&place, &arguments, 2);
    let first = steps(&place);
    assert_eq!(saved(), first);
    let resumed = interrupted(&place, &arguments, first + 2);
    let words = format!("resuming runs/drawn after step {first} of 100000");
    assert!(resumed.stderr.contains(&words), "{resumed:?}");
    assert_eq!(saved(), steps(&place));

    place.write("drawn.toml", config("drawn", "mixed", 100_000, &TASKS));
    let foreign = place.medley(&arguments);
    assert_eq!(foreign.code, 2, "{foreign:?}");
    assert!(foreign.stderr.contains("another configuration (way"), "{foreign:?}");
}
