//! A model with the tasks of the drawn database that was never trained: enough wherever only the way of the
//! data counts.

use std::path::Path;

use burn::tensor::Device;
use medley_export::{Description, export};
use medley_model::{HeadConfig, HeadKind, MedleyModel, ModelConfig};
use medley_package::{Presentation, TaskKind, TaskSpec, write_dir};

use crate::drawn::TASKS;

/// The model, its shape and its tasks: one of each kind, two presentations.
pub fn fresh_model() -> (MedleyModel, ModelConfig, Vec<TaskSpec>) {
    let whole = Presentation::Whole { size: 64 };
    let tiles = Presentation::Tiles { size: 64, long_side: 128, overlap: 16 };
    let kinds = [
        (TaskKind::Classification, HeadKind::Classification, ["disc", "square"], whole),
        (TaskKind::Segmentation, HeadKind::Segmentation, ["background", "shape"], tiles),
        (TaskKind::Detection, HeadKind::Detection, ["disc", "square"], whole),
    ];
    let tasks: Vec<TaskSpec> = TASKS
        .iter()
        .zip(&kinds)
        .map(|(name, (kind, _, classes, presentation))| TaskSpec {
            name: (*name).into(),
            kind: *kind,
            classes: classes.map(String::from).to_vec(),
            multi_label: false,
            modality: "microscopy".into(),
            presentation: *presentation,
        })
        .collect();
    let heads = TASKS
        .iter()
        .zip(&kinds)
        .map(|(name, (_, kind, classes, _))| HeadConfig {
            name: (*name).into(),
            kind: *kind,
            classes: classes.len(),
        })
        .collect();
    let config = ModelConfig::micro(heads);
    let device = Device::flex();
    device.seed(3);
    (config.init(&device).unwrap(), config, tasks)
}

/// Writes the package "medley-fresh" into `folder`.
pub fn write_fresh_package(folder: &Path) {
    let (model, config, tasks) = fresh_model();
    let description = Description {
        name: "medley-fresh".into(),
        variant: "micro".into(),
        tasks,
        ..Description::default()
    };
    write_dir(folder, &export(&model, &config, description).unwrap()).unwrap();
}
