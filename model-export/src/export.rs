//! From a trained model to a package.

use burn::tensor::{Device, TensorData};
use burn_store::{ModuleSnapshot, bridge};
use medley_infer::{Medley, self_test_outputs};
use medley_model::{MedleyModel, ModelConfig};
use medley_package::{
    Calibration, FORMAT_VERSION, Metadata, NOTICE, Package, PackedTensor, Provenance, Quality,
    SELF_TEST_INPUT, SelfTestSpec, TaskSpec,
};

use crate::error::ExportError;
use crate::quantize::quantize;
use crate::self_test;
use crate::weights::weights;

/// What a package says of a model beside its weights and architecture.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// The model's name, as "medley-nano".
    pub name: String,
    /// The encoder's variant, as "nano".
    pub variant: String,
    /// The tasks; each needs a head of its name, kind and number of classes.
    pub tasks: Vec<TaskSpec>,
    /// Data, code and training.
    pub provenance: Provenance,
    /// Measured figures.
    pub quality: Vec<Quality>,
    /// Temperatures of classification tasks.
    pub calibration: Vec<Calibration>,
}

/// Makes the package of `model`, which was made from `config` and trained.
///
/// Batch normalisation is folded into the convolutions and the weights are quantized. The
/// self-test's expected answers are those of the quantized weights, widened, on the CPU: a device
/// is then judged by its arithmetic alone and not by what quantization changed.
///
/// # Errors
///
/// When tasks and heads do not match, a weight is not a finite 32-bit float, or the package that
/// results is refused by its own reader or does not run.
pub fn export(
    model: &MedleyModel,
    config: &ModelConfig,
    description: Description,
) -> Result<Package, ExportError> {
    let (model, config) = model.fold(config);
    let metadata = Metadata {
        format_version: FORMAT_VERSION,
        name: description.name,
        variant: description.variant,
        model: serde_json::to_value(&config)?,
        tasks: description.tasks,
        provenance: description.provenance,
        quality: description.quality,
        calibration: description.calibration,
        self_test: None,
        notice: NOTICE.into(),
    };
    let mut package = Package { metadata, tensors: quantize(&weights(&model)?) };

    let device = Device::flex();
    // Names the task or weight that is wrong, before anything is computed with it.
    load(&package, &device)?;
    let input = self_test::input();
    let widened = widened(&package, &config, &device)?;
    let tasks = &package.metadata.tasks;
    let answers = pollster::block_on(self_test_outputs(&widened, tasks, &input, &device))?;
    package.tensors.extend(answers);
    package.tensors.insert(SELF_TEST_INPUT.into(), input);
    package.metadata.self_test = Some(SelfTestSpec { tolerance: self_test::TOLERANCE });
    prove(&package, &device)?;
    Ok(package)
}

/// The model as its readers will have it: the package's weights, widened.
fn widened(
    package: &Package,
    config: &ModelConfig,
    device: &Device,
) -> Result<MedleyModel, ExportError> {
    let mut model = config.init(device)?;
    let weight = |(name, tensor): (&String, &PackedTensor)| {
        let data = TensorData::new(tensor.widen(), tensor.shape().to_vec());
        bridge::from_data(data, name.clone(), None)
    };
    let result = model.apply(package.tensors.iter().map(weight).collect(), None, None, true);
    if let Some(error) = result.errors.first() {
        return Err(ExportError::Weight { name: "any".into(), found: error.to_string() });
    }
    if let Some((name, _)) = result.missing.first() {
        return Err(ExportError::Weight { name: name.clone(), found: "none of that name".into() });
    }
    model.prepare();
    Ok(model)
}

/// The package's model by a reader's whole way, from bytes on.
fn load(package: &Package, device: &Device) -> Result<Medley, ExportError> {
    let read = Package::from_bytes(&package.to_bytes()?)?;
    Ok(pollster::block_on(Medley::load(read, device))?)
}

/// Reads the package back and runs its self-test: one that does not pass is not handed on.
fn prove(package: &Package, device: &Device) -> Result<(), ExportError> {
    let report = pollster::block_on(load(package, device)?.self_test())?;
    if report.passed {
        return Ok(());
    }
    Err(ExportError::SelfTest {
        task: report.head,
        tolerance: report.tolerance,
        worst: report.worst,
    })
}

#[cfg(test)]
mod tests;
