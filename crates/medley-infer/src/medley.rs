//! A loaded model, and the way of a picture through it.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use medley_image::Image;
use medley_model::{MedleyModel, wake_threads};
use medley_package::{
    FORMAT_VERSION, Metadata, NOTICE, Package, PackedTensor, Presentation, Provenance,
    SELF_TEST_INPUT, SELF_TEST_OUTPUT, TaskKind, TaskSpec,
};
use web_time::Instant;

use crate::analysis::{
    Analysis, AnalyzeOptions, ClassProbability, DetectedBox, Mask, Output, TaskResult, Timing,
};
use crate::boxes::BoxCanvas;
use crate::classes::ClassVotes;
use crate::error::InferError;
use crate::geometry::{Placement, placements};
use crate::load::read_model;
use crate::mask::MaskCanvas;
use crate::outputs::{Encoded, HeadOutput};
use crate::pixels::PixelFeatures;
use crate::prepare::{resize, window};
use crate::self_test::{SelfTestReport, compare, self_test_outputs};
use crate::stages::Stages;

/// Windows that go through the encoder together; more would only cost memory.
const MAX_WINDOWS: usize = 4;

/// How a model without tasks looks at a picture, for its embedding alone.
const DEFAULT_PRESENTATION: Presentation = Presentation::Whole { size: 256 };

/// A loaded model.
#[derive(Debug)]
pub struct Medley {
    model: MedleyModel,
    metadata: Metadata,
    device: Device,
    /// The self-test's tensors, by their names in the package.
    self_test: BTreeMap<String, PackedTensor>,
    encoder_digest: String,
}

impl Medley {
    /// Loads a package onto a device: widens the weights, compares every name and shape, and
    /// computes once what is constant.
    ///
    /// The device should be a plain one, without automatic differentiation.
    ///
    /// # Errors
    /// An architecture that is not known, a task without its head, a weight that is missing, left
    /// over or of another shape; each is named.
    pub async fn load(package: Package, device: &Device) -> Result<Self, InferError> {
        let encoder_digest = package.shared_digest();
        Self::load_known(package, encoder_digest, device).await
    }

