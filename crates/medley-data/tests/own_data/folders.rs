//! A folder for each class.

use std::collections::{BTreeSet, HashMap};

use medley_data::import::{Format, Grouping, ImportPlan, Shares};
use medley_data::{Split, Target};

use super::place::{Place, assert_faults, names, run, same, texts};

/// Two classes of twelve pictures, two of each patient.
fn two_classes() -> Place {
    let place = Place::new();
    for number in 0..12u8 {
        place.picture(&format!("sick/p{}_{number}.png", number / 2), number);
        place.picture(&format!("well/more/q{}_{number}.jpg", number / 2), 100 + number);
    }
    place.write("notes.txt", "not a picture, and in no class");
    place.write("sick/.DS_Store", "hidden");
    place
}

#[test]
fn pictures_are_copied_and_numbered_and_their_folder_is_their_class() {
    let place = two_classes();
    let imported = run(&place.plan(Format::Folders)).unwrap();
    assert_eq!(imported.classes, ["sick", "well"]);
    assert_eq!(imported.counts.iter().map(|(_, count)| count).sum::<usize>(), 24);
    assert_eq!(imported.drawn, Some(Shares::default()));
    let all = place.all();
    assert_eq!(all.len(), 24);
    for example in &all {
        let class = if example.group.starts_with("sick/") { 0 } else { 1 };
        assert_eq!(example.target, Target::Class(class));
        assert_eq!((example.width, example.height), (40, 30));
        let ending = if class == 0 { "png" } else { "jpg" };
        let source = place.path("source").join(format!("{}.{ending}", example.group));
        assert!(same(&example.image, &source), "{}", example.group);
        assert_eq!(example.image.file_name().unwrap().to_str().unwrap().len(), "00000.png".len());
    }
    let ids: BTreeSet<&str> = all.iter().map(|example| example.id.as_str()).collect();
    assert_eq!(ids.len(), 24);
    let database = place.database();
    let info = database.dataset("mine").unwrap();
    assert_eq!((info.licence.as_str(), info.body.as_str()), ("CC0", "blood"));
    assert_eq!(info.counts.values().sum::<u64>(), 24);
    assert_eq!(database.task("mine").unwrap().metric, "macro-f1");
}

#[test]
fn a_patient_is_in_one_split_and_the_seed_decides_which() {
    let place = two_classes();
    let rule = || Grouping::by_file_name(r"^([pq]\d+)_").unwrap();
    let drawn = |name: &str, seed| -> HashMap<String, Split> {
        let plan = place.plan(Format::Folders);
        let plan =
            ImportPlan { grouping: rule(), seed, name: name.into(), task: name.into(), ..plan };
        run(&plan).unwrap();
        let database = place.database();
        let mut splits = HashMap::new();
        for split in Split::ALL {
            for example in database.examples(name, split).unwrap() {
                assert_eq!(*splits.entry(example.group).or_insert(split), split);
            }
        }
        splits
    };
    let first = drawn("a", 1);
    assert_eq!(first.len(), 12);
    assert_eq!(first, drawn("b", 1));
    assert_ne!(first, drawn("c", 2));
}

#[test]
fn the_folder_can_be_the_patient() {
    let place = Place::new();
    for (number, name) in ["a/p1/1.png", "a/p1/2.png", "b/p2/1.png"].iter().enumerate() {
        place.picture(name, number as u8);
    }
    run(&ImportPlan { grouping: Grouping::Folder, ..place.plan(Format::Folders) }).unwrap();
    let mut groups: Vec<String> = place.all().into_iter().map(|example| example.group).collect();
    groups.sort();
    assert_eq!(groups, ["p1", "p1", "p2"]);
}

#[test]
fn splits_of_the_source_are_kept_unless_others_are_asked_for() {
    let place = Place::new();
    for (split, count) in [("train", 2), ("valid", 3), ("test", 4)] {
        for number in 0..count {
            place.picture(&format!("{split}/a/{number}.png"), number);
        }
    }
    let kept = run(&place.plan(Format::Folders)).unwrap();
    assert_eq!(kept.drawn, None);
    assert_eq!(kept.counts, [(Split::Train, 2), (Split::Val, 3), (Split::Test, 4)]);
    let shares = Some(Shares::percent([100.0, 0.0, 0.0]).unwrap());
    let plan = ImportPlan { shares, force: true, ..place.plan(Format::Folders) };
    assert_eq!(run(&plan).unwrap().counts[0], (Split::Train, 9));
}

