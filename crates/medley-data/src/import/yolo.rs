//! Boxes of YOLO text files: a line `CLASS X Y WIDTH HEIGHT` for each box, in shares of the picture.

use std::fs;
use std::path::{Path, PathBuf};

use medley_package::TaskKind;

use super::error::{Fault, FaultReason, ImportError, SourcePlace};
use super::item::{Answer, Item, Pixels};
use super::layout::{Pair, Partners, below, last, pairs, text};
use super::named_classes;
use super::sink::Sink;
use crate::error::RecordFault;

/// A list of the classes, a name on each line.
const NAMES: &str = "classes.txt";

/// Reads it: `images` and `labels`, with the folders of the splits above or below them, or side by side. A picture
/// without a text file has no boxes. The classes are the plan's, else those of `classes.txt`.
pub(super) fn read(sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let source = sink.plan.source.clone();
    let partners = Partners { folder: "labels", suffix: "", ending: Some("txt") };
    let found = pairs(&source, &partners)?;
    if found.pairs.is_empty() {
        let reason = "expected the folders images and labels, or text files beside pictures";
        return Err(ImportError::Source { path: source, reason: reason.to_string() });
    }
    let classes = match names(&source)? {
        Some(names) if sink.plan.classes.is_none() => names,
        _ => named_classes(sink.plan, "the `names` of data.yaml, or put a classes.txt beside it")?,
    };
    sink.begin(TaskKind::Detection, classes.clone(), found.pairs.len())?;
    for Pair { split, picture, partner } in found.pairs {
        let boxes = partner.as_ref().map_or(Ok(Vec::new()), |file| boxes(file, classes.len()));
        sink.take(boxes.map(|boxes| Item {
            place: SourcePlace::file(partner.as_ref().unwrap_or(&picture)),
            path: below(&source, &picture),
            split,
            pixels: Pixels::File(picture),
            stated: None,
            answer: Answer::Shares(boxes),
        }))?;
    }
    // Beside pictures lie lists too, which are no labels.
    let lists = [NAMES, "train.txt", "val.txt", "test.txt", "README.txt"];
    for orphan in found.orphans.into_iter().filter(|path| !lists.contains(&last(path).as_str())) {
        let of = "of the same name".to_string();
        sink.refuse(SourcePlace::file(orphan).fault(FaultReason::NoPicture(of)));
    }
    Ok(())
}

/// The names in `classes.txt`, if it is there.
fn names(source: &Path) -> Result<Option<Vec<String>>, ImportError> {
    let places: [PathBuf; 2] = [source.join(NAMES), source.join("labels").join(NAMES)];
    let Some(file) = places.iter().find(|path| path.is_file()) else { return Ok(None) };
    let text = text(file)?;
    Ok(Some(
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect(),
    ))
}

/// The boxes of a file, `[x0, y0, x1, y1]` in shares of the picture, each with its class.
fn boxes(file: &Path, classes: usize) -> Result<Vec<([f64; 4], usize)>, Fault> {
    let text = fs::read_to_string(file).map_err(|error| SourcePlace::file(file).fault(error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(index, line)| {
        let place = || SourcePlace::part(file, format!("line {}", index + 1));
        parse(line, classes).map_err(|reason| place().fault(reason))
    });
    parsed.collect()
}

fn parse(line: &str, classes: usize) -> Result<([f64; 4], usize), FaultReason> {
    let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse::<f64>).collect();
    let Ok(&[class, x, y, width, height]) = numbers.as_deref() else {
        return Err(FaultReason::Syntax(format!(
            "found {line:?}; expected five numbers: class, x and y of the centre, width, height (polygons and \
             scores are not read)"
        )));
    };
    if class.fract() != 0.0 {
        return Err(FaultReason::Syntax(format!("the class is {class}; expected a whole number")));
    }
    if class < 0.0 || class >= classes as f64 {
        // Beyond its range a conversion gives the nearest i64, which is no class either.
        return Err(RecordFault::Label { label: class as i64, classes }.into());
    }
    if [x, y, width, height].iter().any(|value| !(0.0..=1.0).contains(value)) {
        return Err(FaultReason::Syntax(format!(
            "found {line:?}; expected shares of the picture, 0 to 1"
        )));
    }
    let corners = [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0];
    Ok((corners, class as usize))
}
