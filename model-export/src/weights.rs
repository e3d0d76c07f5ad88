//! A model's weights by name.

use std::collections::BTreeMap;

use burn_store::{ModuleSnapshot, bridge};
use medley_model::MedleyModel;

use crate::error::ExportError;

/// Shape and row-major values of tensors, by name.
pub type FloatTensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Every weight of `model`, by module path without the names of
/// enum variants, as `heads.0.linear.weight`.
///
/// # Errors
///
/// When a weight is not stored in 32-bit floats or cannot be read from its device.
pub(crate) fn weights(model: &MedleyModel) -> Result<FloatTensors, ExportError> {
    model
        .collect(None, None, true)
        .into_iter()
        .map(|tensor| {
            let name = tensor.name.clone();
            let wrong = |found: String| ExportError::Weight { name: name.clone(), found };
            let data = bridge::into_data(tensor).map_err(|error| wrong(error.to_string()))?;
            let shape = data.shape().to_vec();
            let values = data.try_into_vec::<f32>().map_err(|error| wrong(error.to_string()))?;
            Ok((name, (shape, values)))
        })
        .collect()
}
