//! Few-shot evaluation: how little data a task needs that pretraining never saw.
//!
//! [`few_shot`] learns each task from parts of its training split, in several modes and with several seeds, and
//! measures each on the whole test split. [`zero_shot`] asks a pretrained head about another centre's images. The
//! protocol, with the reason of each choice, is `docs/few-shot.md`.

mod begin_head;
mod build;
mod census;
mod embed;
mod fit;
mod folds;
mod foundation;
mod leak;
mod mode;
mod neighbours;
mod plot;
mod presentation;
mod probe;
mod protocol;
mod rates;
mod recipe;
mod rows;
mod subset;
mod summary;
mod work;
mod zero_shot;

pub use foundation::Foundation;
pub use mode::Mode;
pub use plot::plot;
pub use protocol::{Ended, Protocol, Run, Watcher, few_shot};
pub use recipe::Recipe;
pub use rows::{Ledger, Row};
pub use summary::{Summary, summarise};
pub use zero_shot::{ClassMap, Twins, zero_shot};

#[cfg(test)]
#[path = "../../tests/drawn/mod.rs"]
#[allow(clippy::unwrap_used)]
mod drawn;
#[cfg(test)]
mod tests;

/// A task's name as part of a file's name.
fn file_name(task: &str) -> String {
    task.chars()
        .map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .collect()
}
