//! The ONNX graph, asked by ONNX Runtime.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use burn::tensor::Device;
use medley_export::{ExportError, to_onnx};
use medley_infer::{AnalyzeOptions, Image, Medley};
use medley_package::{Package, SELF_TEST_INPUT, SELF_TEST_OUTPUT, read_dir};
use pollster::block_on;

/// A Python with `tests/onnx/requirements.txt`; `cargo xtask test` makes one and names it.
const PYTHON: &str = "MEDLEY_PYTHON";

fn shipped() -> Option<Package> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/models/medley-nano");
    read_dir(&folder).map_err(|error| eprintln!("SKIPPED the ONNX graph: {error}")).ok()
}

fn all_tasks(package: &Package) -> Vec<&str> {
    package.metadata.tasks.iter().map(|task| task.name.as_str()).collect()
}

/// Shape and values of each output.
type Answers = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// All outputs, by ONNX Runtime.
fn asked(graph: &[u8], image: &[f32], [batch, height, width]: [usize; 3]) -> Option<Answers> {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("SKIPPED the ONNX graph: {PYTHON} names no Python; `cargo xtask test` makes one");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let (model, source) = (folder.path().join("model.onnx"), folder.path().join("image.f32"));
    fs::write(&model, graph).unwrap();
    fs::write(&source, image.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/answers.py"))
        .args([&model, &source])
        .args([batch, height, width].map(|side| side.to_string()))
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shapes: BTreeMap<String, Vec<usize>> = serde_json::from_slice(&output.stdout).unwrap();
    let read = |name: &str| -> Vec<f32> {
        let bytes = fs::read(folder.path().join(format!("{name}.f32"))).unwrap();
        bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    Some(shapes.into_iter().map(|(name, shape)| (name.clone(), (shape, read(&name)))).collect())
}

/// The largest difference, as a share of the largest value.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().fold(1.0f32, |most, v| most.max(v.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

#[test]
fn onnx_runtime_answers_the_self_test_as_the_package_says() {
    let Some(package) = shipped() else { return };
    let tasks = all_tasks(&package);
    let graph = to_onnx(&package, &tasks).unwrap();
    let input = &package.tensors[SELF_TEST_INPUT];
    let (height, width) = (input.shape()[2], input.shape()[3]);
    let Some(found) = asked(&graph, &input.widen(), [1, height, width]) else { return };
    assert_eq!(found.len(), tasks.len() + 1);
    for task in tasks {
        let expected = &package.tensors[&format!("{SELF_TEST_OUTPUT}{task}")];
        let (shape, values) = &found[task];
        assert_eq!(shape, expected.shape(), "{task}");
        let mut values = values.clone();
        // The self-test holds the four distances to a box's sides as ln(1 + d).
        if let [_, channels, locations] = shape[..] {
            for distance in &mut values[(channels - 5) * locations..(channels - 1) * locations] {
                *distance = distance.ln_1p();
            }
        }
        let apart = apart(&expected.widen(), &values);
        // Both compute in f32, in another order, through some thirty layers.
        assert!(apart < 1e-3, "{task}: {apart}");
    }
}

#[test]
fn the_embedding_is_that_of_medley_at_another_size() {
    let Some(package) = shipped() else { return };
    let device = Device::flex();
    let medley = block_on(Medley::load(package.clone(), &device)).unwrap();
    let side = medley.embedding_presentation().size() as usize;
    // Fills the square: nothing is scaled or padded ahead of the encoder.
    let at =
        |channel: usize, i: usize| ((i % side * 3 + i / side * 5 + channel * 7) % 31) as f32 / 31.0;
    let rows: Vec<f32> = (0..side * side).flat_map(|i| (0..3).map(move |c| at(c, i))).collect();
    let image = Image::new(side as u32, side as u32, rows).unwrap();
    let expected = block_on(medley.embed(&image, &AnalyzeOptions::default())).unwrap();
    let planes: Vec<f32> = (0..3).flat_map(|c| (0..side * side).map(move |i| at(c, i))).collect();
    // Twice the same image: the batch is free.
    let twice = [planes.clone(), planes].concat();
    let graph = to_onnx(&package, &[]).unwrap();
    let Some(found) = asked(&graph, &twice, [2, side, side]) else { return };
    assert_eq!(found.len(), 1);
    let (shape, values) = &found["embedding"];
    assert_eq!(shape, &[2, expected.len()]);
    for one in values.chunks_exact(expected.len()) {
        let apart = apart(&expected, one);
        assert!(apart < 1e-3, "{apart}");
    }
}

#[test]
fn what_has_no_graph_is_refused() {
    let Some(mut package) = shipped() else { return };
    assert!(matches!(to_onnx(&package, &["nothing"]), Err(ExportError::Onnx { .. })));
    package.tensors.remove("squeezer.conv.weight");
    let error = to_onnx(&package, &[]).unwrap_err().to_string();
    assert!(error.contains("squeezer.conv.weight"), "{error}");
    package.metadata.model["norm"] = "batch".into();
    assert!(to_onnx(&package, &[]).unwrap_err().to_string().contains("folded"));
}
