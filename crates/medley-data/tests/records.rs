//! Bad databases: every fault is an error with file, line and reason.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::fs;

use image::{GrayImage, RgbImage};
use medley_data::{DataError, Database, RecordFault, Sample, Split, Target};
use support::{Drawn, PICTURE, WHOLE};

/// The error of reading a task's training split after its first line was changed.
fn fault_of(task: &str, change: impl Fn(String) -> String) -> RecordFault {
    let drawn = Drawn::new(1);
    drawn.write_records(&format!("\n{}\n", change(Drawn::line(0, "train", 0))));
    match drawn.database().examples(task, Split::Train) {
        Err(DataError::Record { file, line, fault }) => {
            assert_eq!((file, line), (drawn.set().join("records.jsonl"), 2));
            fault
        }
        other => panic!("expected a fault of the record, got {other:?}"),
    }
}

fn replaced(from: &'static str, to: &'static str) -> impl Fn(String) -> String {
    move |line| {
        assert!(line.contains(from), "{line}");
        line.replace(from, to)
    }
}

#[test]
fn a_good_database_gives_its_examples() {
    let drawn = Drawn::new(12);
    let database = drawn.database();
    assert_eq!(database.tasks().len(), 3);
    assert_eq!(database.dataset("cells").unwrap().licence, "CC0");
    let train = database.examples("type", Split::Train).unwrap();
    assert_eq!(train.len(), 10);
    assert_eq!(train[1].target, Target::Class(1));
    assert_eq!(train[1].place.line, 2);
    assert_eq!(database.examples("where", Split::Val).unwrap().len(), 2);
    assert!(database.examples("where", Split::Test).unwrap().is_empty());
    assert!(database.shared_groups("cells").unwrap().is_empty());
}

