//! A model on its way through a package.

use std::sync::{Mutex, PoisonError};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Distribution, Tensor};
use medley_infer::{AnalyzeOptions, Image, InferError, Output};
use medley_model::{HeadConfig, HeadKind, SwinConfig};
use medley_package::{PackageError, Presentation, TaskKind};
use pollster::block_on;

use super::*;

const TASKS: [(&str, TaskKind, usize); 3] = [
    ("kind", TaskKind::Classification, 3),
    ("organs", TaskKind::Segmentation, 3),
    ("cells", TaskKind::Detection, 2),
];

fn heads() -> Vec<HeadConfig> {
    TASKS
        .iter()
        .map(|&(name, kind, classes)| HeadConfig {
            name: name.into(),
            kind: match kind {
                TaskKind::Classification => HeadKind::Classification,
                TaskKind::Segmentation => HeadKind::Segmentation,
                TaskKind::Detection => HeadKind::Detection,
            },
            classes,
        })
        .collect()
}

fn description() -> Description {
    let task = |&(name, kind, classes): &(&str, TaskKind, usize)| TaskSpec {
        name: name.into(),
        kind,
        classes: (0..classes).map(|i| format!("class {i}")).collect(),
        multi_label: false,
        modality: "drawn".into(),
        presentation: Presentation::Whole { size: 128 },
    };
    Description {
        name: "medley-micro".into(),
        variant: "micro".into(),
        tasks: TASKS.iter().map(task).collect(),
        ..Description::default()
    }
}

/// The tests of a program share one source of random numbers.
static DRAWING: Mutex<()> = Mutex::new(());

/// Asks for every weight.
struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let _ = param.val();
    }
}

/// Random weights, the same each time, and batch statistics that are not those of a fresh model. Other weights may come close to a tie of two
/// classes over a whole picture, and the least rounding then decides it.
fn trained(config: &ModelConfig) -> MedleyModel {
    let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
    let device = Device::flex().autodiff();
    device.seed(1);
    let model = config.init(&device).unwrap();
    // burn draws a weight when it is first asked for.
    model.visit(&mut Draw);
    for _ in 0..3 {
        let images = Tensor::random([4, 3, 64, 64], Distribution::Uniform(0.0, 1.0), &device);
        let features = model.encode(images).unwrap();
        model.pixel_embedding(&features);
    }
    model.valid()
}

