//! What becomes of a panic.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// A function that the worker defines before it starts this module.
    #[wasm_bindgen(catch, js_namespace = globalThis, js_name = medleyPanicked)]
    fn medley_panicked(message: &str) -> Result<(), wasm_bindgen::JsValue>;
}

/// To be called once when a module is started.
///
/// A panic aborts: the instance is lost, and a future that it happened in is never woken again.
/// The message is handed over while there is still something to hand it over with; the worker
/// rejects what waits and lets itself be replaced.
pub fn tell_of_panics() {
    std::panic::set_hook(Box::new(|info| {
        // Where nobody listens, the trap that follows is all there is.
        let _ = medley_panicked(&info.to_string());
    }));
}
