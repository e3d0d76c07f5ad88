//! From drawn pictures through training and export to figures: what is learned is there in the package.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::fs;
use std::sync::atomic::AtomicBool;

use burn::tensor::Device;
use medley_data::{Database, Split};
use medley_export::{Description, export};
use medley_infer::Medley;
use medley_package::{read_dir, write_dir};
use medley_tests::{Drawn, MIXED_OR_ALTERNATING, Silent, TASKS, config};
use medley_train::{Outcome, TrainConfig, Trainer, evaluate};
use pollster::block_on;

/// A few seconds; enough for the running statistics of the batch normalisation to be those of the pictures.
const STEPS: u64 = 60;

#[test]
fn what_both_ways_of_training_learn_is_there_in_the_exported_package() {
    let drawn = Drawn::new(64);
    let database = Database::open(drawn.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex();
    for way in MIXED_OR_ALTERNATING {
        let file = folder.path().join("config.toml");
        fs::write(&file, config(way, way, STEPS, &TASKS)).unwrap();
        let settings = TrainConfig::read(&file).unwrap();
        let variant = settings.variant;
        let run = folder.path().join(way);
        let mut trainer =
            Trainer::open(settings, &database, std::slice::from_ref(&device), &run).unwrap();
        let outcome = trainer.run(&database, &mut Silent, &AtomicBool::new(false)).unwrap();
        assert_eq!(outcome, Outcome::Finished);

        let tasks = trainer.tasks().to_vec();
        let description = Description {
            name: way.into(),
            variant: variant.name().into(),
            tasks: tasks.clone(),
            ..Description::default()
        };
        let package = export(&trainer.model(), &variant.model(&tasks), description).unwrap();
        let out = folder.path().join("package");
        write_dir(&out, &package).unwrap();
        let medley = block_on(Medley::load(read_dir(&out).unwrap(), &device)).unwrap();
        let value = |task: &str| {
            let spec = medley.tasks().iter().find(|spec| spec.name == task).unwrap();
            let examples = database.examples(task, Split::Test).unwrap();
            let found = evaluate(&medley, spec, &examples, Split::Test, &mut |_| true).unwrap();
            println!("{way}: {found:?}");
            found.scores[0].value
        };
        // Answering background everywhere gives 0, the shape everywhere about 0.25.
        assert!(value("area") > 0.6, "{way}");
        // One class for all gives 1/3.
        assert!(value("shape") > 0.5, "{way}");
        // Boxes at random find nothing at half overlap.
        assert!(value("where") > 0.05, "{way}");
    }
}
