//! What a check finds.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::{GrayImage, Luma};
use medley_data::check::{Check, CheckReport, NEAR};
use medley_data::{DataError, Database, Split};
use tempfile::TempDir;

/// A picture that is unlike any of another seed.
fn draw(path: &Path, size: (u32, u32), seed: u32) {
    GrayImage::from_fn(size.0, size.1, |x, y| {
        let (x, y) = (x as f32 / size.0 as f32, y as f32 / size.1 as f32);
        let phase = seed as f32 * 1.7;
        let wave = (7.0 * x + phase).sin() * (5.0 * y + 2.0 * phase).cos();
        Luma([(127.0 + 60.0 * (wave + (11.0 * x * y + phase).sin())) as u8])
    })
    .save(path)
    .unwrap();
}

/// A database of one set with a label, a mask and boxes for each picture; record n is in group `gN`.
struct Cells {
    folder: TempDir,
    lines: Vec<String>,
}

impl Cells {
    fn new(splits: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("cells");
        fs::create_dir_all(set.join("images")).unwrap();
        fs::create_dir_all(set.join("masks")).unwrap();
        let task = |name: &str, kind: &str, field: &str| {
            format!(
                r#"{{"name":"{name}","dataset":"cells","kind":"{kind}","field":"{field}","classes":["a","b"],
                "role":"target","modality":"microscopy","metric":"dice"}}"#
            )
        };
        let tasks = [
            task("type", "classification", "label"),
            task("area", "segmentation", "mask"),
            task("where", "detection", "boxes"),
        ];
        fs::write(
            folder.path().join("tasks.json"),
            format!(r#"{{"version":1,"tasks":[{}]}}"#, tasks.join(",")),
        )
        .unwrap();
        fs::write(
            set.join("dataset.json"),
            r#"{"name":"cells","modality":"microscopy","licence":"CC0","attribution":"drawn",
            "labels":{"label":["a","b"],"mask":["a","b"],"boxes":["a","b"]}}"#,
        )
        .unwrap();
        let mut lines = Vec::new();
        for (index, split) in splits.iter().enumerate() {
            draw(&set.join(format!("images/{index}.png")), (60, 40), index as u32);
            GrayImage::from_fn(60, 40, |x, _| Luma([u8::from(x < 15)]))
                .save(set.join(format!("masks/{index}.png")))
                .unwrap();
            lines.push(format!(
                r#"{{"id":"{index}","image":"images/{index}.png","width":60,"height":40,"split":"{split}","group":"g{index}","label":{},"mask":"masks/{index}.png","boxes":[[0,0,9,9,1],[5,5,9,9,1]]}}"#,
                index % 2
            ));
        }
        Self { folder, lines }
    }

    fn set(&self) -> std::path::PathBuf {
        self.folder.path().join("cells")
    }

    fn check(&self, tasks: &[&str]) -> CheckReport {
        fs::write(self.set().join("records.jsonl"), self.lines.join("\n")).unwrap();
        let database = Database::open(self.folder.path()).unwrap();
        let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
        let check = Check::open(&database, &tasks, NEAR).unwrap();
        let (all, done) = (check.pictures(), AtomicUsize::new(0));
        let report = check.run(&|| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), all);
        report
    }
}

#[test]
fn a_clean_database_is_counted_and_nothing_is_wrong() {
    let report = Cells::new(&["train", "train", "train", "val", "test"]).check(&[]);
    assert!(!report.is_wrong());
    let [set] = &report.datasets[..] else { panic!("{report:?}") };
    assert!(set.faults.is_empty() && set.leaks.is_empty(), "{set:?}");
    assert!(set.near_duplicates.is_empty(), "{set:?}");
    assert_eq!((set.records, set.even), (5, 0));
    let [label, mask, boxes] = &report.tasks[..] else { panic!("{report:?}") };
    let classes = |split: usize, task: &medley_data::check::TaskCount| -> Vec<(usize, u64, f64)> {
        let classes = &task.splits[split].classes;
        classes.iter().map(|class| (class.records, class.count, class.share)).collect()
    };
    assert_eq!(classes(0, label), [(2, 2, 2.0 / 3.0), (1, 1, 1.0 / 3.0)]);
    assert_eq!(classes(0, mask), [(3, 3 * 45 * 40, 0.75), (3, 3 * 15 * 40, 0.25)]);
    assert_eq!(classes(2, boxes), [(0, 0, 0.0), (1, 2, 1.0)]);
    assert_eq!((label.splits[0].records, label.splits[0].groups), (3, 3));
    // Validation has the second class alone, test the first; no box is of the first; the mask's first class is
    // the background.
    assert_eq!(label.missing(), [(Split::Val, "a"), (Split::Test, "b")]);
    assert!(mask.missing().is_empty());
    assert_eq!(boxes.missing().len(), 3);
}

