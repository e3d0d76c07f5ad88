//! Medley in the browser: one model behind wasm-bindgen.
