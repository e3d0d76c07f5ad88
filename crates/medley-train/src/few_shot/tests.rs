//! Whole measurements of a small model on drawn pictures.

// The lint knows tests, but not the functions that they share.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use medley_data::{Database, Loader, LoaderPlan, MixedBatch, Split, TaskPlan};
use medley_infer::Medley;
use medley_model::{MedleyModel, ModelConfig};
use medley_package::{Presentation, TaskKind, TaskSpec};
use tempfile::TempDir;

use super::begin_head::begin_head;
use super::build::{pretrained, random};
use super::drawn;
use super::fit::{Fit, unfold};
use super::leak::refuse_leak;
use super::rates::Trained;
use super::*;
use crate::alone::alone;
use crate::config::{Variant, head};
use crate::error::TrainError;
use crate::step::losses;

/// 16 pictures train and 8 test.
fn database(folder: &Path) -> Database {
    drawn::database(folder);
    let records = folder.join("shapes/records.jsonl");
    let text = fs::read_to_string(&records).unwrap();
    fs::write(&records, text.replace(r#""split":"val""#, r#""split":"test""#)).unwrap();
    Database::open(folder).unwrap()
}

/// The same pictures again as another data set "others", whose squares are called boxes.
fn database_with_twins(folder: &Path) -> Database {
    database(folder);
    for part in ["images", "masks"] {
        fs::create_dir_all(folder.join("others").join(part)).unwrap();
        for file in fs::read_dir(folder.join("shapes").join(part)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join("others").join(part).join(file.file_name())).unwrap();
        }
    }
    let copy = |from: &str, to: &str, change: &dyn Fn(String) -> String| {
        let text = fs::read_to_string(folder.join(from)).unwrap();
        fs::write(folder.join(to), change(text)).unwrap();
    };
    copy("shapes/records.jsonl", "others/records.jsonl", &|text| text);
    let rename = |text: String| {
        text.replace(r#""name":"shapes""#, r#""name":"others""#).replace("square", "box")
    };
    copy("shapes/dataset.json", "others/dataset.json", &rename);
    copy("tasks.json", "tasks.json", &|text| {
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let tasks = json["tasks"].as_array_mut().unwrap();
        for index in 0..3 {
            let task =
                tasks[index].to_string().replace("square", "box").replace("shapes", "others");
            let mut task: serde_json::Value = serde_json::from_str(&task).unwrap();
            task["name"] = format!("{}-2", tasks[index]["name"].as_str().unwrap()).into();
            tasks.push(task);
        }
        json.to_string()
    });
    Database::open(folder).unwrap()
}

fn protocol(tasks: &[&str], modes: &[Mode], steps: u64) -> Protocol {
    Protocol {
        split: Split::Test,
        tasks: tasks.iter().map(ToString::to_string).collect(),
        modes: modes.to_vec(),
        fractions: vec![10.0, 100.0],
        seeds: 1,
        recipe: Recipe {
            steps,
            warmup: 3,
            images: 4,
            dense_images: 4,
            calibration: 3,
            scratch_rate: 4e-3,
            ..Recipe::default()
        },
        threads: 1,
        cache: None,
    }
}

/// Keeps what it hears; stops after so many runs.
struct Log<'a> {
    planned: (usize, usize),
    /// Steps of all trainings.
    steps: usize,
    remarks: Vec<String>,
    finished: Vec<Run>,
    stop_after: usize,
    stop: &'a AtomicBool,
}

impl Watcher for Log<'_> {
    fn remark(&mut self, text: &str) {
        self.remarks.push(text.into());
    }
    fn planned(&mut self, runs: usize, there_already: usize) {
        self.planned = (runs, there_already);
    }
    fn begin(&mut self, _run: &Run) {}
    fn progress(&mut self, what: &'static str, done: usize, of: usize) {
        assert!(done <= of);
        self.steps += usize::from(what == "steps");
    }
    fn finished(&mut self, run: &Run, _rows: &[Row]) {
        self.finished.push(run.clone());
        if self.finished.len() == self.stop_after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn measured(
    foundation: &Foundation,
    database: &Database,
    protocol: &Protocol,
    ledger: &mut Ledger,
    stop_after: usize,
) -> (Result<Ended, TrainError>, (usize, usize)) {
    let stop = AtomicBool::new(false);
    let (ended, log) = heard(foundation, database, protocol, ledger, stop_after, &stop);
    (ended, log.planned)
}

fn heard<'a>(
    foundation: &Foundation,
    database: &Database,
    protocol: &Protocol,
    ledger: &mut Ledger,
    stop_after: usize,
    stop: &'a AtomicBool,
) -> (Result<Ended, TrainError>, Log<'a>) {
    let (remarks, finished) = (Vec::new(), Vec::new());
    let mut log = Log { planned: (0, 0), steps: 0, remarks, finished, stop_after, stop };
    (few_shot(foundation, database, protocol, ledger, &mut log, stop), log)
}

/// Random weights of a small model.
fn untrained(seed: u64) -> Foundation {
    let device = Device::flex();
    let config = Variant::Micro.model(&[]);
    device.seed(seed);
    let model = config.init(&device).unwrap();
    Foundation::of_model(config, model, 64, &device)
}

fn micro() -> Foundation {
    untrained(5)
}

#[test]
fn every_kind_is_measured_in_every_mode_on_the_whole_test_split() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database(folder.path());
    let protocol = protocol(&["shape", "outline", "place"], &Mode::LEARNED, 2);
    let mut ledger = Ledger::default();
    let (ended, planned) = measured(&micro(), &database, &protocol, &mut ledger, usize::MAX);
    assert_eq!(ended.unwrap(), Ended::Complete);
    // Three tasks, four modes, two fractions; nearest neighbours come with the frozen classification.
    assert_eq!((planned, ledger.rows().len()), ((24, 0), 26));
    for (task, metric) in [("shape", "macro-f1"), ("outline", "dice"), ("place", "map50")] {
        for (fraction, n_train) in [(10.0, 2), (100.0, 16)] {
            let rows: Vec<&Row> = ledger
                .rows()
                .iter()
                .filter(|row| row.task == task && row.fraction == fraction)
                .collect();
            let modes: Vec<Mode> = rows.iter().map(|row| row.mode).collect();
            let knn = if task == "shape" { vec![Mode::Knn] } else { vec![] };
            let wanted =
                [vec![Mode::Frozen], knn, vec![Mode::Finetune, Mode::Scratch, Mode::Random]]
                    .concat();
            assert_eq!(modes, wanted, "{task}");
            for row in rows {
                assert_eq!((row.metric.as_str(), row.n_train, row.seed), (metric, n_train, 1));
                assert!((0.0..=1.0).contains(&row.value), "{row:?}");
            }
        }
    }
}

