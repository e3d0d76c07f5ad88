//! Runs that are killed, meet an unreadable image or a full disk: nothing is lost, and the reason is told.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use medley_tests::{Drawn, MIXED_OR_ALTERNATING, TASKS, config};
use serde_json::Value;
use support::{Answer, Place, answer};

/// The lines of a run's log that can be read.
fn log(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What must be the same however often a run was killed: steps, losses and figures, but no times.
fn results(run: &Path) -> Vec<[Value; 3]> {
    let keys = ["step", "losses", "validation"];
    log(run).iter().map(|line| keys.map(|key| line[key].clone())).collect()
}

fn saved(run: &Path) -> u64 {
    let state: Value =
        serde_json::from_slice(&fs::read(run.join("checkpoint/state.json")).unwrap()).unwrap();
    state["step"].as_u64().unwrap()
}

/// Starts the program, kills it some time after it has noted another line, and says whether it was still running.
fn killed(place: &Place, arguments: &[&str], run: &Path, later: Duration) -> bool {
    let mut child =
        place.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let log = run.join("metrics.jsonl");
    let length = || fs::metadata(&log).map_or(0, |log| log.len());
    let (begin, mut before) = (Instant::now(), length());
    while child.try_wait().unwrap().is_none() {
        let now = length();
        if now > before {
            break;
        }
        // Resuming shortens the log.
        before = now;
        assert!(begin.elapsed() < Duration::from_secs(120), "no step after two minutes");
        sleep(Duration::from_millis(2));
    }
    sleep(later);
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

#[test]
fn a_run_killed_at_any_moment_comes_to_the_losses_of_one_that_was_not() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    for way in MIXED_OR_ALTERNATING {
        let text = config(way, way, 14, &TASKS)
            .replace("checkpoint_every = 1000", "checkpoint_every = 3")
            .replace("validate_every = 0", "validate_every = 6");
        place.write("run.toml", text);
        let whole = place.medley(&["pretrain", "run.toml", "--data", data, "--runs", "whole"]);
        assert_eq!(whole.code, 0, "{whole:?}");

        let arguments = ["pretrain", "run.toml", "--data", data];
        let run = place.path("runs").join(way);
        // Moments that fall into steps, checkpoints, validations and between them.
        let moments = [0, 13, 37, 71, 150, 5, 90, 230];
        let kills = moments
            .map(|later| killed(&place, &arguments, &run, Duration::from_millis(later)))
            .iter()
            .filter(|running| **running)
            .count();
        assert!(kills >= 3, "{way}: only {kills} kills hit a running process");
        let last = place.medley(&arguments);
        assert_eq!(last.code, 0, "{last:?}");
        assert_eq!(saved(&run), 14);
        let expected = results(&place.path("whole").join(way));
        assert_eq!(expected.len(), 14 + 2);
        assert_eq!(results(&run), expected, "{way}");
        assert!(
            String::from_utf8(place.read(&format!("runs/{way}/losses.svg")))
                .unwrap()
                .contains("where, loss")
        );
    }
}

#[test]
fn an_unreadable_image_ends_the_run_with_its_line_and_keeps_the_steps_before_it() {
    let place = Place::new();
    for way in MIXED_OR_ALTERNATING {
        let drawn = Drawn::new(24);
        let data = drawn.path().to_str().unwrap();
        let text = config(way, way, 12, &TASKS).replace("per_batch = 4", "per_batch = 2");
        place.write("run.toml", text);
        let arguments = ["pretrain", "run.toml", "--data", data];
        let whole = place.medley(&[&arguments[..], &["--runs", "whole"]].concat());
        assert_eq!(whole.code, 0, "{whole:?}");

        // Which image's turn comes in the middle depends on the seed: the first that lets steps lie before it.
        let run = place.path("runs").join(way);
        let found = [0, 1, 2, 3, 8, 9, 10, 11].iter().find(|number| {
            let image = drawn.path().join(format!("shapes/images/{number}.png"));
            let bytes = fs::read(&image).unwrap();
            fs::write(&image, &bytes[..bytes.len() / 2]).unwrap();
            let ended = place.medley(&arguments);
            fs::write(&image, bytes).unwrap();
            assert_eq!(ended.code, 2, "{ended:?}");
            let line = format!("records.jsonl, line {}: ", *number + 1);
            for word in [&line, &format!("images/{number}.png cannot be decoded")] {
                assert!(ended.stderr.contains(word), "{word:?}: {ended:?}");
            }
            !log(&run).is_empty()
        });
        assert!(found.is_some(), "{way}: every image is needed in the first step");
        assert_eq!(saved(&run), log(&run).len() as u64);

        let resumed = place.medley(&arguments);
        assert_eq!(resumed.code, 0, "{resumed:?}");
        assert_eq!(results(&run), results(&place.path("whole").join(way)), "{way}");
    }
}

/// Runs the program where no file may grow beyond so many bytes, which ends writes as a full disk does.
fn with_limit(place: &Place, arguments: &[&str], bytes: u64) -> Answer {
    let program = place.command(arguments);
    // Without the trap the signal ends the process. The shell counts blocks of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(program.get_program()).args(program.get_args());
    answer(&shell.current_dir(place.path(".")).output().unwrap())
}

#[test]
fn a_full_disk_is_told_and_the_former_checkpoint_still_loads() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    let run = place.path("runs/full");
    let arguments = ["pretrain", "run.toml", "--data", data];
    let text =
        |steps| config("full", "mixed", steps, &TASKS).replace("warmup = 5\n", "warmup = 2\n");
    place.write("run.toml", text(2));
    assert_eq!(place.medley(&arguments).code, 0);

    // Goes on by a restart; enough room for the log, too little for the weights.
    let longer = text(4).replace("warmup = 2\n", "warmup = 2\nrestarts = [2]\n");
    place.write("run.toml", longer);
    let full = with_limit(&place, &arguments, 16 << 10);
    assert_eq!(full.code, 1, "{full:?}");
    for word in ["runs/full/checkpoint.new/weights.bpk: writing failed", "make room"] {
        assert!(full.stderr.contains(word), "{word:?}: {full:?}");
    }
    assert_eq!(saved(&run), 2);

    let resumed = place.medley(&arguments);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.stderr.contains("resuming runs/full after step 2 of 4"), "{resumed:?}");
    let steps: Vec<u64> = log(&run).iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [0, 1, 2, 3]);
}

