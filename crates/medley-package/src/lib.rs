//! The weight package of Medley: types, reader, writer, digests; from and to bytes, also in the browser.
//!
//! A [`Package`] is one safetensors file, readable by any tool. Weights that were quantized are
//! `I8` with a `<name>.scale` `F32` tensor that holds one factor per index of the first axis, so
//! `weight[i, …] = scale[i] · int8[i, …]`; everything else is `F32`. The file's metadata holds one
//! key, `medley`: the JSON of [`Metadata`]. The self-test lies among the tensors as
//! `self_test.input` and `self_test.output.<task>`.
//!
//! # The scale's axis
//!
//! The factor belongs to the first axis whatever that axis means. For convolutions (`[out, in, h,
//! w]`) it is the output channel, for burn's `Linear` (`[in, out]`) the input feature. Both are
//! right, because int8 is the format of the file only: weights are widened to `f32` once at
//! loading, before any matrix product sees them. One rule keeps readers and writers short.
//!
//! # On disk and on the network
//!
//! The file is cut into consecutive byte ranges, the [shards](Shard), for hosts that cap the size
//! of files. A [`Manifest`], `manifest.json`, lists length and SHA-256 of each shard and of the
//! whole, and the SHA-256 of the weights that all tasks share, which [`read_dir`] compares with them
//! and browsers take at its word. Readers trust nothing else: lengths and digests are checked before the bytes are parsed, and
//! names, shapes, number types and values before a tensor is made. Each failure is a
//! [`PackageError`] that says where it is, what was expected, what was found and what to do.
//!
//! Fields that a reader does not know are ignored; a change that old readers would misread raises
//! [`FORMAT_VERSION`].
//!
//! # WebAssembly
//!
//! Everything but `read_dir` and `write_dir` works without a file system.

mod check;
mod container;
mod digest;
mod error;
mod file;
#[cfg(not(target_family = "wasm"))]
mod folder;
mod limits;
mod manifest;
mod metadata;
mod shared;
mod spec;
mod tensor;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use container::{Package, SELF_TEST_INPUT, SELF_TEST_OUTPUT};
pub use digest::digest;
pub use error::PackageError;
pub use file::FileBytes;
#[cfg(not(target_family = "wasm"))]
pub use folder::{MANIFEST_FILE, read_dir, write_dir};
pub use limits::{
    MAX_HEADER_BYTES, MAX_INPUT_SIDE, MAX_LONG_SIDE, MAX_MANIFEST_BYTES, MAX_NAME_CHARS,
    MAX_PACKAGE_BYTES, MAX_RANK, MAX_SHARD_BYTES, MAX_SHARDS, MAX_TENSORS, SIDE_MULTIPLE,
};
pub use manifest::{MODEL_FILE, Manifest, Shard, split};
pub use metadata::{
    Calibration, DatasetSource, FORMAT_VERSION, Metadata, NOTICE, Provenance, Quality, SelfTestSpec,
};
pub use spec::{Presentation, TaskKind, TaskSpec};
pub use tensor::PackedTensor;
