//! A task database of discs and squares: class, mask and box of each are known exactly.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use tempfile::TempDir;

/// Its tasks: what shape it is, which pixels it covers, where it is.
pub const TASKS: [&str; 3] = ["shape", "area", "where"];

/// Both ways of training, as configurations name them.
pub const MIXED_OR_ALTERNATING: [&str; 2] = ["mixed", "alternating"];

/// Width and height of each picture, in pixels; not square, so that padding takes part.
const PICTURE: (u32, u32) = (96, 72);

const CLASSES: &str = r#"["disc","square"]"#;

/// The database, in a folder that goes when this is dropped.
pub struct Drawn {
    folder: TempDir,
}

impl Drawn {
    /// `count` pictures, discs and squares in turn; of each eight two are for validation and two for testing.
    pub fn new(count: u32) -> Self {
        let drawn = Self { folder: tempfile::tempdir().unwrap() };
        let set = drawn.path().join("shapes");
        for folder in ["images", "masks"] {
            fs::create_dir_all(set.join(folder)).unwrap();
        }
        let kinds = [("classification", "label"), ("segmentation", "mask"), ("detection", "boxes")];
        let tasks: Vec<String> = TASKS
            .iter()
            .zip(kinds)
            .map(|(name, (kind, field))| {
                let classes =
                    if field == "mask" { r#"["background","shape"]"# } else { CLASSES };
                format!(
                    r#"{{"name":"{name}","dataset":"shapes","kind":"{kind}","field":"{field}","classes":{classes},
                    "role":"pretrain","modality":"microscopy","metric":"dice"}}"#
                )
            })
            .collect();
        let tasks = format!(r#"{{"version":1,"tasks":[{}]}}"#, tasks.join(","));
        fs::write(drawn.path().join("tasks.json"), tasks).unwrap();
        let info = format!(
            r#"{{"name":"shapes","modality":"microscopy","licence":"CC0","attribution":"drawn by a test",
            "labels":{{"label":{CLASSES},"mask":["background","shape"],"boxes":{CLASSES}}}}}"#
        );
        fs::write(set.join("dataset.json"), info).unwrap();
        let lines: Vec<String> = (0..count).map(|index| draw(&set, index)).collect();
        fs::write(set.join("records.jsonl"), lines.join("\n")).unwrap();
        drawn
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Draws picture and mask, and gives the record.
fn draw(set: &Path, index: u32) -> String {
    let (width, height) = PICTURE;
    let label = index % 2;
    // Spread over the picture without a pattern that goes with the label.
    let radius = 10 + (index * 5) % 9;
    let x = radius + 1 + (index * 37) % (width - 2 * radius - 2);
    let y = radius + 1 + (index * 23) % (height - 2 * radius - 2);
    let inside = |px: u32, py: u32| {
        let (dx, dy) = (px.abs_diff(x), py.abs_diff(y));
        if label == 0 { dx * dx + dy * dy <= radius * radius } else { dx.max(dy) <= radius }
    };
    RgbImage::from_fn(width, height, |px, py| {
        let grain = ((px * 7 + py * 13 + index * 3) % 16) as u8;
        Rgb(if inside(px, py) { [200 + grain, 150, 60 + grain] } else { [30 + grain, 40, 50] })
    })
    .save(set.join(format!("images/{index}.png")))
    .unwrap();
    GrayImage::from_fn(width, height, |px, py| Luma([u8::from(inside(px, py))]))
        .save(set.join(format!("masks/{index}.png")))
        .unwrap();
    // By pairs, so that each split has both shapes.
    let split = match index / 2 % 4 {
        2 => "val",
        3 => "test",
        _ => "train",
    };
    let corners = [x - radius, y - radius, x + radius + 1, y + radius + 1];
    let [x0, y0, x1, y1] = corners;
    format!(
        r#"{{"id":"{index}","image":"images/{index}.png","width":{width},"height":{height},"split":"{split}","group":"g{index}","label":{label},"mask":"masks/{index}.png","boxes":[[{x0},{y0},{x1},{y1},{label}]]}}"#
    )
}

/// A configuration, as a file holds it, that trains `micro` on such tasks at 64².
pub fn config(name: &str, way: &str, steps: u64, tasks: &[&str]) -> String {
    let mut text = format!(
        r#"name = "{name}"
variant = "micro"
seed = 7
steps = {steps}
way = "{way}"
augmentation = 0.3
threads = 1
validate_every = 0
validate_images = 4
checkpoint_every = 1000

[optimizer]
learning_rate = 4e-3
weight_decay = 0.01
warmup = 5
clip = 1.0
"#
    );
    for task in tasks {
        text += &format!(
            "\n[[tasks]]\nname = \"{task}\"\nper_batch = 4\npresentation = {{ way = \"whole\", size = 64 }}\n"
        );
    }
    text
}
