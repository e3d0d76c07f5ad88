//! A graph that grows node by node.

use std::collections::HashSet;

use medley_package::Package;

use super::proto::{
    Attribute, Dimension, DimensionValue, GraphMessage, Model, Node, OperatorSet, Shape, Tensor,
    TensorType, Type, ValueInfo, attribute_type, data_type,
};
use crate::error::ExportError;

/// IR version and operator set: old enough for every runtime of today.
const IR_VERSION: i64 = 8;
const OPERATORS: i64 = 17;

/// Name of a value in the graph.
pub type Value = String;

/// A graph and the weights that it may take.
pub struct Graph<'a> {
    package: &'a Package,
    message: GraphMessage,
    known: HashSet<String>,
}

/// Attributes of nodes.
pub fn ints(name: &str, ints: &[i64]) -> Attribute {
    let r#type = attribute_type::INTS;
    Attribute { name: name.into(), ints: ints.to_vec(), r#type, ..Attribute::default() }
}

pub fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.into(), i, r#type: attribute_type::INT, ..Attribute::default() }
}

pub fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: name.into(), f, r#type: attribute_type::FLOAT, ..Attribute::default() }
}

pub fn text(name: &str, s: &str) -> Attribute {
    let r#type = attribute_type::STRING;
    Attribute { name: name.into(), s: s.as_bytes().to_vec(), r#type, ..Attribute::default() }
}

impl<'a> Graph<'a> {
    pub fn new(package: &'a Package) -> Self {
        Self { package, message: GraphMessage::default(), known: HashSet::new() }
    }

    /// Adds a node with one output of a new name.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> Value {
        let output = format!("{}_{}", op.to_lowercase(), self.message.node.len());
        self.named(op, inputs, attributes, &output);
        output
    }

    /// Adds a node whose output has the name `output`.
    pub fn named(&mut self, op: &str, inputs: &[&str], attribute: Vec<Attribute>, output: &str) {
        self.message.node.push(Node {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            name: format!("node_{}", self.message.node.len()),
            op_type: op.into(),
            attribute,
        });
    }

    /// A weight of the package, widened.
    ///
    /// # Errors
    /// The package does not have it.
    pub fn weight(&mut self, name: &str) -> Result<Value, ExportError> {
        let tensor = self.package.tensors.get(name).ok_or_else(|| ExportError::Onnx {
            reason: format!("expected the weight {name}, found none"),
        })?;
        if self.known.insert(name.into()) {
            self.floats(name, tensor.shape(), &tensor.widen());
        }
        Ok(name.into())
    }

    /// Whether the package has a weight.
    pub fn has(&self, name: &str) -> bool {
        self.package.tensors.contains_key(name)
    }

    /// Shape of a weight.
    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.package.tensors.get(name).map_or_else(Vec::new, |tensor| tensor.shape().to_vec())
    }

    /// Constant floats; one scalar is `[]`.
    pub fn constant(&mut self, shape: &[usize], values: &[f32]) -> Value {
        let name = format!("constant_{}", self.message.initializer.len());
        self.floats(&name, shape, values);
        name
    }

    /// Constant whole numbers: shapes.
    pub fn integers(&mut self, values: &[i64]) -> Value {
        let name =
            format!("shape_{}", values.iter().map(i64::to_string).collect::<Vec<_>>().join("_"));
        if self.known.insert(name.clone()) {
            self.message.initializer.push(Tensor {
                dims: vec![values.len() as i64],
                data_type: data_type::INT64,
                name: name.clone(),
                raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            });
        }
        name
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        self.message.initializer.push(Tensor {
            dims: shape.iter().map(|&side| side as i64).collect(),
            data_type: data_type::FLOAT,
            name: name.into(),
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        });
    }

    /// Declares the input. Each side is a number, a name of its own, or empty where it follows from others.
    pub fn input(&mut self, name: &str, sides: &[&str]) {
        self.message.input.push(declared(name, sides));
    }

    /// Declares an output.
    pub fn output(&mut self, name: &str, sides: &[&str]) {
        self.message.output.push(declared(name, sides));
    }

    /// The whole model.
    pub fn finish(mut self, name: &str, notice: &str) -> Model {
        self.message.name = name.into();
        Model {
            ir_version: IR_VERSION,
            producer_name: "medley".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            doc_string: notice.into(),
            graph: Some(self.message),
            opset_import: vec![OperatorSet { domain: String::new(), version: OPERATORS }],
        }
    }
}

fn declared(name: &str, sides: &[&str]) -> ValueInfo {
    let dim = sides
        .iter()
        .enumerate()
        .map(|(axis, side)| {
            let value = match (side.parse(), side.is_empty()) {
                (Ok(value), _) => DimensionValue::Value(value),
                (Err(_), false) => DimensionValue::Name((*side).into()),
                (Err(_), true) => DimensionValue::Name(format!("{name}.{axis}")),
            };
            Dimension { value: Some(value) }
        })
        .collect();
    let tensor = TensorType { elem_type: data_type::FLOAT, shape: Some(Shape { dim }) };
    ValueInfo { name: name.into(), r#type: Some(Type { tensor_type: Some(tensor) }) }
}
