//! The plot of a run, `losses.svg`: each task's loss and its figures on the validation split, side by side.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::error::TrainError;
use crate::files;
use crate::log::History;

const PLOT: &str = "losses.svg";

/// Tasks beside each other; each has two panels.
const COLUMNS: usize = 2;

/// Width and height of a panel, in pixels.
const PANEL: (u32, u32) = (300, 180);

/// Height of the line above the panels, in pixels.
const TITLE: u32 = 28;

/// Pieces into which a panel's steps are cut; more than this cannot be told apart.
const PIECES: usize = 250;

/// Share of the losses that the axis reaches over: the rest are a few high ones of the beginning.
const SHOWN: f64 = 0.99;

const COLOURS: [RGBColor; 3] =
    [RGBColor(31, 97, 168), RGBColor(208, 108, 22), RGBColor(44, 130, 60)];

/// Why a plot was not drawn.
type Failed = Box<dyn std::error::Error>;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A line of a panel: steps done and values, in order.
type Series = Vec<(u64, f64)>;

/// Draws the run in `folder` anew from its log.
pub(crate) fn draw(folder: &Path) -> Result<(), TrainError> {
    let history = History::read(folder)?;
    if history.losses.is_empty() {
        return Ok(());
    }
    let path = folder.join(PLOT);
    let svg = svg(&history).map_err(|error| TrainError::write(&path, error))?;
    files::replace(&path, svg.as_bytes())
}

fn svg(history: &History) -> Result<String, Failed> {
    let tasks = tasks(history);
    let rows = tasks.len().div_ceil(COLUMNS);
    let steps = history.steps();
    let window = (steps as usize / 40).clamp(5, 200);
    let mut text = String::new();
    {
        let columns = 2 * COLUMNS;
        let size = (PANEL.0 * columns as u32, TITLE + PANEL.1 * rows as u32);
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&WHITE)?;
        let title = format!(
            "{steps} steps. Loss: faint, each step; strong, mean of {window} steps. Right of it: the validation split."
        );
        let (head, body) = root.split_vertically(TITLE);
        head.draw_text(&title, &font(13).color(&BLACK), (10, 9))?;
        let panels = body.split_evenly((rows, columns));
        for (task, panels) in tasks.iter().zip(panels.chunks(2)) {
            let [left, right] = panels else { continue };
            loss_panel(left, task, &losses(history, task), steps, window)?;
            figures_panel(right, &figures(history, task), steps)?;
        }
        root.present()?;
    }
    Ok(text)
}

/// In the order in which they first took part.
fn tasks(history: &History) -> Vec<String> {
    let mut tasks: Vec<String> = Vec::new();
    for (task, _) in history.losses.values().flatten() {
        if !tasks.contains(task) {
            tasks.push(task.clone());
        }
    }
    tasks
}

fn losses(history: &History, task: &str) -> Series {
    let of = |losses: &[(String, f32)]| losses.iter().find(|(name, _)| name == task).map(|l| l.1);
    let all = history.losses.iter();
    all.filter_map(|(step, losses)| Some((step + 1, f64::from(of(losses)?)))).collect()
}

/// Each metric's name and values.
fn figures(history: &History, task: &str) -> Vec<(String, Series)> {
    let mut figures: Vec<(String, Series)> = Vec::new();
    for (step, scores) in &history.validations {
        for score in scores.iter().filter(|score| score.task == task) {
            let point = (*step, score.value);
            match figures.iter_mut().find(|(metric, _)| *metric == score.metric) {
                Some((_, series)) => series.push(point),
                None => figures.push((score.metric.clone(), vec![point])),
            }
        }
    }
    figures
}

fn font(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().into()
}

fn loss_panel(
    area: &Area<'_>,
    task: &str,
    losses: &[(u64, f64)],
    steps: u64,
    window: usize,
) -> Result<(), Failed> {
    let mut sorted: Vec<f64> = losses.iter().map(|&(_, loss)| loss).collect();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() as f64 * SHOWN) as usize;
    let top = sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(1.0);
    let top = 1.1 * top.max(1e-3);
    let mut chart = panel(area, &format!("{task}, loss"), steps, top)?;
    let at = |(step, loss): (u64, f64)| (step as f64, loss.min(top));
    let colour = COLOURS[0];
    chart.draw_series(LineSeries::new(extremes(losses).into_iter().map(at), colour.mix(0.3)))?;
    let mean = thinned(&trailing_mean(losses, window));
    chart.draw_series(LineSeries::new(mean.into_iter().map(at), colour.stroke_width(2)))?;
    Ok(())
}