#[test]
fn a_stopped_measurement_goes_on_to_the_rows_of_an_uninterrupted_one() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database(&folder.path().join("data"));
    let mut protocol = protocol(&["shape", "place"], &Mode::LEARNED, 2);
    protocol.cache = Some(folder.path().join("cache"));
    let foundation = micro();
    let (whole, broken) = (folder.path().join("whole.json"), folder.path().join("broken.json"));
    let mut ledger = Ledger::open(Some(&whole), None).unwrap();
    measured(&foundation, &database, &protocol, &mut ledger, usize::MAX).0.unwrap();
    let whole = ledger.rows().to_vec();

    for (stop_after, planned) in [(3, (16, 0)), (6, (13, 3)), (usize::MAX, (7, 9))] {
        let mut ledger = Ledger::open(Some(&broken), None).unwrap();
        let (ended, found) = measured(&foundation, &database, &protocol, &mut ledger, stop_after);
        let wanted = if stop_after == usize::MAX { Ended::Complete } else { Ended::Stopped };
        assert_eq!((ended.unwrap(), found), (wanted, planned));
    }
    let mut ledger = Ledger::open(Some(&broken), None).unwrap();
    // Equal to the last bit: what a run draws follows from its seed alone.
    assert_eq!(ledger.rows(), whole);
    assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 1);

    // The probe's rows do not depend on the steps, those of other modes do.
    protocol.recipe.steps = 3;
    protocol.modes = vec![Mode::Frozen];
    protocol.tasks = vec!["shape".into()];
    let (ended, planned) = measured(&foundation, &database, &protocol, &mut ledger, usize::MAX);
    assert_eq!((ended.unwrap(), planned), (Ended::Complete, (0, 2)));
    protocol.modes = vec![Mode::Scratch];
    let error = measured(&foundation, &database, &protocol, &mut ledger, usize::MAX).0.unwrap_err();
    assert!(error.to_string().contains("other weights, settings or images"), "{error}");
    // A baseline stays what it is whatever was pretrained.
    protocol.recipe.steps = 2;
    let other = untrained(6);
    assert_ne!(other.digest, foundation.digest);
    let (ended, planned) = measured(&other, &database, &protocol, &mut ledger, usize::MAX);
    assert_eq!((ended.unwrap(), planned), (Ended::Complete, (0, 2)));
}