#[test]
fn runs_are_listed_with_their_state_and_trained_by_one_process_at_a_time() {
    let place = Place::new();
    let drawn = Drawn::new(24);
    let data = drawn.path().to_str().unwrap();
    place.write("run.toml", "preset = \"smoke\"\nname = \"short\"\nsteps = 6\nvalidate_every = 3\n".to_owned()
        + "[[tasks]]\nname = \"shape\"\nper_batch = 4\npresentation = { way = \"whole\", size = 64 }\n");
    let done = place.medley(&["pretrain", "run.toml", "--data", data]);
    assert_eq!(done.code, 0, "{done:?}");
    let written = String::from_utf8(place.read("runs/short/config.toml")).unwrap();
    assert!(written.contains("clip = 1.0") && !written.contains("preset"), "{written}");

    place.write("long.toml", config("long", "mixed", 100_000, &TASKS));
    let arguments = ["pretrain", "long.toml", "--data", data];
    let mut child =
        place.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begin = Instant::now();
    while log(&place.path("runs/long")).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(120), "no step after two minutes");
        sleep(Duration::from_millis(20));
    }
    let listed = || -> Vec<Value> {
        let answer: Value =
            serde_json::from_str(&place.medley(&["runs", "--json"]).stdout).unwrap();
        assert_eq!(answer["format"], 1);
        answer["runs"].as_array().unwrap().clone()
    };
    let during = listed();
    let second = place.medley(&arguments);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.stderr.contains("another process trains this run"), "{second:?}");
    let states = |runs: &[Value]| -> Vec<String> {
        runs.iter().map(|run| format!("{} {}", run["name"], run["state"])).collect()
    };
    assert_eq!(states(&during), [r#""long" "training""#, r#""short" "finished""#]);
    assert_eq!(states(&listed()), [r#""long" "stopped""#, r#""short" "finished""#]);
    let [long, short] = &during[..] else { panic!("{during:?}") };
    assert_eq!((&short["step"], &short["steps"]), (&6.into(), &6.into()));
    assert!((0.0..=1.0).contains(&short["validation"].as_f64().unwrap()), "{short}");
    assert!(short["loss"].as_f64().unwrap() > 0.0, "{short}");
    assert!(long["validation"].is_null() && long["step"].as_u64().unwrap() >= 1, "{long}");
    let table = place.medley(&["runs"]);
    assert!(table.stdout.contains("finished") && table.stdout.contains("micro"), "{table:?}");
}
