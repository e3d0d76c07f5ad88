//! The parts of visits to a page, side by side: a row of the table for each part, a column for each kind of visit.

use std::fmt::Write as _;

use anyhow::Result;

use crate::rows::{Row, figure};

/// What lies between the kind of a visit and a part of it in [`Row::measure`].
const OF: &str = " visit: ";

/// The rows whose measure is `KIND visit: PART`, in their order; nothing where there are none.
///
/// # Errors
/// None that a text can give.
pub fn visits(rows: &[Row]) -> Result<String> {
    let parts: Vec<_> = rows
        .iter()
        .filter_map(|row| row.measure.split_once(OF).map(|(kind, part)| (row, kind, part)))
        .collect();
    let kinds = unique(parts.iter().map(|(_, kind, _)| *kind));
    if kinds.is_empty() {
        return Ok(String::new());
    }
    let lines = unique(
        parts
            .iter()
            .map(|(row, _, part)| (row.model.as_str(), row.backend.as_str(), row.threads, *part)),
    );
    let mut text = format!("| model | backend | threads | part | {} |\n", kinds.join(" | "));
    writeln!(text, "|---|---|---:|---|{}", "---:|".repeat(kinds.len()))?;
    for line in lines {
        let (model, backend, threads, part) = line;
        write!(text, "| {model} | {backend} | {threads} | {part} |")?;
        for kind in &kinds {
            let found = parts.iter().find(|(row, of, part)| {
                of == kind && line == (row.model.as_str(), row.backend.as_str(), row.threads, *part)
            });
            write!(text, " {} |", found.map_or_else(String::new, |(row, ..)| figure(row)))?;
        }
        text.push('\n');
    }
    Ok(text)
}

/// Each value once, where it is first.
fn unique<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::MEDLEY;

    fn row(measure: &str, threads: u32, median: f64) -> Row {
        Row {
            engine: MEDLEY.into(),
            backend: "wasm".into(),
            threads,
            model: "nano".into(),
            measure: measure.into(),
            median,
            low: median - 1.0,
            high: median + 1.0,
            unit: "ms".into(),
        }
    }

    #[test]
    fn kinds_of_visits_stand_side_by_side_and_what_was_not_measured_is_empty() {
        let rows = [
            row("warm", 1, 1.0),
            row("cold visit: download", 1, 20.0),
            row("cold visit: first answer", 1, 900.0),
            row("warm visit: first answer", 1, 500.0),
            row("cold visit: first answer", 2, 800.0),
        ];
        let expected = "\
| model | backend | threads | part | cold | warm |
|---|---|---:|---|---:|---:|
| nano | wasm | 1 | download | 20.0 ms (19.0–21.0) |  |
| nano | wasm | 1 | first answer | 900.0 ms (899.0–901.0) | 500.0 ms (499.0–501.0) |
| nano | wasm | 2 | first answer | 800.0 ms (799.0–801.0) |  |
";
        assert_eq!(visits(&rows).unwrap(), expected);
    }

    #[test]
    fn without_visits_there_is_no_table() {
        assert_eq!(visits(&[row("warm", 1, 1.0)]).unwrap(), "");
    }
}
