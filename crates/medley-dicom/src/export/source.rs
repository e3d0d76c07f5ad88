//! An image that a result is about.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::build::put_text;
use super::context::ExportContext;
use crate::error::DicomError;
use crate::geometry::Geometry;
use crate::layout::Layout;
use crate::read::DicomFile;

/// A frame of a DICOM image that a result is about; pixels are not kept.
#[derive(Debug, Clone)]
pub struct SourceImage<'a> {
    file: &'a DicomFile,
    class: String,
    instance: String,
    study: String,
    series: String,
    rows: u32,
    columns: u32,
    frames: u32,
    frame: u32,
}

impl<'a> SourceImage<'a> {
    /// Takes a frame, counted from 0.
    ///
    /// # Errors
    /// No image, no such frame, an identifier that is missing.
    pub fn new(file: &'a DicomFile, frame: u32) -> Result<Self, DicomError> {
        let layout = Layout::read(file)?;
        if frame >= layout.frames {
            return Err(DicomError::NoSuchFrame { frame, frames: layout.frames });
        }
        let uid = |name, tag: Tag| {
            let missing = || DicomError::MissingAttribute { name, tag: tag.to_string() };
            file.attributes().text(tag).ok_or_else(missing)
        };
        Ok(Self {
            class: uid("SOPClassUID", tags::SOP_CLASS_UID)?,
            instance: uid("SOPInstanceUID", tags::SOP_INSTANCE_UID)?,
            study: uid("StudyInstanceUID", tags::STUDY_INSTANCE_UID)?,
            series: uid("SeriesInstanceUID", tags::SERIES_INSTANCE_UID)?,
            rows: layout.rows,
            columns: layout.columns,
            frames: layout.frames,
            file,
            frame,
        })
    }

    /// Height in pixels.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Width in pixels.
    pub fn columns(&self) -> u32 {
        self.columns
    }

    /// Square millimetres of a pixel, where the image says so.
    pub fn pixel_area(&self) -> Option<f64> {
        self.geometry().pixel_area()
    }

    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    pub(super) fn study(&self) -> &str {
        &self.study
    }

    pub(super) fn series(&self) -> &str {
        &self.series
    }

    pub(super) fn frame(&self) -> u32 {
        self.frame
    }

    pub(super) fn geometry(&self) -> Geometry {
        self.file.geometry(self.frame)
    }

    /// The frame of reference and its position indicator.
    pub(super) fn frame_of_reference(&self) -> Option<String> {
        self.text(tags::FRAME_OF_REFERENCE_UID)
    }

    pub(super) fn text(&self, tag: Tag) -> Option<String> {
        self.file.attributes().text(tag)
    }

    /// Class and identifier, as in a reference sequence.
    pub(super) fn reference(&self, context: &ExportContext) -> InMemDicomObject {
        let mut item = InMemDicomObject::new_empty();
        put_text(&mut item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, &self.class);
        let instance = context.uid(&self.instance);
        put_text(&mut item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &instance);
        item
    }

    /// As `reference`, with the frame where the image has several.
    pub(super) fn frame_reference(&self, context: &ExportContext) -> InMemDicomObject {
        let mut item = self.reference(context);
        if self.frames > 1 {
            let number = (self.frame + 1).to_string();
            put_text(&mut item, tags::REFERENCED_FRAME_NUMBER, VR::IS, &number);
        }
        item
    }
}
