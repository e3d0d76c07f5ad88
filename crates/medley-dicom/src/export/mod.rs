//! Results as DICOM objects: segmentations, structured reports and secondary captures.

mod build;
mod code;
mod colours;
mod content;
mod context;
mod glyphs;
mod secondary_capture;
mod segmentation;
mod source;
mod structured_report;
mod timestamp;
mod uid;

pub use code::Code;
pub use context::{ExportContext, ModelIdentity, Privacy, SelfTestOutcome};
pub use secondary_capture::{CaptureInput, write_secondary_capture};
pub use segmentation::{
    Segment, SegmentationInput, SegmentationKind, SegmentedSlice, planes_of_labels,
    write_segmentation,
};
pub use source::SourceImage;
pub use structured_report::{Finding, Measurement, Region, ReportInput, write_structured_report};
pub use timestamp::Timestamp;
