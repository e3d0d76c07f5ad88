//! A task database of discs and squares, drawn by the tests.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::json;

const SIDE: u32 = 64;

/// Writes a database of one data set with three tasks, one of each kind: disc or square, its mask,
/// its box.
pub fn database(folder: &Path) {
    let set = folder.join("shapes");
    fs::create_dir_all(set.join("images")).unwrap();
    fs::create_dir_all(set.join("masks")).unwrap();
    let task = |name: &str, kind: &str, field: &str, classes: &[&str], metric: &str| {
        json!({ "name": name, "dataset": "shapes", "kind": kind, "field": field, "classes": classes,
            "role": "pretrain", "modality": "microscopy", "metric": metric, "note": "" })
    };
    let tasks = json!({ "version": 1, "tasks": [
        task("shape", "classification", "label", &["disc", "square"], "macro-f1"),
        task("outline", "segmentation", "mask", &["background", "shape"], "dice"),
        task("place", "detection", "boxes", &["shape"], "map50"),
    ]});
    fs::write(folder.join("tasks.json"), tasks.to_string()).unwrap();
    let info = json!({ "name": "shapes", "modality": "microscopy", "body": "cells",
        "labels": { "label": ["disc", "square"], "mask": ["background", "shape"], "boxes": ["shape"] },
        "groups": "image", "licence": "CC0", "attribution": "drawn by the test" });
    fs::write(set.join("dataset.json"), info.to_string()).unwrap();
    let mut lines = String::new();
    for index in 0..24u32 {
        let split = if index < 16 { "train" } else { "val" };
        let radius = 9 + index % 5;
        let (cx, cy) = (14 + index * 7 % 36, 14 + index * 11 % 36);
        let disc = index % 2 == 0;
        let inside = |x: u32, y: u32| {
            let (dx, dy) = (x.abs_diff(cx), y.abs_diff(cy));
            if disc { dx * dx + dy * dy <= radius * radius } else { dx <= radius && dy <= radius }
        };
        let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| {
            let value = if inside(x, y) { 200 } else { 40 + ((x * 13 + y * 7) % 20) as u8 };
            Rgb([value, value, value / 2])
        });
        let mask = GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([u8::from(inside(x, y))]));
        picture.save(set.join(format!("images/{index}.png"))).unwrap();
        mask.save(set.join(format!("masks/{index}.png"))).unwrap();
        let (x, y, r) = (f64::from(cx), f64::from(cy), f64::from(radius));
        let side = f64::from(SIDE);
        let bbox = json!([
            (x - r).max(0.0),
            (y - r).max(0.0),
            (x + r + 1.0).min(side),
            (y + r + 1.0).min(side),
            0
        ]);
        let record = json!({ "id": index.to_string(), "image": format!("images/{index}.png"),
            "width": SIDE, "height": SIDE, "split": split, "group": index.to_string(),
            "label": u8::from(!disc), "mask": format!("masks/{index}.png"), "boxes": [bbox] });
        lines += &format!("{record}\n");
    }
    fs::write(set.join("records.jsonl"), lines).unwrap();
}
