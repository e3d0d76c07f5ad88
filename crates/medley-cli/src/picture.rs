//! A file as the pictures in it: one of a PNG or JPEG, one for each frame of a DICOM object.

use anyhow::Result;
use medley_dicom::{DicomError, DicomFile, Layout, Presentation};
use medley_infer::{Image, ImageError};

/// What was read from a file.
pub enum Pictures {
    /// A PNG or JPEG.
    Plain(Box<Image>),
    /// A DICOM object, and its number of frames.
    Dicom(Box<DicomFile>, u32),
}

impl Pictures {
    /// Knows the kind by the content.
    ///
    /// # Errors
    /// A file of another kind, damaged, or without pixels.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if !DicomFile::is_dicom(bytes) {
            return Ok(Self::Plain(Box::new(Image::decode(bytes)?)));
        }
        let file = DicomFile::parse(bytes)?;
        let frames = Layout::read(&file)?.frames;
        Ok(Self::Dicom(Box::new(file), frames))
    }

    /// Number of pictures.
    pub fn frames(&self) -> u32 {
        match self {
            Self::Plain(_) => 1,
            Self::Dicom(_, frames) => *frames,
        }
    }

    /// One of them, counted from 0, as a viewer shows it.
    ///
    /// # Errors
    /// A frame that does not decode.
    pub fn image(&self, frame: u32) -> Result<Image> {
        match self {
            Self::Plain(image) => Ok(image.as_ref().clone()),
            Self::Dicom(file, _) => {
                let shown = file.display(frame, &Presentation::Default)?;
                Ok(Image::new(shown.width, shown.height, shown.rgb)?)
            }
        }
    }

    /// Square millimetres of a pixel, where the file says so.
    pub fn pixel_area(&self, frame: u32) -> Option<f64> {
        match self {
            Self::Plain(_) => None,
            Self::Dicom(file, _) => file.geometry(frame).pixel_area(),
        }
    }

    /// The DICOM object, if it is one.
    pub fn dicom(&self) -> Option<&DicomFile> {
        match self {
            Self::Plain(_) => None,
            Self::Dicom(file, _) => Some(file),
        }
    }
}

/// Whether an error says that the file is no picture at all: in a folder such files are passed over.
pub fn is_no_picture(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ImageError::UnknownFormat { .. }))
        || matches!(error.downcast_ref(), Some(DicomError::NoImage { .. }))
}
