//! Batches: what is in them, in which order, and that nothing but seed and step decides it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::collections::{HashMap, HashSet};
use std::fs;

use medley_data::{
    DataError, ExtraAugmentation, IGNORE, Loader, LoaderPlan, MixedBatch, RecordFault, Sample,
    SampleTarget, Split, Way,
};
use medley_package::Presentation;
use support::{Drawn, SIZE, WHOLE};

const TILES: Presentation = Presentation::Tiles { size: SIZE, long_side: 100, overlap: 16 };

fn plan(drawn: &Drawn, per_batch: usize, presentation: Presentation) -> LoaderPlan {
    LoaderPlan::mixed(drawn.plans(per_batch, presentation), SIZE, 7)
}

fn batches(plan: LoaderPlan, from: u64, count: usize) -> Vec<MixedBatch> {
    let mut loader = Loader::start_at(plan, from).unwrap();
    (0..count).map(|_| loader.next().unwrap()).collect()
}

#[test]
fn a_batch_holds_images_of_every_task_and_says_which() {
    let drawn = Drawn::new(12);
    for (step, batch) in batches(plan(&drawn, 2, WHOLE), 0, 3).into_iter().enumerate() {
        assert_eq!((batch.step, batch.n, batch.size), (step as u64, 6, 64));
        assert_eq!(batch.pixels.len(), 6 * 3 * 64 * 64);
        assert!(batch.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
        for (task, part) in batch.parts.iter().enumerate() {
            assert_eq!((part.task, part.range.clone()), (task, 2 * task..2 * task + 2));
            assert_eq!(part.targets.len(), 2);
            for target in &part.targets {
                match (task, target) {
                    (0, SampleTarget::Class(class)) => assert!(*class < 2),
                    (1, SampleTarget::Mask(mask)) => {
                        assert_eq!(mask.len(), 64 * 64);
                        assert!(mask.iter().all(|v| matches!(*v, 0 | 1 | IGNORE)));
                    }
                    (2, SampleTarget::Boxes(boxes)) => assert_eq!(boxes[0][4], 1.0),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn seed_and_step_decide_a_batch_and_threads_do_not() {
    let drawn = Drawn::new(12);
    for presentation in [WHOLE, TILES] {
        let one = batches(plan(&drawn, 2, presentation), 0, 12);
        for (threads, ahead) in [(1, 1), (3, 2), (4, 9)] {
            let again =
                batches(LoaderPlan { threads, ahead, ..plan(&drawn, 2, presentation) }, 0, 12);
            assert!(one == again, "{threads} threads, {ahead} ahead");
        }
        let uncached =
            batches(LoaderPlan { cache_bytes: 0, ..plan(&drawn, 2, presentation) }, 0, 12);
        assert!(one == uncached, "what is kept in memory changed a batch");
        let other = batches(LoaderPlan { seed: 8, ..plan(&drawn, 2, presentation) }, 0, 12);
        assert!(one != other);
    }
}

#[test]
fn a_loader_started_later_goes_on_as_if_it_had_never_stopped() {
    let drawn = Drawn::new(12);
    for way in [
        Way::Mixed { slots: None },
        Way::Mixed { slots: Some(2) },
        Way::Alternating { order: vec![2, 0, 0, 1] },
    ] {
        let plan = LoaderPlan { way, ..plan(&drawn, 3, WHOLE) };
        let all = batches(plan.clone(), 0, 14);
        assert!(all[9..] == batches(plan.clone(), 9, 5), "{:?}", plan.way);
    }
}

#[test]
fn every_image_comes_once_in_an_epoch_and_epochs_differ() {
    let drawn = Drawn::new(12);
    let mut tasks = drawn.plans(5, WHOLE);
    tasks.truncate(1);
    // Not augmented, an image is known by its first pixel, which no two of the ten share.
    tasks[0].augment = false;
    let plan = LoaderPlan::mixed(tasks, SIZE, 3);
    let seen: Vec<u32> = batches(plan, 0, 8)
        .iter()
        .flat_map(|batch| {
            batch
                .pixels
                .chunks_exact(3 * 64 * 64)
                .map(|image| image[0].to_bits())
                .collect::<Vec<_>>()
        })
        .collect();
    let epochs: Vec<&[u32]> = seen.chunks_exact(10).collect();
    for epoch in &epochs {
        assert_eq!(epoch.iter().collect::<HashSet<_>>().len(), 10);
    }
    assert!(epochs[0] != epochs[1]);
}

#[test]
fn slots_are_filled_with_equal_probability() {
    let drawn = Drawn::new(6);
    let plan = LoaderPlan { way: Way::Mixed { slots: Some(2) }, ..plan(&drawn, 1, WHOLE) };
    let mut count = HashMap::new();
    for batch in batches(plan, 0, 300) {
        assert_eq!(batch.parts.len(), 2);
        assert!(batch.parts[0].task < batch.parts[1].task);
        for part in batch.parts {
            *count.entry(part.task).or_insert(0) += 1;
        }
    }
    // Each task has 300 draws at 2/3: 200 with a standard deviation of 8.2; 40 is nearly five of them.
    assert!(count.values().all(|n| (160..=240).contains(n)), "{count:?}");
}

#[test]
fn alternating_batches_follow_the_order() {
    let drawn = Drawn::new(6);
    let plan =
        LoaderPlan { way: Way::Alternating { order: vec![1, 2, 0, 2] }, ..plan(&drawn, 2, WHOLE) };
    let tasks: Vec<usize> = batches(plan, 0, 8)
        .iter()
        .map(|batch| {
            assert_eq!((batch.parts.len(), batch.n), (1, 2));
            batch.parts[0].task
        })
        .collect();
    assert_eq!(tasks, [1, 2, 0, 2, 1, 2, 0, 2]);
}

#[test]
fn a_balanced_task_shows_a_rare_class_as_often_as_a_common_one() {
    let drawn = Drawn::new(10);
    let lines: Vec<String> =
        (0..10).map(|index| Drawn::line(index, "train", usize::from(index == 0))).collect();
    drawn.write_records(&lines.join("\n"));
    let mut tasks = drawn.plans(10, WHOLE);
    tasks.truncate(1);
    tasks[0].balance = true;
    let rare = batches(LoaderPlan::mixed(tasks, SIZE, 1), 0, 40)
        .iter()
        .flat_map(|batch| &batch.parts[0].targets)
        .filter(|target| **target == SampleTarget::Class(1))
        .count();
    // 400 draws at 1/2: 200 with a standard deviation of 10; without balance it would be 40.
    assert!((150..=250).contains(&rare), "{rare}");
}

#[test]
fn without_augmentation_an_image_is_shown_as_inference_shows_it() {
    let drawn = Drawn::new(6);
    let database = drawn.database();
    for presentation in [WHOLE, TILES] {
        let plans: Vec<_> = ["type", "area", "where"]
            .map(|task| database.plan(task, Split::Val, presentation, 1).unwrap())
            .into();
        // One picture, so an epoch is its windows; the loader shuffles them.
        let expected: Vec<Vec<Sample>> = plans
            .iter()
            .map(|plan| Sample::plain(&plan.examples[0], &plan.spec).unwrap())
            .collect();
        let windows = expected[0].len();
        assert_eq!(windows, if presentation == WHOLE { 1 } else { 4 });
        for batch in batches(LoaderPlan::mixed(plans, SIZE, 5), 0, windows) {
            for (part, expected) in batch.parts.iter().zip(&expected) {
                let pixels = &batch.pixels[part.range.start * 3 * 64 * 64..][..3 * 64 * 64];
                let same = |sample: &&Sample| {
                    sample.target == part.targets[0]
                        && sample.pixels.iter().zip(pixels).all(|(a, b)| {
                            // Kept pictures are rounded to bytes: half a step is 0.002.
                            (a - b).abs() < 0.0021
                        })
                };
                assert!(expected.iter().find(same).is_some(), "task {}", part.task);
            }
        }
    }
}

#[test]
fn a_bad_image_is_an_error_of_its_step_and_not_the_end() {
    let drawn = Drawn::new(3);
    fs::write(drawn.set().join("images/1.png"), "no picture").unwrap();
    let mut tasks = drawn.plans(1, WHOLE);
    tasks.truncate(1);
    let mut loader =
        Loader::start(LoaderPlan { threads: 2, ..LoaderPlan::mixed(tasks, SIZE, 0) }).unwrap();
    let outcomes: Vec<_> = (0..6).map(|_| loader.next()).collect();
    let mut faults = 0;
    for (step, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(batch) => assert_eq!(batch.step, step as u64),
            Err(DataError::Record { line: 2, fault: RecordFault::Decode { .. }, .. }) => {
                faults += 1
            }
            Err(other) => panic!("{other}"),
        }
    }
    // Two epochs of three images.
    assert_eq!(faults, 2);
}

#[test]
fn a_plan_that_cannot_be_followed_is_refused() {
    let drawn = Drawn::new(6);
    let good = plan(&drawn, 1, WHOLE);
    let refused = |change: fn(&mut LoaderPlan), reason: &str| {
        let mut plan = good.clone();
        change(&mut plan);
        let error = Loader::start(plan).err().unwrap();
        assert!(matches!(error, DataError::Plan(_)), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    };
    refused(|plan| plan.tasks.clear(), "no task");
    refused(|plan| plan.tasks[1].examples.clear(), "no examples");
    refused(|plan| plan.tasks[1].per_batch = 0, "1 or more");
    refused(|plan| plan.size = 32, "size");
    refused(|plan| plan.tasks[1].balance = true, "classification");
    refused(|plan| plan.way = Way::Mixed { slots: Some(4) }, "slots");
    refused(|plan| plan.way = Way::Mixed { slots: Some(0) }, "slots");
    refused(|plan| plan.way = Way::Alternating { order: vec![] }, "empty");
    refused(|plan| plan.way = Way::Alternating { order: vec![3] }, "task 3");
    let mut swapped = good.clone();
    swapped.tasks[0].examples = good.tasks[1].examples.clone();
    assert!(matches!(
        Loader::start(swapped),
        Err(DataError::Record { fault: RecordFault::Kind(_), .. })
    ));
}

#[test]
fn a_dropped_loader_stops_its_threads() {
    let drawn = Drawn::new(6);
    let plan = LoaderPlan { threads: 3, ahead: 50, ..plan(&drawn, 4, WHOLE) };
    // Joins the threads on drop; hangs here if they do not stop.
    drop(Loader::start(plan).unwrap());
}

#[test]
fn views_of_one_image_stand_beside_each_other_and_differ() {
    let drawn = Drawn::new(12);
    for balance in [false, true] {
        let mut tasks = drawn.plans(6, WHOLE);
        tasks.truncate(1);
        (tasks[0].views, tasks[0].balance) = (2, balance);
        let mut one = tasks.clone();
        (one[0].views, one[0].per_batch) = (1, 3);
        let two = batches(LoaderPlan::mixed(tasks, SIZE, 5), 0, 6);
        for (two, one) in two.iter().zip(batches(LoaderPlan::mixed(one, SIZE, 5), 0, 6)) {
            let [of_two, of_one] = [&two.parts[0].targets, &one.parts[0].targets];
            for (at, target) in of_one.iter().enumerate() {
                assert_eq!([&of_two[2 * at], &of_two[2 * at + 1]], [target, target]);
            }
            let images: Vec<&[f32]> = two.pixels.chunks_exact(3 * 64 * 64).collect();
            assert!((0..3).all(|at| images[2 * at] != images[2 * at + 1]));
        }
    }
}

#[test]
fn each_batch_has_one_of_the_sizes_and_its_answers_fit_it() {
    let drawn = Drawn::new(12);
    for presentation in [WHOLE, TILES] {
        let plan = LoaderPlan { sizes: vec![32, 64, 96], ..plan(&drawn, 2, presentation) };
        let all = batches(plan.clone(), 0, 24);
        for batch in &all {
            assert_eq!(batch.pixels.len(), 6 * 3 * batch.size * batch.size);
            for target in batch.parts.iter().flat_map(|part| &part.targets) {
                let side = batch.size as f32;
                match target {
                    SampleTarget::Mask(mask) => assert_eq!(mask.len(), batch.size * batch.size),
                    SampleTarget::Boxes(boxes) => {
                        assert!(boxes.iter().all(|found| found[2] <= side && found[3] <= side));
                    }
                    _ => {}
                }
            }
        }
        let sizes: HashSet<usize> = all.iter().map(|batch| batch.size).collect();
        assert_eq!(sizes.len(), 3);
        assert!(all[20..] == batches(plan, 20, 4));
    }
}

#[test]
fn mixup_mixes_pixels_and_classes_by_the_same_share() {
    let drawn = Drawn::new(12);
    let mut tasks = drawn.plans(4, WHOLE);
    tasks.truncate(2);
    let plain = batches(LoaderPlan::mixed(tasks.clone(), SIZE, 5), 0, 4);
    for task in &mut tasks {
        task.extra = ExtraAugmentation { mixup: 1.0, ..ExtraAugmentation::default() };
    }
    let mixed = batches(LoaderPlan::mixed(tasks, SIZE, 5), 0, 4);
    let length = 3 * 64 * 64;
    for (plain, mixed) in plain.iter().zip(&mixed) {
        // The segmentation task beside it stays as it was.
        assert!(plain.pixels[4 * length..] == mixed.pixels[4 * length..]);
        assert_eq!(plain.parts[1], mixed.parts[1]);
        for (at, target) in mixed.parts[0].targets.iter().enumerate() {
            let SampleTarget::Mixture { own, other, share } = *target else { panic!("{target:?}") };
            let partner = (at + 2) % 4;
            assert_eq!(plain.parts[0].targets[at], SampleTarget::Class(own));
            assert_eq!(plain.parts[0].targets[partner], SampleTarget::Class(other));
            for pixel in [0, 1000, length - 1] {
                let [a, b] = [at, partner].map(|image| plain.pixels[image * length + pixel]);
                let found = mixed.pixels[at * length + pixel];
                assert!((found - (a + (b - a) * share)).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn plans_with_views_or_sizes_that_do_not_fit_are_refused() {
    let drawn = Drawn::new(12);
    let refused = |plan: LoaderPlan| match Loader::start(plan) {
        Err(DataError::Plan(reason)) => reason,
        _ => panic!("the plan is taken"),
    };
    let mut odd = plan(&drawn, 3, WHOLE);
    odd.tasks[0].views = 2;
    assert!(refused(odd).contains("no multiple of 2 views"));
    let mut plain = plan(&drawn, 2, WHOLE);
    plain.tasks[1].augment = false;
    plain.sizes = vec![64, 96];
    assert!(refused(plain).contains("not augmented"));
}
