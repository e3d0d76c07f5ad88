//! A figure for each task: fraction against metric, one line a mode.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use plotters::prelude::*;

use super::file_name;
use super::mode::Mode;
use super::rows::Row;
use super::summary::{Summary, summarise};
use crate::error::TrainError;

const SIZE: (u32, u32) = (640, 420);
const FONT: &str = "sans-serif";
const CAPTION: i32 = 17;
const TEXT: i32 = 13;
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// Lines of one fraction stand beside each other, by this factor, so that their bars can be told apart.
const ASIDE: f64 = 1.025;

/// A mode's colour, of those that Okabe and Ito chose for all kinds of colour vision, and its words.
fn style(mode: Mode) -> (RGBColor, &'static str) {
    match mode {
        Mode::Frozen => (RGBColor(0, 114, 178), "Medley, frozen"),
        Mode::Knn => (RGBColor(86, 180, 233), "Medley, nearest neighbours"),
        Mode::Finetune => (RGBColor(213, 94, 0), "Medley, fine-tuned"),
        Mode::Scratch => (RGBColor(60, 60, 60), "from scratch"),
        Mode::Random => (RGBColor(150, 150, 150), "random encoder, frozen"),
        Mode::ZeroShot => (RGBColor(0, 158, 115), "Medley, zero-shot"),
        Mode::OwnCentre => (RGBColor(204, 121, 167), "on its own centre"),
    }
}

/// Writes `TASK.svg` into `folder` for each task that was learned: mean and standard deviation over the seeds. A
/// zero-shot figure is a level line. Answers the files.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn plot(rows: &[Row], folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    fs::create_dir_all(folder).map_err(|error| TrainError::file(folder, error))?;
    let all = summarise(rows);
    let mut files = Vec::new();
    for first in all.chunk_by(|a, b| a.task == b.task).filter_map(<[Summary]>::first) {
        let task: Vec<&Summary> = all.iter().filter(|summary| summary.task == first.task).collect();
        if task.iter().all(|summary| summary.fraction <= 0.0) {
            continue;
        }
        let path = folder.join(format!("{}.svg", file_name(&first.task)));
        draw(&path, &task).map_err(|error| TrainError::file(&path, error))?;
        files.push(path);
    }
    Ok(files)
}

fn draw<'a>(path: &'a Path, all: &[&Summary]) -> Result<(), Box<dyn Error + 'a>> {
    let learned: Vec<&Summary> = all.iter().copied().filter(|s| s.fraction > 0.0).collect();
    let mut fractions: Vec<f64> = learned.iter().map(|s| s.fraction).collect();
    fractions.sort_by(f64::total_cmp);
    fractions.dedup();
    let (Some(&least), Some(&most), Some(first)) =
        (fractions.first(), fractions.last(), learned.first())
    else {
        return Ok(());
    };
    let (low, high) = limits(all);

    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let text = || (FONT, TEXT).into_font().color(&INK);
    let mut chart = ChartBuilder::on(&area)
        .margin(14)
        .caption(&first.task, (FONT, CAPTION).into_font().color(&INK))
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(
            (least / 1.3..most * 1.3).log_scale().with_key_points(fractions),
            low..high,
        )?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text())
        .axis_desc_style(text())
        .x_desc("training groups, %")
        .y_desc(words(&first.metric))
        .x_label_formatter(&|value| format!("{value}"))
        .y_label_formatter(&|value| format!("{value:.2}"))
        .draw()?;

    let mut modes: Vec<Mode> = learned.iter().map(|s| s.mode).collect();
    modes.sort();
    modes.dedup();
    for (index, &mode) in modes.iter().enumerate() {
        let (colour, words) = style(mode);
        let aside = ASIDE.powf(index as f64 - (modes.len() - 1) as f64 / 2.0);
        let points: Vec<(f64, &Summary)> =
            learned.iter().filter(|s| s.mode == mode).map(|&s| (s.fraction * aside, s)).collect();
        chart
            .draw_series(LineSeries::new(
                points.iter().map(|(x, s)| (*x, s.mean)),
                colour.stroke_width(2),
            ))?
            .label(words)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(points.iter().map(|(x, s)| {
            let (from, to) = (s.mean - s.deviation, s.mean + s.deviation);
            ErrorBar::new_vertical(*x, from, s.mean, to, colour.filled(), 6)
        }))?;
        chart.draw_series(
            points.iter().map(|(x, s)| Circle::new((*x, s.mean), 4, colour.filled())),
        )?;
    }
    for level in all.iter().filter(|s| s.mode == Mode::ZeroShot && s.metric == first.metric) {
        let (colour, words) = style(level.mode);
        let ends = [(least / 1.3, level.mean), (most * 1.3, level.mean)];
        chart
            .draw_series(DashedLineSeries::new(ends, 5, 4, colour.stroke_width(2)))?
            .label(words)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .margin(12)
        .legend_area_size(26)
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .label_font(text())
        .draw()?;
    area.present()?;
    Ok(())
}

/// The range of the metric: all means with their deviations, in whole tenths, within 0..1.
fn limits(all: &[&Summary]) -> (f64, f64) {
    let least = all.iter().map(|s| s.mean - s.deviation).fold(f64::INFINITY, f64::min);
    let most = all.iter().map(|s| s.mean + s.deviation).fold(f64::NEG_INFINITY, f64::max);
    // Room for the legend below the lines.
    let low = ((least - 0.05) * 10.0).floor() / 10.0;
    let high = ((most + 0.02) * 10.0).ceil() / 10.0;
    let low = low.clamp(0.0, 0.9);
    (low, high.clamp(low + 0.1, 1.0))
}

/// A metric as people write it.
fn words(metric: &str) -> &str {
    match metric {
        "macro-f1" => "macro-F1",
        "dice" => "Dice",
        "map50" => "mAP50",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_a_line_for_each_mode_and_a_tick_for_each_fraction() {
        let folder = tempfile::tempdir().unwrap();
        let mut rows = Vec::new();
        for (mode, value) in [(Mode::Frozen, 0.8), (Mode::Scratch, 0.5)] {
            for fraction in [1.0, 10.0, 100.0] {
                for seed in 1..=3 {
                    rows.push(Row {
                        task: "a/b".into(),
                        mode,
                        fraction,
                        seed,
                        n_train: 3,
                        metric: "dice".into(),
                        value: value + seed as f64 * 0.02,
                        source: None,
                        split: None,
                        setup: String::new(),
                    });
                }
            }
        }
        let files = plot(&rows, folder.path()).unwrap();
        assert_eq!(files, [folder.path().join("a-b.svg")]);
        let text = fs::read_to_string(&files[0]).unwrap();
        for wanted in ["Medley, frozen", "from scratch", "Dice", "a/b", "#0072B2"] {
            assert!(text.contains(wanted), "{wanted}");
        }
        for tick in ["1", "10", "100"] {
            assert!(text.contains(&format!(">\n{tick}\n<")), "{tick} in {text}");
        }
    }
}