    /// [`Self::load`] of a package whose [`Package::shared_digest`] is known, as its manifest says it. In a browser it takes as
    /// long as laying out the weights.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub async fn load_known(
        package: Package,
        encoder_digest: String,
        device: &Device,
    ) -> Result<Self, InferError> {
        let self_test = package
            .tensors
            .iter()
            .filter(|(name, _)| *name == SELF_TEST_INPUT || name.starts_with(SELF_TEST_OUTPUT))
            .map(|(name, tensor)| (name.clone(), tensor.clone()))
            .collect();
        let metadata = package.metadata.clone();
        let (mut model, _) = read_model(package, device)?;
        // Each weight's place in the package is free as soon as it is laid out.
        model.prepare();
        Ok(Self { model, metadata, device: device.clone(), self_test, encoder_digest })
    }

    /// From a model in memory, for evaluation while training. It has no self-test and no
    /// calibration; what is constant for fixed weights is computed once, so hand over a copy.
    pub fn from_parts(mut model: MedleyModel, tasks: Vec<TaskSpec>, device: &Device) -> Self {
        model.prepare();
        let metadata = Metadata {
            format_version: FORMAT_VERSION,
            name: "unnamed".into(),
            variant: "unnamed".into(),
            model: serde_json::Value::Null,
            tasks,
            provenance: Provenance::default(),
            quality: Vec::new(),
            calibration: Vec::new(),
            self_test: None,
            notice: NOTICE.into(),
        };
        Self {
            model,
            metadata,
            device: device.clone(),
            self_test: BTreeMap::new(),
            encoder_digest: String::new(),
        }
    }

    /// What the package says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tasks that can be asked for.
    pub fn tasks(&self) -> &[TaskSpec] {
        &self.metadata.tasks
    }

    /// The task of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn task(&self, name: &str) -> Result<&TaskSpec, InferError> {
        self.tasks().iter().find(|task| task.name == name).ok_or_else(|| InferError::UnknownTask {
            name: name.into(),
            existing: self.tasks().iter().map(|task| task.name.clone()).collect(),
        })
    }

    /// What identifies the weights that all tasks share; empty for a model made in memory.
    pub fn encoder_digest(&self) -> &str {
        &self.encoder_digest
    }

    /// How a picture is shown for its embedding alone: as the first task that looks at whole pictures sees it.
    pub fn embedding_presentation(&self) -> Presentation {
        let mut all = self.tasks().iter().map(|task| task.presentation);
        all.find(is_whole).unwrap_or(DEFAULT_PRESENTATION)
    }

    /// The device that the model computes on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Computes the package's self-test and compares. A device whose report has not `passed`
    /// must not be used.
    ///
    /// # Errors
    /// A package without self-test, a device that fails or answers with values that are not
    /// finite.
    pub async fn self_test(&self) -> Result<SelfTestReport, InferError> {
        let (Some(spec), Some(input)) =
            (self.metadata.self_test, self.self_test.get(SELF_TEST_INPUT))
        else {
            return Err(InferError::NoSelfTest);
        };
        let found = self_test_outputs(&self.model, self.tasks(), input, &self.device).await?;
        compare(&self.self_test, &found, spec.tolerance)
    }

    /// Answers the tasks for one picture. Tasks that look at it in the same way share the
    /// encoder's pass.
    ///
    /// # Errors
    /// An unknown task, a threshold that is no probability, cancellation, a failing device.
    pub async fn analyze(
        &self,
        image: &Image,
        options: &AnalyzeOptions,
    ) -> Result<Analysis, InferError> {
        let start = Instant::now();
        if !(0.0..=1.0).contains(&options.score_threshold) {
            return Err(InferError::Threshold { found: options.score_threshold });
        }
        wake_threads();
        let tasks = self.wanted(options)?;
        let mut results: Vec<Option<TaskResult>> = tasks.iter().map(|_| None).collect();
        let mut timing = Timing::default();
        let mut embedding: Option<(Presentation, Vec<f32>)> = None;
        let mut stages = Stages::new(options, self.count_stages(image, &tasks));
        for presentation in self.presentations(&tasks) {
            let members: Vec<usize> =
                (0..tasks.len()).filter(|&i| tasks[i].presentation == presentation).collect();
            let asked: Vec<&TaskSpec> = members.iter().map(|&i| tasks[i]).collect();
            let group =
                self.group(image, presentation, &asked, options, &mut stages, &mut timing).await?;
            for (i, result) in members.into_iter().zip(group.results) {
                results[i] = Some(result);
            }
            // The whole picture's embedding is the better one; otherwise the first there is.
            let better = match &embedding {
                None => true,
                Some((before, _)) => !is_whole(before) && is_whole(&presentation),
            };
            if better {
                embedding = Some((presentation, group.embedding));
            }
        }
        timing.total_ms = milliseconds(start);
        Ok(Analysis {
            results: results.into_iter().flatten().collect(),
            embedding: embedding.map(|(_, values)| values).unwrap_or_default(),
            timing,
        })
    }

    /// The presentations of the tasks, each once, in the order of the tasks.
    fn presentations(&self, tasks: &[&TaskSpec]) -> Vec<Presentation> {
        let mut all = Vec::new();
        for task in tasks {
            if !all.contains(&task.presentation) {
                all.push(task.presentation);
            }
        }
        if all.is_empty() {
            all.push(self.embedding_presentation());
        }
        all
    }

    /// One for each pass of the encoder and one for each head on it.
    fn count_stages(&self, image: &Image, tasks: &[&TaskSpec]) -> usize {
        self.presentations(tasks)
            .into_iter()
            .map(|presentation| {
                let windows = placements(image.width(), image.height(), &presentation).len();
                let heads = tasks.iter().filter(|task| task.presentation == presentation).count();
                windows.div_ceil(MAX_WINDOWS) * (1 + heads)
            })
            .sum()
    }

    /// The tasks asked for, each once.
    fn wanted(&self, options: &AnalyzeOptions) -> Result<Vec<&TaskSpec>, InferError> {
        let Some(names) = &options.tasks else {
            return Ok(self.tasks().iter().collect());
        };
        let mut wanted: Vec<&TaskSpec> = Vec::new();
        for name in names {
            let task = self.task(name)?;
            if !wanted.iter().any(|t| t.name == *name) {
                wanted.push(task);
            }
        }
        Ok(wanted)
    }

    /// All tasks of one presentation.
    async fn group(
        &self,
        image: &Image,
        presentation: Presentation,
        tasks: &[&TaskSpec],
        options: &AnalyzeOptions,
        stages: &mut Stages<'_>,
        timing: &mut Timing,
    ) -> Result<Group, InferError> {
        stages.check()?;
        let mut clock = Instant::now();
        let (all, scaled) = place(image, presentation);
        let mut collectors: Vec<Collector<'_>> =
            tasks.iter().map(|task| self.collector(task, &all, options)).collect();
        let mut embedding: Vec<f32> = Vec::new();
        for chunk in all.chunks(MAX_WINDOWS) {
            let windows = cut(&scaled, chunk, presentation);
            timing.prepare_ms += lap(&mut clock);
            stages.next().await?;
            let mut encoded = self.encode(windows)?;
            // Reading the embedding waits for the encoder, so that its time is its own.
            let batch = encoded.embedding().await?;
            add_windows(&mut embedding, &batch, chunk.len(), all.len());
            timing.encode_ms += lap(&mut clock);
            for collector in &mut collectors {
                stages.next().await?;
                let output = encoded.head(collector.task).await?;
                timing.heads_ms += lap(&mut clock);
                collector.add(chunk, &output);
                timing.finish_ms += lap(&mut clock);
            }
        }
        let mut results = Vec::with_capacity(collectors.len());
        for collector in collectors {
            stages.check()?;
            results.push(collector.finish(image));
        }
        timing.finish_ms += lap(&mut clock);
        Ok(Group { results, embedding })
    }

    /// The encoder's pass over windows, `[batch, 3, size, size]`.
    fn encode(&self, windows: TensorData) -> Result<Encoded<'_>, InferError> {
        Encoded::new(&self.model, Tensor::from_data(windows, &self.device))
    }

    /// The segmentation decoder's map of each window of a picture, for heads that answer for pixels.
    ///
    /// # Errors
    /// Cancellation, a failing device.
    pub async fn pixel_features(
        &self,
        image: &Image,
        presentation: Presentation,
        options: &AnalyzeOptions,
    ) -> Result<PixelFeatures, InferError> {
        let (all, scaled) = place(image, presentation);
        let mut features = PixelFeatures::new(image);
        let mut stages = Stages::new(options, all.len().div_ceil(MAX_WINDOWS));
        for chunk in all.chunks(MAX_WINDOWS) {
            stages.next().await?;
            let mut encoded = self.encode(cut(&scaled, chunk, presentation))?;
            let (values, grid) = encoded.pixel_embedding().await?;
            features.add(chunk, &values, grid);
        }
        Ok(features)
    }

    fn collector<'a>(
        &self,
        task: &'a TaskSpec,
        all: &[Placement],
        options: &AnalyzeOptions,
    ) -> Collector<'a> {
        let classes = task.classes.len();
        let parts = match task.kind {
            TaskKind::Classification => {
                let temperature = self.metadata.temperature(&task.name) as f32;
                Parts::Classes(ClassVotes::new(classes, task.multi_label, temperature))
            }
            TaskKind::Segmentation => Parts::Pixels(MaskCanvas::new(classes, all)),
            TaskKind::Detection => {
                Parts::Boxes(BoxCanvas::new(classes, options.score_threshold, &task.presentation))
            }
        };
        Collector { task, parts }
    }
}

