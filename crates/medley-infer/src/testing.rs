//! A small model for the tests of this crate.

use burn::tensor::Device;
use burn_store::{ModuleSnapshot, bridge};
use medley_model::{HeadConfig, HeadKind, MedleyModel, ModelConfig};
use medley_package::{
    FORMAT_VERSION, Metadata, NOTICE, Package, PackedTensor, Presentation, Provenance, TaskKind,
    TaskSpec,
};

pub(crate) fn task(
    name: &str,
    kind: TaskKind,
    classes: usize,
    presentation: Presentation,
) -> TaskSpec {
    TaskSpec {
        name: name.into(),
        kind,
        classes: (0..classes).map(|i| format!("class {i}")).collect(),
        multi_label: false,
        modality: "microscopy".into(),
        presentation,
    }
}

/// One of each kind on the whole picture, and two on tiles.
pub(crate) fn tasks() -> Vec<TaskSpec> {
    let whole = Presentation::Whole { size: 64 };
    let tiles = Presentation::Tiles { size: 64, long_side: 150, overlap: 16 };
    vec![
        task("kind", TaskKind::Classification, 3, whole),
        task("vessels", TaskKind::Segmentation, 2, tiles),
        task("organs", TaskKind::Segmentation, 4, whole),
        task("cells", TaskKind::Detection, 2, whole),
        task("parasites", TaskKind::Detection, 1, tiles),
    ]
}

/// A package of a micro model with random weights, and that model.
pub(crate) fn package(tasks: &[TaskSpec]) -> (Package, MedleyModel) {
    let heads = tasks
        .iter()
        .map(|t| HeadConfig {
            name: t.name.clone(),
            kind: match t.kind {
                TaskKind::Classification => HeadKind::Classification,
                TaskKind::Segmentation => HeadKind::Segmentation,
                TaskKind::Detection => HeadKind::Detection,
            },
            classes: t.classes.len(),
        })
        .collect();
    let config = ModelConfig::micro(heads);
    let model = config.init(&Device::flex()).unwrap();
    let tensors = model
        .collect(None, None, true)
        .into_iter()
        .map(|tensor| {
            let (name, shape) = (tensor.name.clone(), tensor.shape.to_vec());
            let data = bridge::into_data(tensor).unwrap().try_into_vec_as::<f32>().unwrap();
            (name, PackedTensor::Float { shape, data })
        })
        .collect();
    let metadata = Metadata {
        format_version: FORMAT_VERSION,
        name: "medley-micro".into(),
        variant: "micro".into(),
        model: serde_json::to_value(&config).unwrap(),
        tasks: tasks.to_vec(),
        provenance: Provenance::default(),
        quality: vec![],
        calibration: vec![],
        self_test: None,
        notice: NOTICE.into(),
    };
    (Package { metadata, tensors }, model)
}
