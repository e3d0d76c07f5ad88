//! The way of an image: prepare, encode once, heads, undo the preparation, results.
//!
//! Everything between the bytes of a package and a picture ([`Image`], of the crate `medley-image`, which reads the files)
//! on one side and the results on the other is here, so that the command line, the server and the browser run the same
//! code.
//!
//! ```no_run
//! # async fn run(package: medley_package::Package, device: burn::tensor::Device, bytes: Vec<u8>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use medley_infer::{AnalyzeOptions, Image, Medley, Report};
//!
//! let model = Medley::load(package, &device).await?;
//! assert!(model.self_test().await?.passed, "this device computes something else");
//! let analysis = model.analyze(&Image::decode(&bytes)?, &AnalyzeOptions::default()).await?;
//! println!("{}", Report::new("a.png", &model.metadata().name, "cpu", &analysis)?.to_json()?);
//! # Ok(())
//! # }
//! ```
//!
//! # WebAssembly
//!
//! Built without default features it needs no threads, no clock of the system and no blocking
//! reads: results come back from the device asynchronously. Scaling is plain f32 arithmetic in a
//! fixed order, so that the encoder sees the same bits on every machine.

mod analysis;
mod box_seams;
mod boxes;
mod classes;
mod error;
mod geometry;
mod load;
mod mask;
mod medley;
mod outputs;
mod pixels;
mod prepare;
mod report;
mod resample;
mod self_test;
mod stages;
mod taught;
#[cfg(test)]
mod testing;

pub use analysis::{
    Analysis, AnalyzeOptions, Between, ClassProbability, DISPLAY_THRESHOLD, DetectedBox,
    EVALUATION_THRESHOLD, Mask, Output, TaskResult, Timing,
};
pub use error::InferError;
pub use geometry::{Placement, fit, placements};
pub use load::read_model;
pub use medley::Medley;
pub use medley_image::{Image, ImageError, MAX_PIXELS, MAX_SIDE, has_sixteen_bits};
pub use medley_model::wake_threads;
pub use pixels::PixelFeatures;
pub use prepare::{IGNORE, place_mask, resize, resize_mask, window};
pub use report::{REPORT_FORMAT, Report, ReportMask, ReportOutput, ReportResult};
pub use self_test::{SelfTestReport, self_test_outputs};
