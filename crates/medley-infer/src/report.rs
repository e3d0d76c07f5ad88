//! The analysis as JSON, format 1: what `medley predict --json` prints and the browser gets.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use medley_package::{NOTICE, TaskKind};
use serde::Serialize;

use crate::analysis::{Analysis, ClassProbability, DetectedBox, Mask, Output, Timing};
use crate::error::InferError;

/// Version of the report's form. Fields may be added to a version; none is removed or changed.
pub const REPORT_FORMAT: u32 = 1;

/// An analysis in the form that leaves the program.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`REPORT_FORMAT`].
    pub format: u32,
    /// [`NOTICE`]: every export carries it.
    pub notice: &'static str,
    /// Name of the analysed file, as the caller calls it.
    pub file: String,
    /// Which frame of the file, counted from 1, where it has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u32>,
    /// Name of the model.
    pub model: String,
    /// What computed it, as "cpu" or "webgpu".
    pub backend: String,
    /// One entry per task.
    // Written by hand there: a union that the field `kind` tells apart.
    #[cfg_attr(feature = "types", ts(type = "TaskResult[]"))]
    pub results: Vec<ReportResult>,
    /// Where the time went.
    pub timing_ms: Timing,
}

/// One task's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportResult {
    /// The task.
    pub task: String,
    /// "classification", "segmentation" or "detection".
    pub kind: TaskKind,
    /// The field that belongs to the kind.
    #[serde(flatten)]
    pub output: ReportOutput,
}

/// One of the fields `classes`, `mask`, `boxes`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportOutput {
    /// Probabilities, in the order of the package's classes.
    Classes(Vec<ClassProbability>),
    /// A class for every pixel.
    Mask(ReportMask),
    /// Things found, the most certain first.
    Boxes(Vec<DetectedBox>),
}

/// A mask as a picture.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportMask {
    /// Width of the source picture.
    pub width: u32,
    /// Height of the source picture.
    pub height: u32,
    /// An 8-bit grey PNG in base64; a pixel's value is the index of its class.
    pub png_base64: String,
    /// How many pixels each class has.
    pub pixels: BTreeMap<String, u64>,
    /// The same in square millimetres, where the file says how large a pixel is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mm2: Option<BTreeMap<String, f64>>,
}

impl Report {
    /// Makes the report of an analysis.
    ///
    /// # Errors
    /// A mask that cannot be written as PNG.
    pub fn new(
        file: &str,
        model: &str,
        backend: &str,
        analysis: &Analysis,
    ) -> Result<Self, InferError> {
        let mut results = Vec::with_capacity(analysis.results.len());
        for result in &analysis.results {
            let output = match &result.output {
                Output::Classes(classes) => ReportOutput::Classes(classes.clone()),
                Output::Mask(mask) => ReportOutput::Mask(report_mask(mask)?),
                Output::Boxes(boxes) => ReportOutput::Boxes(boxes.clone()),
            };
            results.push(ReportResult { task: result.task.clone(), kind: result.kind, output });
        }
        Ok(Self {
            format: REPORT_FORMAT,
            notice: NOTICE,
            file: file.to_owned(),
            frame: None,
            model: model.to_owned(),
            backend: backend.to_owned(),
            results,
            timing_ms: analysis.timing,
        })
    }

    /// Names the frame, counted from 1.
    #[must_use]
    pub fn with_frame(mut self, frame: u32) -> Self {
        self.frame = Some(frame);
        self
    }

    /// Adds areas in square millimetres to the masks.
    #[must_use]
    pub fn with_pixel_area(mut self, square_millimetres: f64) -> Self {
        for result in &mut self.results {
            if let ReportOutput::Mask(mask) = &mut result.output {
                let area = |(class, count): (&String, &u64)| {
                    (class.clone(), *count as f64 * square_millimetres)
                };
                mask.mm2 = Some(mask.pixels.iter().map(area).collect());
            }
        }
        self
    }