#[test]
fn fractions_that_draw_the_same_images_are_trained_once() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database(folder.path());
    let mut protocol = protocol(&["outline"], &[Mode::Scratch], 4);
    // One of 16 groups, one of 16, and two.
    protocol.fractions = vec![1.0, 5.0, 12.5];
    let mut ledger = Ledger::default();
    let stop = AtomicBool::new(false);
    let (ended, log) = heard(&micro(), &database, &protocol, &mut ledger, usize::MAX, &stop);
    ended.unwrap();
    assert_eq!(log.finished.len(), 3);
    assert_eq!(log.steps, 2 * 4);
    let of: Vec<(f64, usize)> =
        ledger.rows().iter().map(|row| (row.fraction, row.n_train)).collect();
    assert_eq!(of, [(1.0, 1), (5.0, 1), (12.5, 2)]);
    assert_eq!(ledger.rows()[0].value, ledger.rows()[1].value);
}

#[test]
fn from_scratch_learns_what_is_there_to_be_learned() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database(folder.path());
    let mut protocol = protocol(&["outline"], &[Mode::Scratch], 60);
    protocol.fractions = vec![100.0];
    let mut ledger = Ledger::default();
    measured(&micro(), &database, &protocol, &mut ledger, usize::MAX).0.unwrap();
    // The shape everywhere would give about 0.2.
    assert!(ledger.rows()[0].value > 0.6, "{:?}", ledger.rows());
}

/// The values of all weights whose path begins so.
fn weights(model: &MedleyModel, part: &str) -> Vec<f32> {
    struct Values<'a> {
        part: &'a str,
        path: Vec<String>,
        found: Vec<f32>,
    }
    impl ModuleVisitor for Values<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.into());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.path[0] == self.part {
                self.found.extend(param.val().into_data().try_into_vec_as::<f32>().unwrap());
            }
        }
    }
    let mut values = Values { part, path: Vec::new(), found: Vec::new() };
    model.visit(&mut values);
    assert!(!values.found.is_empty(), "{part}");
    values.found
}

#[test]
fn a_frozen_encoder_keeps_every_bit_and_fine_tuning_moves_it() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database(folder.path());
    let foundation = micro();
    let recipe = protocol(&[], &[], 3).recipe;
    for (task, decoder) in [("outline", "segmentation"), ("place", "detection")] {
        let plan = database.plan(task, Split::Train, Presentation::Whole { size: 64 }, 4).unwrap();
        let before = pretrained(&foundation, &plan.spec, 1).unwrap();
        let fit = |trained| {
            let fit = Fit {
                plan: plan.clone(),
                trained,
                recipe: &recipe,
                threads: 1,
                seed: 1,
                device: &foundation.device,
                name: task.into(),
            };
            fit.run(before.clone(), &AtomicBool::new(false), &mut |_| {}).unwrap().unwrap()
        };
        let frozen = fit(Trained::AfterEncoder);
        for part in ["encoder", "squeezer"] {
            assert_eq!(weights(&frozen, part), weights(&before, part), "{task} {part}");
        }
        for part in [decoder, "heads"] {
            assert_ne!(weights(&frozen, part), weights(&before, part), "{task} {part}");
        }
        let moved = fit(Trained::Graded);
        for part in ["encoder", "squeezer", decoder, "heads"] {
            assert_ne!(weights(&moved, part), weights(&before, part), "{task} {part}");
        }
        // The model that was handed over is a copy.
        assert_eq!(weights(&before, "encoder"), weights(&foundation.model, "encoder"), "{task}");
    }
}

