//! Heads that a person teaches with a few examples.
//!
//! The encoder stays as it is. What is learned is one linear layer on its features: on the embedding of
//! whole images ([`fit_images`]), or on the decoder's features of single pixels ([`fit_strokes`]). It is ridge
//! regression on the classes, every class weighing the same, for two reasons: it is solved at once, and
//! what it would answer without each example follows from the same solution, so that the strength of
//! the penalty, the probabilities and the [estimate](Estimate) of the accuracy all come from held-out answers
//! at no cost. (Hoerl and Kennard, 1970; Allen, 1974.)
//!
//! A [`Head`] is a small file: the layer, its classes, the digest of the encoder that it was taught on. It
//! holds no image and no embedding.
//!
//! No tensor library is needed here, and no file system; everything compiles to WebAssembly.

mod error;
mod estimate;
mod file;
mod head;
mod images;
mod ridge;
mod scaling;
mod softmax;
mod strokes;
mod temperature;
#[cfg(test)]
mod testing;
mod weights;

pub use error::HeadError;
pub use estimate::Estimate;
pub use file::{HEAD_FORMAT, MAX_HEAD_BYTES};
pub use head::{Head, Lesson, MAX_CLASSES, Scope};
pub use images::fit_images;
pub use ridge::Fitted;
pub use scaling::Scaling;
pub use softmax::softmax;
pub use strokes::{Stroke, fit_strokes};
