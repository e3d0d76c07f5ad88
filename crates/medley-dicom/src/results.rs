//! From a model's answers about the slices of a series to what is exported of them. Command line and browser share
//! it, so that both write the same objects.

use serde::{Deserialize, Serialize};

use crate::export::{
    Code, Finding, Measurement, Region, ReportInput, Segment, SegmentationInput, SegmentationKind,
    SegmentedSlice, SourceImage, planes_of_labels,
};
use crate::series::pool_mean;

/// What a model answers to one task about one slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskAnswer {
    /// The task.
    pub task: String,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// An answer, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Probabilities of all classes.
    Classes(Vec<ClassAnswer>),
    /// A class for each pixel.
    Mask(MaskAnswer),
    /// Things found.
    Boxes(Vec<BoxAnswer>),
}

/// A class and how probable it is, 0..=1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassAnswer {
    /// The class.
    pub name: String,
    /// 0..=1.
    pub probability: f32,
}

/// A class for each pixel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskAnswer {
    /// Names of the classes; the first is the background.
    pub classes: Vec<String>,
    /// Index of the class of each pixel, row by row. Large, so no JSON carries it.
    #[serde(skip)]
    pub indices: Vec<u8>,
}

/// A thing found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoxAnswer {
    /// `[x0, y0, x1, y1]` in pixels.
    #[serde(rename = "box")]
    pub bbox: [f32; 4],
    /// Its class.
    pub class: String,
    /// 0..=1.
    pub score: f32,
}

/// A slice with all that a model says of it.
#[derive(Debug, Clone)]
pub struct AnsweredSlice<'a> {
    /// The image.
    pub source: SourceImage<'a>,
    /// One entry for each task.
    pub answers: &'a [TaskAnswer],
}

/// All masks of all tasks: each class but the background is a segment.
pub fn segmentation_of<'a>(slices: &[AnsweredSlice<'a>]) -> SegmentationInput<'a> {
    let segments = slices.first().map(|slice| masks(slice.answers)).into_iter().flatten();
    let segments = segments.flat_map(|(task, mask)| {
        mask.classes.iter().skip(1).map(move |class| Segment {
            label: format!("{class} ({task})"),
            ..Segment::of_class(class)
        })
    });
    let slices = slices.iter().map(|slice| SegmentedSlice {
        source: slice.source.clone(),
        planes: masks(slice.answers)
            .flat_map(|(_, mask)| planes_of_labels(&mask.indices, mask.classes.len()))
            .collect(),
    });
    SegmentationInput {
        kind: SegmentationKind::Binary,
        segments: segments.collect(),
        slices: slices.collect(),
    }
}

fn masks(answers: &[TaskAnswer]) -> impl Iterator<Item = (&str, &MaskAnswer)> {
    answers.iter().filter_map(|entry| match &entry.answer {
        Answer::Mask(mask) => Some((entry.task.as_str(), mask)),
        _ => None,
    })
}

/// Classes of the series as a whole, at the slice where each is most probable; boxes and areas of each slice.
pub fn report_of<'a>(slices: &[AnsweredSlice<'a>]) -> ReportInput<'a> {
    let answers: Vec<&[TaskAnswer]> = slices.iter().map(|slice| slice.answers).collect();
    let mut findings = Vec::new();
    for (task, classes) in pooled_classes(&answers) {
        for (index, class) in classes.iter().enumerate() {
            findings.push(Finding {
                image: most_probable(&answers, &task, index),
                task: task.clone(),
                finding: Code::of_class(&class.name),
                probability: Some(class.probability.into()),
                region: None,
                measurements: Vec::new(),
            });
        }
    }
    for (image, slice) in slices.iter().enumerate() {
        for entry in slice.answers {
            let finding = |class: &str| Finding {
                image,
                task: entry.task.clone(),
                finding: Code::of_class(class),
                probability: None,
                region: None,
                measurements: Vec::new(),
            };
            match &entry.answer {
                Answer::Classes(_) => {}
                Answer::Mask(mask) => {
                    let Some(area) = slice.source.pixel_area() else { continue };
                    let counts = mask.classes.iter().zip(counts(mask)).skip(1);
                    findings.extend(counts.filter(|(_, count)| *count > 0).map(
                        |(class, count)| {
                            let measurements = vec![Measurement::area(count as f64 * area)];
                            Finding { measurements, ..finding(class) }
                        },
                    ));
                }
                Answer::Boxes(boxes) => findings.extend(boxes.iter().map(|found| Finding {
                    probability: Some(found.score.into()),
                    region: Some(Region::Box(found.bbox)),
                    ..finding(&found.class)
                })),
            }
        }
    }
    ReportInput { images: slices.iter().map(|slice| slice.source.clone()).collect(), findings }
}

