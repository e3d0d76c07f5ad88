//! Makes weight packages: quantization, self-test, model card.
//!
//! [`export`] turns a trained model into a `medley_package::Package` that has loaded and passed its
//! own self-test; [`model_card`] writes what a person should know of it. `medley_package::write_dir`
//! puts it on disk. [`to_onnx`] writes the graph for other engines.

mod error;
mod export;
mod model_card;
mod onnx;
mod quantize;
mod self_test;
mod weights;

pub use error::ExportError;
pub use export::{Description, export};
pub use model_card::model_card;
pub use onnx::{ONNX_EMBEDDING, ONNX_INPUT, to_onnx};
pub use quantize::quantize;
pub use weights::FloatTensors;
