//! int8 against float, on real images of a task of each kind.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::fs;
use std::sync::atomic::AtomicBool;

use burn::tensor::Device;
use medley_data::{Database, Split};
use medley_export::{Description, export};
use medley_infer::{AnalyzeOptions, ClassProbability, Medley, Output};
use medley_package::Package;
use medley_tests::{Silent, config, real_data};
use medley_train::{TrainConfig, Trainer};
use pollster::block_on;

/// One of each kind: blood smears, radiographs, blood smears.
const REAL_TASKS: [&str; 3] = ["blood-cell-type", "lungs", "blood-cells"];

/// Enough that answers are no coin tosses, which any rounding would turn.
const STEPS: u64 = 60;

/// Images of each task that are compared.
const IMAGES: usize = 12;

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The most probable class.
fn best(classes: &[ClassProbability]) -> &str {
    let most = classes.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
    &most.unwrap().name
}

/// What is shown here; a model of so few steps gives little more.
const LEAST_SCORE: f32 = 0.4;

fn iou(a: [f32; 4], b: [f32; 4]) -> f32 {
    let area = |[x0, y0, x1, y1]: [f32; 4]| (x1 - x0).max(0.0) * (y1 - y0).max(0.0);
    let both = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    both / (area(a) + area(b) - both)
}

#[test]
fn int8_answers_as_float_does_on_real_images() {
    let Some(data) = real_data("int8 against float on real images") else { return };
    let database = Database::open(data).unwrap().without_shared_groups();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, config("medley-micro", "mixed", STEPS, &REAL_TASKS)).unwrap();
    let settings = TrainConfig::read(&file).unwrap();
    let shape = settings.variant;
    let device = Device::flex();
    let mut trainer = Trainer::open(
        settings,
        &database,
        std::slice::from_ref(&device),
        &folder.path().join("run"),
    )
    .unwrap();
    trainer.run(&database, &mut Silent, &AtomicBool::new(false)).unwrap();

    let tasks = trainer.tasks().to_vec();
    let description = Description {
        name: "medley-micro".into(),
        variant: "micro".into(),
        tasks: tasks.clone(),
        ..Description::default()
    };
    let package = export(&trainer.model(), &shape.model(&tasks), description).unwrap();
    let package = Package::from_bytes(&package.to_bytes().unwrap()).unwrap();
    let int8 = block_on(Medley::load(package.clone(), &device)).unwrap();
    let float = Medley::from_parts(trainer.model(), tasks, &device);

    for task in REAL_TASKS {
        let options = AnalyzeOptions {
            tasks: Some(vec![task.into()]),
            score_threshold: LEAST_SCORE,
            ..AnalyzeOptions::default()
        };
        let examples = database.examples(task, Split::Test).unwrap();
        let mut worst_cosine = f32::INFINITY;
        let mut worst_mask = 1.0_f64;
        for index in 0..IMAGES {
            let example = &examples[index * examples.len() / IMAGES];
            let image = example.read_image().unwrap();
            let a = block_on(float.analyze(&image, &options)).unwrap();
            let b = block_on(int8.analyze(&image, &options)).unwrap();
            worst_cosine = worst_cosine.min(cosine(&a.embedding, &b.embedding));
            match (&a.results[0].output, &b.results[0].output) {
                (Output::Classes(a), Output::Classes(b)) => {
                    assert_eq!(best(a), best(b), "{}: {a:?} {b:?}", example.id);
                }
                (Output::Mask(a), Output::Mask(b)) => {
                    let same = a.indices.iter().zip(&b.indices).filter(|(a, b)| a == b).count();
                    worst_mask = worst_mask.min(same as f64 / a.indices.len() as f64);
                }
                (Output::Boxes(a), Output::Boxes(b)) => {
                    // Those near the threshold may be on one side of it here and on the other there.
                    for found in a.iter().filter(|found| found.score > LEAST_SCORE + 0.05) {
                        let twin = b.iter().any(|other| {
                            other.class == found.class && iou(other.bbox, found.bbox) > 0.9
                        });
                        assert!(twin, "{}: {found:?} has no twin in {b:?}", example.id);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        println!("{task}: cosine {worst_cosine:.6}, mask agreement {worst_mask:.5}, at the least");
        // The floors of the project: int8 against float.
        assert!(worst_cosine >= 0.999, "{task}: {worst_cosine}");
        assert!(worst_mask >= 0.99, "{task}: {worst_mask}");
    }
}
