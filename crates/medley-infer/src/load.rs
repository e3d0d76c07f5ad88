//! From a package to a model with its weights. Everything is compared before anything is applied.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use medley_model::{HeadKind, MedleyModel, ModelConfig};
use medley_package::{Package, PackedTensor, TaskKind, TaskSpec};
use serde_json::Value;

use crate::error::InferError;

/// Tensors of a package that are no weights.
const SELF_TEST: &str = "self_test.";

/// No width, depth or number of classes in a configuration is larger; a damaged one must not ask
/// for more memory than there is. Swin-base's widest layer has 4096 channels.
const MAX_CONFIG_NUMBER: f64 = 8192.0;

/// Masks hold one byte per pixel, and 255 means "ignore".
const MAX_MASK_CLASSES: usize = 255;

/// Makes the model that the package describes, with its shape, ready to be trained further.
/// [`Medley::load`](crate::Medley::load) makes it ready to run.
///
/// # Errors
/// As [`Medley::load`](crate::Medley::load).
pub fn read_model(
    package: Package,
    device: &Device,
) -> Result<(MedleyModel, ModelConfig), InferError> {
    let config = read_config(&package.metadata.model)?;
    check_heads(&config, &package.metadata.tasks)?;
    let model = config.init(device)?;
    let mut weights = expected_shapes(&model);
    for (name, packed) in &package.tensors {
        if name.starts_with(SELF_TEST) {
            continue;
        }
        let Some(expected) = weights.remove(name) else {
            return Err(InferError::UnusedTensor { name: name.clone() });
        };
        if packed.shape() != expected {
            let found = packed.shape().to_vec();
            return Err(InferError::TensorShape { name: name.clone(), expected, found });
        }
        // A package made in memory has not been through the reader's checks.
        if packed.len() != expected.iter().product::<usize>() {
            let reason = format!("{} values for shape {expected:?}", packed.len());
            return Err(InferError::Tensor { name: name.clone(), reason });
        }
    }
    if let Some((name, shape)) = weights.pop_first() {
        return Err(InferError::MissingTensor { name, shape });
    }
    let mut fill = Fill { tensors: package.tensors, device, path: Vec::new() };
    Ok((model.map(&mut fill), config))
}

/// Gives the weights of a package to a model of the same names and shapes. Each is widened when it is first asked for, and its
/// integers are let go: what lays them out anew, one after the other, never has all of them in memory.
struct Fill<'a> {
    tensors: BTreeMap<String, PackedTensor>,
    device: &'a Device,
    path: Vec<String>,
}

impl ModuleMapper for Fill<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        exit(&mut self.path, container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(packed) = self.tensors.remove(&self.path.join(".")) else { return param };
        let shape = param.lazy_shape();
        let widen = move |device: &Device, gradient: bool| {
            let data = TensorData::new(packed.widen(), packed.shape().to_vec());
            let tensor = Tensor::from_data(data, device);
            if gradient { tensor.require_grad() } else { tensor }
        };
        Param::uninitialized(param.id, widen, self.device.clone(), true, shape)
    }
}

fn read_config(value: &Value) -> Result<ModelConfig, InferError> {
    check_numbers(value)?;
    serde_json::from_value(value.clone())
        .map_err(|error| InferError::Architecture { reason: error.to_string() })
}

/// Refuses configurations with numbers that no model has.
fn check_numbers(value: &Value) -> Result<(), InferError> {
    match value {
        Value::Number(number) if number.as_f64().is_none_or(|v| v > MAX_CONFIG_NUMBER) => {
            Err(InferError::Architecture {
                reason: format!("expected no number above {MAX_CONFIG_NUMBER}, found {number}"),
            })
        }
        Value::Array(values) => values.iter().try_for_each(check_numbers),
        Value::Object(fields) => fields.values().try_for_each(check_numbers),
        _ => Ok(()),
    }
}

/// Every task needs a head of its name, kind and number of classes.
fn check_heads(config: &ModelConfig, tasks: &[TaskSpec]) -> Result<(), InferError> {
    for task in tasks {
        let kind = match task.kind {
            TaskKind::Classification => HeadKind::Classification,
            TaskKind::Segmentation => HeadKind::Segmentation,
            TaskKind::Detection => HeadKind::Detection,
        };
        let words = |kind: HeadKind, classes| format!("{} head of {classes} classes", kind.name());
        let head = config.heads.iter().find(|head| head.name == task.name);
        let fits = head.is_some_and(|h| h.kind == kind && h.classes == task.classes.len());
        if !fits {
            return Err(InferError::Head {
                task: task.name.clone(),
                expected: words(kind, task.classes.len()),
                found: head.map_or("no head".into(), |h| words(h.kind, h.classes)),
            });
        }
        if kind == HeadKind::Segmentation && task.classes.len() > MAX_MASK_CLASSES {
            return Err(InferError::Head {
                task: task.name.clone(),
                expected: format!("segmentation head of at most {MAX_MASK_CLASSES} classes"),
                found: words(kind, task.classes.len()),
            });
        }
    }
    Ok(())
}