/// Where the windows lie, and the picture at their scale.
fn place(image: &Image, presentation: Presentation) -> (Vec<Placement>, Image) {
    let all = placements(image.width(), image.height(), &presentation);
    let scaled = match all.first() {
        Some(p) => resize(image, p.scaled.0, p.scaled.1),
        None => image.clone(),
    };
    (all, scaled)
}

/// `[windows, 3, size, size]`
fn cut(scaled: &Image, windows: &[Placement], presentation: Presentation) -> TensorData {
    let pixels: Vec<f32> = windows.iter().flat_map(|p| window(scaled, p)).collect();
    let size = presentation.size() as usize;
    TensorData::new(pixels, [windows.len(), 3, size, size])
}

struct Group {
    results: Vec<TaskResult>,
    embedding: Vec<f32>,
}

/// Puts the windows of one task together.
struct Collector<'a> {
    task: &'a TaskSpec,
    parts: Parts,
}

enum Parts {
    Classes(ClassVotes),
    Pixels(MaskCanvas),
    Boxes(BoxCanvas),
}

impl Collector<'_> {
    /// `output`: of the batch of these windows.
    fn add(&mut self, windows: &[Placement], output: &HeadOutput) {
        let each = |values: &[f32]| values.len() / windows.len().max(1);
        match (&mut self.parts, output) {
            (Parts::Classes(votes), HeadOutput::Classes { logits }) => {
                for logits in logits.chunks_exact(each(logits)) {
                    votes.add(logits);
                }
            }
            (Parts::Pixels(canvas), HeadOutput::Pixels { logits, grid }) => {
                for (p, logits) in windows.iter().zip(logits.chunks_exact(each(logits))) {
                    canvas.add(p, logits, *grid);
                }
            }
            (Parts::Boxes(canvas), HeadOutput::Locations { values, levels }) => {
                for (p, values) in windows.iter().zip(values.chunks_exact(each(values))) {
                    canvas.add(p, values, levels);
                }
            }
            // Both follow the task's kind.
            _ => {}
        }
    }

    fn finish(self, image: &Image) -> TaskResult {
        let names = &self.task.classes;
        let output = match self.parts {
            Parts::Classes(votes) => Output::Classes(
                names
                    .iter()
                    .zip(votes.finish())
                    .map(|(name, probability)| ClassProbability { name: name.clone(), probability })
                    .collect(),
            ),
            Parts::Pixels(canvas) => Output::Mask(Mask {
                width: image.width(),
                height: image.height(),
                classes: names.clone(),
                indices: canvas.finish(),
            }),
            Parts::Boxes(canvas) => Output::Boxes(
                canvas
                    .finish()
                    .into_iter()
                    .map(|found| DetectedBox {
                        bbox: found.bbox,
                        class: names.get(found.class).cloned().unwrap_or_default(),
                        class_index: found.class,
                        score: found.score,
                    })
                    .collect(),
            ),
        };
        TaskResult { task: self.task.name.clone(), kind: self.task.kind, output }
    }
}

fn is_whole(presentation: &Presentation) -> bool {
    matches!(presentation, Presentation::Whole { .. })
}

/// Adds the batch's embeddings to the mean over `total` windows.
fn add_windows(mean: &mut Vec<f32>, batch: &[f32], windows: usize, total: usize) {
    let channels = batch.len() / windows.max(1);
    mean.resize(channels, 0.0);
    for window in batch.chunks_exact(channels.max(1)) {
        for (m, v) in mean.iter_mut().zip(window) {
            *m += v / total as f32;
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Milliseconds since the last lap.
fn lap(clock: &mut Instant) -> f64 {
    let passed = milliseconds(*clock);
    *clock = Instant::now();
    passed
}

#[cfg(test)]
mod tests;
