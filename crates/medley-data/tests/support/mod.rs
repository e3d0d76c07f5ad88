//! A small database that the tests draw themselves.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, RgbImage};
use medley_data::{Database, TaskPlan};
use medley_package::Presentation;
use tempfile::TempDir;

pub const SIZE: u32 = 64;
pub const WHOLE: Presentation = Presentation::Whole { size: SIZE };

/// Width, height of every drawn picture, and the bright box on it.
pub const PICTURE: (u32, u32) = (120, 90);
pub const BOX: [u32; 4] = [40, 25, 80, 60];

/// A folder with three tasks over one data set, `cells`: `type`, `area` and `where`.
pub struct Drawn {
    folder: TempDir,
}

impl Drawn {
    /// `count` pictures; every sixth is for validation, each a group of its own, classes alternate.
    pub fn new(count: usize) -> Self {
        Self::of("microscopy", "blood", count)
    }

    pub fn of(modality: &str, body: &str, count: usize) -> Self {
        let drawn = Self { folder: tempfile::tempdir().unwrap() };
        let set = drawn.set();
        fs::create_dir_all(set.join("images")).unwrap();
        fs::create_dir_all(set.join("masks")).unwrap();
        let task = |name: &str, kind: &str, field: &str| {
            format!(
                r#"{{"name":"{name}","dataset":"cells","kind":"{kind}","field":"{field}","classes":["a","b"],
                "role":"pretrain","modality":"{modality}","metric":"dice"}}"#
            )
        };
        let tasks = [
            task("type", "classification", "label"),
            task("area", "segmentation", "mask"),
            task("where", "detection", "boxes"),
        ];
        let tasks = format!(r#"{{"version":1,"tasks":[{}]}}"#, tasks.join(","));
        fs::write(drawn.path().join("tasks.json"), tasks).unwrap();
        fs::write(
            set.join("dataset.json"),
            format!(
                r#"{{"name":"cells","modality":"{modality}","body":"{body}","licence":"CC0","attribution":"drawn",
                "labels":{{"label":["a","b"],"mask":["a","b"],"boxes":["a","b"]}}}}"#
            ),
        )
        .unwrap();
        let mut lines = String::new();
        for index in 0..count {
            let split = if index % 6 == 5 { "val" } else { "train" };
            lines += &Self::line(index, split, index % 2);
            lines.push('\n');
            drawn.draw(index);
        }
        drawn.write_records(&lines);
        drawn
    }

    pub fn line(index: usize, split: &str, label: usize) -> String {
        let [x0, y0, x1, y1] = BOX;
        format!(
            r#"{{"id":"{index}","image":"images/{index}.png","width":{},"height":{},"split":"{split}","group":"g{index}","label":{label},"mask":"masks/{index}.png","boxes":[[{x0},{y0},{x1},{y1},1]]}}"#,
            PICTURE.0, PICTURE.1
        )
    }

    /// A picture whose brightness tells its number outside the box, and its mask.
    fn draw(&self, index: usize) {
        let inside =
            |x: u32, y: u32| (BOX[0]..BOX[2]).contains(&x) && (BOX[1]..BOX[3]).contains(&y);
        let level = (20 + 7 * index % 150) as u8;
        RgbImage::from_fn(PICTURE.0, PICTURE.1, |x, y| {
            image::Rgb(if inside(x, y) { [250, 240, 230] } else { [level, x as u8, y as u8] })
        })
        .save(self.set().join(format!("images/{index}.png")))
        .unwrap();
        GrayImage::from_fn(PICTURE.0, PICTURE.1, |x, y| image::Luma([u8::from(inside(x, y))]))
            .save(self.set().join(format!("masks/{index}.png")))
            .unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn set(&self) -> PathBuf {
        self.path().join("cells")
    }

    pub fn write_records(&self, text: &str) {
        fs::write(self.set().join("records.jsonl"), text).unwrap();
    }

    pub fn database(&self) -> Database {
        Database::open(self.path()).unwrap()
    }

    /// The training split of all three tasks, `per_batch` images each.
    pub fn plans(&self, per_batch: usize, presentation: Presentation) -> Vec<TaskPlan> {
        let database = self.database();
        ["type", "area", "where"]
            .map(|task| {
                database.plan(task, medley_data::Split::Train, presentation, per_batch).unwrap()
            })
            .into()
    }
}
