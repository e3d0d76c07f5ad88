//! Runs of a small model on drawn pictures: resuming, stopping, and losses that are no numbers.

// The lint knows tests, but not the functions that they share.
#![allow(clippy::unwrap_used)]

#[path = "../src/alone.rs"]
mod alone;
mod drawn;

use alone::alone;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use medley_data::{Database, ExtraAugmentation};
use medley_infer::read_model;
use medley_model::MedleyModel;
use medley_package::{Presentation, read_dir};
use medley_train::{
    DistillationConfig, Observer, OptimizerConfig, Outcome, Score, SelfSupervisionConfig,
    StepReport, TaskConfig, TrainConfig, TrainError, Trainer, Variant, WarmStartConfig, Way,
};

/// Keeps what it hears, and asks for a stop after so many steps.
struct Log<'a> {
    losses: Vec<Vec<(String, f32)>>,
    scores: Vec<Score>,
    stop_after: u64,
    stop: &'a AtomicBool,
}

impl Observer for Log<'_> {
    fn step(&mut self, report: &StepReport) {
        self.losses.push(report.losses.clone());
        if report.step + 1 == self.stop_after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
    fn validated(&mut self, _step: u64, scores: &[Score]) {
        self.scores = scores.to_vec();
    }
    fn saved(&mut self, _step: u64) {}
}

fn config(way: Way, steps: u64) -> TrainConfig {
    let task = |name: &str, balance| TaskConfig {
        name: name.into(),
        per_batch: 4,
        weight: 1.0,
        balance,
        views: 1,
        presentation: Presentation::Whole { size: 64 },
    };
    TrainConfig {
        name: "drawn".into(),
        variant: Variant::Micro,
        nano: None,
        seed: 7,
        steps,
        way,
        augmentation: 0.3,
        augment: ExtraAugmentation::default(),
        sizes: Vec::new(),
        stochastic_depth: 0.0,
        self_supervision: None,
        warm_start: None,
        distillation: None,
        threads: 2,
        validate_every: 0,
        validate_images: 8,
        checkpoint_every: 1000,
        optimizer: OptimizerConfig {
            learning_rate: 4e-3,
            weight_decay: 0.01,
            warmup: 4,
            clip: 1.0,
            restarts: Vec::new(),
            average: 0.0,
        },
        tasks: vec![task("shape", true), task("outline", false), task("place", false)],
        leave_out: Vec::new(),
    }
}

type Ran = (Result<Outcome, TrainError>, Vec<Vec<(String, f32)>>, Vec<Score>);

fn run(config: &TrainConfig, data: &Path, folder: &Path, stop_after: u64) -> Ran {
    run_on(1, config, data, folder, stop_after)
}

/// The same with so many replicas, all of them on the processor.
fn run_on(
    replicas: usize,
    config: &TrainConfig,
    data: &Path,
    folder: &Path,
    stop_after: u64,
) -> Ran {
    let _alone = alone();
    let database = Database::open(data).unwrap();
    let devices = vec![Device::flex(); replicas];
    let mut trainer = Trainer::open(config.clone(), &database, &devices, folder).unwrap();
    let stop = AtomicBool::new(false);
    let mut log = Log { losses: Vec::new(), scores: Vec::new(), stop_after, stop: &stop };
    let outcome = trainer.run(&database, &mut log, &stop);
    (outcome, log.losses, log.scores)
}

#[test]
fn a_stopped_run_goes_on_with_the_losses_of_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    for (way, name) in [(Way::Mixed, "mixed"), (Way::Alternating, "alternating")] {
        let config = config(way, 6);
        let (outcome, whole, _) = run(&config, &data, &folder.path().join(name), u64::MAX);
        assert_eq!(outcome.unwrap(), Outcome::Finished);

        let broken = folder.path().join(format!("{name}-broken"));
        let (outcome, mut pieces, _) = run(&config, &data, &broken, 3);
        assert_eq!(outcome.unwrap(), Outcome::Stopped { step: 3 });
        let (outcome, rest, _) = run(&config, &data, &broken, u64::MAX);
        assert_eq!(outcome.unwrap(), Outcome::Finished);
        pieces.extend(rest);
        // Equal to the last bit: weights, moments, statistics, images and dropout are all restored.
        assert_eq!(pieces, whole, "{name}");
    }
}

/// Without classification: its dropout draws from the device, which the replicas here share.
fn without_dropout(way: Way, steps: u64) -> TrainConfig {
    let mut config = config(way, steps);
    config.tasks.retain(|task| task.name != "shape");
    config
}

