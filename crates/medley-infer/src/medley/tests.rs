use std::cell::{Cell, RefCell};
use std::rc::Rc;

use medley_package::{Calibration, SelfTestSpec};
use pollster::block_on;

use super::*;
use crate::analysis::Between;
use crate::testing::{package, task, tasks};

/// A picture with structure: a coarse chequer on a slope.
fn picture(width: u32, height: u32) -> Image {
    let values = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let square = ((x / 9 + y / 9) % 2) as f32;
            [square, x as f32 / width as f32, y as f32 / height as f32]
        })
        .collect();
    Image::new(width, height, values).unwrap()
}

/// All boxes, however unsure: random weights are.
fn everything() -> AnalyzeOptions {
    AnalyzeOptions { score_threshold: 0.0, ..AnalyzeOptions::default() }
}

/// Mean and deviation of the micro encoder's 8, 16 and 16 channels.
const EMBEDDING: usize = 2 * (8 + 16 + 16);

fn only(names: &[&str]) -> AnalyzeOptions {
    let tasks = Some(names.iter().map(|n| n.to_string()).collect());
    AnalyzeOptions { tasks, ..everything() }
}

#[test]
fn every_kind_answers_at_the_size_of_the_picture() {
    let device = Device::flex();
    let (package, _) = package(&tasks());
    let model = block_on(Medley::load(package.clone(), &device)).unwrap();
    for (width, height) in [(75, 41), (1, 1), (64, 200)] {
        let analysis = block_on(model.analyze(&picture(width, height), &everything())).unwrap();
        let names: Vec<&str> = analysis.results.iter().map(|r| r.task.as_str()).collect();
        assert_eq!(names, ["kind", "vessels", "organs", "cells", "parasites"]);
        assert_eq!(analysis.embedding.len(), EMBEDDING);
        for (result, task) in analysis.results.iter().zip(tasks()) {
            assert_eq!(result.kind, task.kind);
            match &result.output {
                Output::Classes(classes) => {
                    let sum: f32 = classes.iter().map(|c| c.probability).sum();
                    // Three divisions by the sum, each rounded.
                    assert!((sum - 1.0).abs() < 1e-6);
                    assert_eq!(classes.len(), 3);
                }
                Output::Mask(mask) => {
                    assert_eq!((mask.width, mask.height), (width, height));
                    assert_eq!(mask.indices.len() as u32, width * height);
                    assert!(mask.indices.iter().all(|&i| (i as usize) < task.classes.len()));
                }
                Output::Boxes(boxes) => {
                    assert!(!boxes.is_empty() && boxes.len() <= 300);
                    for b in boxes {
                        let [x0, y0, x1, y1] = b.bbox;
                        assert!(0.0 <= x0 && x0 < x1 && x1 <= width as f32, "{b:?}");
                        assert!(0.0 <= y0 && y0 < y1 && y1 <= height as f32, "{b:?}");
                        assert_eq!(b.class, task.classes[b.class_index]);
                    }
                }
            }
        }
    }
}

#[test]
fn a_loaded_package_answers_as_the_model_it_was_made_from() {
    let device = Device::flex();
    let (package, model) = package(&tasks());
    let loaded = block_on(Medley::load(package.clone(), &device)).unwrap();
    let original = Medley::from_parts(model, tasks(), &device);
    let image = picture(90, 70);
    let a = block_on(loaded.analyze(&image, &everything())).unwrap();
    let b = block_on(original.analyze(&image, &everything())).unwrap();
    // The same weights on the same device: the same bits.
    assert_eq!(a.results, b.results);
    assert_eq!(a.embedding, b.embedding);
}

#[test]
fn a_task_answers_the_same_alone_and_in_company() {
    let device = Device::flex();
    let (package, _) = package(&tasks());
    let model = block_on(Medley::load(package.clone(), &device)).unwrap();
    let image = picture(90, 70);
    let all = block_on(model.analyze(&image, &everything())).unwrap();
    for name in ["parasites", "organs"] {
        let alone = block_on(model.analyze(&image, &only(&[name]))).unwrap();
        assert_eq!(alone.results.len(), 1);
        let same = all.results.iter().find(|r| r.task == name).unwrap();
        assert_eq!(&alone.results[0], same);
    }
    // In the order asked for, each once.
    let some = block_on(model.analyze(&image, &only(&["cells", "kind", "cells"]))).unwrap();
    let names: Vec<&str> = some.results.iter().map(|r| r.task.as_str()).collect();
    assert_eq!(names, ["cells", "kind"]);
    let none = block_on(model.analyze(&image, &only(&[]))).unwrap();
    assert!(none.results.is_empty() && none.embedding.len() == EMBEDDING);
}

#[test]
fn wrong_requests_say_what_is_there() {
    let (_, parts) = package(&tasks());
    let model = Medley::from_parts(parts, tasks(), &Device::flex());
    let image = picture(8, 8);
    let error = block_on(model.analyze(&image, &only(&["lungs"]))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no task \"lungs\"; this model has: kind, vessels, organs, cells, parasites"
    );
    for threshold in [f32::NAN, -0.1, 1.1] {
        let options = AnalyzeOptions { score_threshold: threshold, ..AnalyzeOptions::default() };
        let error = block_on(model.analyze(&image, &options)).unwrap_err();
        assert!(matches!(error, InferError::Threshold { .. }));
    }
    assert!(matches!(block_on(model.self_test()), Err(InferError::NoSelfTest)));
}