/// How many pixels each class has, in the order of the classes.
fn counts(mask: &MaskAnswer) -> Vec<u64> {
    let mut counts = vec![0; mask.classes.len()];
    for &index in &mask.indices {
        if let Some(count) = counts.get_mut(usize::from(index)) {
            *count += 1;
        }
    }
    counts
}

/// Classes of each classification task, their probabilities the means over the slices.
pub fn pooled_classes(slices: &[&[TaskAnswer]]) -> Vec<(String, Vec<ClassAnswer>)> {
    let Some(first) = slices.first() else { return Vec::new() };
    let tasks = first.iter().filter_map(|entry| match &entry.answer {
        Answer::Classes(classes) => Some((&entry.task, classes)),
        _ => None,
    });
    tasks
        .filter_map(|(task, classes)| {
            let all: Vec<Vec<f32>> =
                slices.iter().filter_map(|slice| probabilities(slice, task)).collect();
            let mean = pool_mean(all.iter().map(Vec::as_slice))?;
            let named = classes
                .iter()
                .zip(mean)
                .map(|(class, probability)| ClassAnswer { name: class.name.clone(), probability });
            Some((task.clone(), named.collect()))
        })
        .collect()
}

fn probabilities(answers: &[TaskAnswer], task: &str) -> Option<Vec<f32>> {
    answers.iter().find(|entry| entry.task == task).and_then(|entry| match &entry.answer {
        Answer::Classes(classes) => Some(classes.iter().map(|c| c.probability).collect()),
        _ => None,
    })
}

/// The slice where a class is most probable: the one to look at first.
fn most_probable(slices: &[&[TaskAnswer]], task: &str, class: usize) -> usize {
    let probability = |answers: &[TaskAnswer]| {
        probabilities(answers, task).and_then(|all| all.get(class).copied()).unwrap_or(0.0)
    };
    let slices = slices.iter().enumerate().map(|(index, answers)| (index, probability(answers)));
    slices.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(values: [f32; 2]) -> Vec<TaskAnswer> {
        let named = ["normal", "malignant"].iter().zip(values);
        let classes =
            named.map(|(name, probability)| ClassAnswer { name: (*name).to_owned(), probability });
        vec![TaskAnswer { task: "lung-ct".into(), answer: Answer::Classes(classes.collect()) }]
    }

    #[test]
    fn probabilities_are_pooled_and_the_slice_to_look_at_is_the_most_probable_one() {
        let slices = [classes([0.5, 0.5]), classes([0.0, 1.0]), classes([0.25, 0.75])];
        let slices: Vec<&[TaskAnswer]> = slices.iter().map(Vec::as_slice).collect();
        let pooled = pooled_classes(&slices);
        assert_eq!(pooled[0].0, "lung-ct");
        assert_eq!(pooled[0].1.iter().map(|c| c.probability).collect::<Vec<_>>(), [0.25, 0.75]);
        assert_eq!([0, 1].map(|class| most_probable(&slices, "lung-ct", class)), [0, 1]);
    }

    #[test]
    fn answers_are_read_from_the_json_of_a_report() {
        let json = r#"[
            {"task":"a","kind":"classification","classes":[{"name":"x","probability":0.5}]},
            {"task":"b","kind":"segmentation","mask":{"classes":["background","lung"]}},
            {"task":"c","kind":"detection","boxes":[{"box":[0,1,2,3],"class":"cell","score":0.75}]}
        ]"#;
        let answers: Vec<TaskAnswer> = serde_json::from_str(json).unwrap();
        let [Answer::Classes(_), Answer::Mask(mask), Answer::Boxes(boxes)] =
            [&answers[0].answer, &answers[1].answer, &answers[2].answer]
        else {
            unreachable!()
        };
        assert_eq!((mask.classes.len(), boxes[0].bbox), (2, [0.0, 1.0, 2.0, 3.0]));
    }
}
