//! A package as an ONNX graph, for engines that know no packages.
//!
//! The graph is what [`medley_infer`] runs between preparation and results: images in, the embedding and every head's raw
//! output out, so that any runtime of ONNX answers as Medley does, up to roundings. Weights are widened to
//! 32-bit floats. Width, height (multiples of 32) and batch are free.

mod graph;
mod nano;
mod proto;

use medley_package::{NOTICE, Package, TaskKind};
use prost::Message;

use crate::error::ExportError;

use graph::Graph;
use nano::Nano;

/// Name of the graph's input, `[batch, 3, height, width]`, RGB, 0..1.
pub const ONNX_INPUT: &str = "image";

/// Name of the embedding's output, `[batch, channels]`. The other outputs have the names of their tasks.
pub const ONNX_EMBEDDING: &str = "embedding";

/// The graph as the bytes of an `.onnx` file, with the heads of the named tasks.
///
/// Outputs of tasks: class logits `[batch, classes]`; pixel logits `[batch, classes, height / 2, width / 2]`; of
/// detection `[batch, classes + 5, locations]`, the levels of stride 8 to 128 one after the other, each row by row: class
/// logits, the distances to the four sides in pixels, centerness.
///
/// # Errors
/// A task that the package does not have; a package of another encoder than the convolutional one, or without a weight that its configuration asks for.
pub fn to_onnx(package: &Package, tasks: &[&str]) -> Result<Vec<u8>, ExportError> {
    let known = &package.metadata.tasks;
    let tasks = tasks
        .iter()
        .map(|name| {
            let found = known.iter().find(|task| task.name == *name);
            found.ok_or_else(|| ExportError::Onnx {
                reason: format!("the package has no task {name:?}"),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut graph = Graph::new(package);
    let nano = Nano::new(package)?;
    let features = nano.features(&mut graph, ONNX_INPUT)?;
    graph.input(ONNX_INPUT, &["batch", "3", "height", "width"]);
    nano.descriptor(&mut graph, &features, ONNX_EMBEDDING);
    graph.output(ONNX_EMBEDDING, &["batch", ""]);
    let kinds = |kind| tasks.iter().any(|task| task.kind == kind);
    let pixels = match kinds(TaskKind::Segmentation) {
        true => Some(nano.pixels(&mut graph, &features)?),
        false => None,
    };
    let towers = match kinds(TaskKind::Detection) {
        true => nano.towers(&mut graph, &features)?,
        false => Vec::new(),
    };
    for task in tasks {
        let classes = task.classes.len();
        match (task.kind, &pixels) {
            (TaskKind::Classification, _) => {
                nano.classify(&mut graph, &task.name, &features)?;
                graph.output(&task.name, &["batch", &classes.to_string()]);
            }
            (TaskKind::Segmentation, Some(pixels)) => {
                nano.segment(&mut graph, &task.name, pixels)?;
                graph.output(&task.name, &["batch", &classes.to_string(), "", ""]);
            }
            (TaskKind::Detection, _) => {
                nano.detect(&mut graph, &task.name, &towers, classes)?;
                graph.output(&task.name, &["batch", &(classes + 5).to_string(), ""]);
            }
            (TaskKind::Segmentation, None) => {}
        }
    }
    Ok(graph.finish(&package.metadata.name, NOTICE).encode_to_vec())
}
