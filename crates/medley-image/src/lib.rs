//! The one picture type of Medley, and PNG and JPEG files as such pictures.
//!
//! Files need not be trusted. The format is known by the first bytes, not by a name; the size that the header states
//! is compared with [`MAX_SIDE`] and [`MAX_PIXELS`] before anything is allocated for it; what is cut off or damaged
//! is an [`ImageError`] that says so, never a picture with grey in it.
//!
//! ```
//! use medley_image::{Image, ImageError};
//!
//! let gif = Image::decode(b"GIF89a");
//! assert_eq!(gif, Err(ImageError::UnknownFormat { found: "GIF" }));
//! ```
//!
//! Knows no tensor library, so that readers of files, and those who fuzz them, need not build one. Compiles to
//! WebAssembly.

mod decode;
mod error;
mod image;
mod jpeg;
mod limits;

pub use decode::has_sixteen_bits;
pub use error::ImageError;
pub use image::Image;
pub use limits::{MAX_EXTRAS_BYTES, MAX_PIXELS, MAX_SIDE};