#[test]
fn a_folded_model_learns_with_batch_normalisations_that_change_no_answer_before() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database(folder.path());
    let whole = micro();
    let (model, config) = whole.model.fold(&whole.config);
    let folded = Foundation::of_model(config, model, 64, &whole.device);
    let plan = database.plan("outline", Split::Train, Presentation::Whole { size: 64 }, 4).unwrap();
    let before = pretrained(&folded, &plan.spec, 1).unwrap();
    let plain = first_batch(TaskPlan { augment: false, ..plan });
    let awake = unfold(before.clone(), &folded.config, &plain, &folded.device).unwrap();
    let images = Tensor::random([3, 3, 64, 96], Distribution::Uniform(0.0, 1.0), &folded.device);
    let answers = |model: &MedleyModel| {
        let features = model.encode(images.clone()).unwrap();
        model.pixel_embedding(&features).into_data()
    };
    answers(&awake).assert_approx_eq::<f32>(&answers(&before), Tolerance::rel_abs(1e-3, 1e-3));
    // γ and β in place of a bias.
    for part in ["encoder", "segmentation"] {
        assert!(weights(&awake, part).len() > weights(&before, part).len(), "{part}");
        assert_eq!(weights(&awake, part).len(), weights(&whole.model, part).len(), "{part}");
    }
}

fn first_batch(plan: TaskPlan) -> MixedBatch {
    Loader::start(LoaderPlan::mixed(vec![plan], 64, 1)).unwrap().next().unwrap()
}

/// A model that has learned `task`, as a foundation.
fn taught(database: &Database, task: &str) -> Foundation {
    let recipe = protocol(&[], &[], 60).recipe;
    let plan = database.plan(task, Split::Train, Presentation::Whole { size: 64 }, 4).unwrap();
    let nothing = micro();
    let fit = Fit {
        plan: plan.clone(),
        trained: Trained::Everything,
        recipe: &recipe,
        threads: 1,
        seed: 1,
        device: &nothing.device,
        name: task.into(),
    };
    let model = random(&nothing, &plan.spec, 1).unwrap();
    let model = fit.run(model, &AtomicBool::new(false), &mut |_| {}).unwrap().unwrap();
    let config = ModelConfig { heads: vec![head(&plan.spec)], ..nothing.config };
    Foundation::of_model(config, model, 64, &nothing.device)
}

/// The head of `task` before it is trained, as it was drawn and as it begins.
fn heads(foundation: &Foundation, plan: &TaskPlan) -> [MedleyModel; 2] {
    let drawn = pretrained(foundation, &plan.spec, 7).unwrap();
    let plain = first_batch(TaskPlan { augment: false, ..plan.clone() });
    let begun = begin_head(foundation, drawn.clone(), &plan.spec, &plain).unwrap();
    [drawn, begun]
}

