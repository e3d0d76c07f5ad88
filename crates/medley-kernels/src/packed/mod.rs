//! Layers whose weights were laid out once, for inference: maps with their channels side by side, bias, residual and
//! activation in the pass that computes the sums.

mod attention;
pub(crate) mod conv;
mod double;
mod elementary;
mod halve;
mod integers;
mod lanes;
mod norm;
mod product;
mod standardize;
mod swin_block;
pub(crate) mod tile;
mod wide;
mod winograd;

use std::cell::RefCell;
use std::thread::LocalKey;

pub use attention::{MASKED, MIN_LENGTH, WindowGrid};
#[allow(unused_imports, reason = "benches/wasm/layers.rs compiles this module by itself")]
pub(crate) use conv::Weight;
pub(crate) use conv::{Layer, Shape};
pub(crate) use double::forward as double;
#[cfg(feature = "train")]
pub(crate) use elementary::{gelu_all, gelu_slope_all};
pub(crate) use halve::forward as halve;
pub(crate) use norm::forward as normalize;
pub use product::Activation;
#[allow(unused_imports, reason = "benches/wasm/layers.rs compiles this module by itself")]
pub(crate) use product::Finish;
pub(crate) use standardize::forward as standardize;
pub(crate) use swin_block::SwinBlock;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static INTEGERS: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) };
}

/// Calls `body` with a piece of scratch memory, whose content is arbitrary. A call within a call gets memory of its own.
fn with_scratch<R>(size: usize, body: impl FnOnce(&mut [f32]) -> R) -> R {
    with_buffer(&SCRATCH, size, body)
}

/// [`with_scratch`] for integers.
fn with_integers<R>(size: usize, body: impl FnOnce(&mut [i32]) -> R) -> R {
    with_buffer(&INTEGERS, size, body)
}

fn with_buffer<T: Clone + Default, R>(
    kept: &'static LocalKey<RefCell<Vec<T>>>,
    size: usize,
    body: impl FnOnce(&mut [T]) -> R,
) -> R {
    let mut buffer = kept.take();
    if buffer.len() < size {
        buffer.resize(size, T::default());
    }
    let result = body(&mut buffer[..size]);
    kept.set(buffer);
    result
}
