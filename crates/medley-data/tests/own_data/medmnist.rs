//! MedMNIST `.npz`.

use std::io::{Cursor, Write};

use medley_data::import::{Format, Grouping, ImportPlan};
use medley_data::{Split, Target};
use npyz::{AutoSerialize, WriterBuilder};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::place::{Place, assert_faults, names, run};

/// Names and arrays of an archive.
type Entries<'a> = &'a [(&'a str, Vec<u8>)];

/// An array as NumPy writes it.
fn array<T: AutoSerialize + Copy>(shape: &[u64], values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(&mut bytes)
        .begin_nd()
        .unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
    bytes
}

/// An archive as `numpy.savez_compressed` writes it.
fn npz(entries: Entries<'_>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Pictures of 5×4 pixels, each of one value, 10, 11, …
fn grey(count: u64) -> Vec<u8> {
    let values: Vec<u8> = (0..count * 20).map(|index| 10 + (index / 20) as u8).collect();
    array(&[count, 4, 5], &values)
}

fn plan(place: &Place, entries: Entries<'_>) -> ImportPlan {
    place.write("set.npz", npz(entries));
    let source = place.path("source/set.npz");
    ImportPlan { source, classes: names(&["a", "b", "c"]), ..place.plan(Format::Medmnist) }
}

#[test]
fn pictures_become_files_and_the_splits_are_those_of_the_archive() {
    let place = Place::new();
    let plan = plan(
        &place,
        &[
            ("train_images", grey(3)),
            ("train_labels", array::<u8>(&[3, 1], &[2, 0, 1])),
            ("val_images", grey(1)),
            ("val_labels", array::<i64>(&[1], &[1])),
            ("test_images", grey(2)),
            ("test_labels", array::<u16>(&[2, 1], &[0, 0])),
        ],
    );
    let imported = run(&plan).unwrap();
    assert_eq!(imported.counts, [(Split::Train, 3), (Split::Val, 1), (Split::Test, 2)]);
    let train = place.examples(Split::Train);
    for (index, (example, class)) in train.iter().zip([2, 0, 1]).enumerate() {
        assert_eq!(example.target, Target::Class(class));
        assert_eq!(example.group, format!("train_{index}"));
        let picture = image::open(&example.image).unwrap();
        let picture = picture.as_luma8().unwrap();
        assert_eq!(picture.dimensions(), (5, 4));
        assert!(picture.pixels().all(|pixel| pixel.0[0] == 10 + index as u8));
    }
}

#[test]
fn colours_keep_their_order() {
    let place = Place::new();
    let values: Vec<u8> = (0..2 * 4 * 5 * 3).map(|index| index as u8).collect();
    let plan = plan(
        &place,
        &[
            ("train_images", array(&[2, 4, 5, 3], &values)),
            ("train_labels", array::<u8>(&[2, 1], &[0, 1])),
        ],
    );
    let imported = run(&plan).unwrap();
    // An archive with training alone has splits still: its own.
    assert_eq!((imported.drawn, imported.counts[0]), (None, (Split::Train, 2)));
    let second = image::open(&place.examples(Split::Train)[1].image).unwrap();
    assert_eq!(second.as_rgb8().unwrap().as_raw()[..], values[60..]);
}

#[test]
fn labels_that_are_no_class_are_named_with_their_place() {
    let place = Place::new();
    let plan = plan(
        &place,
        &[("test_images", grey(3)), ("test_labels", array::<i8>(&[3, 1], &[0, 3, -1]))],
    );
    let rows: [&[&str]; 2] =
        [&["test_images.npy 1", "the label is 3"], &["test_images.npy 2", "the label is -1"]];
    assert_faults(&place.faults(&plan), &rows);
    run(&ImportPlan { skip_bad: true, ..plan }).unwrap();
    assert_eq!(place.all().len(), 1);
}

#[test]
fn other_archives_are_refused_in_words() {
    let labels = || array::<u8>(&[2, 1], &[0, 1]);
    let bytes = |count: usize| vec![7u8; count];
    let cases: [(Entries<'_>, &str); 8] = [
        (&[("images", grey(2))], "expected train_images"),
        (&[("train_images", grey(2))], "train_labels"),
        (&[("train_images", grey(3)), ("train_labels", labels())], "2 labels for 3 pictures"),
        (
            &[("train_images", array(&[2, 3, 3, 4], &bytes(72))), ("train_labels", labels())],
            "three-dimensional",
        ),
        (
            &[("train_images", grey(2)), ("train_labels", array(&[2, 5], &bytes(10)))],
            "several labels",
        ),
        (
            &[("train_images", array::<f32>(&[2, 2, 2], &[0.5; 8])), ("train_labels", labels())],
            "expected bytes",
        ),
        (
            &[("train_images", grey(2)), ("train_labels", array::<f64>(&[2], &[0.0, 1.0]))],
            "whole numbers",
        ),
        (
            &[("train_images", array::<u8>(&[0, 0, 9], &[])), ("train_labels", labels())],
            "the shape [0, 0, 9]",
        ),
    ];
    for (entries, words) in cases {
        let place = Place::new();
        let refusal = place.refusal(&plan(&place, entries));
        assert!(refusal.contains("set.npz") && refusal.contains(words), "{words:?}: {refusal}");
    }
}

#[test]
fn a_cut_archive_a_cut_array_and_names_that_are_missing_are_refused() {
    let place = Place::new();
    let mut cut = grey(2);
    cut.truncate(cut.len() - 1);
    let good = plan(&place, &[("train_images", cut), ("train_labels", array::<u8>(&[2], &[0, 1]))]);
    assert!(place.refusal(&good).contains("damaged"));
    assert!(place.refusal(&ImportPlan { classes: None, ..good.clone() }).contains("--classes"));
    let rule = Grouping::by_file_name("^(p)").unwrap();
    let whole =
        plan(&place, &[("train_images", grey(2)), ("train_labels", array::<u8>(&[2], &[0, 1]))]);
    assert_eq!(place.faults(&ImportPlan { grouping: rule, ..whole }).len(), 2);
    let bytes = std::fs::read(place.path("source/set.npz")).unwrap();
    place.write("set.npz", &bytes[..bytes.len() / 2]);
    assert!(place.refusal(&good).contains("not an .npz file"));
}
