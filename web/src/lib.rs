//! Medley in the browser: one model behind wasm-bindgen.
//!
//! Thin on purpose: every step from bytes to results is [`medley_infer`]'s, the same code as the
//! command line's. This crate turns JavaScript's values into its arguments and its results into
//! JavaScript's values; the npm package around it (`web/ts`) does the rest: worker, fetching,
//! progress, choice of backend.
//!
//! The crate is built four times: without features for the CPU, with `relaxed-simd` for the CPU of browsers that know
//! fused multiply-adds, with `threads` for pages where workers may share memory, and with `webgpu` for the GPU.

mod backend;
mod error;
mod image;
mod model;
mod parity;
mod samples;
mod teach;
#[cfg(feature = "threads")]
mod threads;

pub use error::WebError;
pub use image::WasmImage;
pub use model::WasmModel;
pub use parity::golden_swin_micro;
#[cfg(feature = "threads")]
pub use threads::{run_thread, start_threads};

/// Runs once when the module is started.
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    medley_web_glue::tell_of_panics();
}
