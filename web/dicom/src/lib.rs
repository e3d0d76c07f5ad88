//! DICOM in the browser: [`medley_dicom`] behind wasm-bindgen, in a wasm file of its own that is fetched only where a
//! DICOM file turns up.
//!
//! Thin on purpose: reading, sorting, showing and writing are [`medley_dicom`]'s, the same code as the command line's.
//! Only ZIP archives are opened here. The npm package around it (`web/ts/dicom`) does the rest.

mod archive;
#[cfg(target_family = "wasm")]
mod c_library;
mod error;
mod image;
mod js;
mod results;
mod server;
mod store;

pub use archive::WasmArchive;
pub use error::WebError;
pub use image::{WasmDicomImage, dicom_info};
pub use results::{WasmResults, pool_rows};
pub use server::{read_found, read_parts, read_stored, web_request};
pub use store::WasmStore;

/// Runs once when the module is started.
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    medley_web_glue::tell_of_panics();
}
