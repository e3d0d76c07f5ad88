//! Answers about DICOM images, collected by series, and written as DICOM.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use medley_dicom::export::{
    CaptureInput, Code, ExportContext, Finding, Measurement, ModelIdentity, Privacy, Region,
    ReportInput, Segment, SegmentationInput, SegmentationKind, SegmentedSlice, SourceImage,
    Timestamp, planes_of_labels, write_secondary_capture, write_segmentation,
    write_structured_report,
};
use medley_dicom::{DicomFile, Series, SliceHeader, pool_mean, sort_series};
use medley_infer::{Analysis, ClassProbability, Image, Output, TaskResult, Timing};
use medley_package::{TaskKind, TaskSpec};

use crate::exit::BadInput;
use crate::{overlay, say};

/// Results as DICOM objects.
#[derive(clap::Args)]
pub struct DicomArgs {
    /// Write the masks of DICOM images as a Segmentation object; one for each series, the others with a number: out-2.dcm
    #[arg(long, value_name = "OUT.dcm")]
    dicom_seg: Option<PathBuf>,
    /// Write the answers about DICOM images as a Structured Report (TID 1500); one for each series
    #[arg(long, value_name = "OUT.dcm")]
    dicom_sr: Option<PathBuf>,
    /// Write DICOM images with masks and boxes drawn over them as Secondary Captures; one for each picture
    #[arg(long, value_name = "OUT.dcm")]
    dicom_capture: Option<PathBuf>,
    /// Leave out what identifies the patient, by the basic profile of DICOM PS3.15; new identifiers are derived from
    /// this word, which you keep to yourself
    #[arg(long, value_name = "SECRET")]
    deidentify: Option<String>,
}

impl DicomArgs {
    /// Whether any object was asked for.
    pub fn any(&self) -> bool {
        self.dicom_seg.is_some() || self.dicom_sr.is_some() || self.dicom_capture.is_some()
    }

    /// Refuses what cannot be done, before any picture is looked at.
    ///
    /// # Errors
    /// A segmentation without a task that makes masks.
    pub fn check(&self, tasks: &[&TaskSpec]) -> Result<()> {
        let masks = tasks.iter().any(|task| task.kind == TaskKind::Segmentation);
        if self.dicom_seg.is_some() && !masks {
            let found =
                "--dicom-seg: none of the tasks makes masks; ask for one that does (`medley info`)";
            return Err(BadInput(found.into()).into());
        }
        Ok(())
    }

    fn context(&self, model: ModelIdentity) -> ExportContext {
        // A clock before 1970 is no reason to fail.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ExportContext {
            model,
            created: Timestamp::from_unix_seconds(now.as_secs()),
            privacy: match &self.deidentify {
                Some(secret) => Privacy::Deidentify { secret: secret.clone() },
                None => Privacy::Keep,
            },
        }
    }
}

/// A drawing of a frame: width, height, RGB.
type Drawing = (u32, u32, Vec<u8>);

/// Answers about frames of DICOM files.
#[derive(Default)]
pub struct DicomResults {
    files: Vec<(String, Rc<DicomFile>)>,
    headers: Vec<SliceHeader>,
    analyses: HashMap<(usize, u32), Analysis>,
    drawings: HashMap<(usize, u32), Drawing>,
}

impl DicomResults {
    /// Makes ready for the frames of a file.
    ///
    /// # Errors
    /// A file that does not say to which series it belongs.
    pub fn begin(&mut self, name: &str, file: &Rc<DicomFile>) -> Result<()> {
        self.headers.push(SliceHeader::read(file)?);
        self.files.push((name.to_owned(), Rc::clone(file)));
        Ok(())
    }

    /// Keeps the answers about a frame of the file that was begun last.
    pub fn add(&mut self, frame: u32, image: &Image, analysis: Analysis, arguments: &DicomArgs) {
        let place = (self.files.len().saturating_sub(1), frame);
        if arguments.dicom_capture.is_some() {
            let (canvas, _) = overlay::draw(image, &analysis);
            self.drawings.insert(place, (canvas.width(), canvas.height(), canvas.into_raw()));
        }
        self.analyses.insert(place, analysis);
    }