/// Shapes of the model's weights by path. Asks the parameters for their shape only, so that none
/// is filled with random numbers that the package's replace at once.
fn expected_shapes(model: &MedleyModel) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = Shapes { path: Vec::new(), found: BTreeMap::new() };
    model.visit(&mut shapes);
    shapes.found
}

struct Shapes {
    path: Vec<String>,
    found: BTreeMap<String, Vec<usize>>,
}

/// Variants of enums are no part of a path, as in `burn_store::ModuleSnapshot::collect(.., .., true)`.
fn is_variant(container: &str) -> bool {
    container.starts_with("Enum:")
}

fn enter(path: &mut Vec<String>, name: &str, container: &str) {
    if !is_variant(container) {
        path.push(name.to_owned());
    }
}

fn exit(path: &mut Vec<String>, container: &str) {
    if !is_variant(container) {
        path.pop();
    }
}

impl ModuleVisitor for Shapes {
    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        exit(&mut self.path, container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.insert(self.path.join("."), param.lazy_shape().to_vec());
    }
}

#[cfg(test)]
mod tests {
    use burn_store::{ModuleSnapshot, bridge};

    use super::*;
    use crate::testing::{package, tasks};

    #[test]
    fn the_shapes_are_those_of_the_collected_weights() {
        let device = Device::flex();
        let (package, model) = package(&tasks());
        let config: ModelConfig = serde_json::from_value(package.metadata.model).unwrap();
        let lazy = expected_shapes(&config.init(&device).unwrap());
        let collected: BTreeMap<String, Vec<usize>> = model
            .collect(None, None, true)
            .into_iter()
            .map(|t| (t.name.clone(), t.shape.to_vec()))
            .collect();
        assert_eq!(lazy, collected);
    }

    #[test]
    fn every_weight_has_the_values_of_the_package() {
        let device = Device::flex();
        let (package, _) = package(&tasks());
        let (model, _) = read_model(package.clone(), &device).unwrap();
        for weight in model.collect(None, None, true) {
            let name = weight.name.clone();
            let found = bridge::into_data(weight).unwrap().try_into_vec_as::<f32>().unwrap();
            assert_eq!(found, package.tensors[&name].widen(), "{name}");
        }
    }

    #[test]
    fn every_misfit_is_named() {
        let device = Device::flex();
        let (good, _) = package(&tasks());
        let name = good.tensors.keys().find(|n| n.ends_with(".weight")).unwrap().clone();

        let mut bad = good.clone();
        bad.tensors.remove(&name);
        let error = read_model(bad, &device).unwrap_err();
        assert!(
            matches!(&error, InferError::MissingTensor { name: n, .. } if *n == name),
            "{error}"
        );

        let mut bad = good.clone();
        let moved = bad.tensors.remove(&name).unwrap();
        bad.tensors.insert("nobody.weight".into(), moved);
        let error = read_model(bad, &device).unwrap_err();
        assert!(matches!(&error, InferError::UnusedTensor { name } if name == "nobody.weight"));

        let mut bad = good.clone();
        let tensor = medley_package::PackedTensor::Float { shape: vec![1, 2], data: vec![0.0; 2] };
        bad.tensors.insert(name.clone(), tensor);
        let error = read_model(bad, &device).unwrap_err();
        assert!(matches!(&error, InferError::TensorShape { name: n, found, .. }
            if *n == name && found == &[1, 2]));

        let mut bad = good.clone();
        bad.metadata.tasks[0].classes.push("one more".into());
        let error = read_model(bad, &device).unwrap_err();
        assert!(matches!(&error, InferError::Head { .. }), "{error}");

        let mut bad = good.clone();
        bad.metadata.model["squeezer"] = 1_000_000_000.into();
        let error = read_model(bad, &device).unwrap_err();
        assert!(matches!(&error, InferError::Architecture { .. }), "{error}");

        let mut bad = good;
        bad.metadata.model = serde_json::json!({ "encoder": "unheard of" });
        let error = read_model(bad, &device).unwrap_err();
        assert!(matches!(&error, InferError::Architecture { .. }), "{error}");
    }
}
