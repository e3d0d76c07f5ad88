//! The model card: what a person should know before using a package, from its own metadata.

use std::fmt::{self, Write};

use medley_package::{Metadata, NOTICE, Presentation, TaskKind, TaskSpec};

/// Markdown text for people, made from `metadata` alone: what the model is, its tasks, what was
/// measured, data with licences, training, limits and intended use.
pub fn model_card(metadata: &Metadata) -> String {
    let mut card = String::new();
    // Writing to a String cannot fail.
    let _ = write_card(&mut card, metadata);
    card
}

fn write_card(card: &mut String, metadata: &Metadata) -> fmt::Result {
    writeln!(card, "# {}\n\n**{NOTICE}**\n", metadata.name)?;
    writeln!(
        card,
        "One model for several kinds of biomedical images: a shared encoder (variant `{}`) turns \
         an image into features, and a small head for each task below answers from them. It runs \
         on the user's own device, in the browser or on the command line; no image leaves it. \
         The weights are stored as int8 with one scale per row and computed with as 32-bit \
         floats.\n",
        metadata.variant
    )?;
    write_tasks(card, &metadata.tasks)?;
    write_quality(card, metadata)?;
    write_data(card, metadata)?;
    write_training(card, metadata)?;
    card.push_str(INTENDED_USE);
    card.push_str(LIMITS);
    writeln!(card, "\n{NOTICE}")
}

const INTENDED_USE: &str = "
## Intended use

Research and teaching: trying out multi-task models on one's own device, comparing them, adapting
them to one's own data, building workflows such as a work list sorted by a class's probability.
Whoever builds on the model measures it on their own data first.

The model is no medical device and makes no diagnosis. Do not use it to decide on the care of a
person.
";

const LIMITS: &str = "
## Limits

- The figures above hold for the named splits of public data sets and say nothing about other
  devices, sites or populations. Where a task has no figure, nothing is known.
- The data sets are small and each task was learned from one source; the model can have learned
  the source's habits (markers, staining, cropping) instead of the finding.
- The model answers every image, also one that shows something else or is no medical image at all.
  It does not say that it does not know.
- Probabilities are to be taken at their word only where a calibration is listed, and only on
  images like those of its data set.
- Nothing was measured on fairness between groups of patients; most of the data sets do not say
  who the patients were.
";

fn write_tasks(card: &mut String, tasks: &[TaskSpec]) -> fmt::Result {
    writeln!(card, "## Tasks\n")?;
    if tasks.is_empty() {
        return writeln!(card, "None: the package holds an encoder to adapt.\n");
    }
    writeln!(card, "| task | answers with | images | classes | input |")?;
    writeln!(card, "|---|---|---|---|---|")?;
    for task in tasks {
        let classes = task.classes.iter().map(|class| cell(class)).collect::<Vec<_>>().join(", ");
        writeln!(
            card,
            "| {} | {} | {} | {classes} | {} |",
            cell(&task.name),
            answer(task),
            cell(&task.modality),
            presentation(task.presentation)
        )?;
    }
    writeln!(card)
}

fn write_quality(card: &mut String, metadata: &Metadata) -> fmt::Result {
    writeln!(card, "## Measured quality\n")?;
    if metadata.quality.is_empty() {
        writeln!(card, "Nothing was measured.\n")?;
    } else {
        writeln!(card, "| task | split | metric | value | images |")?;
        writeln!(card, "|---|---|---|---:|---:|")?;
        for row in &metadata.quality {
            let [task, split, metric] = [&row.task, &row.split, &row.metric].map(|text| cell(text));
            writeln!(card, "| {task} | {split} | {metric} | {:.3} | {} |", row.value, row.n)?;
        }
        writeln!(card)?;
    }
    if metadata.calibration.is_empty() {
        return writeln!(card, "No task's probabilities were calibrated.\n");
    }
    writeln!(card, "Probabilities were calibrated by a temperature:\n")?;
    for row in &metadata.calibration {
        writeln!(card, "- {}: {:.3}", cell(&row.task), row.temperature)?;
    }
    writeln!(card)
}

fn write_data(card: &mut String, metadata: &Metadata) -> fmt::Result {
    writeln!(card, "## Data\n")?;
    if metadata.provenance.datasets.is_empty() {
        return writeln!(card, "Not stated.\n");
    }
    writeln!(card, "| data set | licence | attribution |")?;
    writeln!(card, "|---|---|---|")?;
    for source in &metadata.provenance.datasets {
        let [name, licence, attribution] =
            [&source.name, &source.licence, &source.attribution].map(|text| cell(text));
        writeln!(card, "| {name} | {licence} | {attribution} |")?;
    }
    writeln!(card)
}