#[test]
fn an_unknown_task_names_the_ones_that_exist() {
    let error = Drawn::new(1).database().examples("kind", Split::Train).unwrap_err();
    assert_eq!(error.to_string(), r#"no task is named "kind"; the database has type, area, where"#);
}

#[test]
fn bad_json_is_a_fault() {
    let fault = fault_of("type", |line| line[..line.len() / 2].to_string());
    assert!(matches!(fault, RecordFault::Json(_)), "{fault}");
    let fault = fault_of("type", replaced(r#""group":"g0","#, ""));
    assert!(matches!(&fault, RecordFault::Json(text) if text.contains("group")), "{fault}");
    let fault = fault_of("where", replaced("[[40,", "[[1e999,"));
    assert!(matches!(&fault, RecordFault::Json(text) if text.contains("range")), "{fault}");
    let fault = fault_of("where", replaced("[[40,", "[[NaN,"));
    assert!(matches!(fault, RecordFault::Json(_)), "{fault}");
}

#[test]
fn a_missing_answer_is_a_fault_of_the_task_that_needs_it() {
    for (task, from, to, field) in [
        ("type", r#""label":0,"#, "", "label"),
        ("area", r#""mask":"masks/0.png","#, "", "mask"),
        ("where", r#","boxes":[[40,25,80,60,1]]"#, "", "boxes"),
    ] {
        let fault = fault_of(task, replaced(from, to));
        assert!(
            matches!(&fault, RecordFault::MissingField { field: found, .. } if *found == field),
            "{fault}"
        );
    }
}

#[test]
fn an_unknown_split_is_a_fault() {
    let fault = fault_of("type", replaced("\"train\"", "\"training\""));
    assert!(matches!(&fault, RecordFault::UnknownSplit(split) if split == "training"), "{fault}");
}

#[test]
fn a_label_out_of_range_is_a_fault() {
    for (to, label) in [(r#""label":2"#, 2), (r#""label":-1"#, -1)] {
        let fault = fault_of("type", replaced(r#""label":0"#, to));
        assert!(
            matches!(fault, RecordFault::Label { label: found, classes: 2 } if found == label),
            "{fault}"
        );
    }
}

#[test]
fn a_box_that_is_none_is_a_fault() {
    for (to, reason) in [
        ("[[40,25,80,60]]", "five numbers"),
        ("[[40,25,80,60,2]]", "class"),
        ("[[40,25,80,60,0.5]]", "class"),
        ("[[80,25,40,60,1]]", "x0 < x1"),
        ("[[40,25,80,25,1]]", "y0 < y1"),
        ("[[-1,25,80,60,1]]", "inside"),
        ("[[40,25,121,60,1]]", "inside"),
        ("[[40,25,80,91,1]]", "inside"),
    ] {
        let fault = fault_of("where", replaced("[[40,25,80,60,1]]", to));
        assert!(matches!(fault, RecordFault::Box { index: 0, .. }), "{fault}");
        assert!(fault.to_string().contains(reason), "{fault}");
    }
}

#[test]
fn sizes_and_paths_are_checked() {
    let fault = fault_of("type", replaced(r#""width":120"#, r#""width":0"#));
    assert!(matches!(fault, RecordFault::Size { width: 0, .. }), "{fault}");
    let fault = fault_of("type", replaced(r#""width":120"#, r#""width":20000"#));
    assert!(matches!(fault, RecordFault::Size { width: 20_000, .. }), "{fault}");
    for path in ["/etc/passwd", "../cells/images/0.png", ""] {
        let fault = fault_of("type", |line| line.replace("images/0.png", path));
        assert!(matches!(fault, RecordFault::PathOutside(_)), "{fault}");
    }
    let fault = fault_of("type", replaced("images/0.png", "images/7.png"));
    assert!(matches!(fault, RecordFault::MissingFile(_)), "{fault}");
    let fault = fault_of("area", replaced("masks/0.png", "masks/7.png"));
    assert!(matches!(fault, RecordFault::MissingFile(_)), "{fault}");
}

#[test]
fn an_id_comes_once() {
    let drawn = Drawn::new(1);
    let line = Drawn::line(0, "train", 0);
    drawn.write_records(&format!("{line}\n{line}\n"));
    let error = drawn.database().examples("type", Split::Train).unwrap_err();
    assert!(
        matches!(
            error,
            DataError::Record { line: 2, fault: RecordFault::DuplicateId { first: 1, .. }, .. }
        ),
        "{error}"
    );
}

/// Four pictures; the group `both` is in training (lines 1 and 2) and in the given split (line 3).
fn with_shared_group(split: &str) -> Drawn {
    let drawn = Drawn::new(4);
    let shared =
        |index, split| Drawn::line(index, split, 0).replace(&format!("\"g{index}\""), "\"both\"");
    let lines =
        [shared(0, "train"), shared(1, "train"), shared(2, split), Drawn::line(3, "train", 1)];
    drawn.write_records(&lines.join("\n"));
    drawn
}

#[test]
fn a_group_in_two_splits_is_a_fault_whichever_split_is_asked_for() {
    let drawn = with_shared_group("test");
    for split in [Split::Train, Split::Val, Split::Test] {
        let error = drawn.database().examples("type", split).unwrap_err();
        assert!(
            matches!(
                &error,
                DataError::Record {
                    line: 3,
                    fault: RecordFault::GroupInTwoSplits { group, line: 1, .. },
                    ..
                } if group == "both"
            ),
            "{error}"
        );
    }
}

#[test]
fn shared_groups_can_be_left_out_of_training_and_are_named() {
    for split in [Split::Val, Split::Test] {
        let drawn = with_shared_group(split.name());
        let database = drawn.database().without_shared_groups();
        let ids = |split| -> Vec<String> {
            let examples = database.examples("type", split).unwrap();
            examples.into_iter().map(|example| example.id).collect()
        };
        assert_eq!(ids(Split::Train), ["3"]);
        assert_eq!(ids(split), ["2"]);
        let shared = database.shared_groups("cells").unwrap();
        assert_eq!(shared.len(), 1);
        assert_eq!(shared[0].group, "both");
        assert_eq!(shared[0].lines, [(1, Split::Train), (2, Split::Train), (3, split)]);
    }
}

/// The fault of decoding the first training example of a task, after its files were changed.
fn fault_of_files(task: &str, change: impl Fn(&Drawn)) -> RecordFault {
    let drawn = Drawn::new(1);
    change(&drawn);
    let database = drawn.database();
    let examples = database.examples(task, Split::Train).unwrap();
    match Sample::plain(&examples[0], &database.task(task).unwrap().spec(WHOLE)) {
        Err(DataError::Record { line: 1, fault, .. }) => fault,
        other => panic!("expected a fault of the record, got {other:?}"),
    }
}

#[test]
fn an_image_that_is_none_or_of_another_size_is_a_fault() {
    let fault = fault_of_files("type", |drawn| {
        fs::write(drawn.set().join("images/0.png"), "no picture").unwrap();
    });
    assert!(matches!(fault, RecordFault::Decode { .. }), "{fault}");
    let fault = fault_of_files("type", |drawn| {
        RgbImage::new(90, 120).save(drawn.set().join("images/0.png")).unwrap();
    });
    assert!(
        matches!(fault, RecordFault::SizeMismatch { found: (90, 120), expected: PICTURE, .. }),
        "{fault}"
    );
}

#[test]
fn a_mask_that_holds_no_classes_is_a_fault() {
    let path = |drawn: &Drawn| drawn.set().join("masks/0.png");
    let fault = fault_of_files("area", |drawn| {
        let mut mask = GrayImage::new(PICTURE.0, PICTURE.1);
        mask.put_pixel(3, 5, image::Luma([255]));
        mask.put_pixel(7, 5, image::Luma([2]));
        mask.save(path(drawn)).unwrap();
    });
    assert!(
        matches!(fault, RecordFault::MaskValue { value: 2, x: 7, y: 5, classes: 2, .. }),
        "{fault}"
    );
    let fault = fault_of_files("area", |drawn| {
        RgbImage::new(PICTURE.0, PICTURE.1).save(path(drawn)).unwrap();
    });
    assert!(matches!(fault, RecordFault::MaskFormat { .. }), "{fault}");
    let fault = fault_of_files("area", |drawn| {
        GrayImage::new(PICTURE.0, 7).save(path(drawn)).unwrap();
    });
    assert!(matches!(fault, RecordFault::SizeMismatch { .. }), "{fault}");
    let fault = fault_of_files("area", |drawn| {
        let bytes = fs::read(path(drawn)).unwrap();
        fs::write(path(drawn), &bytes[..bytes.len() / 2]).unwrap();
    });
    assert!(matches!(fault, RecordFault::Decode { .. }), "{fault}");
}

#[test]
fn a_task_list_that_contradicts_itself_is_an_error_with_its_file() {
    let drawn = Drawn::new(1);
    let file = drawn.path().join("tasks.json");
    let good = fs::read_to_string(&file).unwrap();
    for (from, to, reason) in [
        ("\"version\":1", "\"version\":2", "version"),
        ("\"name\":\"area\"", "\"name\":\"type\"", "unique"),
        ("\"field\":\"mask\"", "\"field\":\"boxes\"", "reads"),
        ("[\"a\",\"b\"]", "[\"a\",\"c\"]", "classes"),
        ("\"kind\":\"detection\"", "\"kind\":\"counting\"", "counting"),
    ] {
        fs::write(&file, good.replacen(from, to, 1)).unwrap();
        let error = Database::open(drawn.path()).unwrap_err();
        assert!(
            matches!(&error, DataError::Index { file: found, .. } if *found == file),
            "{error}"
        );
        assert!(error.to_string().contains(reason), "{error}");
    }
    fs::remove_file(&file).unwrap();
    assert!(matches!(Database::open(drawn.path()), Err(DataError::Io { .. })));
}
