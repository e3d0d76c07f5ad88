//! Answers about DICOM images, collected by series, and written as DICOM.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use medley_dicom::export::{
    CaptureInput, ExportContext, ModelIdentity, Privacy, SourceImage, Timestamp,
    write_secondary_capture, write_segmentation, write_structured_report,
};
use medley_dicom::results::{
    Answer, AnsweredSlice, BoxAnswer, ClassAnswer, MaskAnswer, TaskAnswer, pooled_classes,
    report_of, segmentation_of,
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
    /// Name and content of each file that is answered here.
    files: HashMap<usize, (String, Rc<DicomFile>)>,
    /// Those of all shares, in their order: what is written is numbered by them.
    headers: Vec<SliceHeader>,
    /// By index of the header, and frame.
    analyses: HashMap<(usize, u32), Analysis>,
    drawings: HashMap<(usize, u32), Drawing>,
}

impl DicomResults {
    /// Makes ready for the frames of a file.
    ///
    /// # Errors
    /// A file that does not say to which series it belongs.
    pub fn begin(&mut self, name: &str, file: &Rc<DicomFile>) -> Result<()> {
        let header = SliceHeader::read(file)?;
        self.files.insert(self.headers.len(), (name.to_owned(), Rc::clone(file)));
        self.headers.push(header);
        Ok(())
    }

    /// Counts a file that another machine answers, if it is a DICOM image.
    pub fn elsewhere(&mut self, header: Option<SliceHeader>) {
        self.headers.extend(header);
    }

    /// Keeps the answers about a frame of the file that was begun last.
    pub fn add(&mut self, frame: u32, image: &Image, analysis: Analysis, arguments: &DicomArgs) {
        let place = (self.headers.len().saturating_sub(1), frame);
        if arguments.dicom_capture.is_some() {
            let (canvas, _) = overlay::draw(image, &analysis);
            self.drawings.insert(place, (canvas.width(), canvas.height(), canvas.into_raw()));
        }
        self.analyses.insert(place, analysis);
    }

    /// The series of all shares, and what is wrong with those of this one on stderr.
    pub fn series(&self) -> Vec<Series> {
        let series: Vec<Series> =
            sort_series(&self.headers).into_iter().flat_map(|study| study.series).collect();
        for one in &series {
            let first = one.slices.first();
            let Some((name, _)) = first.and_then(|slice| self.files.get(&slice.source)) else {
                continue;
            };
            for problem in &one.problems {
                say::note(format!("medley: series of {name}: {problem}"));
            }
        }
        series
    }

    /// The mean of a series' answers, with the file of its first slice; none of a lone slice.
    pub fn pooled(&self, series: &Series) -> Option<(&str, Analysis)> {
        if series.slices.len() < 2 {
            return None;
        }
        let (name, _) = self.files.get(&series.slices[0].source)?;
        let slices: Vec<&Analysis> = self.slices(series).map(|(.., analysis)| analysis).collect();
        let embedding = pool_mean(slices.iter().map(|analysis| analysis.embedding.as_slice()))?;
        let slices: Vec<Vec<TaskAnswer>> = slices.into_iter().map(answers).collect();
        let slices: Vec<&[TaskAnswer]> = slices.iter().map(Vec::as_slice).collect();
        let named = |class: ClassAnswer| ClassProbability {
            name: class.name,
            probability: class.probability,
        };
        let results = pooled_classes(&slices).into_iter().map(|(task, classes)| TaskResult {
            task,
            kind: TaskKind::Classification,
            output: Output::Classes(classes.into_iter().map(named).collect()),
        });
        let analysis =
            Analysis { results: results.collect(), embedding, timing: Timing::default() };
        Some((name, analysis))
    }

    /// Writes the objects that were asked for, under numbers that count the series of all shares, and their slices.
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
            let answered: Vec<(SourceImage<'_>, Vec<TaskAnswer>)> = self
                .slices(series)
                .map(|(file, frame, analysis)| {
                    Ok((SourceImage::new(file, frame)?, answers(analysis)))
                })
                .collect::<Result<_>>()?;
            if answered.is_empty() {
                continue;
            }
            let slices: Vec<AnsweredSlice<'_>> = answered
                .iter()
                .map(|(source, answers)| AnsweredSlice { source: source.clone(), answers })
                .collect();
            if let Some(out) = &arguments.dicom_seg {
                let bytes = write_segmentation(&segmentation_of(&slices), &context)?;
                save(&numbered(out, number), &bytes)?;
            }
            if let Some(out) = &arguments.dicom_sr {
                let bytes = write_structured_report(&report_of(&slices), &context)?;
                save(&numbered(out, number), &bytes)?;
            }
        }
        let Some(out) = &arguments.dicom_capture else { return Ok(()) };
        for (number, slice) in series.iter().flat_map(|series| &series.slices).enumerate() {
            let drawing = self.drawings.get(&(slice.source, slice.frame));
            let (Some((width, height, rgb)), Some((_, file))) =
                (drawing, self.files.get(&slice.source))
            else {
                continue;
            };
            let source = SourceImage::new(file, slice.frame)?;
            let input = CaptureInput { source, width: *width, height: *height, rgb };
            save(&numbered(out, number), &write_secondary_capture(&input, &context)?)?;
        }
        Ok(())
    }

    /// The answers of a series in the order of its slices, each with its file and frame.
    fn slices<'a>(
        &'a self,
        series: &'a Series,
    ) -> impl Iterator<Item = (&'a DicomFile, u32, &'a Analysis)> {
        series.slices.iter().filter_map(|slice| {
            let (_, file) = self.files.get(&slice.source)?;
            let analysis = self.analyses.get(&(slice.source, slice.frame))?;
            Some((file.as_ref(), slice.frame, analysis))
        })
    }
}

/// The answers in the form that the exports are made of, which the browser shares.
fn answers(analysis: &Analysis) -> Vec<TaskAnswer> {
    let answer = |output: &Output| match output {
        Output::Classes(classes) => Answer::Classes(
            classes
                .iter()
                .map(|class| ClassAnswer {
                    name: class.name.clone(),
                    probability: class.probability,
                })
                .collect(),
        ),
        Output::Mask(mask) => Answer::Mask(MaskAnswer {
            classes: mask.classes.clone(),
            indices: mask.indices.clone(),
        }),
        Output::Boxes(boxes) => Answer::Boxes(
            boxes
                .iter()
                .map(|found| BoxAnswer {
                    bbox: found.bbox,
                    class: found.class.clone(),
                    score: found.score,
                })
                .collect(),
        ),
    };
    let results = analysis.results.iter();
    results.map(|r| TaskAnswer { task: r.task.clone(), answer: answer(&r.output) }).collect()
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
