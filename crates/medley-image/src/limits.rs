//! What a file may ask for. Declared sizes are compared with these before anything is allocated for them.

/// Longest side of a picture, in pixels.
pub const MAX_SIDE: u32 = 16_384;

/// Most pixels of a picture. At three floats each this is 768 MiB, the most that a 32-bit
/// WebAssembly memory can hold beside a model.
pub const MAX_PIXELS: u64 = 64 * 1024 * 1024;

/// Most memory for what a PNG holds beside its pixels (profiles, texts), in bytes: a text of some
/// kilobytes can claim to inflate to any length.
pub const MAX_EXTRAS_BYTES: u64 = 64 * 1024 * 1024;