#[test]
fn replicas_take_a_batch_each_and_report_the_mean_of_their_losses() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    let mut config = without_dropout(Way::Mixed, 2);
    let (_, together, _) = run_on(2, &config, &data, &folder.path().join("two"), 1);
    // Hardly moving, one alone shows what the first two batches give with the first weights.
    config.optimizer.learning_rate = 1e-9;
    let (_, alone, _) = run(&config, &data, &folder.path().join("one"), u64::MAX);
    for task in 0..2 {
        let (name, mean) = &together[0][task];
        let (first, second) = (alone[0][task].1, alone[1][task].1);
        assert!((first - second).abs() > 1e-3, "{name}: both batches give {first}");
        assert!((mean - (first + second) / 2.0).abs() < 1e-4, "{name}: {first}, {second}, {mean}");
    }
}

#[test]
fn a_stopped_run_on_two_devices_goes_on_with_the_losses_of_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    for way in [Way::Mixed, Way::Alternating] {
        let config = without_dropout(way, 6);
        let name = format!("{way:?}");
        let (outcome, whole, _) = run_on(2, &config, &data, &folder.path().join(&name), u64::MAX);
        assert_eq!(outcome.unwrap(), Outcome::Finished);
        let broken = folder.path().join(format!("{name}-broken"));
        let (_, mut pieces, _) = run_on(2, &config, &data, &broken, 3);
        pieces.extend(run_on(2, &config, &data, &broken, u64::MAX).1);
        assert_eq!(pieces, whole, "{name}");
    }
}

/// What the model that answers makes of a picture, in a run that stops once on its way, or not.
fn averaged_embedding(data: &Path, folder: &Path, stop_after: u64) -> Vec<f32> {
    let mut config = config(Way::Mixed, 6);
    config.optimizer.average = 0.5;
    run(&config, data, folder, stop_after).0.unwrap();
    run(&config, data, folder, u64::MAX).0.unwrap();
    let database = Database::open(data).unwrap();
    let _alone = alone();
    let trainer = Trainer::open(config, &database, &[Device::flex()], folder).unwrap();
    let image = Tensor::full([1, 3, 64, 64], 0.7, &Device::flex());
    let averaged = trainer.model().encode(image.clone()).unwrap().embedding;
    let last = trainer.last_model().encode(image).unwrap().embedding;
    let difference = (averaged.clone() - last).abs().max().into_scalar::<f32>();
    assert!(difference > 1e-4, "the average is the last step's weights: {difference}");
    averaged.into_data().try_into_vec().unwrap()
}

#[test]
fn the_average_of_the_weights_outlives_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    let whole = averaged_embedding(&data, &folder.path().join("whole"), u64::MAX);
    let broken = averaged_embedding(&data, &folder.path().join("broken"), 3);
    assert_eq!(whole, broken);
}

#[test]
fn both_ways_learn_all_three_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    for (way, steps) in [(Way::Mixed, 60), (Way::Alternating, 60)] {
        let mut config = config(way, steps);
        config.validate_every = steps;
        let (outcome, losses, scores) =
            run(&config, &data, &folder.path().join(format!("{way:?}")), u64::MAX);
        assert_eq!(outcome.unwrap(), Outcome::Finished);
        let mean = |steps: &[Vec<(String, f32)>], task: usize| {
            steps.iter().map(|step| step[task].1).sum::<f32>() / steps.len() as f32
        };
        for task in 1..3 {
            let (first, last) = (mean(&losses[..5], task), mean(&losses[55..], task));
            // Sixty steps on sixteen pictures: far from done, but no accident either.
            assert!(last < 0.7 * first, "{way:?} task {task}: {first} → {last}");
        }
        let metrics: Vec<&str> = scores.iter().map(|score| score.metric.as_str()).collect();
        assert_eq!(
            metrics,
            ["macro-f1", "accuracy", "calibration-error", "dice", "dice-pooled", "map50"]
        );
        assert!(scores.iter().all(|score| score.n == 8 && (0.0..=1.0).contains(&score.value)));
    }
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_the_task_and_keeps_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    let mut config = config(Way::Mixed, 5);
    config.checkpoint_every = 1;
    // So strong that the weights overflow in the first step.
    config.optimizer.weight_decay = 3e38;
    let run_folder = folder.path().join("run");
    let (outcome, losses, _) = run(&config, &data, &run_folder, u64::MAX);
    let error = outcome.unwrap_err();
    assert!(matches!(&error, TrainError::NotFinite { task, .. } if task == "shape"), "{error}");
    assert!(error.to_string().contains("shape"), "{error}");
    assert_eq!(losses.len(), 1);
    assert!(run_folder.join("checkpoint/state.json").exists());
}

