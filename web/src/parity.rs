//! Swin V2 against torchvision's, on this device: `tests/browser` runs it in both builds.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use medley_model::{SwinConfig, torchvision_name};
use safetensors::{Dtype, SafeTensors};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::backend;
use crate::error::WebError;

/// The largest absolute error of each stage, 1 to 4.
///
/// `golden` are the bytes of `tests/fixtures/swin_v2_micro.safetensors`, `case` is "square",
/// "padded" or "small". The fixture is for tests; models come as packages.
///
/// # Errors
/// A file that does not hold the case or the weights, a device that fails.
#[wasm_bindgen(js_name = goldenSwinMicro)]
pub async fn golden_swin_micro(golden: Vec<u8>, case: String) -> Result<Vec<f64>, WebError> {
    let device = backend::device().await?;
    let file = SafeTensors::deserialize(&golden).map_err(|e| WebError::Golden(e.to_string()))?;
    let mut import = Import { file: &file, device: &device, path: Vec::new(), missing: None };
    let mut encoder = SwinConfig::micro().init(&device).map(&mut import);
    // As a package's encoder is before it runs.
    encoder.prepare();
    if let Some(name) = import.missing {
        return Err(WebError::Golden(format!("expected tensor {name} in f32, found none")));
    }
    let input = read::<4>(&file, &format!("{case}.input"))?;
    let stages = encoder.forward(Tensor::from_data(input, &device));
    let mut errors = Vec::with_capacity(stages.len());
    for (number, stage) in (1..).zip(stages) {
        let name = format!("{case}.stage{number}");
        let expected = values(&read::<4>(&file, &name)?)?;
        let data = stage.into_data_async().await.map_err(|e| WebError::Device(e.to_string()))?;
        let found = values(&data)?;
        if found.len() != expected.len() {
            return Err(WebError::Golden(format!(
                "{name}: expected {} values, found {}",
                expected.len(),
                found.len()
            )));
        }
        let worst =
            found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).fold(
                0.0,
                |worst: f64, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) },
            );
        errors.push(worst);
    }
    Ok(errors)
}

fn values(data: &TensorData) -> Result<Vec<f32>, WebError> {
    data.as_slice::<f32>()
        .map(<[f32]>::to_vec)
        .map_err(|error| WebError::Golden(format!("{error:?}")))
}

/// One f32 tensor of the file.
fn read<const D: usize>(file: &SafeTensors<'_>, name: &str) -> Result<TensorData, WebError> {
    let expected = || WebError::Golden(format!("expected tensor {name} of {D} axes in f32"));
    let view = file.tensor(name).map_err(|_| expected())?;
    if view.dtype() != Dtype::F32 || view.shape().len() != D {
        return Err(expected());
    }
    let values: Vec<f32> =
        view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Ok(TensorData::new(values, view.shape().to_vec()))
}

/// Puts torchvision's weights into the encoder's parameters.
struct Import<'a> {
    file: &'a SafeTensors<'a>,
    device: &'a Device,
    path: Vec<String>,
    /// The first parameter that the file does not hold.
    missing: Option<String>,
}

impl ModuleMapper for Import<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        let stored = torchvision_name(&path)
            .and_then(|name| read::<D>(self.file, &format!("weight.{name}")).ok());
        let Some(stored) = stored else {
            self.missing.get_or_insert(path);
            return param;
        };
        let stored = Tensor::<D>::from_data(stored, self.device);
        // Linear layers keep [out, in] there and [in, out] here.
        let stored = if D == 2 { stored.transpose() } else { stored };
        param.map(|_| stored)
    }
}
