//! Answers about DICOM images, kept until all of a series are there; the objects are then written.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use medley_dicom::export::{
    CaptureInput, ExportContext, SourceImage, write_secondary_capture, write_segmentation,
    write_structured_report,
};
use medley_dicom::results::{report_of, segmentation_of};
use medley_dicom::{DicomFile, Series, SliceHeader, sort_series};
use medley_infer::{Analysis, Image, Output};

use crate::answered_series::AnsweredSeries;
use crate::dicom_args::{DicomArgs, numbered};
use crate::exit::Fatal;
use crate::{overlay, say};

/// Answers about frames of DICOM files. Only those of series that are not complete are in memory, and no pixels.
pub struct DicomResults<'a> {
    arguments: &'a DicomArgs,
    /// None where no object was asked for.
    context: Option<ExportContext>,
    /// Those of all shares, so that each machine gives the same numbers. Sources are indices of the inputs.
    series: Vec<Series>,
    places: HashMap<(usize, u32), Place>,
    /// Input after which a series is complete, and the series' number.
    last: HashMap<usize, usize>,
    /// Name and header, by input.
    files: HashMap<usize, (String, DicomFile)>,
    /// By input and frame.
    analyses: HashMap<(usize, u32), Analysis>,
    answered: bool,
}

/// Numbers of a slice, from 0. They follow from the headers alone: whether its neighbours can be answered, and where,
/// changes nothing.
#[derive(Clone, Copy)]
struct Place {
    in_series: u32,
    in_all: usize,
}

impl<'a> DicomResults<'a> {
    /// `headers`: of each input, where it is a DICOM image.
    pub fn new(
        headers: Vec<Option<SliceHeader>>,
        arguments: &'a DicomArgs,
        context: Option<ExportContext>,
    ) -> Self {
        let headers = headers.into_iter().enumerate();
        let (inputs, headers): (Vec<usize>, Vec<SliceHeader>) =
            headers.filter_map(|(input, header)| Some((input, header?))).unzip();
        let mut series: Vec<Series> =
            sort_series(&headers).into_iter().flat_map(|study| study.series).collect();
        let (mut places, mut last) = (HashMap::new(), HashMap::new());
        for (number, series) in series.iter_mut().enumerate() {
            for (in_series, slice) in (0..).zip(&mut series.slices) {
                slice.source = inputs[slice.source];
                let place = Place { in_series, in_all: places.len() };
                places.insert((slice.source, slice.frame), place);
            }
            last.extend(series.slices.iter().map(|slice| slice.source).max().map(|i| (i, number)));
        }
        Self {
            arguments,
            context,
            series,
            places,
            last,
            files: HashMap::new(),
            analyses: HashMap::new(),
            answered: false,
        }
    }

    /// Whether a DICOM image of a series was answered.
    pub fn answered(&self) -> bool {
        self.answered
    }

    /// Keeps the answers about a frame of an input, and writes its capture.
    ///
    /// # Errors
    /// An image that lacks what its capture must have, a file that cannot be written.
    pub fn add(
        &mut self,
        input: usize,
        file: &DicomFile,
        frame: u32,
        image: &Image,
        mut analysis: Analysis,
    ) -> Result<()> {
        // A file that is there twice counts once.
        let Some(&place) = self.places.get(&(input, frame)) else { return Ok(()) };
        self.answered = true;
        if let (Some(out), Some(context)) = (&self.arguments.dicom_capture, &self.context) {
            let (canvas, _) = overlay::draw(image, &analysis);
            let capture = CaptureInput {
                source: SourceImage::new(file, frame)?,
                number: place.in_series + 1,
                width: canvas.width(),
                height: canvas.height(),
                rgb: canvas.as_raw(),
            };
            save(&numbered(out, place.in_all), &write_secondary_capture(&capture, context)?)?;
        }
        if self.arguments.dicom_seg.is_none() && self.arguments.dicom_sr.is_none() {
            // Masks have as many values as the pixels, and means over a series are of classes.
            analysis.results.retain(|result| matches!(result.output, Output::Classes(_)));
        }
        self.analyses.insert((input, frame), analysis);
        Ok(())
    }

    /// Keeps the header of an input that was answered.
    pub fn keep(&mut self, input: usize, name: String, file: &DicomFile) {
        if self.places.contains_key(&(input, 0)) {
            self.files.insert(input, (name, file.without_pixels()));
        }
    }

    /// The series that is complete after this input, if there is one with an answer. It is then forgotten here.
    pub fn complete(&mut self, input: usize) -> Option<AnsweredSeries> {
        let number = *self.last.get(&input)?;
        let Series { slices, problems, .. } = &self.series[number];
        let slices: Vec<(usize, u32, Analysis)> = slices
            .iter()
            .filter_map(|slice| {
                let analysis = self.analyses.remove(&(slice.source, slice.frame))?;
                Some((slice.source, slice.frame, analysis))
            })
            .collect();
        let sources = self.series[number].slices.iter().map(|slice| slice.source);
        let files = sources.filter_map(|source| Some((source, self.files.remove(&source)?)));
        let files = files.collect();
        let problems = problems.clone();
        (!slices.is_empty()).then_some(AnsweredSeries { number, problems, files, slices })
    }

    /// Writes the objects that were asked for about a series, under its number.
    ///
    /// # Errors
    /// Images that do not fit together, a file that cannot be written.
    pub fn write(&self, series: &AnsweredSeries) -> Result<()> {
        let Some(context) = &self.context else { return Ok(()) };
        let answers = series.answers();
        let slices = series.slices(&answers)?;
        if let Some(out) = &self.arguments.dicom_seg {
            let bytes = write_segmentation(&segmentation_of(&slices), context)?;
            save(&numbered(out, series.number), &bytes)?;
        }
        if let Some(out) = &self.arguments.dicom_sr {
            let bytes = write_structured_report(&report_of(&slices), context)?;
            save(&numbered(out, series.number), &bytes)?;
        }
        Ok(())
    }
}

fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    fs::write(path, bytes).with_context(failed).context(Fatal)?;
    say::note(format!("wrote {}", path.display()));
    Ok(())
}
