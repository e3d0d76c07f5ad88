//! Layers whose weights were laid out once, for inference: maps with their channels side by side, bias, residual and
//! activation in the pass that computes the sums.

mod attention;
pub(crate) mod conv;
mod double;
mod elementary;
mod halve;
mod integers;
mod norm;
mod product;
mod standardize;
pub(crate) mod tile;
mod wide;
mod winograd;

use std::cell::RefCell;

pub use attention::WindowGrid;
pub(crate) use attention::{Weights, forward as attend};
pub(crate) use conv::{Shape, Weight};
pub(crate) use double::forward as double;
#[cfg(feature = "train")]
pub(crate) use elementary::{gelu_all, gelu_slope_all};
pub(crate) use halve::forward as halve;
pub(crate) use norm::forward as normalize;
pub use product::Activation;
pub(crate) use product::Finish;
pub(crate) use standardize::forward as standardize;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Calls `body` with a piece of scratch memory, whose content is arbitrary. A call within a call gets memory of its own.
fn with_scratch<R>(size: usize, body: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = SCRATCH.take();
    if buffer.len() < size {
        buffer.resize(size, 0.0);
    }
    let result = body(&mut buffer[..size]);
    SCRATCH.set(buffer);
    result
}
