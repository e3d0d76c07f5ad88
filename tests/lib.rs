//! What several tests across the crates need: a task database that they draw themselves, a model that was
//! never trained, and the way to the real task database.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod drawn;
mod fresh;
mod real;
mod silent;

pub use drawn::{Drawn, MIXED_OR_ALTERNATING, TASKS, config};
pub use fresh::{fresh_model, write_fresh_package};
pub use real::{checkout, real_data, real_dicom};
pub use silent::Silent;