#[test]
fn a_group_in_two_splits_is_wrong() {
    let mut cells = Cells::new(&["train", "train", "test", "val"]);
    for index in [0, 1, 2] {
        cells.lines[index] = cells.lines[index].replace(&format!("\"g{index}\""), "\"both\"");
    }
    let report = cells.check(&["type"]);
    assert!(report.is_wrong());
    let [leak] = &report.datasets[0].leaks[..] else { panic!("{report:?}") };
    assert_eq!(leak.group, "both");
    assert_eq!(leak.splits.iter().collect::<Vec<_>>(), [(&Split::Train, &2), (&Split::Test, &1)]);
    // The records can be used: they are counted.
    assert_eq!(report.tasks[0].splits[0].groups, 1);
    assert_eq!(report.tasks.len(), 1);
}

#[test]
fn every_fault_is_found_and_none_hides_another() {
    let mut cells = Cells::new(&["train"; 8]);
    let set = cells.set();
    cells.lines[0] = cells.lines[0].replace("\"label\":0", "\"label\":2");
    cells.lines[1].truncate(20);
    fs::write(set.join("images/2.png"), "no picture").unwrap();
    fs::remove_file(set.join("masks/3.png")).unwrap();
    draw(&set.join("images/4.png"), (40, 60), 4);
    cells.lines[5] = cells.lines[5].replace("[5,5,9,9,1]", "[5,5,99,9,1]");
    GrayImage::from_pixel(60, 40, Luma([7])).save(set.join("masks/6.png")).unwrap();
    let report = cells.check(&[]);
    let faults = &report.datasets[0].faults;
    assert!(report.is_wrong());
    assert_eq!(faults.len(), 7, "{faults:#?}");
    for words in [
        ["line 1:", "the label is 2"],
        ["line 2:", "not a record"],
        ["line 3:", "2.png cannot be decoded"],
        ["line 4:", "3.png is missing"],
        ["line 5:", "40x60"],
        ["line 6:", "box 1"],
        ["line 7:", "the value 7"],
    ] {
        let fits = |fault: &&String| words.iter().all(|word| fault.contains(word));
        assert_eq!(faults.iter().filter(fits).count(), 1, "{words:?}: {faults:#?}");
    }
    // Each task has what is good for it: all but the lines 2, 3 and 5, and of each its own bad one or two.
    let records = |task: usize| report.tasks[task].splits[0].records;
    assert_eq!([records(0), records(1), records(2)], [4, 3, 4]);
}

#[test]
fn pictures_of_two_splits_that_look_the_same_are_named_and_blank_ones_are_not() {
    let cells = Cells::new(&["train", "train", "test", "val", "train", "test"]);
    let set = cells.set();
    // The first picture once more, in test.
    draw(&set.join("images/2.png"), (60, 40), 0);
    GrayImage::from_pixel(60, 40, Luma([3])).save(set.join("images/4.png")).unwrap();
    GrayImage::from_pixel(60, 40, Luma([3])).save(set.join("images/5.png")).unwrap();
    let report = cells.check(&["type"]);
    assert!(!report.is_wrong(), "near-duplicates are for a person to judge");
    let set = &report.datasets[0];
    assert_eq!(set.even, 2);
    let [twins] = &set.near_duplicates[..] else { panic!("{set:?}") };
    assert_eq!(twins.distance, 0);
    assert_eq!((twins.first.image.as_str(), twins.first.split), ("images/0.png", Split::Train));
    assert_eq!((twins.second.image.as_str(), twins.second.split), ("images/2.png", Split::Test));
}

#[test]
fn unknown_tasks_and_missing_records_are_errors() {
    let cells = Cells::new(&["train"]);
    let database = Database::open(cells.folder.path()).unwrap();
    let open = |tasks: &[String]| Check::open(&database, tasks, NEAR).err().unwrap();
    assert!(matches!(open(&["kind".to_string()]), DataError::UnknownTask { .. }));
    assert!(matches!(open(&[]), DataError::Io { .. }));
}
