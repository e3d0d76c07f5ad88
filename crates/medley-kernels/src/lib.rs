//! Layers as an extension of burn: on the CPU convolution forward and backward, and the layers of both encoders for
//! inference; on every device, in training, batch normalisation and Swin's windows and attention as one operation each, linear
//! layers and norms whose gradients have no long sums, and the optimizer's update of a parameter.
//!
//! burn's CPU device computes the gradient of a convolution's weights as a convolution with a kernel of the
//! picture's size, and a batch normalisation as a dozen passes over memory. Training spends most of its time
//! there. The functions here compute the same numbers (up to the order of additions) in fewer passes: patches of a
//! few rows that fit the processor's cache, one matrix product for each, and two passes for the normalisation
//! with its rectifier. On any other device a convolution is burn's own, or patches and one matrix product where a GPU likes
//! that better.
//!
//! For inference, [`PackedConv`] and [`PackedSwinBlock`] lay weights out once and keep maps with their channels side by
//! side: one matrix kernel computes convolutions (by Winograd's transforms where they save time), linear layers and
//! attention, and adds bias, residual and activation while the sums are in registers. docs/performance.md has the figures.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//!
//! let device = Device::flex();
//! let image = Tensor::<4>::ones([1, 3, 8, 8], &device);
//! let weight = Tensor::<4>::ones([4, 3, 3, 3], &device);
//! let output = medley_kernels::conv2d(image, weight, None, 2);
//! assert_eq!(output.dims(), [1, 4, 4, 4]);
//! ```
//!
//! `cargo bench -p medley-kernels` compares training's kernels with burn's, layer by layer;
//! `node crates/medley-kernels/benches/wasm/run.mjs` times the layers for inference in WebAssembly.

#![cfg_attr(
    not(feature = "train"),
    allow(dead_code, reason = "gradients have no use in the browser")
)]

#[cfg(feature = "train")]
mod attention_ops;
#[cfg(feature = "train")]
mod batch_norm;
#[cfg(feature = "train")]
mod batch_norm_ops;
mod conv;
#[cfg(any(feature = "cuda", feature = "vulkan", feature = "wgpu"))]
mod cube;
mod dense;
mod depthwise;
mod extension;
#[cfg(any(feature = "cuda", feature = "vulkan"))]
mod gpu;
#[cfg(feature = "wgpu")]
mod gpu_layers;
#[cfg(feature = "train")]
mod gradients;
mod inference;
mod matmul;
#[cfg(feature = "train")]
mod optimizer;
mod packed;
mod parallel;
#[cfg(feature = "train")]
mod patch_ops;
mod patches;
#[cfg(feature = "train")]
mod row_ops;
mod rows;
mod swin_block;
mod team;
#[cfg(feature = "train")]
mod unrolled;
#[cfg(feature = "train")]
mod window_ops;

#[cfg(feature = "train")]
pub use attention_ops::cosine_attention;
#[cfg(feature = "train")]
pub use batch_norm_ops::{BatchNormOutput, batch_norm};
pub use dense::dense;
pub use extension::{conv2d, depthwise_conv2d};
#[cfg(feature = "wgpu")]
pub use gpu_layers::{gpu_linear, gpu_norm, gpu_window_attention, serves_gpu};
pub use inference::{PackedConv, double, halve, is_plain_cpu, layer_norm, standardize};
#[cfg(feature = "train")]
pub use optimizer::{AdamWStep, adamw, towards};
pub use packed::{Activation, MASKED, MIN_LENGTH, WindowGrid};
pub use rows::{gelu, group_norm_in_groups, in_parts, layer_norm_over_rows, linear_over_rows};
pub use swin_block::{PackedLinear, PackedSwinBlock, SwinBlockParts};
pub use team::wake_threads;
#[cfg(feature = "train")]
pub use window_ops::{cut_windows, join_windows};
