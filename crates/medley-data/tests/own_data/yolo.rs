//! YOLO text files.

use medley_data::import::{Format, ImportPlan};
use medley_data::{Split, Target};

use super::place::{Place, assert_faults, names, run};

fn plan(place: &Place) -> ImportPlan {
    ImportPlan { classes: names(&["cell", "nucleus"]), ..place.plan(Format::Yolo) }
}

#[test]
fn shares_become_pixels_and_a_picture_without_text_has_no_boxes() {
    for layout in ["SPLIT/FOLDER", "FOLDER/SPLIT"] {
        let place = Place::new();
        for (number, split) in ["train", "val", "test"].into_iter().enumerate() {
            let path = |folder| layout.replace("SPLIT", split).replace("FOLDER", folder);
            place.picture(&format!("{}/a.jpg", path("images")), number as u8);
            let lines = "1 0.5 0.5 0.25 0.2\n\n0 0.1 0.1 0.2 0.2\n";
            place.write(&format!("{}/a.txt", path("labels")), lines);
            place.picture(&format!("{}/none.jpg", path("images")), 50 + number as u8);
        }
        place.write("data.yaml", "names: [cell, nucleus]");
        let imported = run(&plan(&place)).unwrap();
        assert_eq!(imported.counts, Split::ALL.map(|split| (split, 2)), "{layout}");
        for split in Split::ALL {
            let examples = place.examples(split);
            // 0.5 ± 0.125 of 40, 0.5 ± 0.1 of 30.
            let boxes = vec![[15.0, 12.0, 25.0, 18.0, 1.0], [0.0, 0.0, 8.0, 6.0, 0.0]];
            assert_eq!(examples[0].target, Target::Boxes(boxes));
            assert_eq!(examples[1].target, Target::Boxes(Vec::new()));
        }
    }
}

#[test]
fn text_beside_pictures_and_a_list_of_the_classes_are_read() {
    let place = Place::new();
    place.picture("a.png", 1);
    place.write("a.txt", "1 0.5 0.5 1 1");
    place.write("classes.txt", "dot\nring\n");
    place.write("train.txt", "a.png\n");
    let imported = run(&place.plan(Format::Yolo)).unwrap();
    assert_eq!(imported.classes, ["dot", "ring"]);
    assert_eq!(place.all()[0].target, Target::Boxes(vec![[0.0, 0.0, 40.0, 30.0, 1.0]]));
}

#[test]
fn bad_lines_are_named() {
    for (line, reason) in [
        ("2 0.5 0.5 0.1 0.1", "0 to 1, for 2 classes"),
        ("-1 0.5 0.5 0.1 0.1", "the label is -1"),
        ("0.5 0.5 0.5 0.1 0.1", "whole number"),
        ("0 0.5 0.5 0.1", "five numbers"),
        ("0 0.5 0.5 0.1 0.1 0.9", "five numbers"),
        ("cell 0.5 0.5 0.1 0.1", "five numbers"),
        ("0 20 15 4 3", "shares of the picture"),
        ("0 NaN 0.5 0.1 0.1", "shares of the picture"),
    ] {
        let place = Place::new();
        place.picture("a.png", 1);
        place.write("a.txt", format!("0 0.5 0.5 0.1 0.1\n{line}\n"));
        assert_faults(&place.faults(&plan(&place)), &[&["a.txt, line 2", reason]]);
    }
    // Boxes that only the picture's size shows to be wrong.
    for line in ["0 0.95 0.5 0.2 0.1", "0 0.5 0.5 0 0.1"] {
        let place = Place::new();
        place.picture("a.png", 1);
        place.write("a.txt", line);
        assert_faults(&place.faults(&plan(&place)), &[&["a.txt", "box 0", "expected"]]);
    }
}

#[test]
fn text_without_a_picture_and_text_that_is_none_are_named() {
    let place = Place::new();
    place.picture("images/a.png", 1);
    place.write("labels/a.txt", [0xFF, 0xFE, 0x00]);
    place.write("labels/b.txt", "0 0.5 0.5 0.1 0.1");
    assert_faults(
        &place.faults(&plan(&place)),
        &[&["labels/a.txt", "cannot be read"], &["labels/b.txt", "not there"]],
    );
}

#[test]
fn classes_have_to_be_named() {
    let place = Place::new();
    assert!(place.refusal(&plan(&place)).contains("labels"));
    place.picture("a.png", 1);
    place.write("a.txt", "0 0.5 0.5 0.1 0.1");
    let refusal = place.refusal(&place.plan(Format::Yolo));
    assert!(refusal.contains("--classes") && refusal.contains("classes.txt"), "{refusal}");
}