    /// The series, and what is wrong with them on stderr.
    pub fn series(&self) -> Vec<Series> {
        let series: Vec<Series> =
            sort_series(&self.headers).into_iter().flat_map(|study| study.series).collect();
        for one in &series {
            let Some(first) = one.slices.first() else { continue };
            for problem in &one.problems {
                say::note(format!("medley: series of {}: {problem}", self.files[first.source].0));
            }
        }
        series
    }

    /// The mean of a series' answers, with the file of its first slice; none of a lone slice.
    pub fn pooled(&self, series: &Series) -> Option<(&str, Analysis)> {
        if series.slices.len() < 2 {
            return None;
        }
        let slices: Vec<&Analysis> = self.slices(series).map(|(_, analysis)| analysis).collect();
        let embedding = pool_mean(slices.iter().map(|analysis| analysis.embedding.as_slice()))?;
        let (name, _) = &self.files[series.slices[0].source];
        let results = pooled_classes(&slices).into_iter().map(|(task, classes)| TaskResult {
            task,
            kind: TaskKind::Classification,
            output: Output::Classes(classes),
        });
        let analysis =
            Analysis { results: results.collect(), embedding, timing: Timing::default() };
        Some((name, analysis))
    }

    /// Writes the objects that were asked for.
    ///
    /// # Errors
    /// Images that do not fit together, a file that cannot be written.
    pub fn write(
        &self,
        series: &[Series],
        arguments: &DicomArgs,
        model: ModelIdentity,
    ) -> Result<()> {
        let context = arguments.context(model);
        for (number, series) in series.iter().enumerate() {
            let sources: Vec<(SourceImage<'_>, &Analysis)> = self
                .slices(series)
                .map(|((source, frame), analysis)| {
                    Ok((SourceImage::new(&self.files[source].1, frame)?, analysis))
                })
                .collect::<Result<_>>()?;
            if sources.is_empty() {
                continue;
            }
            if let Some(out) = &arguments.dicom_seg {
                let bytes = write_segmentation(&segmentation(&sources), &context)?;
                save(&numbered(out, number), &bytes)?;
            }
            if let Some(out) = &arguments.dicom_sr {
                let bytes = write_structured_report(&report(&sources), &context)?;
                save(&numbered(out, number), &bytes)?;
            }
        }
        let Some(out) = &arguments.dicom_capture else { return Ok(()) };
        let slices = series.iter().flat_map(|series| &series.slices);
        let drawn = slices.filter_map(|slice| {
            let place = (slice.source, slice.frame);
            Some((place, self.drawings.get(&place)?))
        });
        for (number, ((source, frame), (width, height, rgb))) in drawn.enumerate() {
            let source = SourceImage::new(&self.files[source].1, frame)?;
            let input = CaptureInput { source, width: *width, height: *height, rgb };
            save(&numbered(out, number), &write_secondary_capture(&input, &context)?)?;
        }
        Ok(())
    }

    /// The answers of a series in the order of its slices.
    fn slices<'a>(
        &'a self,
        series: &'a Series,
    ) -> impl Iterator<Item = ((usize, u32), &'a Analysis)> {
        series.slices.iter().filter_map(|slice| {
            let place = (slice.source, slice.frame);
            Some((place, self.analyses.get(&place)?))
        })
    }
}

