//! Makes weight packages: quantization, self-test, model card.

mod model_card;
mod quantize;

pub use model_card::model_card;
pub use quantize::quantize;
