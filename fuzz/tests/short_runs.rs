//! A short run of every fuzz target, without a fuzzer: the same damaged files on every machine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use medley_fuzz::{Damage, TARGETS, Target, seeds};

/// Damaged files for each target: a few seconds of work.
const RUNS: usize = 4000;
/// Larger seeds only cost time: the same code reads them.
const LARGEST: u64 = 120_000;
/// No file of that size may take longer, also not on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

#[test]
fn drawn_seeds_are_read() {
    for target in TARGETS {
        let seeds = seeds::drawn(target.name);
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for seed in seeds {
            assert!((target.read)(&seed.bytes), "{} refuses {}", target.name, seed.name);
        }
    }
}

#[test]
fn every_target_has_its_program() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let manifest = manifest.unwrap();
    let programs: Vec<&str> = manifest
        .split("[[bin]]\nname = \"")
        .skip(1)
        .filter_map(|section| section.split('"').next())
        .collect();
    assert_eq!(programs, TARGETS.map(|target| target.name));
}

#[test]
fn damaged_dicom_images_do_no_harm() {
    short_run("dicom_frames", public("damaged DICOM images"));
}

#[test]
fn damaged_dicom_objects_do_no_harm() {
    short_run("dicom_reader", public("damaged DICOM objects"));
}

#[test]
fn damaged_heads_do_no_harm() {
    short_run("head_file", Vec::new());
}

#[test]
fn damaged_pictures_do_no_harm() {
    short_run("image_decoding", Vec::new());
}

#[test]
fn damaged_packages_do_no_harm() {
    short_run("weight_package", Vec::new());
}

/// Runs a target on damaged copies of its drawn seeds and of `more`, in turn.
fn short_run(name: &str, more: Vec<Vec<u8>>) {
    let target = TARGETS.into_iter().find(|target| target.name == name).unwrap();
    let mut whole: Vec<Vec<u8>> = seeds::drawn(name).into_iter().map(|seed| seed.bytes).collect();
    whole.extend(more);
    let mut damage = Damage::new(0x6d65_646c_6579);
    let mut read = 0;
    for run in 0..RUNS {
        let other = damage.pick(whole.len());
        let bytes = damage.spoil(&whole[run % whole.len()], &whole[other]);
        read += usize::from(attempt(&target, run, &bytes));
    }
    let refused = RUNS - read;
    // Else the damage is none, or so heavy that nothing behind the first check is reached.
    assert!(refused > RUNS / 10, "only {refused} of {RUNS} damaged files were refused");
    assert!(read > RUNS / 100, "only {read} of {RUNS} damaged files were read");
}

/// Whether the target takes the bytes; where it panics or dawdles they are kept.
fn attempt(target: &Target, run: usize, bytes: &[u8]) -> bool {
    let begin = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.read)(bytes)));
    let took = begin.elapsed();
    match outcome {
        Ok(read) if took < LONGEST => read,
        outcome => {
            let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(target.name);
            fs::write(&file, bytes).unwrap();
            let what = if outcome.is_ok() { "took too long" } else { "panicked" };
            panic!(
                "{} {what} ({took:?}) on the damaged file of run {run}, which is kept as {}; its bytes belong into a test \
                 beside the code that is mended",
                target.name,
                file.display()
            );
        }
    }
}

/// The public DICOM files: what `MEDLEY_DICOM` names, else `../shared/dicom` beside the checkout. Says so where there
/// are none.
fn public(test: &str) -> Vec<Vec<u8>> {
    let named = std::env::var_os("MEDLEY_DICOM").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/dicom");
    let folder = named.unwrap_or(beside).join("files");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("{test}: drawn ones only, there are no public ones at {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.metadata().unwrap().len() <= LARGEST);
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}
