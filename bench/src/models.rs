//! The encoders that are measured beside another engine: a Medley package and an ONNX graph of each.

use std::fs;
use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;
use medley_export::{Description, export, to_onnx};
use medley_model::{HeadConfig, HeadKind, ModelConfig, SwinConfig};
use medley_package::{Presentation, TaskKind, TaskSpec, read_dir, write_dir};

/// Side of the Swin encoders' input, in pixels, as in their graphs.
const SWIN_SIDE: u32 = 256;

/// Writes `NAME/` and `NAME.onnx` for each encoder into `folder`, and says how they are called.
///
/// The nano is the shipped one; of the Swin encoders only the time is of interest, so that Medley's have random weights and
/// ONNX Runtime's are the constant graphs `swin_v2_{nano,tiny}_256.onnx` in `graphs`. Where these are missing, so are they.
///
/// # Errors
/// A package or file that cannot be read or written.
pub fn make_models(folder: &Path, graphs: &Path) -> Result<Vec<String>> {
    let shipped = read_dir(Path::new("www/models/medley-nano"))?;
    let mut names = vec!["nano".to_owned()];
    fs::write(folder.join("nano.onnx"), to_onnx(&shipped, &[])?)?;
    // The first task shows whole images and is what the page asks; the other heads stay in both figures' bytes.
    write_dir(folder.join("nano"), &shipped)?;
    for (name, config) in [("swin-nano", SwinConfig::nano()), ("swin-tiny", SwinConfig::tiny())] {
        let graph = graphs.join(format!("swin_v2_{}_256.onnx", name.trim_start_matches("swin-")));
        if !graph.is_file() {
            eprintln!("{}: not there; {name} is left out", graph.display());
            continue;
        }
        fs::copy(&graph, folder.join(format!("{name}.onnx")))?;
        let task = TaskSpec {
            name: "any".into(),
            kind: TaskKind::Classification,
            classes: vec!["a".into(), "b".into()],
            multi_label: false,
            modality: "none".into(),
            presentation: Presentation::Whole { size: SWIN_SIDE },
        };
        let head = HeadConfig { name: "any".into(), kind: HeadKind::Classification, classes: 2 };
        let shape = ModelConfig::swin(config, vec![head]);
        let model = shape.init(&Device::flex())?;
        let description = Description {
            name: name.into(),
            variant: name.into(),
            tasks: vec![task],
            ..Description::default()
        };
        write_dir(folder.join(name), &export(&model, &shape, description)?)?;
        names.push(name.to_owned());
    }
    Ok(names)
}
