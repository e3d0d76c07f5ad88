//! COCO JSON.

use std::fs;

use medley_data::import::{Format, ImportPlan};
use medley_data::{Split, Target};

use super::place::{Place, assert_faults, names, run};

/// Two pictures with a cell and a nucleus on the first and nothing on the second.
const GOOD: &str = r#"{
    "info": {"year": 2020},
    "images": [
        {"id": 10, "file_name": "a.png", "width": 40, "height": 30},
        {"id": 11, "file_name": "more/b.jpg", "width": 40, "height": 30}
    ],
    "categories": [{"id": 7, "name": "nucleus"}, {"id": 3, "name": "cell"}],
    "annotations": [
        {"id": 1, "image_id": 10, "category_id": 7, "bbox": [2.5, 3, 10, 5.25], "iscrowd": 0, "area": 9,
         "segmentation": [[2.5, 3, 12.5, 3, 12.5, 8.25]]},
        {"id": 2, "image_id": 10, "category_id": 3, "bbox": [30, 20, 10.3, 10]}
    ]
}"#;

fn drawn(json: &str) -> Place {
    let place = Place::new();
    place.write("boxes.json", json);
    place.picture("a.png", 1);
    place.picture("more/b.jpg", 2);
    place
}

fn plan(place: &Place) -> ImportPlan {
    ImportPlan { source: place.path("source/boxes.json"), ..place.plan(Format::Coco) }
}

#[test]
fn boxes_become_corners_and_classes_follow_the_ids() {
    let place = drawn(GOOD);
    let imported = run(&plan(&place)).unwrap();
    assert_eq!(imported.classes, ["cell", "nucleus"]);
    let mut all = place.all();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    // The second box sticks out by 0.3 pixels.
    let boxes = vec![[2.5, 3.0, 12.5, 8.25, 1.0], [30.0, 20.0, 40.0, 30.0, 0.0]];
    assert_eq!(all[0].target, Target::Boxes(boxes));
    assert_eq!(all[1].target, Target::Boxes(Vec::new()));
    assert_eq!(place.database().task("mine").unwrap().metric, "map50");
}

#[test]
fn classes_can_be_ordered_and_pictures_lie_elsewhere() {
    let place = drawn(GOOD);
    fs::create_dir(place.path("pictures")).unwrap();
    for name in ["a.png", "more"] {
        fs::rename(place.path("source").join(name), place.path("pictures").join(name)).unwrap();
    }
    let classes = names(&["nucleus", "cell"]);
    assert_eq!(place.faults(&plan(&place)).len(), 2);
    run(&ImportPlan { images: Some(place.path("pictures")), classes, ..plan(&place) }).unwrap();
    let all = place.all();
    let Target::Boxes(boxes) = &all.iter().find(|one| one.id == "00000").unwrap().target else {
        panic!("no boxes");
    };
    assert_eq!(boxes[0][4], 0.0);
}

#[test]
fn a_file_for_each_split_is_found_in_its_folder_or_among_the_annotations() {
    let one = |id: u32, name: &str| {
        format!(
            r#"{{"images": [{{"id": {id}, "file_name": "{name}"}}], "categories": [{{"id": 1, "name": "cell"}}],
            "annotations": [{{"id": 1, "image_id": {id}, "category_id": 1, "bbox": [1, 1, 5, 5]}}]}}"#
        )
    };
    let inside = Place::new();
    let beside = Place::new();
    for (number, split) in ["train", "valid", "test"].into_iter().enumerate() {
        inside.write(&format!("{split}/_annotations.coco.json"), one(1, "x.png"));
        inside.picture(&format!("{split}/x.png"), number as u8);
        let file = format!("annotations/instances_{}2017.json", split.replace("valid", "val"));
        beside.write(&file, one(1, "x.png"));
        beside.picture(&format!("{}2017/x.png", split.replace("valid", "val")), number as u8);
    }
    for place in [inside, beside] {
        let imported = run(&place.plan(Format::Coco)).unwrap();
        assert_eq!(imported.counts, Split::ALL.map(|split| (split, 1)));
        // Each split has its own picture, though all are called the same.
        let first: Vec<u8> = place
            .all()
            .iter()
            .map(|example| image::open(&example.image).unwrap().to_rgb8().get_pixel(0, 0).0[0])
            .collect();
        assert_eq!(first, [0, 1, 2]);
    }
}

#[test]
fn bad_annotations_are_named_by_their_ids() {
    for (from, to, words) in [
        ("[2.5, 3, 10, 5.25]", "[2.5, 3, 40, 5.25]", ["annotation 1", "inside the image"]),
        ("[2.5, 3, 10, 5.25]", "[2.5, 3, 0, 5.25]", ["image 10", "x0 < x1"]),
        ("[2.5, 3, 10, 5.25]", "[2.5, 3, 10]", ["annotation 1", "[x, y, width, height]"]),
        ("\"category_id\": 3", "\"category_id\": 4", ["annotation 2", "the id 4"]),
        ("\"iscrowd\": 0", "\"iscrowd\": 1", ["annotation 1", "crowd"]),
        (
            "\"image_id\": 10, \"category_id\": 3",
            "\"image_id\": 5, \"category_id\": 3",
            ["annotation 2", "of id 5"],
        ),
        ("a.png", "../source/a.png", ["image 10", "../source/a.png is not there"]),
        ("more/b.jpg", "c.jpg", ["image 11", "c.jpg is not there"]),
        ("\"height\": 30},", "\"height\": 31},", ["image 10", "40x31"]),
    ] {
        assert!(GOOD.contains(from));
        let place = drawn(&GOOD.replace(from, to));
        let words = if words[1].starts_with("inside") { ["image 10", words[1]] } else { words };
        assert_faults(&place.faults(&plan(&place)), &[&words]);
    }
    let place = drawn(GOOD);
    let plan = ImportPlan { classes: names(&["cell"]), ..plan(&place) };
    assert_faults(&place.faults(&plan), &[&["annotation 1", "\"nucleus\"", "none of cell"]]);
    run(&ImportPlan { skip_bad: true, ..plan }).unwrap();
    assert_eq!(place.all().len(), 1);
}

#[test]
fn what_is_no_coco_is_refused() {
    let place = drawn("{\"images\": [\n}");
    let refusal = place.refusal(&plan(&place));
    assert!(refusal.contains("boxes.json") && refusal.contains("line 2"), "{refusal}");
    let refusal = place.refusal(&place.plan(Format::Coco));
    assert!(refusal.contains("annotations/"), "{refusal}");
}