#[test]
fn a_new_head_begins_with_the_pretrained_one_that_fits_and_with_none_that_does_not() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database_with_twins(folder.path());
    for (task, kind) in [("outline", TaskKind::Segmentation), ("place", TaskKind::Detection)] {
        let knowing = taught(&database, task);
        let twin = format!("{task}-2");
        let whole = Presentation::Whole { size: 64 };
        let plan = database.plan(&twin, Split::Train, whole, 8).unwrap();
        assert_eq!(plan.spec.kind, kind);
        let loss = |model: &MedleyModel| {
            let plain = first_batch(TaskPlan { augment: false, ..plan.clone() });
            let found = losses(model, std::slice::from_ref(&plan.spec), &plain, &knowing.device);
            found.unwrap()[0].value().unwrap()
        };
        let [drawn, begun] = heads(&knowing, &plan);
        assert!(loss(&begun) < 0.6 * loss(&drawn), "{task}: {} {}", loss(&begun), loss(&drawn));

        // A head that never learned anything is no better than a blind answer: classes stay as they were drawn.
        let nothing = micro();
        let config = ModelConfig { heads: vec![head(&plan.spec)], ..nothing.config.clone() };
        let unknowing = pretrained(&nothing, &plan.spec, 3).unwrap();
        let unknowing = Foundation::of_model(config, unknowing, 64, &nothing.device);
        let [drawn, begun] = heads(&unknowing, &plan);
        let part = if kind == TaskKind::Segmentation { "heads" } else { "encoder" };
        assert_eq!(weights(&begun, part), weights(&drawn, part), "{task}");
    }
}