#[test]
fn an_analysis_can_be_cancelled_at_every_stage() {
    let (_, parts) = package(&tasks());
    let model = Medley::from_parts(parts, tasks(), &Device::flex());
    let image = picture(40, 40);
    let asked = |limit: usize| {
        let count = Rc::new(Cell::new(0));
        let seen = count.clone();
        let cancelled = Rc::new(move || {
            seen.set(seen.get() + 1);
            seen.get() > limit
        });
        let options = AnalyzeOptions { cancelled: Some(cancelled), ..AnalyzeOptions::default() };
        (block_on(model.analyze(&image, &options)), count.get())
    };
    let (done, stages) = asked(usize::MAX);
    assert!(done.is_ok() && stages > 10, "{stages}");
    for limit in [0, 1, stages / 2, stages - 1] {
        let (result, count) = asked(limit);
        assert!(matches!(result, Err(InferError::Cancelled)));
        assert_eq!(count, limit + 1);
    }
}

#[test]
fn the_share_of_the_work_that_is_done_grows_from_nothing_and_others_get_their_turn() {
    let (_, parts) = package(&tasks());
    let model = Medley::from_parts(parts, tasks(), &Device::flex());
    let shares = Rc::new(RefCell::new(Vec::new()));
    let seen = shares.clone();
    let between: Between = Rc::new(move |share| {
        seen.borrow_mut().push(share);
        Box::pin(std::future::ready(()))
    });
    let options = AnalyzeOptions { between: Some(between), ..AnalyzeOptions::default() };
    block_on(model.analyze(&picture(200, 120), &options)).unwrap();
    let shares = shares.borrow();
    assert_eq!(shares[0], 0.0);
    assert!(shares.is_sorted() && shares.len() > 5, "{shares:?}");
    // Every stage is announced: the last one is all that is left.
    let last = 1.0 - 1.0 / shares.len() as f32;
    assert!((shares[shares.len() - 1] - last).abs() < 1e-6, "{shares:?}");
}

#[test]
fn calibration_makes_probabilities_milder_and_keeps_their_order() {
    let device = Device::flex();
    let tasks = [task("kind", TaskKind::Classification, 3, Presentation::Whole { size: 64 })];
    let (mut package, _) = package(&tasks);
    let image = picture(64, 64);
    let answer = |package: &Package| {
        let model = block_on(Medley::load(package.clone(), &device)).unwrap();
        let analysis = block_on(model.analyze(&image, &AnalyzeOptions::default())).unwrap();
        match &analysis.results[0].output {
            Output::Classes(c) => c.iter().map(|c| c.probability).collect::<Vec<f32>>(),
            other => panic!("{other:?}"),
        }
    };
    let plain = answer(&package);
    package.metadata.calibration = vec![Calibration { task: "kind".into(), temperature: 2.0 }];
    let milder = answer(&package);
    // p_i / p_j = exp((l_i - l_j) / T): with T = 2 every ratio becomes its square root.
    for i in 1..3 {
        let (a, b) = (plain[i] / plain[0], milder[i] / milder[0]);
        assert!((a.sqrt() - b).abs() < 1e-5, "{plain:?} {milder:?}");
    }
}

#[test]
fn the_self_test_passes_here_and_fails_with_other_weights() {
    let device = Device::flex();
    let (mut package, mut model) = package(&tasks());
    // As it is when it is loaded.
    model.prepare();
    let input = PackedTensor::Float {
        shape: vec![1, 3, 64, 64],
        data: window(&picture(64, 64), &placements(64, 64, &Presentation::Whole { size: 64 })[0]),
    };
    let outputs = block_on(self_test_outputs(&model, &tasks(), &input, &device)).unwrap();
    assert_eq!(outputs.len(), 5);
    // Classes and five more for each of 8² + 4² + 2² + 1 + 1 locations.
    assert_eq!(outputs["self_test.output.cells"].shape(), [1, 7, 86]);
    assert_eq!(outputs["self_test.output.organs"].shape(), [1, 4, 32, 32]);
    package.tensors.insert(SELF_TEST_INPUT.into(), input);
    package.tensors.extend(outputs);
    package.metadata.self_test = Some(SelfTestSpec { tolerance: 1e-3 });
    // Through bytes, as a user gets it.
    let mut package = Package::from_bytes(&package.to_bytes().unwrap()).unwrap();
    let model = block_on(Medley::load(package.clone(), &device)).unwrap();
    let report = block_on(model.self_test()).unwrap();
    // The same code, weights and device: no difference at all.
    assert!(report.passed && report.worst == 0.0, "{report:?}");

    let name = "self_test.output.organs";
    let PackedTensor::Float { data, .. } = package.tensors.get_mut(name).unwrap() else {
        panic!("the self-test is stored as floats");
    };
    data[7] += 0.5;
    let model = block_on(Medley::load(package.clone(), &device)).unwrap();
    let report = block_on(model.self_test()).unwrap();
    assert!(!report.passed && report.head == "organs", "{report:?}");
    // 0.5 was added to a float of about 1.
    assert!((report.worst - 0.5).abs() < 1e-6);
}