fn drawn(width: u32, height: u32) -> Image {
    let pixels = (0..width * height)
        .flat_map(|i| {
            let (x, y) = (i % width, i / width);
            let inside = (x as f32 - 60.0).powi(2) + (y as f32 - 50.0).powi(2) < 900.0;
            [(x * 2) as u8, (y * 2) as u8, if inside { 220 } else { 30 }, 255]
        })
        .collect::<Vec<_>>();
    Image::from_rgba8(width, height, &pixels).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn the_package_answers_as_the_model_does() {
    let config = ModelConfig::micro(heads());
    let model = trained(&config);
    let package = export(&model, &config, description()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    medley_package::write_dir(folder.path(), &package).unwrap();
    let read = medley_package::read_dir(folder.path()).unwrap();
    assert_eq!(read, package);

    let device = Device::flex();
    let int8 = block_on(Medley::load(read.clone(), &device)).unwrap();
    let float = Medley::from_parts(model, description().tasks, &device);
    let options = AnalyzeOptions::default();
    let image = drawn(120, 100);
    let a = block_on(float.analyze(&image, &options)).unwrap();
    let b = block_on(int8.analyze(&image, &options)).unwrap();
    // The floors of the project for int8 against float.
    assert!(cosine(&a.embedding, &b.embedding) >= 0.999);
    for (a, b) in a.results.iter().zip(&b.results) {
        match (&a.output, &b.output) {
            (Output::Classes(a), Output::Classes(b)) => {
                for (a, b) in a.iter().zip(b) {
                    assert!((a.probability - b.probability).abs() < 0.02, "{a:?} {b:?}");
                }
            }
            (Output::Mask(a), Output::Mask(b)) => {
                let same = a.indices.iter().zip(&b.indices).filter(|(a, b)| a == b).count();
                let share = same as f32 / a.indices.len() as f32;
                assert!(share >= 0.99, "{share}");
            }
            (Output::Boxes(_), Output::Boxes(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn batch_normalisation_is_folded_and_large_weights_are_int8() {
    let config = ModelConfig::micro(heads());
    let package = export(&trained(&config), &config, description()).unwrap();
    assert!(!package.tensors.keys().any(|name| name.contains("running")), "unfolded");
    assert_eq!(package.metadata.model["norm"], "folded");
    let bytes = |int8: bool| -> usize {
        let of = |tensor: &PackedTensor| match (tensor, int8) {
            (PackedTensor::Int8 { data, .. }, true) => data.len(),
            (PackedTensor::Float { data, .. }, false) => data.len(),
            _ => 0,
        };
        package
            .tensors
            .iter()
            .filter(|(n, _)| !n.starts_with("self_test."))
            .map(|(_, t)| of(t))
            .sum()
    };
    // Biases, norms and the small heads are what remains.
    assert!(bytes(true) > 10 * bytes(false), "{} {}", bytes(true), bytes(false));
}

#[test]
fn a_swin_model_passes_its_self_test_too() {
    let config = ModelConfig::swin(SwinConfig::micro(), heads());
    let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
    let model = config.init(&Device::flex()).unwrap();
    export(&model, &config, description()).unwrap();
}

#[test]
fn a_device_that_computes_something_else_is_found_out() {
    let config = ModelConfig::micro(heads());
    let mut package = export(&trained(&config), &config, description()).unwrap();
    // One weight of the first convolution changed stands for a wrong kernel.
    let name = package.tensors.keys().find(|n| n.starts_with("encoder.stem.0")).unwrap().clone();
    let changed = match &package.tensors[&name] {
        PackedTensor::Float { shape, data } => PackedTensor::Float {
            shape: shape.clone(),
            data: data.iter().map(|value| value + 1.0).collect(),
        },
        PackedTensor::Int8 { shape, data, scale } => PackedTensor::Int8 {
            shape: shape.clone(),
            data: data.clone(),
            scale: scale.iter().map(|scale| scale * 3.0).collect(),
        },
    };
    package.tensors.insert(name, changed);
    assert!(matches!(prove(&package, &Device::flex()), Err(ExportError::SelfTest { .. })));
}

#[test]
fn tasks_without_their_head_and_weights_that_are_no_numbers_are_refused() {
    let config = ModelConfig::micro(heads());
    let model = trained(&config);
    let mut other = description();
    other.tasks[0].classes.push("one more".into());
    let error = export(&model, &config, other).unwrap_err();
    assert!(matches!(error, ExportError::Run(InferError::Head { .. })), "{error}");

    let mut other = description();
    other.tasks[1].name = "unheard-of".into();
    let error = export(&model, &config, other).unwrap_err();
    assert!(matches!(error, ExportError::Run(_)), "{error}");

    let mut other = description();
    other.quality = vec![Quality {
        task: "kind".into(),
        split: "test".into(),
        metric: "macro-f1".into(),
        value: f64::NAN,
        n: 1,
    }];
    let error = export(&model, &config, other).unwrap_err();
    assert!(matches!(error, ExportError::Package(PackageError::Field { .. })), "{error}");

    let broken = model.map(&mut NotANumber);
    let error = export(&broken, &config, description()).unwrap_err();
    assert!(matches!(error, ExportError::Package(PackageError::Value { .. })), "{error}");
}

/// A training that went wrong.
struct NotANumber;

impl ModuleMapper for NotANumber {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor * f32::NAN)
    }
}
