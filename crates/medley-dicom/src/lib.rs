//! DICOM for Medley: images in, results out. All of it is Rust and compiles to WebAssembly.
//!
//! Reading: files with or without preamble and meta information, the transfer syntaxes of
//! [`TRANSFER_SYNTAXES`], grey of 1 to 32 bits with and without sign, floats, palettes, RGB and YBR; one frame or
//! many, plain and enhanced objects. What a file declares is compared with [`limits`] before anything is
//! allocated for it.
//!
//! ```no_run
//! # fn run(bytes: &[u8]) -> Result<(), medley_dicom::DicomError> {
//! use medley_dicom::{DicomFile, Presentation};
//!
//! let file = DicomFile::parse(bytes)?;
//! let shown = file.display(0, &Presentation::Default)?;
//! println!("{}x{} pixels, {:?}", shown.width, shown.height, file.geometry(0).spacing);
//! # Ok(())
//! # }
//! ```
//!
//! Writing: [`export`] makes segmentations, structured reports and secondary captures of results.
//!
//! [`results`] makes their contents of a model's answers.
//!
//! [`dicomweb`] searches, retrieves and stores on servers.
//!
//! # Privacy
//!
//! No error of this crate repeats a value of a header, and nothing is logged: what identifies a patient stays in
//! the object.

mod attributes;
mod codec;
mod color;
mod describe;
pub mod dicomweb;
mod display;
mod encapsulated;
mod error;
pub mod export;
mod frame;
mod geometry;
mod info;
mod layout;
pub mod limits;
mod lut;
mod read;
pub mod results;
mod samples;
mod series;
mod structure;
mod syntax;

pub use describe::{
    HeaderEntry, ProblemDescription, SeriesDescription, SliceDescription, StudyDescription,
    WindowDescription, describe_studies,
};
pub use display::{DisplayFrame, Presentation, Window, WindowShape};
pub use error::DicomError;
pub use frame::Frame;
pub use geometry::Geometry;
pub use info::{FrameInfo, ImageInfo, Info, info};
pub use layout::{Layout, Photometric, SampleType};
pub use read::DicomFile;
pub use samples::{Samples, Statistics};
pub use series::{
    Series, SeriesProblem, SeriesProgress, Slice, SliceHeader, Study, pool_mean, sort_series,
};
pub use syntax::{TRANSFER_SYNTAXES, TransferSyntax, syntax_table};
