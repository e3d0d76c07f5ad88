//! Figures of Medley and of another engine, their table and their chart.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;
use serde::{Deserialize, Serialize};

/// What Medley is called in the rows.
pub const MEDLEY: &str = "medley";

/// One figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// [`MEDLEY`], or the other engine.
    pub engine: String,
    /// "wasm", "webgpu" or "cpu".
    pub backend: String,
    /// That the engine may use.
    pub threads: u32,
    /// The encoder, or "any".
    pub model: String,
    /// What was measured.
    pub measure: String,
    /// Of all values.
    pub median: f64,
    /// The value at a tenth of them, in order.
    pub low: f64,
    /// The value at nine tenths.
    pub high: f64,
    /// "ms" or "MB".
    pub unit: String,
}

/// Median, tenth and nine tenths of values; not numbers where there are none.
pub fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1) as f64;
    [0.5, 0.1, 0.9]
        .map(|share: f64| sorted.get((share * last).round() as usize).copied().unwrap_or(f64::NAN))
}

/// Medley's median beside the other's, row by row. Where Medley has no threads, one thread stands beside the other's two.
///
/// # Errors
/// None that a text can give.
pub fn table(rows: &[Row], other: &str) -> Result<String> {
    let mut text = format!(
        "| model | backend | measure | threads | Medley | {other} | ratio |\n|---|---|---|---:|---:|---:|---:|\n"
    );
    for row in rows.iter().filter(|row| row.engine != MEDLEY) {
        let like = |ours: &&Row| {
            let same = ours.model == row.model && ours.measure == row.measure;
            ours.engine == MEDLEY && ours.backend == row.backend && same
        };
        let ours = rows.iter().filter(like);
        let Some(ours) = ours.max_by_key(|ours| (ours.threads == row.threads, ours.threads)) else {
            continue;
        };
        let threads = match ours.threads == row.threads {
            true => row.threads.to_string(),
            false => format!("{} / {}", ours.threads, row.threads),
        };
        writeln!(
            text,
            "| {} | {} | {} | {threads} | {} | {} | {:.2} |",
            row.model,
            row.backend,
            row.measure,
            figure(ours),
            figure(row),
            ours.median / row.median
        )?;
    }
    Ok(text)
}

/// Medley's figures that no other engine has, beside which nothing stands; none where there are none.
///
/// # Errors
/// None that a text can give.
pub fn alone(rows: &[Row]) -> Result<Option<String>> {
    let compared =
        |ours: &Row| rows.iter().any(|row| row.engine != MEDLEY && row.measure == ours.measure);
    let own: Vec<&Row> = rows.iter().filter(|row| row.engine == MEDLEY && !compared(row)).collect();
    if own.is_empty() {
        return Ok(None);
    }
    let mut text =
        String::from("| model | backend | threads | measure | Medley |\n|---|---|---:|---|---:|\n");
    for row in own {
        let Row { model, backend, threads, measure, .. } = row;
        writeln!(text, "| {model} | {backend} | {threads} | {measure} | {} |", figure(row))?;
    }
    Ok(Some(text))
}

/// The median with what lies around it, where there is more than one value.
pub(crate) fn figure(row: &Row) -> String {
    if row.low == row.high {
        return format!("{:.2} {}", row.median, row.unit);
    }
    format!("{:.1} {} ({:.1}–{:.1})", row.median, row.unit, row.low, row.high)
}

/// Bars of the warm medians on the CPU with one thread.
///
/// # Errors
/// A file that cannot be written.
pub fn chart(rows: &[Row], title: &str, other: &str, path: &Path) -> Result<()> {
    let mut by_model: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    let warm = |row: &&Row| row.measure == "warm" && row.threads == 1 && row.backend != "webgpu";
    for row in rows.iter().filter(warm) {
        by_model.entry(&row.model).or_default()[usize::from(row.engine != MEDLEY)] = row.median;
    }
    let most = by_model.values().flatten().copied().fold(0.0, f64::max);
    let area = SVGBackend::new(path, (640, 120 + 90 * by_model.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    // Blue and orange are told apart by every kind of eye (Okabe and Ito, 2008).
    let engines = [("Medley", RGBColor(0, 114, 178)), (other, RGBColor(230, 159, 0))];
    let style = ("sans-serif", 15).into_font();
    area.draw_text(title, &style.clone().into(), (16, 16))?;
    for (index, (name, colour)) in engines.iter().enumerate() {
        let x = 330 + 110 * index as i32;
        area.draw(&Rectangle::new([(x, 18), (x + 12, 30)], colour.filled()))?;
        area.draw_text(name, &style.clone().into(), (x + 18, 16))?;
    }
    for (place, (model, medians)) in by_model.iter().enumerate() {
        let top = 56 + 90 * place as i32;
        area.draw_text(model, &style.clone().into(), (16, top + 18))?;
        for (index, (median, (_, colour))) in medians.iter().zip(engines).enumerate() {
            let y = top + 30 * index as i32;
            let end = 110 + (median / most * 430.0) as i32;
            area.draw(&Rectangle::new([(110, y), (end, y + 24)], colour.filled()))?;
            area.draw_text(&format!("{median:.0}"), &style.clone().into(), (end + 6, y + 4))?;
        }
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(engine: &str, threads: u32, median: f64) -> Row {
        Row {
            engine: engine.into(),
            backend: "wasm".into(),
            threads,
            model: "nano".into(),
            measure: "warm".into(),
            median,
            low: median - 1.0,
            high: median + 1.0,
            unit: "ms".into(),
        }
    }

    #[test]
    fn the_same_number_of_threads_stands_side_by_side_where_it_was_measured() {
        let other = [row("other", 1, 10.0), row("other", 2, 5.0)];
        let alone = [&[row(MEDLEY, 1, 8.0)], other.as_slice()].concat();
        let text = table(&alone, "Other").unwrap();
        assert!(text.contains("| 1 | 8.0 ms (7.0–9.0) | 10.0 ms (9.0–11.0) | 0.80 |"), "{text}");
        assert!(text.contains("| 1 / 2 | 8.0 ms (7.0–9.0) | 5.0 ms (4.0–6.0) | 1.60 |"), "{text}");
        let both = [&[row(MEDLEY, 1, 8.0), row(MEDLEY, 2, 4.0)], other.as_slice()].concat();
        assert!(table(&both, "Other").unwrap().contains("| 2 | 4.0 ms (3.0–5.0) |"));
    }

    #[test]
    fn what_has_no_other_engine_stands_alone() {
        let mut own = row(MEDLEY, 1, 8.0);
        own.measure = "prepare".into();
        let rows = [row(MEDLEY, 1, 8.0), row("other", 1, 10.0), own];
        let text = alone(&rows).unwrap().unwrap();
        assert!(text.contains("| nano | wasm | 1 | prepare | 8.0 ms (7.0–9.0) |"), "{text}");
        assert!(!text.contains("warm"), "{text}");
        assert_eq!(alone(&rows[..2]).unwrap(), None);
    }

    #[test]
    fn the_spread_is_that_of_the_values_in_order() {
        let values: Vec<f64> = (0..=10).rev().map(f64::from).collect();
        assert_eq!(spread(&values), [5.0, 1.0, 9.0]);
        assert!(spread(&[])[0].is_nan());
    }
}
