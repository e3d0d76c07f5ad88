//! A series of DICOM images with all its answers.

use std::collections::HashMap;

use medley_dicom::export::SourceImage;
use medley_dicom::results::{
    Answer, AnsweredSlice, BoxAnswer, ClassAnswer, MaskAnswer, TaskAnswer, pooled_classes,
};
use medley_dicom::{DicomError, DicomFile, SeriesProblem, pool_mean};
use medley_infer::{Analysis, ClassProbability, Output, TaskResult, Timing};
use medley_package::TaskKind;

/// A series of which every file was answered or has failed; at least one slice is answered.
pub struct AnsweredSeries {
    /// Among the series of all shares, from 0.
    pub number: usize,
    /// What is not as it should be.
    pub problems: Vec<SeriesProblem>,
    /// Name and header, by input.
    pub files: HashMap<usize, (String, DicomFile)>,
    /// Input, frame and answers of each slice that has some, from one end to the other.
    pub slices: Vec<(usize, u32, Analysis)>,
}

impl AnsweredSeries {
    /// What it is called: the file of its first slice.
    pub fn name(&self) -> &str {
        let first = self.slices.first().and_then(|(input, ..)| self.files.get(input));
        first.map_or("", |(name, _)| name)
    }

    /// The means over the slices; none of a lone one.
    pub fn pooled(&self) -> Option<Analysis> {
        if self.slices.len() < 2 {
            return None;
        }
        let embeddings = self.slices.iter().map(|(.., analysis)| analysis.embedding.as_slice());
        let embedding = pool_mean(embeddings)?;
        let answers = self.answers();
        let slices: Vec<&[TaskAnswer]> = answers.iter().map(Vec::as_slice).collect();
        let named = |class: ClassAnswer| ClassProbability {
            name: class.name,
            probability: class.probability,
        };
        let results = pooled_classes(&slices).into_iter().map(|(task, classes)| TaskResult {
            task,
            kind: TaskKind::Classification,
            output: Output::Classes(classes.into_iter().map(named).collect()),
        });
        Some(Analysis { results: results.collect(), embedding, timing: Timing::default() })
    }

    /// The answers of each slice in the form that the exports are made of.
    pub fn answers(&self) -> Vec<Vec<TaskAnswer>> {
        self.slices.iter().map(|(.., analysis)| answers(analysis)).collect()
    }

    /// The slices as exports want them, with their `answers`.
    ///
    /// # Errors
    /// An image that lacks what a reference to it must have.
    pub fn slices<'a>(
        &'a self,
        answers: &'a [Vec<TaskAnswer>],
    ) -> Result<Vec<AnsweredSlice<'a>>, DicomError> {
        let files = self.slices.iter().zip(answers).filter_map(|((input, frame, _), answers)| {
            Some((&self.files.get(input)?.1, *frame, answers))
        });
        files
            .map(|(file, frame, answers)| {
                Ok(AnsweredSlice { source: SourceImage::new(file, frame)?, answers })
            })
            .collect()
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
