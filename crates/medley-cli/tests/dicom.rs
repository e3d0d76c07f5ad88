//! DICOM on the command line: facts, answers, results as objects and tables.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::fs;
use std::path::Path;

use medley_dicom::{DicomFile, Samples, SeriesProblem, SliceHeader, sort_series};
use medley_package::NOTICE;
use medley_tests::real_dicom;
use serde_json::Value;
use support::ct::ct_slice;
use support::{Place, exists};

/// Copies the fixture whose name ends so to `name`.
fn copy(place: &Place, folder: &Path, ending: &str, name: &str) {
    let found = fs::read_dir(folder.join("files"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().ends_with(ending))
        .unwrap();
    fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
    fs::copy(found, place.path(name)).unwrap();
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn info_prints_the_fields_of_the_index() {
    let Some(folder) = real_dicom("medley dicom info") else { return };
    let place = Place::new();
    let index: Vec<Value> =
        serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    // Of several syntaxes, grey and colour, one frame and more, with and without sign.
    let wanted =
        ["002_CT_small.dcm", "061_emri_small_jpeg_ls_lossless.dcm", "044_SC_rgb_rle_16bit.dcm"];
    for name in wanted {
        let entry = index.iter().find(|e| e["file"].as_str().unwrap().ends_with(name)).unwrap();
        copy(&place, &folder, name, "x");
        let answer = place.medley(&["dicom", "info", "x", "--json"]);
        assert_eq!(answer.code, 0, "{answer:?}");
        let found = &lines(&answer.stdout)[0];
        assert_eq!(found["file"], "x");
        for field in [
            "bytes",
            "transfer_syntax",
            "modality",
            "photometric",
            "rows",
            "columns",
            "frames",
            "bits_allocated",
            "bits_stored",
            "pixel_representation",
        ] {
            assert_eq!(found[field], entry[field], "{name}: {field}");
        }
        for field in ["min", "max", "sha256_le", "shape", "dtype"] {
            assert_eq!(found["first_frame"][field], entry["first_frame"][field], "{name}: {field}");
        }
        let text = place.medley(&["dicom", "info", "x"]);
        assert!(
            text.stdout.contains(entry["first_frame"]["sha256_le"].as_str().unwrap()),
            "{text:?}"
        );
    }
    copy(&place, &folder, "070_reportsi.dcm", "in/report");
    let named = place.medley(&["dicom", "info", "--json", "in/report"]);
    assert!(named.code == 2 && named.stderr.contains("no image"), "{named:?}");
    assert_eq!(lines(&named.stdout)[0]["modality"], "SR");
    assert_eq!(place.medley(&["dicom", "info", "in"]).code, 0);
    place.write("y", b"no DICOM at all");
    let answer = place.medley(&["dicom", "info", "y", "x"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("y: not a DICOM file"), "{answer:?}");
    assert!(answer.stdout.contains("x  ("), "{answer:?}");
}

#[test]
fn a_folder_is_answered_and_written_as_objects_and_tables() {
    let Some(folder) = real_dicom("medley predict on DICOM") else { return };
    let place = Place::new();
    copy(&place, &folder, "002_CT_small.dcm", "study/a/slice");
    copy(&place, &folder, "056_emri_small.dcm", "study/b/frames.dcm");
    copy(&place, &folder, "070_reportsi.dcm", "study/report.dcm");
    place.write("study/readme.txt", "not a picture, and no failure");
    let whole = place.read("study/a/slice");
    place.write("study/z-broken", &whole[..20_000]);
    let answer = place.predict(&[
        "--json",
        "--dicom-seg",
        "seg.dcm",
        "--dicom-sr",
        "sr.dcm",
        "--dicom-capture",
        "cap.dcm",
        "--table",
        "answers.csv",
        "--embeddings",
        "embeddings.csv",
        "study",
    ]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("study/z-broken: the DICOM file is"), "{answer:?}");
    assert!(answer.stderr.contains("2 files in the folders are no pictures"), "{answer:?}");

    let lines = lines(&answer.stdout);
    // One slice, ten frames.
    assert_eq!(lines.len(), 11, "{answer:?}");
    let mask = &lines[0]["results"][1]["mask"];
    let area = mask["mm2"]["shape"].as_f64().unwrap();
    let pixels = mask["pixels"]["shape"].as_f64().unwrap();
    // 0.661468 mm between rows and columns.
    assert!((area - pixels * 0.661_468 * 0.661_468).abs() < 1e-6 * area.max(1.0), "{mask}");
    assert_eq!((&lines[0]["frame"], &lines[10]["frame"]), (&Value::Null, &10.into()));

    // The masks of the first series come back from its segmentation.
    let seg = DicomFile::parse(&place.read("seg.dcm")).unwrap();
    let Samples::U8(values) = seg.frame(0).unwrap().samples else { panic!("no bits") };
    assert_eq!(values.iter().filter(|value| **value == 1).count() as f64, pixels);
    for name in ["seg-2.dcm", "sr.dcm", "sr-2.dcm", "cap.dcm", "cap-11.dcm"] {
        let bytes = place.read(name);
        assert!(DicomFile::is_dicom(&bytes), "{name}");
        let has = bytes.windows(NOTICE.len()).any(|window| window == NOTICE.as_bytes());
        assert!(has, "{name} lacks the notice");
    }
    assert!(!exists(&place.path("seg-3.dcm")));

    let table = String::from_utf8(place.read("answers.csv")).unwrap();
    assert!(table.starts_with("file,frame,level,task,kind,class,value,"), "{table}");
    let of = |start: &str| table.lines().filter(|line| line.starts_with(start)).count();
    // Two classes of "shape" for each frame, and for the series.
    assert_eq!(of("study/b/frames.dcm,3,picture,shape,"), 2, "{table}");
    assert_eq!(of("study/b/frames.dcm,,series,shape,"), 2, "{table}");
    let embeddings = String::from_utf8(place.read("embeddings.csv")).unwrap();
    assert_eq!(embeddings.lines().count(), 1 + 11 + 1, "a header, the pictures, the series");
}

#[test]
fn shares_answer_every_file_once_and_tables_may_be_parquet() {
    let place = Place::new();
    for name in ["in/b.png", "in/c.png", "in/d.png"] {
        fs::create_dir_all(place.path("in")).unwrap();
        place.draw(name, 40, 30);
    }
    let mut files = Vec::new();
    for share in ["1/2", "2/2"] {
        let arguments =
            ["--json", "--task", "shape", "--shard", share, "--table", "t.parquet", "in", "a.png"];
        let answer = place.predict(&arguments);
        assert_eq!(answer.code, 0, "{answer:?}");
        files.extend(
            lines(&answer.stdout).iter().map(|line| line["file"].as_str().unwrap().to_owned()),
        );
        // Magic numbers at both ends: the file is complete.
        let table = place.read("t.parquet");
        assert!(table.starts_with(b"PAR1") && table.ends_with(b"PAR1"));
    }
    files.sort();
    assert_eq!(files, ["a.png", "in/b.png", "in/c.png", "in/d.png"]);
    let bad = place.predict(&["--shard", "3/2", "a.png"]);
    assert_eq!(bad.code, 2, "{bad:?}");
    let bad = place.predict(&["--table", "t.txt", "a.png"]);
    assert!(bad.code == 2 && bad.stderr.contains(".parquet"), "{bad:?}");
    let bad = place.predict(&["--task", "shape", "--dicom-seg", "s.dcm", "a.png"]);
    assert!(bad.code == 2 && bad.stderr.contains("makes masks"), "{bad:?}");
}

#[test]
fn shares_write_what_one_run_would_and_divide_no_series() {
    let place = Place::new();
    // Two series whose slices take turns, so that shares of single files would divide both; a third of one slice.
    for (name, series, z) in [
        ("in/a/1", "1.2.7.1", 0.0),
        ("in/a/2", "1.2.7.2", 0.0),
        ("in/a/3", "1.2.7.3", 0.0),
        ("in/b/1", "1.2.7.1", 2.5),
        ("in/b/2", "1.2.7.2", 2.5),
        ("in/c/1", "1.2.7.1", 5.0),
    ] {
        place.write(name, ct_slice(series, z));
    }
    place.write("in/c/2", &ct_slice("1.2.7.2", 5.0)[..2000]);
    // A good header, and pixels that are not of the syntax that it states.
    let (explicit, rle) = (b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0");
    let mut bad = ct_slice("1.2.7.1", 1.0);
    let at = bad.windows(explicit.len()).position(|part| part == explicit).unwrap();
    bad[at..at + rle.len()].copy_from_slice(rle);
    place.write("in/b/0", bad);
    place.draw("in/d.png", 40, 30);
    let run = |out: &str, shard: &[&str]| {
        fs::create_dir_all(place.path(out)).unwrap();
        let name = |name: &str| format!("{out}/{name}");
        let table =
            name(&shard.get(1).map_or("0.csv".into(), |share| format!("{}.csv", &share[..1])));
        let (seg, sr, cap) = (name("seg.dcm"), name("sr.dcm"), name("cap.dcm"));
        let (overlay, json) = (name("over.png"), ["--json", "in"]);
        let wanted = ["--dicom-seg", &seg, "--dicom-sr", &sr, "--dicom-capture", &cap];
        let also = ["--table", &table, "--overlay", &overlay];
        let answer = place.predict(&[&wanted[..], &also, shard, &json].concat());
        let files: Vec<String> = lines(&answer.stdout)
            .iter()
            .map(|line| line["file"].as_str().unwrap().to_owned())
            .collect();
        let table = String::from_utf8(place.read(&table)).unwrap();
        let rows: Vec<String> = table.lines().skip(1).map(str::to_owned).collect();
        (answer, files, rows)
    };
    let names = |out: &str| {
        let entries = fs::read_dir(place.path(out)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.ends_with(".csv")).collect();
        names.sort();
        names
    };
    let (answer, mut files, mut rows) = run("one", &[]);
    assert_eq!(answer.code, 2, "{answer:?}");
    let one = names("one");
    for name in ["seg.dcm", "seg-3.dcm", "sr-2.dcm", "cap-7.dcm", "over-1.png", "over-d.png"] {
        assert!(one.iter().any(|found| found == name), "{name} is not in {one:?}");
    }
    // Captures keep the numbers of their slices: the second has none.
    assert!(answer.stderr.contains("in/b/0: "), "{answer:?}");
    assert!(!one.contains(&"cap-2.dcm".to_owned()), "{one:?}");
    let captures: Vec<SliceHeader> = (1..=7)
        .filter(|number| *number != 2)
        .map(|number| if number == 1 { "cap.dcm".into() } else { format!("cap-{number}.dcm") })
        .map(|name| DicomFile::parse(&place.read(&format!("one/{name}"))).unwrap())
        .map(|file| SliceHeader::read(&file).unwrap())
        .collect();
    let [study] = &sort_series(&captures)[..] else { panic!("one study") };
    let sizes: Vec<usize> = study.series.iter().map(|series| series.slices.len()).collect();
    assert_eq!(sizes, [3, 2, 1]);
    let gap = SeriesProblem::Missing { after: 0, count: 1 };
    assert!(study.series[0].problems.contains(&gap), "{study:?}");
    assert!(!study.series[1].problems.iter().any(|p| matches!(p, SeriesProblem::Missing { .. })));

    let (first, first_files, first_rows) = run("shares", &["--shard", "1/2"]);
    let after_first = names("shares");
    let (second, second_files, second_rows) = run("shares", &["--shard", "2/2"]);
    // The large series and the picture; the small ones and the file that is cut off.
    assert_eq!(first_files, ["in/a/1", "in/b/1", "in/c/1", "in/d.png"], "{first:?}");
    assert_eq!(second_files, ["in/a/2", "in/a/3", "in/b/2"], "{second:?}");
    assert_eq!((first.code, second.code), (2, 2), "{second:?}");
    assert!(first.stderr.contains("in/b/0: ") && second.stderr.contains("in/c/2: "), "{first:?}");
    let mut together = [first_files, second_files].concat();
    together.sort();
    files.sort();
    assert_eq!(together, files);
    // Also the means over each series.
    let mut together = [first_rows, second_rows].concat();
    together.sort();
    rows.sort();
    assert_eq!(together, rows);

    assert_eq!(names("shares"), one);
    assert!(!after_first.contains(&"seg-2.dcm".to_owned()), "{after_first:?}");
    for name in one.iter().filter(|name| name.starts_with("seg") || name.starts_with("cap")) {
        let pixels = |out: &str| {
            let file = DicomFile::parse(&place.read(&format!("{out}/{name}"))).unwrap();
            file.frame(0).unwrap().samples
        };
        assert!(pixels("one") == pixels("shares"), "{name}");
    }
    for name in one.iter().filter(|name| name.ends_with(".png")) {
        assert!(place.read(&format!("one/{name}")) == place.read(&format!("shares/{name}")));
    }

    // A share with nothing in it is no failure.
    let (empty, files, _) = run("empty", &["--shard", "9/9"]);
    assert!(empty.code == 0 && files.is_empty() && names("empty").is_empty(), "{empty:?}");
}
