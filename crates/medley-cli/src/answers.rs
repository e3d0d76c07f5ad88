//! The answers about one picture as text for people.

use std::collections::BTreeMap;
use std::time::Duration;

use medley_infer::{Analysis, ClassProbability, DetectedBox, Image, Mask, Output};

/// Boxes that are listed one by one; `--json` has them all.
const LISTED: usize = 5;

/// `pixel_area`: square millimetres of a pixel, where they are known. `took`: with decoding and drawing.
pub fn text(
    file: &str,
    model: &str,
    image: &Image,
    analysis: &Analysis,
    pixel_area: Option<f64>,
    took: Duration,
) -> String {
    let (width, height) = (image.width(), image.height());
    let took = took.as_millis();
    let mut lines = vec![format!("{file}  ({width}×{height} pixels, {model}, {took} ms)")];
    let names = analysis.results.iter().map(|result| result.task.chars().count());
    let indent = names.max().unwrap_or(0) + 4;
    for result in &analysis.results {
        let answer = match &result.output {
            Output::Classes(classes) => of_classes(classes),
            Output::Mask(mask) => vec![of_mask(mask, pixel_area)],
            Output::Boxes(boxes) => of_boxes(boxes),
        };
        for (number, line) in answer.iter().enumerate() {
            let name = if number == 0 { format!("  {}", result.task) } else { String::new() };
            lines.push(format!("{name:<indent$}{line}"));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The classes from the most probable down.
fn of_classes(classes: &[ClassProbability]) -> Vec<String> {
    let mut sorted: Vec<&ClassProbability> = classes.iter().collect();
    sorted.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let class = |class: &&ClassProbability| format!("{} {:.3}", class.name, class.probability);
    vec![sorted.iter().map(class).collect::<Vec<_>>().join("   ")]
}

/// The share of each class but the background, which comes first.
fn of_mask(mask: &Mask, pixel_area: Option<f64>) -> String {
    let total = mask.indices.len().max(1) as f64;
    let shares = mask.classes.iter().zip(mask.counts()).skip(1);
    let share = |(class, count): (&String, u64)| {
        let area = pixel_area.map(|area| format!(" ({:.0} mm²)", count as f64 * area));
        let area = area.unwrap_or_default();
        format!("{class} {:.1} % of the image{area}", 100.0 * count as f64 / total)
    };
    shares.map(share).collect::<Vec<_>>().join("   ")
}

fn of_boxes(boxes: &[DetectedBox]) -> Vec<String> {
    if boxes.is_empty() {
        return vec!["no boxes".into()];
    }
    let mut counts = BTreeMap::new();
    for found in boxes {
        *counts.entry(found.class.as_str()).or_insert(0_usize) += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(class, n)| format!("{n} {class}")).collect();
    let mut lines = vec![format!("{}: {}", boxes_of(boxes.len()), counts.join(", "))];
    for DetectedBox { bbox: [x0, y0, x1, y1], class, score, .. } in boxes.iter().take(LISTED) {
        let corners = format!("({x0:.0}, {y0:.0}) to ({x1:.0}, {y1:.0})");
        lines.push(format!("{class} {score:.3}  {corners}"));
    }
    if boxes.len() > LISTED {
        lines.push(format!("and {} more (all with --json)", boxes.len() - LISTED));
    }
    lines
}

fn boxes_of(count: usize) -> String {
    if count == 1 { "1 box".into() } else { format!("{count} boxes") }
}

#[cfg(test)]
mod tests {
    use medley_infer::{TaskResult, Timing};
    use medley_package::TaskKind;

    use super::*;

    #[test]
    fn each_kind_of_answer_reads_well() {
        let class = |name: &str, probability| ClassProbability { name: name.into(), probability };
        let found = DetectedBox {
            bbox: [1.0, 2.0, 30.4, 40.6],
            class: "platelet".into(),
            class_index: 0,
            score: 0.75,
        };
        let result = |task: &str, kind, output| TaskResult { task: task.into(), kind, output };
        let analysis = Analysis {
            results: vec![
                result(
                    "type",
                    TaskKind::Classification,
                    Output::Classes(vec![class("a", 0.25), class("b", 0.75)]),
                ),
                result(
                    "lungs",
                    TaskKind::Segmentation,
                    Output::Mask(Mask {
                        width: 2,
                        height: 2,
                        classes: vec!["background".into(), "lung".into()],
                        indices: vec![0, 1, 0, 0],
                    }),
                ),
                result("cells", TaskKind::Detection, Output::Boxes(vec![found.clone(); 6])),
                result("none", TaskKind::Detection, Output::Boxes(vec![])),
            ],
            embedding: vec![],
            timing: Timing::default(),
        };
        let image = Image::from_gray8(2, 2, &[0; 4]).unwrap();
        let took = Duration::from_millis(7);
        let text = text("a.png", "m", &image, &analysis, Some(2.0), took);
        assert_eq!(
            text,
            "a.png  (2×2 pixels, m, 7 ms)
  type   b 0.750   a 0.250
  lungs  lung 25.0 % of the image (2 mm²)
  cells  6 boxes: 6 platelet
         platelet 0.750  (1, 2) to (30, 41)
         platelet 0.750  (1, 2) to (30, 41)
         platelet 0.750  (1, 2) to (30, 41)
         platelet 0.750  (1, 2) to (30, 41)
         platelet 0.750  (1, 2) to (30, 41)
         and 1 more (all with --json)
  none   no boxes
"
        );
    }
}