#[test]
fn a_finished_run_goes_on_with_a_restart_as_if_it_had_been_planned() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    let short = config(Way::Mixed, 5);
    let mut long = config(Way::Mixed, 8);
    long.optimizer.restarts = vec![5];
    let (_, planned, _) = run(&long, &data, &folder.path().join("planned"), u64::MAX);
    let grown = folder.path().join("grown");
    let (_, mut losses, _) = run(&short, &data, &grown, u64::MAX);
    losses.extend(run(&long, &data, &grown, u64::MAX).1);
    assert_eq!(losses, planned);
}

#[test]
fn a_checkpoint_of_another_configuration_is_refused_by_the_key_that_differs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    let mut config = config(Way::Mixed, 2);
    let run_folder = folder.path().join("run");
    run(&config, &data, &run_folder, u64::MAX).0.unwrap();
    config.seed = 8;
    let database = Database::open(&data).unwrap();
    let _alone = alone();
    let error = Trainer::open(config, &database, &[Device::flex()], &run_folder).err().unwrap();
    assert!(error.to_string().contains("seed: then 7, now 8"), "{error}");
}

#[test]
fn a_stopped_run_with_every_lever_goes_on_with_the_losses_of_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    let mut config = config(Way::Mixed, 6);
    config.augment =
        ExtraAugmentation { crop: 0.5, blur: 1.0, cutout: 0.3, mixup: 0.0, scale: 1.5 };
    config.sizes = vec![64, 96];
    config.stochastic_depth = 0.3;
    config.self_supervision = Some(SelfSupervisionConfig { weight: 0.5, temperature: 0.2 });
    config.tasks[0].views = 2;
    let (outcome, whole, _) = run(&config, &data, &folder.path().join("whole"), u64::MAX);
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    for step in &whole {
        let names: Vec<&str> = step.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["shape", "outline", "place", "self-supervision"]);
    }
    let broken = folder.path().join("broken");
    let (_, mut pieces, _) = run(&config, &data, &broken, 3);
    pieces.extend(run(&config, &data, &broken, u64::MAX).1);
    assert_eq!(pieces, whole);

    config.self_supervision = None;
    config.augment.mixup = 0.4;
    let (_, mixed, _) = run(&config, &data, &folder.path().join("mixed"), u64::MAX);
    assert_eq!(mixed.len(), 6);
    assert_ne!(mixed[0][0], whole[0][0]);
}

#[test]
fn a_run_learns_the_relations_of_a_package_and_names_one_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    let mut config = config(Way::Mixed, 60);
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/models/medley-nano");
    config.distillation = Some(DistillationConfig { package, weight: 3.0 });
    let (outcome, losses, _) = run(&config, &data, &folder.path().join("run"), u64::MAX);
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    let of = |steps: &[Vec<(String, f32)>]| {
        assert!(steps.iter().all(|step| step[3].0 == "distillation"));
        steps.iter().map(|step| step[3].1).sum::<f32>() / steps.len() as f32
    };
    let (first, last) = (of(&losses[..5]), of(&losses[55..]));
    // Far from learned in sixty steps, but no accident either.
    assert!(last < 0.8 * first, "{first} → {last}");

    config.distillation = Some(DistillationConfig { package: "not-there".into(), weight: 1.0 });
    let database = Database::open(&data).unwrap();
    let run = folder.path().join("other");
    let _alone = alone();
    let error =
        Trainer::open(config, &database, &[Device::flex()], &run).err().unwrap().to_string();
    assert!(error.starts_with("not-there: distillation.package cannot be read"), "{error}");
}

#[test]
fn a_run_begins_with_the_answers_of_a_package() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drawn::database(&data);
    let database = Database::open(&data).unwrap();
    let cpu = Device::flex();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/models/medley-nano");
    let (package, _) = read_model(read_dir(&path).unwrap(), &cpu).unwrap();
    let mut config = config(Way::Mixed, 1);
    config.variant = Variant::Nano;
    config.warm_start = Some(WarmStartConfig { package: path.clone() });
    let run = folder.path().join("run");
    let trainer =
        Trainer::open(config.clone(), &database, std::slice::from_ref(&cpu), &run).unwrap();
    let images = Tensor::random([3, 3, 64, 96], Distribution::Uniform(0.0, 1.0), &cpu);
    let answers = |model: &MedleyModel| {
        let features = model.encode(images.clone()).unwrap();
        let pixels = model.pixel_embedding(&features);
        [features.embedding.into_data(), pixels.into_data()]
    };
    // Batch normalisation is there again and, after training, answers from its running statistics.
    let (ours, theirs) = (answers(&trainer.model()), answers(&package));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        ours.assert_approx_eq::<f32>(theirs, Tolerance::rel_abs(1e-3, 1e-3));
    }

    drop(trainer);
    config.variant = Variant::Micro;
    let error =
        Trainer::open(config, &database, std::slice::from_ref(&cpu), &folder.path().join("other"))
            .err()
            .unwrap();
    assert!(error.to_string().contains("has another shape than this run"), "{error}");
}
