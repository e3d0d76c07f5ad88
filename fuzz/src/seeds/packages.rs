//! Weight packages and taught heads.

use std::collections::BTreeMap;

use medley_head::{Head, Lesson, Scope, fit_images};
use medley_package::{
    Calibration, DatasetSource, FORMAT_VERSION, Metadata, NOTICE, Package, PackedTensor,
    Presentation, Provenance, Quality, SELF_TEST_INPUT, SELF_TEST_OUTPUT, SelfTestSpec, TaskKind,
    TaskSpec, split,
};

use super::Seed;

/// A package with a task of each kind, and its manifest.
pub(super) fn packages() -> Vec<Seed> {
    let bytes = package().to_bytes().unwrap();
    let (manifest, _) = split("medley-drawn", &bytes, 1000);
    vec![
        Seed::new("manifest.json", manifest.to_json().unwrap()),
        Seed::new("package.safetensors", bytes),
    ]
}

fn package() -> Package {
    let task = |name: &str, kind, presentation| TaskSpec {
        name: name.into(),
        kind,
        classes: vec!["background".into(), "lung".into()],
        multi_label: false,
        modality: "radiograph".into(),
        presentation,
    };
    let metadata = Metadata {
        format_version: FORMAT_VERSION,
        name: "medley-drawn".into(),
        variant: "drawn".into(),
        model: serde_json::json!({ "encoder": { "family": "nano" }, "squeezer": 4 }),
        tasks: vec![
            task("chest", TaskKind::Classification, Presentation::Whole { size: 64 }),
            task(
                "lungs",
                TaskKind::Segmentation,
                Presentation::Tiles { size: 64, long_side: 256, overlap: 16 },
            ),
        ],
        provenance: Provenance {
            datasets: vec![DatasetSource {
                name: "drawn".into(),
                licence: "CC0".into(),
                attribution: "nobody".into(),
            }],
            code_version: "0.1.0".into(),
            created: "2026-01-01T00:00:00Z".into(),
            training: serde_json::json!({ "steps": 3 }),
        },
        quality: vec![Quality {
            task: "chest".into(),
            split: "test".into(),
            metric: "macro-f1".into(),
            value: 0.5,
            n: 10,
        }],
        calibration: vec![Calibration { task: "chest".into(), temperature: 1.25 }],
        self_test: Some(SelfTestSpec { tolerance: 0.01 }),
        notice: NOTICE.into(),
    };
    let float = |shape: &[usize]| PackedTensor::Float {
        shape: shape.into(),
        data: (0..shape.iter().product::<usize>()).map(|i| i as f32 * 0.125).collect(),
    };
    let weight = PackedTensor::Int8 {
        shape: vec![3, 2, 1, 1],
        data: vec![-127, 0, 1, 2, 3, 127],
        scale: vec![0.5, 0.0, 0.25],
    };
    let tensors = BTreeMap::from([
        ("encoder.conv.weight".to_string(), weight),
        ("encoder.conv.bias".to_string(), float(&[3])),
        (SELF_TEST_INPUT.to_string(), float(&[1, 3, 32, 32])),
        (format!("{SELF_TEST_OUTPUT}chest"), float(&[1, 2])),
        (format!("{SELF_TEST_OUTPUT}lungs"), float(&[1, 2, 16, 16])),
    ]);
    Package { metadata, tensors }
}

/// A head for images and one for pixels.
pub(super) fn heads() -> Vec<Seed> {
    [("image.head", Scope::Image), ("pixel.head", Scope::Pixel)]
        .map(|(name, scope)| Seed::new(name, head(scope).to_bytes().unwrap()))
        .into()
}

fn head(scope: Scope) -> Head {
    let rows: Vec<Vec<f32>> = (0..12_u8)
        .map(|i| (0..4).map(|j| f32::from(i % 3 * 7 + j * i % 5) * 0.1).collect())
        .collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let labels: Vec<usize> = (0..12).map(|i| i % 3).collect();
    let lesson = Lesson {
        scope,
        name: "marks".into(),
        classes: vec!["plain".into(), "crept".into(), "spots".into()],
        encoder: "ab".repeat(32),
        presentation: Presentation::Whole { size: 160 },
    };
    Head::new(lesson, fit_images(&rows, &labels, 3).unwrap()).unwrap()
}
