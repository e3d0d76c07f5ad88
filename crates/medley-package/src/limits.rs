//! What a reader is willing to take. Each limit is far above what Medley writes and far below what
//! would hurt a phone.

/// The largest shard that Medley writes, in bytes. Common static hosts cap files at 25 MiB.
pub const MAX_SHARD_BYTES: u64 = 24 * 1024 * 1024;

/// The largest package, in bytes: the largest variant in `f32` has a third of it, and 32-bit
/// WebAssembly could not hold more anyway.
pub const MAX_PACKAGE_BYTES: u64 = 1024 * 1024 * 1024;

/// The most shards in one package.
pub const MAX_SHARDS: usize = 1024;

/// The largest safetensors header, in bytes; a nano with three tasks has 16 KiB.
pub const MAX_HEADER_BYTES: u64 = 8 * 1024 * 1024;

/// The largest `manifest.json`, in bytes.
pub const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;

/// The most tensors in one package.
pub const MAX_TENSORS: usize = 16 * 1024;

/// The most axes of a tensor.
pub const MAX_RANK: usize = 8;

/// The longest name of a model, task, tensor or shard, in bytes.
pub const MAX_NAME_CHARS: usize = 256;

/// Sides of the encoder's input are multiples of this, in pixels: the stride of its last stage.
pub const SIDE_MULTIPLE: u32 = 32;

/// The largest side of the encoder's input, in pixels.
pub const MAX_INPUT_SIDE: u32 = 2048;

/// The largest side to which an image is scaled before it is cut into tiles, in pixels.
pub const MAX_LONG_SIDE: u32 = 16_384;
