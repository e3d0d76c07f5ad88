//! Progress on stderr, for people: where stderr is no terminal nothing is drawn.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a moving sign moves.
const TICK: Duration = Duration::from_millis(120);

/// A sign that something is going on whose end is not known. It is gone when dropped.
pub fn busy(what: &str) -> Busy {
    let bar = ProgressBar::new_spinner().with_message(format!("{what} …"));
    bar.enable_steady_tick(TICK);
    Busy(bar)
}

/// See [`busy`].
pub struct Busy(ProgressBar);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar over `total` things of a kind, as "images".
pub fn bar(total: usize, things: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    let template = format!("{{prefix}}{{wide_bar}} {{pos}}/{{len}} {things}, {{eta}} left");
    // A template that does not parse leaves the standard style.
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// A bar over parts of some longer work, with what is done now as its message.
pub fn parts(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) =
        ProgressStyle::with_template("{prefix}{wide_bar} {msg} · {percent} %, {eta} left")
    {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.enable_steady_tick(TICK);
    bar
}
