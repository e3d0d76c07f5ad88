//! Pascal VOC XML.

use medley_data::import::{Format, ImportPlan};
use medley_data::{Split, Target};

use super::place::{Place, assert_faults, names, run};

/// An annotation with two objects.
fn xml(filename: &str) -> String {
    format!(
        r#"<?xml version="1.0"?>
<annotation>
  <folder>JPEGImages</folder>
  <filename>{filename}</filename>
  <size><width>40</width><height>30</height><depth>3</depth></size>
  <object>
    <name>WBC</name>
    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>40</xmax><ymax>30</ymax></bndbox>
  </object>
  <object>
    <name>Platelet</name><difficult>1</difficult>
    <bndbox><xmin>11.0</xmin><ymin>6</ymin><xmax>20</xmax><ymax>9</ymax></bndbox>
  </object>
</annotation>"#
    )
}

#[test]
fn the_classic_layout_gives_boxes_from_pixels_counted_from_one() {
    let place = Place::new();
    for (number, split) in ["train", "val", "test"].into_iter().enumerate() {
        // The name in the file is of another folder and ending, as happens after conversions.
        place.write(&format!("Annotations/{number}.xml"), xml(&format!("C:/x/{number}.bmp")));
        place.picture(&format!("JPEGImages/{number}.jpg"), number as u8);
        place.write(&format!("ImageSets/Main/{split}.txt"), format!("{number}\n"));
        place.write(&format!("ImageSets/Main/WBC_{split}.txt"), format!("{number} -1\n"));
    }
    let imported = run(&place.plan(Format::Voc)).unwrap();
    assert_eq!(imported.classes, ["Platelet", "WBC"]);
    assert_eq!(imported.counts, Split::ALL.map(|split| (split, 1)));
    for example in place.all() {
        let boxes = vec![[0.0, 0.0, 40.0, 30.0, 1.0], [10.0, 5.0, 20.0, 9.0, 0.0]];
        assert_eq!(example.target, Target::Boxes(boxes));
    }
}

#[test]
fn annotations_beside_their_pictures_are_read_too() {
    let place = Place::new();
    for split in ["train", "test"] {
        place.write(&format!("{split}/x.xml"), xml("x.png"));
        place.picture(&format!("{split}/x.png"), u8::from(split == "train"));
    }
    let imported = run(&place.plan(Format::Voc)).unwrap();
    assert_eq!(imported.counts, [(Split::Train, 1), (Split::Val, 0), (Split::Test, 1)]);
    let red = |split| {
        let example = &place.examples(split)[0];
        image::open(&example.image).unwrap().to_rgb8().get_pixel(0, 0).0[0]
    };
    assert_eq!((red(Split::Train), red(Split::Test)), (1, 0));
}

#[test]
fn bad_annotations_are_named_with_their_lines() {
    let good = xml("a.png");
    for (from, to, words) in [
        ("<xmax>20</xmax>", "<xmax>42</xmax>", ["a.xml", "inside the image"]),
        ("<xmax>20</xmax>", "<xmax>10</xmax>", ["a.xml", "x0 < x1"]),
        ("<xmax>20</xmax>", "<xmax>far</xmax>", ["a.xml, line 10", "xmax is Some(\"far\")"]),
        ("<xmax>20</xmax>", "", ["a.xml, line 10", "xmax is None"]),
        ("<name>WBC</name>", "", ["a.xml, line 6", "no name"]),
        ("<height>30</height>", "<height>40</height>", ["a.xml", "40x40"]),
        ("</annotation>", "", ["a.xml", "root node"]),
        ("<annotation>", "<!DOCTYPE a [<!ENTITY b \"c\">]><annotation>", ["a.xml", "DTD"]),
    ] {
        assert!(good.contains(from));
        let place = Place::new();
        place.write("a.xml", good.replacen(from, to, 1));
        place.picture("a.png", 1);
        place.write("b.xml", xml("b.png"));
        place.picture("b.png", 2);
        let plan = place.plan(Format::Voc);
        // A picture whose annotation cannot be understood counts as one without.
        let found = place.faults(&plan);
        assert_faults(&found[..1], &[&words]);
        run(&ImportPlan { skip_bad: true, ..plan }).unwrap();
        assert_eq!(place.all().len(), 1);
    }
}

#[test]
fn unknown_classes_missing_pictures_and_pictures_without_annotation_are_named() {
    let place = Place::new();
    place.write("a.xml", xml("a.png"));
    place.picture("a.png", 1);
    place.write("b.xml", xml("b.png"));
    place.picture("c.png", 2);
    let plan = ImportPlan { classes: names(&["WBC"]), ..place.plan(Format::Voc) };
    assert_faults(
        &place.faults(&plan),
        &[
            &["a.xml, line 10", "\"Platelet\"", "none of WBC"],
            &["b.xml", "b.png is not there"],
            &["c.png", "no annotation"],
        ],
    );
    assert!(Place::new().refusal(&Place::new().plan(Format::Voc)).contains("XML"));
}

#[test]
fn an_annotation_that_no_list_names_is_in_no_split() {
    let place = Place::new();
    for number in 0..2u8 {
        place.write(&format!("Annotations/{number}.xml"), xml(&format!("{number}.jpg")));
        place.picture(&format!("JPEGImages/{number}.jpg"), number);
    }
    place.write("ImageSets/Main/train.txt", "0\n");
    let plan = place.plan(Format::Voc);
    assert_faults(&place.faults(&plan), &[&["1.xml", "in no split"]]);
    place.write("ImageSets/Main/test.txt", "0\n");
    assert!(place.refusal(&plan).contains("also in the list"));
}
