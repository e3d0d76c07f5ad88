//! The weight package of Medley: types, reader, writer, digests; from and to bytes, also in the browser.

mod spec;

pub use spec::{Presentation, TaskKind, TaskSpec};