#[test]
fn a_task_whose_labels_were_pretrained_on_is_refused() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database_with_twins(folder.path());
    let mut foundation = micro();
    assert_eq!(refuse_leak(&foundation, &database, "shape").unwrap(), None);

    foundation.tasks = vec!["shape".into()];
    let refused = |foundation: &Foundation, task: &str, words: &str| {
        let error = refuse_leak(foundation, &database, task).unwrap_err();
        assert!(matches!(&error, TrainError::Leak { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(task) && text.contains(words) && text.contains("leak"), "{text}");
    };
    refused(&foundation, "shape", "pretrained on this task");
    let remark = refuse_leak(&foundation, &database, "outline").unwrap().unwrap();
    assert!(remark.contains("other labels (shape)"), "{remark}");
    assert_eq!(refuse_leak(&foundation, &database, "shape-2").unwrap(), None);

    // The same labels under another name.
    let tasks = fs::read_to_string(folder.path().join("tasks.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&tasks).unwrap();
    let mut again = json["tasks"][0].clone();
    again["name"] = "form".into();
    json["tasks"].as_array_mut().unwrap().push(again);
    fs::write(folder.path().join("tasks.json"), json.to_string()).unwrap();
    let database = Database::open(folder.path()).unwrap();
    let error = refuse_leak(&foundation, &database, "form").unwrap_err().to_string();
    assert!(error.contains("“shape”") && error.contains("\"label\""), "{error}");

    // A package that names the data set, from a database that called its tasks otherwise.
    foundation.tasks = vec!["something else".into()];
    foundation.datasets = vec!["shapes".into()];
    refused(&foundation, "outline", "does not name");
    assert_eq!(refuse_leak(&foundation, &database, "outline-2").unwrap(), None);

    let mut protocol = protocol(&["outline-2", "outline"], &[Mode::Scratch, Mode::Frozen], 1);
    let ended = measured(&foundation, &database, &protocol, &mut Ledger::default(), 1).0;
    assert!(matches!(ended, Err(TrainError::Leak { .. })), "{ended:?}");
    // Random weights know no labels.
    protocol.modes = vec![Mode::Scratch];
    let ended = measured(&foundation, &database, &protocol, &mut Ledger::default(), 1).0;
    assert_eq!(ended.unwrap(), Ended::Stopped);
}

#[test]
fn the_validation_split_is_measured_where_asked_and_its_rows_say_so() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    drawn::database(folder.path());
    let database = Database::open(folder.path()).unwrap();
    let mut protocol = protocol(&["shape"], &[Mode::Scratch], 1);
    let mut ledger = Ledger::default();
    let ended = measured(&micro(), &database, &protocol, &mut ledger, usize::MAX).0;
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("no image in the split test"), "{error}");
    protocol.split = Split::Val;
    measured(&micro(), &database, &protocol, &mut ledger, usize::MAX).0.unwrap();
    assert_eq!(ledger.rows().len(), 2);
    assert!(ledger.rows().iter().all(|row| row.split.as_deref() == Some("val")));
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_is_trained() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database(folder.path());
    let good = protocol(&["shape"], &[Mode::Frozen], 1);
    for (bad, word) in [
        (Protocol { fractions: vec![0.0], ..good.clone() }, "per cent"),
        (Protocol { fractions: vec![101.0], ..good.clone() }, "per cent"),
        (Protocol { fractions: vec![f64::NAN], ..good.clone() }, "per cent"),
        (Protocol { modes: vec![Mode::Knn], ..good.clone() }, "frozen, finetune"),
        (Protocol { seeds: 0, ..good.clone() }, "seed"),
        (Protocol { tasks: vec![], ..good.clone() }, "task"),
        (Protocol { split: Split::Train, ..good.clone() }, "expected test or val"),
        (
            Protocol {
                recipe: Recipe { scratch_rate: 2.0, ..good.recipe.clone() },
                ..good.clone()
            },
            "learning rate",
        ),
    ] {
        let error = measured(&micro(), &database, &bad, &mut Ledger::default(), 1).0.unwrap_err();
        assert!(matches!(&error, TrainError::Protocol(_)), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let unknown = Protocol { tasks: vec!["shap".into()], ..good };
    let error = measured(&micro(), &database, &unknown, &mut Ledger::default(), 1).0.unwrap_err();
    assert!(error.to_string().contains("shap"), "{error}");
}

#[test]
fn a_head_answers_its_twin_as_its_own_centre_where_the_pictures_are_the_same() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let database = database_with_twins(folder.path());
    let device = Device::flex();
    let mut foundation = micro();
    foundation.tasks = vec!["shape".into(), "outline".into(), "place".into()];
    let specs: Vec<TaskSpec> = database.tasks()[..3]
        .iter()
        .map(|task| task.spec(Presentation::Whole { size: 64 }))
        .collect();
    device.seed(4);
    let model = Variant::Micro.model(&specs).init(&device).unwrap();
    let medley = Medley::from_parts(model, specs, &device);
    let pairs: Vec<Twins> = ["shape:shape-2", "outline:outline-2", "place:place-2"]
        .iter()
        .map(|pair| pair.parse().unwrap())
        .collect();
    let map: ClassMap = "square=box".parse().unwrap();
    let stop = AtomicBool::new(false);
    let ask = |pairs: &[Twins], map: &ClassMap, ledger: &mut Ledger| {
        let mut log = Log {
            planned: (0, 0),
            steps: 0,
            remarks: Vec::new(),
            finished: Vec::new(),
            stop_after: usize::MAX,
            stop: &stop,
        };
        zero_shot(&foundation, &medley, &database, pairs, map, ledger, &mut log, &stop)
            .map(|ended| (ended, log.planned))
    };
    let mut ledger = Ledger::default();
    assert_eq!(ask(&pairs, &map, &mut ledger).unwrap(), (Ended::Complete, (6, 0)));
    for (pair, rows) in pairs.iter().zip(ledger.rows().chunks_exact(2)) {
        assert_eq!((rows[0].mode, &rows[0].task), (Mode::ZeroShot, &pair.target));
        assert_eq!((rows[1].mode, &rows[1].task), (Mode::OwnCentre, &pair.source));
        assert_eq!(rows[0].value, rows[1].value);
        assert!(rows.iter().all(|row| row.source.as_ref() == Some(&pair.source)));
    }
    assert_eq!(ask(&pairs, &map, &mut ledger).unwrap(), (Ended::Complete, (0, 6)));

    let error = ask(&pairs[..1], &ClassMap::default(), &mut ledger).unwrap_err().to_string();
    assert!(error.contains("--map"), "{error}");
    let error = ask(&pairs[1..], &map, &mut ledger).unwrap_err().to_string();
    assert!(error.contains("fits no pair"), "{error}");
    let error = ask(&["shape:shape".parse().unwrap()], &map, &mut ledger).unwrap_err();
    assert!(matches!(error, TrainError::Leak { .. }), "{error}");
    assert_eq!(database.tasks()[3].kind, TaskKind::Classification);
}
