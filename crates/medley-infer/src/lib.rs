//! The way of an image: decode, prepare, encode once, heads, undo the preparation, results.

mod decode;
mod geometry;
mod image;
mod jpeg;
mod prepare;
mod resample;

pub use geometry::{Placement, fit, placements};
pub use image::{Image, ImageError, MAX_PIXELS, MAX_SIDE};
pub use prepare::{IGNORE, place_mask, resize, resize_mask, window};