fn write_training(card: &mut String, metadata: &Metadata) -> fmt::Result {
    let provenance = &metadata.provenance;
    let or_unknown = |text: &str| if text.is_empty() { "not stated".into() } else { cell(text) };
    writeln!(card, "## Training\n")?;
    writeln!(card, "- Code: {}", or_unknown(&provenance.code_version))?;
    writeln!(card, "- Exported: {}", or_unknown(&provenance.created))?;
    if provenance.training.is_null() {
        return Ok(());
    }
    let training = serde_json::to_string_pretty(&provenance.training).map_err(|_| fmt::Error)?;
    // Longer than any fence that could stand in the JSON's strings.
    let fence = "`".repeat(longest_run(&training, '`').max(2) + 1);
    writeln!(card, "\n{fence}json\n{training}\n{fence}")
}

fn answer(task: &TaskSpec) -> &'static str {
    match (task.kind, task.multi_label) {
        (TaskKind::Classification, false) => "one class",
        (TaskKind::Classification, true) => "any number of classes",
        (TaskKind::Segmentation, _) => "a mask",
        (TaskKind::Detection, _) => "boxes",
    }
}

fn presentation(presentation: Presentation) -> String {
    match presentation {
        Presentation::Whole { size } => format!("whole, {size}²"),
        Presentation::Tiles { size, long_side, overlap } => {
            format!("tiles of {size}², image scaled to {long_side}, overlap {overlap}")
        }
    }
}

/// Text that stays within one cell of a Markdown table and is shown as it is.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' => safe.extend(['\\', c]),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use medley_package::{Calibration, DatasetSource, FORMAT_VERSION, Provenance, Quality};

    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            format_version: FORMAT_VERSION,
            name: "medley-test".into(),
            variant: "nano".into(),
            model: serde_json::json!({}),
            tasks: vec![TaskSpec {
                name: "lungs".into(),
                kind: TaskKind::Segmentation,
                classes: vec!["background".into(), "left|right".into()],
                multi_label: false,
                modality: "radiograph".into(),
                presentation: Presentation::Tiles { size: 64, long_side: 512, overlap: 16 },
            }],
            provenance: Provenance {
                datasets: vec![DatasetSource {
                    name: "drawn".into(),
                    licence: "CC BY 4.0".into(),
                    attribution: "<script>\nA. Person".into(),
                }],
                code_version: "0.1.0".into(),
                created: String::new(),
                training: serde_json::json!({ "note": "a ```` fence" }),
            },
            quality: vec![Quality {
                task: "lungs".into(),
                split: "test".into(),
                metric: "dice".into(),
                value: 0.91249,
                n: 70,
            }],
            calibration: vec![Calibration { task: "lungs".into(), temperature: 1.5 }],
            self_test: None,
            notice: NOTICE.into(),
        }
    }

    #[test]
    fn the_card_names_tasks_figures_data_and_the_notice() {
        let card = model_card(&metadata());
        for line in [
            "# medley-test",
            "**Research use only. Not for diagnostic use.**",
            "| lungs | a mask | radiograph | background, left\\|right | tiles of 64², image scaled \
             to 512, overlap 16 |",
            "| lungs | test | dice | 0.912 | 70 |",
            "- lungs: 1.500",
            "| drawn | CC BY 4.0 | \\<script\\> A. Person |",
            "- Code: 0.1.0",
            "- Exported: not stated",
            "## Intended use",
            "## Limits",
        ] {
            assert!(card.lines().any(|found| found == line), "{line}\n{card}");
        }
        assert!(card.ends_with(&format!("\n{NOTICE}\n")));
    }

    #[test]
    fn the_trainings_json_cannot_end_its_fence() {
        let card = model_card(&metadata());
        assert_eq!(card.matches("`````json\n").count(), 1);
        assert_eq!(card.lines().filter(|line| *line == "`````").count(), 1);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut metadata = metadata();
        metadata.tasks.clear();
        metadata.quality.clear();
        metadata.calibration.clear();
        metadata.provenance = Provenance::default();
        let card = model_card(&metadata);
        for line in [
            "None: the package holds an encoder to adapt.",
            "Nothing was measured.",
            "No task's probabilities were calibrated.",
            "Not stated.",
        ] {
            assert!(card.lines().any(|found| found == line), "{line}\n{card}");
        }
    }
}
