//! A model proves itself: does this device compute what the exporter's computed?

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use medley_model::MedleyModel;
use medley_package::{PackedTensor, SELF_TEST_OUTPUT, TaskSpec};

use crate::error::InferError;
use crate::outputs::{Encoded, HeadOutput};

/// How a self-test went.
#[derive(Debug, Clone, PartialEq)]
pub struct SelfTestReport {
    /// Whether no output is further off than `tolerance`.
    pub passed: bool,
    /// The largest absolute difference on any output.
    pub worst: f64,
    /// What the package allows.
    pub tolerance: f64,
    /// The task with the largest difference.
    pub head: String,
}

/// What every head answers to `input` (`[1, 3, h, w]`, RGB, 0..1), under the names that a package
/// keeps them by: `self_test.output.<task>`.
///
/// Classification gives its logits `[1, classes]`, segmentation its logits
/// `[1, classes, h/2, w/2]`, detection `[1, classes + 5, locations]`: class logits, four distances
/// as ln(1 + distance in pixels), the centerness logit. A distance grows exponentially with what
/// the head computes; its logarithm makes one absolute tolerance right for all values.
///
/// # Errors
/// An input of another shape, a task without head, a device that fails or answers with values that
/// are not finite.
pub async fn self_test_outputs(
    model: &MedleyModel,
    tasks: &[TaskSpec],
    input: &PackedTensor,
    device: &Device,
) -> Result<BTreeMap<String, PackedTensor>, InferError> {
    let shape = match *input.shape() {
        [1, 3, height, width] => [1, 3, height, width],
        _ => {
            return Err(InferError::SelfTestShape {
                name: medley_package::SELF_TEST_INPUT.into(),
                expected: vec![1, 3, 32, 32],
                found: input.shape().to_vec(),
            });
        }
    };
    let values = input.widen();
    if values.len() != shape.iter().product::<usize>() {
        return Err(InferError::Tensor {
            name: medley_package::SELF_TEST_INPUT.into(),
            reason: format!("{} values for shape {shape:?}", values.len()),
        });
    }
    let images = Tensor::from_data(TensorData::new(values, shape), device);
    let mut encoded = Encoded::new(model, images)?;
    let mut outputs = BTreeMap::new();
    for task in tasks {
        let classes = task.classes.len();
        let output = match encoded.head(task).await? {
            HeadOutput::Classes { logits } => {
                PackedTensor::Float { shape: vec![1, classes], data: logits }
            }
            HeadOutput::Pixels { logits, grid } => {
                PackedTensor::Float { shape: vec![1, classes, grid.1, grid.0], data: logits }
            }
            HeadOutput::Locations { mut values, levels } => {
                let locations: usize = levels.iter().map(|l| l.width * l.height).sum();
                for v in &mut values[classes * locations..(classes + 4) * locations] {
                    *v = v.ln_1p();
                }
                PackedTensor::Float { shape: vec![1, classes + 5, locations], data: values }
            }
        };
        outputs.insert(format!("{SELF_TEST_OUTPUT}{}", task.name), output);
    }
    Ok(outputs)
}

/// Compares two sets of outputs of the same tasks.
pub(crate) fn compare(
    expected: &BTreeMap<String, PackedTensor>,
    found: &BTreeMap<String, PackedTensor>,
    tolerance: f64,
) -> Result<SelfTestReport, InferError> {
    let mut report = SelfTestReport { passed: true, worst: 0.0, tolerance, head: String::new() };
    for (name, found) in found {
        let shape = expected.get(name).map(|e| e.shape().to_vec()).unwrap_or_default();
        let want = expected.get(name).map(PackedTensor::widen).unwrap_or_default();
        let got = found.widen();
        if shape != found.shape() || want.len() != got.len() {
            return Err(InferError::SelfTestShape {
                name: name.clone(),
                expected: found.shape().to_vec(),
                found: shape,
            });
        }
        let worst = want
            .iter()
            .zip(&got)
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs())
            .fold(0.0, |a: f64, b| if b.is_nan() { f64::INFINITY } else { a.max(b) });
        if report.head.is_empty() || worst > report.worst {
            report.worst = worst;
            report.head = name.trim_start_matches(SELF_TEST_OUTPUT).to_owned();
        }
    }
    report.passed = report.worst <= tolerance;
    Ok(report)
}