fn figures_panel(area: &Area<'_>, figures: &[(String, Series)], steps: u64) -> Result<(), Failed> {
    if figures.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = figures.iter().map(|(metric, _)| metric.as_str()).collect();
    let mut chart = panel(area, &names.join(", "), steps, 1.0)?;
    for ((metric, series), colour) in figures.iter().zip(COLOURS.iter().cycle()) {
        let points = series.iter().map(|&(step, value)| (step as f64, value));
        let line = LineSeries::new(points, colour.stroke_width(2)).point_size(2);
        let key = |(x, y)| PathElement::new([(x, y), (x + 12, y)], colour.stroke_width(2));
        chart.draw_series(line)?.label(metric).legend(key);
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .label_font(font(10))
        .draw()?;
    Ok(())
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// Axes from 0 to `steps` and from 0 to `top`, with a caption.
fn panel<'a, 'b>(
    area: &'a Area<'b>,
    caption: &str,
    steps: u64,
    top: f64,
) -> Result<Chart<'a, 'b>, Failed> {
    let mut chart = ChartBuilder::on(area)
        .caption(caption, font(12))
        .margin(8)
        .x_label_area_size(18)
        .y_label_area_size(34)
        .build_cartesian_2d(0.0..steps as f64, 0.0..top)?;
    chart
        .configure_mesh()
        .x_labels(4)
        .y_labels(4)
        .max_light_lines(1)
        .bold_line_style(BLACK.mix(0.1))
        .light_line_style(TRANSPARENT)
        .axis_style(BLACK.mix(0.4))
        .label_style(font(10))
        .x_label_formatter(&|step| format!("{step:.0}"))
        .y_label_formatter(&|value| format!("{value:.2}"))
        .draw()?;
    Ok(chart)
}

/// The mean of each value and the `window` − 1 before it.
fn trailing_mean(series: &[(u64, f64)], window: usize) -> Series {
    let mean = |index: usize| {
        let part = &series[(index + 1).saturating_sub(window)..=index];
        part.iter().map(|&(_, value)| value).sum::<f64>() / part.len() as f64
    };
    (0..series.len()).map(|index| (series[index].0, mean(index))).collect()
}

/// Lowest and highest value of each piece, so that no peak is lost.
fn extremes(series: &[(u64, f64)]) -> Series {
    let by_value = |a: &&(u64, f64), b: &&(u64, f64)| a.1.total_cmp(&b.1);
    let piece = |piece: &[(u64, f64)]| {
        let (low, high) = (piece.iter().min_by(by_value), piece.iter().max_by(by_value));
        let mut both: Series = low.into_iter().chain(high).copied().collect();
        both.sort_by_key(|point| point.0);
        both.dedup();
        both
    };
    series.chunks(series.len().div_ceil(PIECES).max(1)).flat_map(piece).collect()
}

/// The first value and the last one of each piece.
fn thinned(series: &[(u64, f64)]) -> Series {
    let pieces = series.chunks(series.len().div_ceil(PIECES).max(1));
    let mut thin: Series = series.first().copied().into_iter().collect();
    thin.extend(pieces.filter_map(|piece| piece.last().copied()));
    thin.dedup();
    thin
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Score;

    fn history(steps: u64) -> History {
        let mut history = History::default();
        for step in 0..steps {
            let losses =
                vec![("lungs".to_owned(), 1.0 / (step + 1) as f32), ("nuclei".into(), 0.5)];
            history.losses.insert(step, losses);
        }
        let score = |metric: &str| Score {
            task: "lungs".into(),
            split: "val".into(),
            metric: metric.into(),
            value: 0.5,
            n: 4,
        };
        history.validations.insert(steps, vec![score("dice"), score("dice-pooled")]);
        history
    }

    #[test]
    fn a_plot_names_every_task_and_figure() {
        let svg = svg(&history(100)).unwrap();
        for word in ["lungs, loss", "nuclei, loss", "dice, dice-pooled", "mean of 5 steps"] {
            assert!(svg.contains(word), "{word:?} is missing");
        }
        assert_eq!(svg.matches("</svg>").count(), 1);
    }

    #[test]
    fn a_long_run_gives_no_longer_a_plot_and_keeps_its_peaks() {
        let series: Series =
            (0..100_000).map(|step| (step, f64::from(u8::from(step == 777)))).collect();
        let drawn = extremes(&series);
        assert!(drawn.len() <= 2 * PIECES && drawn.contains(&(777, 1.0)));
        assert!(thinned(&series).len() <= PIECES + 1);
        // Two panels' lines of some 20 bytes a point.
        assert!(svg(&history(20_000)).unwrap().len() < 100_000);
    }

    #[test]
    fn a_trailing_mean_begins_with_what_there_is() {
        let mean = trailing_mean(&[(1, 4.0), (2, 2.0), (3, 0.0)], 2);
        assert_eq!(mean, [(1, 4.0), (2, 3.0), (3, 1.0)]);
    }
}
