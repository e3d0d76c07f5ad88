//! What Medley's wasm crates share: what becomes of a panic, and errors on their way to JavaScript.

mod error;
mod panic;

pub use error::{Detail, Value, js_error};
pub use panic::tell_of_panics;
