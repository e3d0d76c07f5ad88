//! A small package for tests, of this crate and of those that read packages.

use std::collections::BTreeMap;

use crate::container::{Package, SELF_TEST_INPUT, SELF_TEST_OUTPUT};
use crate::metadata::{
    Calibration, DatasetSource, FORMAT_VERSION, Metadata, NOTICE, Provenance, Quality, SelfTestSpec,
};
use crate::spec::{Presentation, TaskKind, TaskSpec};
use crate::tensor::PackedTensor;

/// A task of classification and one of segmentation, with everything that a package can say of itself.
pub fn metadata() -> Metadata {
    Metadata {
        format_version: FORMAT_VERSION,
        name: "medley-test".into(),
        variant: "test".into(),
        model: serde_json::json!({ "encoder": { "family": "nano" }, "squeezer": 4 }),
        tasks: vec![
            TaskSpec {
                name: "chest".into(),
                kind: TaskKind::Classification,
                classes: vec!["normal".into(), "pneumonia".into()],
                multi_label: false,
                modality: "radiograph".into(),
                presentation: Presentation::Whole { size: 64 },
            },
            TaskSpec {
                name: "lungs".into(),
                kind: TaskKind::Segmentation,
                classes: vec!["background".into(), "lung".into()],
                multi_label: false,
                modality: "radiograph".into(),
                presentation: Presentation::Tiles { size: 64, long_side: 256, overlap: 16 },
            },
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
    }
}

/// The same with tensors of each type.
pub fn package() -> Package {
    let float = |shape: &[usize], start: f32| PackedTensor::Float {
        shape: shape.into(),
        data: (0..shape.iter().product::<usize>()).map(|i| start + i as f32 * 0.125).collect(),
    };
    let tensors = BTreeMap::from([
        (
            "encoder.conv.weight".to_string(),
            PackedTensor::Int8 {
                shape: vec![3, 2, 1, 1],
                data: vec![-127, 0, 1, 2, 3, 127],
                scale: vec![0.5, 0.0, 0.25],
            },
        ),
        ("encoder.conv.bias".to_string(), float(&[3], -1.0)),
        // A float that is called scale but belongs to no int8 tensor stays a tensor of its own.
        ("detector.level.scale".to_string(), float(&[], 1.0)),
        (SELF_TEST_INPUT.to_string(), float(&[1, 3, 32, 32], 0.0)),
        (format!("{SELF_TEST_OUTPUT}chest"), float(&[1, 2], 0.0)),
        (format!("{SELF_TEST_OUTPUT}lungs"), float(&[1, 2, 16, 16], 0.0)),
    ]);
    Package { metadata: metadata(), tensors }
}
