//! What a file may ask for. Declared sizes are compared with these before anything is allocated for them.

/// Longest file that is read, in bytes. A WebAssembly memory of 4 GiB must hold the file, its data set and a
/// decoded frame beside a model.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Longest data set after inflating, in bytes: a deflated file of some kilobytes can claim any size.
pub const MAX_INFLATED_BYTES: u64 = 1 << 30;

/// Most rows and most columns of a frame; the attributes are 16 bits wide, so this is all that they can say.
pub const MAX_SIDE: u32 = 65_535;

/// Most pixels of one frame. At three 32-bit floats each this is 768 MiB.
pub const MAX_FRAME_PIXELS: u64 = 64 * 1024 * 1024;

/// Most frames of one object.
pub const MAX_FRAMES: u32 = 100_000;

/// Most samples of a pixel: RGB, and one more that is cut off.
pub const MAX_SAMPLES_PER_PIXEL: u16 = 4;

/// Most bytes of one decoded frame: rows × columns × samples × bits allocated.
pub const MAX_FRAME_BYTES: u64 = 512 * 1024 * 1024;

/// Deepest nesting of sequences. Reports nest about ten deep; each level costs stack.
pub const MAX_DEPTH: usize = 64;

/// Most entries of a lookup table: its descriptor has 16 bits, where 0 stands for 65536.
pub const MAX_LUT_ENTRIES: usize = 65_536;