    /// The report on one line of JSON.
    ///
    /// # Errors
    /// Never in practice: all fields can be written.
    pub fn to_json(&self) -> Result<String, InferError> {
        serde_json::to_string(self)
            .map_err(|error| InferError::Report { reason: error.to_string() })
    }
}

impl Mask {
    /// The mask as an 8-bit grey PNG; a pixel's value is the index of its class.
    ///
    /// # Errors
    /// Indices that are not as many as the size says.
    pub fn to_png(&self) -> Result<Vec<u8>, InferError> {
        let expected = u64::from(self.width) * u64::from(self.height);
        if self.indices.len() as u64 != expected {
            return Err(InferError::Report {
                reason: format!("a mask of {expected} pixels with {} indices", self.indices.len()),
            });
        }
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&self.indices, self.width, self.height, ExtendedColorType::L8)
            .map_err(|error| InferError::Report { reason: error.to_string() })?;
        Ok(png)
    }

    /// How many pixels each class has, in the order of the classes.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.classes.len()];
        for &index in &self.indices {
            if let Some(count) = counts.get_mut(index as usize) {
                *count += 1;
            }
        }
        counts
    }
}

fn report_mask(mask: &Mask) -> Result<ReportMask, InferError> {
    Ok(ReportMask {
        width: mask.width,
        height: mask.height,
        png_base64: STANDARD.encode(mask.to_png()?),
        pixels: mask.classes.iter().cloned().zip(mask.counts()).collect(),
        mm2: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::TaskResult;

    #[test]
    fn the_json_is_stable() {
        let results = vec![
            TaskResult {
                task: "kind".into(),
                kind: TaskKind::Classification,
                output: Output::Classes(vec![ClassProbability {
                    name: "normal".into(),
                    probability: 0.25,
                }]),
            },
            TaskResult {
                task: "lungs".into(),
                kind: TaskKind::Segmentation,
                output: Output::Mask(Mask {
                    width: 3,
                    height: 1,
                    classes: vec!["background".into(), "lung".into()],
                    indices: vec![0, 1, 1],
                }),
            },
            TaskResult {
                task: "cells".into(),
                kind: TaskKind::Detection,
                output: Output::Boxes(vec![DetectedBox {
                    bbox: [0.0, 1.0, 2.5, 3.0],
                    class: "cell".into(),
                    class_index: 0,
                    score: 0.5,
                }]),
            },
        ];
        let timing = Timing { prepare_ms: 1.0, encode_ms: 2.0, total_ms: 3.0, ..Timing::default() };
        let analysis = Analysis { results, embedding: vec![], timing };
        let report = Report::new("a.png", "medley-nano", "cpu", &analysis).unwrap();
        let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        let png = json["results"][1]["mask"]["png_base64"].as_str().unwrap().to_owned();
        assert_eq!(
            json,
            serde_json::json!({
                "format": 1,
                "notice": "Research use only. Not for diagnostic use.",
                "file": "a.png",
                "model": "medley-nano",
                "backend": "cpu",
                "results": [
                    { "task": "kind", "kind": "classification",
                      "classes": [{ "name": "normal", "probability": 0.25 }] },
                    { "task": "lungs", "kind": "segmentation",
                      "mask": { "width": 3, "height": 1, "png_base64": png,
                                "pixels": { "background": 1, "lung": 2 } } },
                    { "task": "cells", "kind": "detection",
                      "boxes": [{ "box": [0.0, 1.0, 2.5, 3.0], "class": "cell", "score": 0.5 }] },
                ],
                "timing_ms": { "prepare": 1.0, "encode": 2.0, "heads": 0.0, "finish": 0.0,
                               "total": 3.0 },
            })
        );
        let report = report.with_frame(2).with_pixel_area(0.25);
        let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        assert_eq!(json["frame"], 2);
        let areas = serde_json::json!({ "background": 0.25, "lung": 0.5 });
        assert_eq!(json["results"][1]["mask"]["mm2"], areas);
        let back = image::load_from_memory(&STANDARD.decode(png).unwrap()).unwrap();
        assert_eq!(back.as_luma8().unwrap().as_raw(), &[0, 1, 1]);
    }
}
