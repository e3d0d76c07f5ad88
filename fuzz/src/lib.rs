//! Hostile bytes for every reader of foreign bytes.
//!
//! [`TARGETS`] are what is done with bytes, [`seeds`] draws good files to begin with, and [`Damage`] spoils them. cargo-fuzz runs
//! the targets with coverage for as long as one likes (`fuzz_targets/`); `tests/short_runs.rs` runs them on damaged seeds,
//! the same ones every time, wherever the other tests run.

mod damage;
pub mod seeds;
mod targets;

pub use damage::Damage;
pub use targets::{
    TARGETS, Target, dicom_frames, dicom_reader, head_file, image_decoding, weight_package,
};
