//! A model from the package that a key of a run's configuration names.

use std::path::Path;

use burn::tensor::Device;
use medley_infer::read_model;
use medley_model::{MedleyModel, ModelConfig};
use medley_package::read_dir;

use crate::error::TrainError;

/// The model in `folder` on `device`, with its shape. `key`: whose value the folder is, for the message.
///
/// # Errors
/// A package that cannot be read.
pub(crate) fn packaged_model(
    key: &str,
    folder: &Path,
    device: &Device,
) -> Result<(MedleyModel, ModelConfig), TrainError> {
    let package = read_dir(folder)
        .map_err(|error| TrainError::file(folder, format!("{key} cannot be read: {error}")))?;
    Ok(read_model(package, device)?)
}
