//! Runs heads on encoded windows and reads their outputs back from the device.

use burn::tensor::Tensor;
use medley_model::{Features, MedleyModel, TowerOutput};
use medley_package::{TaskKind, TaskSpec};

use crate::boxes::Level;
use crate::error::InferError;

/// What a head says of a batch of windows, on the CPU.
#[derive(Debug)]
pub(crate) enum HeadOutput {
    /// `[batch, classes]`
    Classes { logits: Vec<f32> },
    /// `[batch, classes, grid.1, grid.0]`
    Pixels { logits: Vec<f32>, grid: (usize, usize) },
    /// `[batch, classes + 5, locations]`: class logits, four distances in pixels, centerness.
    Locations { values: Vec<f32>, levels: Vec<Level> },
}

/// One encoded batch. The decoders that tasks share run when first asked for, and once.
pub(crate) struct Encoded<'a> {
    model: &'a MedleyModel,
    features: Features,
    pixels: Option<Tensor<4>>,
    towers: Option<Vec<TowerOutput>>,
}

impl<'a> Encoded<'a> {
    /// images: `[batch, 3, size, size]`
    pub(crate) fn new(model: &'a MedleyModel, images: Tensor<4>) -> Result<Self, InferError> {
        let features = model.encode(images)?;
        Ok(Self { model, features, pixels: None, towers: None })
    }

    /// [`Features::descriptor`], `[batch, channels]`, flattened. Waits for the encoder to be done.
    pub(crate) async fn embedding(&self) -> Result<Vec<f32>, InferError> {
        read(self.features.descriptor(), "the embedding").await
    }

    /// The segmentation decoder's map.
    fn pixels(&mut self) -> Tensor<4> {
        self.pixels.get_or_insert_with(|| self.model.pixel_embedding(&self.features)).clone()
    }

    /// The segmentation decoder's map, `[batch, channels, grid.1, grid.0]`, flattened, and its grid.
    pub(crate) async fn pixel_embedding(
        &mut self,
    ) -> Result<(Vec<f32>, (usize, usize)), InferError> {
        let pixels = self.pixels();
        let [_, _, height, width] = pixels.dims();
        Ok((read(pixels, "the pixels' features").await?, (width, height)))
    }

    /// The output of the task's head.
    pub(crate) async fn head(&mut self, task: &TaskSpec) -> Result<HeadOutput, InferError> {
        let what = format!("task {}", task.name);
        match task.kind {
            TaskKind::Classification => {
                let logits = self.model.classify(&task.name, self.features.embedding.clone())?;
                Ok(HeadOutput::Classes { logits: read(logits, &what).await? })
            }
            TaskKind::Segmentation => {
                let pixels = self.pixels();
                let logits = self.model.segment(&task.name, pixels)?;
                let [_, _, height, width] = logits.dims();
                let logits = read(logits, &what).await?;
                Ok(HeadOutput::Pixels { logits, grid: (width, height) })
            }
            TaskKind::Detection => {
                let towers =
                    self.towers.get_or_insert_with(|| self.model.detection_towers(&self.features));
                let outputs = self.model.detect(&task.name, towers)?;
                let mut levels = Vec::with_capacity(outputs.len());
                let mut parts = Vec::with_capacity(outputs.len());
                for output in outputs {
                    let [batch, _, height, width] = output.class_logits.dims();
                    levels.push(Level { stride: output.stride, width, height });
                    let all = Tensor::cat(
                        vec![output.class_logits, output.distances, output.centerness],
                        1,
                    );
                    let channels = all.dims()[1];
                    parts.push(all.reshape([batch, channels, height * width]));
                }
                // One reading instead of fifteen: in the browser each waits for the GPU.
                let values = read(Tensor::cat(parts, 2), &what).await?;
                Ok(HeadOutput::Locations { values, levels })
            }
        }
    }
}

/// Reads a tensor back. Never the blocking way, which the web does not have.
async fn read<const D: usize>(tensor: Tensor<D>, what: &str) -> Result<Vec<f32>, InferError> {
    let failed = |reason: String| InferError::Device { what: what.to_owned(), reason };
    let data = tensor.into_data_async().await.map_err(|e| failed(e.to_string()))?;
    let values = data.try_into_vec_as::<f32>().map_err(|e| failed(e.to_string()))?;
    if values.iter().all(|v| v.is_finite()) {
        Ok(values)
    } else {
        Err(InferError::NotFinite { what: what.to_owned() })
    }
}