/// All masks of all tasks: each class but the background is a segment.
fn segmentation<'a>(sources: &[(SourceImage<'a>, &Analysis)]) -> SegmentationInput<'a> {
    let masks = |analysis: &Analysis| {
        let found = analysis.results.iter().filter_map(|result| match &result.output {
            Output::Mask(mask) => Some((result.task.clone(), mask.clone())),
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    let segments = sources.first().map(|(_, analysis)| masks(analysis)).unwrap_or_default();
    let segments = segments.iter().flat_map(|(task, mask)| {
        mask.classes.iter().skip(1).map(move |class| Segment {
            label: format!("{class} ({task})"),
            ..Segment::of_class(class)
        })
    });
    let slices = sources.iter().map(|(source, analysis)| SegmentedSlice {
        source: source.clone(),
        planes: masks(analysis)
            .iter()
            .flat_map(|(_, mask)| planes_of_labels(&mask.indices, mask.classes.len()))
            .collect(),
    });
    SegmentationInput {
        kind: SegmentationKind::Binary,
        segments: segments.collect(),
        slices: slices.collect(),
    }
}

/// Classes of the series as a whole, boxes and areas of each slice.
fn report<'a>(sources: &[(SourceImage<'a>, &Analysis)]) -> ReportInput<'a> {
    let analyses: Vec<&Analysis> = sources.iter().map(|(_, analysis)| *analysis).collect();
    let mut findings = Vec::new();
    for (task, classes) in pooled_classes(&analyses) {
        for (index, class) in classes.iter().enumerate() {
            findings.push(Finding {
                image: most_probable(&analyses, &task, index),
                task: task.clone(),
                finding: Code::of_class(&class.name),
                probability: Some(class.probability.into()),
                region: None,
                measurements: Vec::new(),
            });
        }
    }
    for (image, (source, analysis)) in sources.iter().enumerate() {
        for result in &analysis.results {
            let finding = |class: &str| Finding {
                image,
                task: result.task.clone(),
                finding: Code::of_class(class),
                probability: None,
                region: None,
                measurements: Vec::new(),
            };
            match &result.output {
                Output::Classes(_) => {}
                Output::Mask(mask) => {
                    let Some(area) = source.pixel_area() else { continue };
                    let counts = mask.classes.iter().zip(mask.counts()).skip(1);
                    findings.extend(counts.filter(|(_, count)| *count > 0).map(
                        |(class, count)| {
                            let measurements = vec![Measurement::area(count as f64 * area)];
                            Finding { measurements, ..finding(class) }
                        },
                    ));
                }
                Output::Boxes(boxes) => findings.extend(boxes.iter().map(|found| Finding {
                    probability: Some(found.score.into()),
                    region: Some(Region::Box(found.bbox)),
                    ..finding(&found.class)
                })),
            }
        }
    }
    ReportInput { images: sources.iter().map(|(source, _)| source.clone()).collect(), findings }
}

/// Classes of each classification task, their probabilities the means over the slices.
fn pooled_classes(analyses: &[&Analysis]) -> Vec<(String, Vec<ClassProbability>)> {
    let Some(first) = analyses.first() else { return Vec::new() };
    let tasks = first.results.iter().filter_map(|result| match &result.output {
        Output::Classes(classes) => Some((&result.task, classes)),
        _ => None,
    });
    tasks
        .filter_map(|(task, classes)| {
            let slices: Vec<Vec<f32>> =
                analyses.iter().filter_map(|analysis| probabilities(analysis, task)).collect();
            let mean = pool_mean(slices.iter().map(Vec::as_slice))?;
            let named = classes.iter().zip(mean).map(|(class, probability)| ClassProbability {
                name: class.name.clone(),
                probability,
            });
            Some((task.clone(), named.collect()))
        })
        .collect()
}

fn probabilities(analysis: &Analysis, task: &str) -> Option<Vec<f32>> {
    analysis.results.iter().find(|result| result.task == task).and_then(|result| {
        match &result.output {
            Output::Classes(classes) => Some(classes.iter().map(|c| c.probability).collect()),
            _ => None,
        }
    })
}

/// The slice where a class is most probable: the one to look at first.
fn most_probable(analyses: &[&Analysis], task: &str, class: usize) -> usize {
    let probability = |analysis: &Analysis| {
        probabilities(analysis, task).and_then(|all| all.get(class).copied()).unwrap_or(0.0)
    };
    let slices =
        analyses.iter().enumerate().map(|(index, analysis)| (index, probability(analysis)));
    slices.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
}

/// `out.dcm`, then `out-2.dcm`, `out-3.dcm`.
fn numbered(out: &Path, number: usize) -> PathBuf {
    if number == 0 {
        return out.to_path_buf();
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let ending = out.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    out.with_file_name(format!("{stem}-{}{ending}", number + 1))
}

fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    say::note(format!("wrote {}", path.display()));
    Ok(())
}
