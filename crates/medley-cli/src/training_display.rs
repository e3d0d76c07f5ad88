//! What a person sees of a training run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use medley_train::{Observer, Score, StepReport, TrainConfig};

use crate::evaluate::table;
use crate::say;

/// Weight of a new value in a running mean: about the last twenty steps count.
const NEW: f64 = 0.05;

/// Losses that stand beside each other.
const COLUMNS: usize = 4;

/// How often a line is written where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Draws a bar and the losses on stderr; where that is no terminal, writes a line now and then.
pub struct TrainingDisplay {
    bar: ProgressBar,
    /// Tasks in the order of the configuration.
    tasks: Vec<String>,
    losses: BTreeMap<String, f64>,
    seconds: Option<f64>,
    images: Option<f64>,
    waited: Option<f64>,
    line: Instant,
}

impl TrainingDisplay {
    /// For a run that has done `step` steps.
    pub fn new(config: &TrainConfig, step: u64) -> Self {
        let bar = ProgressBar::new(config.steps).with_position(step);
        let template = "step {pos}/{len} {wide_bar} {eta} left\n{msg}";
        // A template that does not parse leaves the standard style.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.reset_eta();
        bar.tick();
        Self {
            bar,
            tasks: config.tasks.iter().map(|task| task.name.clone()).collect(),
            losses: BTreeMap::new(),
            seconds: None,
            images: None,
            waited: None,
            line: Instant::now(),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn speed(&self) -> String {
        let seconds = self.seconds.unwrap_or(0.0).max(1e-9);
        let images = self.images.unwrap_or(0.0) / seconds;
        let waiting = 100.0 * self.waited.unwrap_or(0.0) / seconds;
        format!("{images:.1} images/s, {waiting:.0} % waiting for images")
    }

    /// The running means in columns, task by task.
    fn losses(&self) -> String {
        let width = self.tasks.iter().map(|task| task.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for (index, task) in self.tasks.iter().enumerate() {
            let gap = if index % COLUMNS == 0 { "\n" } else { "   " };
            let loss = self.losses.get(task).map_or("  –  ".into(), |loss| format!("{loss:.3}"));
            // Writing to a String cannot fail.
            let _ = write!(text, "{gap}{task:<width$} {loss}");
        }
        text
    }
}

fn mean(old: &mut Option<f64>, new: f64) {
    *old = Some(old.map_or(new, |old| old + NEW * (new - old)));
}

impl Observer for TrainingDisplay {
    fn step(&mut self, report: &StepReport) {
        mean(&mut self.seconds, report.seconds);
        mean(&mut self.images, report.images as f64);
        mean(&mut self.waited, report.waited);
        for (task, loss) in &report.losses {
            let mut value = self.losses.get(task).copied();
            mean(&mut value, f64::from(*loss));
            self.losses.extend(value.map(|value| (task.clone(), value)));
        }
        self.bar.set_position(report.step + 1);
        if !self.bar.is_hidden() {
            let message = format!("{}, losses:{}", self.speed(), self.losses());
            self.bar.set_message(message);
        } else if self.line.elapsed() >= LINE_EVERY {
            self.line = Instant::now();
            let (step, steps) = (report.step + 1, self.bar.length().unwrap_or(0));
            let sum: f64 = self.losses.values().sum();
            let loss = sum / self.losses.len().max(1) as f64;
            say::note(format_args!("step {step}/{steps}: mean loss {loss:.3}, {}", self.speed()));
        }
    }

    fn validated(&mut self, step: u64, scores: &[Score]) {
        let text = format!("validation after step {step}\n{}\n", table(scores));
        self.bar.suspend(|| say::note(text));
    }

    fn saved(&mut self, step: u64) {
        if self.bar.is_hidden() {
            say::note(format_args!("checkpoint after step {step}"));
        }
    }
}