#[test]
fn classes_can_be_ordered_and_a_folder_that_is_none_is_refused() {
    let place = two_classes();
    place.picture("other/1.png", 1);
    let plan = ImportPlan { classes: names(&["well", "sick"]), ..place.plan(Format::Folders) };
    assert_faults(&place.faults(&plan), &[&["other/1.png", "\"other\"", "well, sick"]]);
    let skipping = ImportPlan { skip_bad: true, ..plan };
    let imported = run(&skipping).unwrap();
    assert_eq!(imported.skipped.len(), 1);
    let all = place.all();
    assert_eq!(all.len(), 24);
    let sick = all.iter().filter(|example| example.target == Target::Class(1));
    assert!(sick.clone().count() == 12 && sick.clone().all(|one| one.group.starts_with("sick")));
}

#[test]
fn bad_pictures_are_all_named_and_can_be_left_out() {
    let place = two_classes();
    place.write("sick/empty.png", "");
    place.write("sick/text.jpg", "no picture");
    let picture = std::fs::read(place.path("source/sick/p0_0.png")).unwrap();
    place.write("well/cut.png", &picture[..picture.len() / 2]);
    place.picture("stray.png", 1);
    let plan = place.plan(Format::Folders);
    let rows: [&[&str]; 4] = [
        &["sick/empty.png", "empty file"],
        &["sick/text.jpg", "text"],
        &["well/cut.png", "PNG"],
        &["stray.png", "folder of a class"],
    ];
    assert_faults(&place.faults(&plan), &rows);
    let imported = run(&ImportPlan { skip_bad: true, ..plan }).unwrap();
    assert_faults(&texts(&imported.skipped), &rows);
    assert_eq!(place.all().len(), 24);
    // Nothing of what was left out lies in the data set.
    assert_eq!(std::fs::read_dir(place.path("db/mine/images")).unwrap().count(), 24);
}

#[test]
fn a_name_that_the_rule_does_not_fit_is_named() {
    let place = two_classes();
    let grouping = Grouping::by_file_name(r"^(p\d+)_").unwrap();
    let faults = place.faults(&ImportPlan { grouping, ..place.plan(Format::Folders) });
    assert_eq!(faults.len(), 12);
    assert!(faults[0].contains("q0_0.jpg") && faults[0].contains("--group-regex"), "{faults:?}");
}

#[test]
fn a_patient_in_two_splits_of_the_source_is_refused_or_stays_in_the_last() {
    let place = Place::new();
    for (number, name) in
        ["train/a/p1_0.png", "train/a/p2_0.png", "test/a/p1_1.png", "val/a/p3_0.png"]
            .iter()
            .enumerate()
    {
        place.picture(name, number as u8);
    }
    let grouping = Grouping::by_file_name(r"^(p\d)_").unwrap();
    let plan = ImportPlan { grouping, ..place.plan(Format::Folders) };
    assert_faults(&place.faults(&plan), &[&["train/a/p1_0.png", "\"p1\"", "train", "test"]]);
    let imported = run(&ImportPlan { skip_bad: true, ..plan }).unwrap();
    assert_eq!(imported.counts, [(Split::Train, 1), (Split::Val, 1), (Split::Test, 1)]);
    assert_eq!(std::fs::read_dir(place.path("db/mine/images")).unwrap().count(), 3);
}

#[test]
fn a_source_of_another_layout_is_refused_in_words() {
    let place = Place::new();
    place.picture("1.png", 1);
    assert!(place.refusal(&place.plan(Format::Folders)).contains("a folder for each class"));
    place.picture("train/a/1.png", 1);
    place.picture("b/1.png", 1);
    assert!(place.refusal(&place.plan(Format::Folders)).contains("beside those of the splits"));
    let missing = ImportPlan { source: place.path("none"), ..place.plan(Format::Folders) };
    assert!(place.refusal(&missing).contains("not there"));
}

#[test]
fn encoded_anew_a_picture_has_its_pixels_and_nothing_else() {
    let place = Place::new();
    place.picture("a/1.jpg", 7);
    let mut bytes = std::fs::read(place.path("source/a/1.jpg")).unwrap();
    // A comment segment after the first marker: what a file says beside its pixels.
    let comment = b"\xFF\xFE\x00\x0Dname of who";
    bytes.splice(2..2, comment.iter().copied());
    place.write("a/1.jpg", &bytes);
    let before = image::open(place.path("source/a/1.jpg")).unwrap();
    run(&ImportPlan { png: true, ..place.plan(Format::Folders) }).unwrap();
    let all = place.all();
    assert_eq!(all[0].image.extension().unwrap(), "png");
    assert_eq!(image::open(&all[0].image).unwrap(), before);
    let written = std::fs::read(&all[0].image).unwrap();
    assert!(!written.windows(4).any(|part| part == b"name"));
}
