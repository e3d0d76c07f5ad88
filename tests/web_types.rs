//! The types of the JSON that Rust writes and `@medley/web` hands on, for TypeScript.
//!
//! `MEDLEY_WRITE_TYPES=1 cargo test --workspace --test web_types` writes them; without the variable it is
//! checked that they were written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::fmt::Write;
use std::path::Path;

use medley_dicom::{
    FrameInfo, HeaderEntry, ImageInfo, Info, ProblemDescription, SeriesDescription,
    SliceDescription, StudyDescription, WindowDescription,
};
use medley_head::Estimate;
use medley_infer::{ClassProbability, DetectedBox, Report, ReportMask, Timing};
use medley_package::{
    Calibration, DatasetSource, Metadata, Presentation, Provenance, Quality, SelfTestSpec,
    TaskKind, TaskSpec,
};
use ts_rs::{Config, TS};

const FILE: &str = "../web/ts/rust-types.ts";
const DICOM_FILE: &str = "../web/ts/dicom/rust-types.ts";

const HEAD: &str = "\
// Written by `MEDLEY_WRITE_TYPES=1 cargo test --workspace --test web_types` from the Rust types; not to be edited.
";

const IMPORTS: &str = "
import type { TaskResult } from './types.js';
";

fn add<T: TS>(text: &mut String, config: &Config) {
    let docs = T::docs().unwrap_or_default();
    writeln!(text, "\n{}\nexport {}", docs.trim(), T::decl(config)).unwrap();
}

fn types() -> String {
    // JSON has one kind of number.
    let config = Config::default().with_large_int("number");
    let mut text = format!("{HEAD}{IMPORTS}");
    add::<TaskKind>(&mut text, &config);
    add::<Presentation>(&mut text, &config);
    add::<TaskSpec>(&mut text, &config);
    add::<Quality>(&mut text, &config);
    add::<Calibration>(&mut text, &config);
    add::<DatasetSource>(&mut text, &config);
    add::<Provenance>(&mut text, &config);
    add::<SelfTestSpec>(&mut text, &config);
    add::<Metadata>(&mut text, &config);
    add::<ClassProbability>(&mut text, &config);
    add::<DetectedBox>(&mut text, &config);
    add::<ReportMask>(&mut text, &config);
    add::<Timing>(&mut text, &config);
    add::<Report>(&mut text, &config);
    add::<Estimate>(&mut text, &config);
    text
}

fn dicom_types() -> String {
    let config = Config::default().with_large_int("number");
    let mut text = HEAD.to_owned();
    add::<StudyDescription>(&mut text, &config);
    add::<SeriesDescription>(&mut text, &config);
    add::<ProblemDescription>(&mut text, &config);
    add::<SliceDescription>(&mut text, &config);
    add::<WindowDescription>(&mut text, &config);
    add::<HeaderEntry>(&mut text, &config);
    add::<Info>(&mut text, &config);
    add::<ImageInfo>(&mut text, &config);
    add::<FrameInfo>(&mut text, &config);
    text
}

#[test]
fn the_types_of_the_package_are_those_of_rust() {
    for (file, types) in [(FILE, types()), (DICOM_FILE, dicom_types())] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var_os("MEDLEY_WRITE_TYPES").is_some() {
            std::fs::write(&path, types).unwrap();
            continue;
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == types,
            "{file} is not what the Rust types say: run MEDLEY_WRITE_TYPES=1 cargo test --workspace --test web_types"
        );
    }
}
