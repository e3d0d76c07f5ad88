//! All or nothing, beside what is there already.

use std::fs;

use medley_data::import::{Format, ImportError, ImportPlan, Progress, import};
use medley_data::{Database, Role, Split};
use serde_json::Value;

use super::place::{Place, run};

/// A source with a class of three pictures.
fn three() -> Place {
    let place = Place::new();
    for number in 0..3 {
        place.picture(&format!("a/{number}.png"), number);
    }
    place
}

fn named(place: &Place, name: &str) -> ImportPlan {
    ImportPlan { name: name.into(), task: name.into(), ..place.plan(Format::Folders) }
}

/// The names in the database's folder, hidden ones too.
fn entries(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("db")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_second_data_set_extends_the_list_of_tasks_and_leaves_the_first_as_it_was() {
    let place = three();
    run(&named(&place, "one")).unwrap();
    // What other programs wrote stays, also fields that this one does not know.
    let file = place.path("db/tasks.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"role\"", "\"colour\": \"blue\", \"role\"", 1)).unwrap();
    run(&ImportPlan { role: Role::Pretrain, ..named(&place, "two") }).unwrap();
    let json: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["tasks"][0]["colour"], "blue");
    let database = place.database();
    let tasks: Vec<(&str, Role)> =
        database.tasks().iter().map(|task| (task.name.as_str(), task.role)).collect();
    assert_eq!(tasks, [("one", Role::Target), ("two", Role::Pretrain)]);
    assert_eq!(entries(&place), ["one", "tasks.json", "two"]);
}

#[test]
fn what_is_there_is_not_overwritten_without_force() {
    let place = three();
    run(&named(&place, "one")).unwrap();
    let error = run(&named(&place, "one")).unwrap_err();
    assert!(matches!(error, ImportError::Exists(_)), "{error}");
    assert!(error.to_string().contains("--force"), "{error}");
    let taken = ImportPlan { task: "one".into(), ..named(&place, "two") };
    let error = run(&taken).unwrap_err();
    assert!(error.to_string().contains("\"one\" is there already"), "{error}");

    place.picture("a/more.png", 9);
    run(&ImportPlan { force: true, ..named(&place, "one") }).unwrap();
    let database = place.database();
    assert_eq!(database.tasks().len(), 1);
    let count: usize =
        Split::ALL.iter().map(|split| database.examples("one", *split).unwrap().len()).sum();
    assert_eq!(count, 4);
    assert_eq!(entries(&place), ["one", "tasks.json"]);
}

#[test]
fn a_failed_replacement_leaves_the_old_data_set() {
    let place = three();
    run(&named(&place, "one")).unwrap();
    let before = fs::read(place.path("db/one/records.jsonl")).unwrap();
    place.write("a/bad.png", "no picture");
    run(&ImportPlan { force: true, ..named(&place, "one") }).unwrap_err();
    assert_eq!(fs::read(place.path("db/one/records.jsonl")).unwrap(), before);
    assert_eq!(entries(&place), ["one", "tasks.json"]);
    assert!(Database::open(place.path("db")).is_ok());
}

#[test]
fn a_stopped_import_writes_nothing() {
    let place = three();
    let mut seen = Vec::new();
    let stopped = import(&named(&place, "one"), &mut |progress| {
        seen.push(progress);
        progress.done < 2
    });
    assert!(matches!(stopped, Err(ImportError::Stopped)));
    assert_eq!(seen, [Progress { done: 1, total: 3 }, Progress { done: 2, total: 3 }]);
    assert!(!place.path("db").exists());
}

#[test]
fn nothing_usable_is_an_error_and_so_is_a_list_of_tasks_of_another_version() {
    let place = Place::new();
    place.write("a/bad.png", "no picture");
    let error = run(&ImportPlan { skip_bad: true, ..named(&place, "one") }).unwrap_err();
    assert!(matches!(&error, ImportError::Empty { faults, .. } if faults.len() == 1), "{error}");
    assert!(!place.path("db").exists());

    let place = three();
    fs::create_dir(place.path("db")).unwrap();
    fs::write(place.path("db/tasks.json"), r#"{"version": 9, "tasks": []}"#).unwrap();
    let error = run(&named(&place, "one")).unwrap_err().to_string();
    assert!(error.contains("tasks.json") && error.contains("version is 9"), "{error}");
    assert_eq!(entries(&place), ["tasks.json"]);
}

#[test]
fn a_source_inside_the_data_set_that_it_would_replace_is_refused() {
    let place = three();
    run(&named(&place, "one")).unwrap();
    let source = place.path("db/one/images");
    let error = run(&ImportPlan { source, force: true, ..named(&place, "one") }).unwrap_err();
    assert!(matches!(error, ImportError::Options(_)), "{error}");
}
