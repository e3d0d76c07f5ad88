//! What a viewer needs to know of studies, series and slices, and the header in words.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::Serialize;

use crate::display::{Window, WindowShape};
use crate::error::DicomError;
use crate::layout::Layout;
use crate::read::DicomFile;
use crate::series::{SeriesProblem, Slice, Study};

/// All series of one examination.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StudyDescription {
    /// Study Instance UID.
    pub uid: String,
    /// In the order in which their first files came.
    pub series: Vec<SeriesDescription>,
}

/// Slices that belong together.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeriesDescription {
    /// Series Instance UID.
    pub uid: String,
    /// As "CT"; `null` if the files do not say.
    pub modality: Option<String>,
    /// Usual distance between neighbours in millimetres; `null` if the files do not say.
    pub distance: Option<f64>,
    /// What is not as it should be: missing slices, slices at one place, mixed sizes.
    pub problems: Vec<ProblemDescription>,
    /// From one end to the other.
    pub slices: Vec<SliceDescription>,
}

/// What is not as it should be in a series.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProblemDescription {
    /// "missing", "same-place", "same-instance", "orientation" or "sizes".
    pub kind: &'static str,
    /// The slice that it is about, counted from 0: of a gap the one before it.
    pub slice: Option<u32>,
    /// How many are missing.
    pub count: Option<u32>,
    /// In English.
    pub text: String,
}

/// One frame of a file.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SliceDescription {
    /// Index of the file among those that were read.
    pub source: u32,
    /// Frame of the file, counted from 0.
    pub frame: u32,
    /// How many frames the file has.
    pub frames: u32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Whether pixels are brightness and no colours.
    pub grey: bool,
    /// Millimetres between the centres of rows, and of columns; `null` if the file does not say.
    pub spacing: Option<[f64; 2]>,
    /// Square millimetres of a pixel; `null` if the file does not say.
    pub pixel_area: Option<f64>,
    /// Centre of the first pixel in the patient, in millimetres: x to the left, y to the back, z to the head.
    pub position: Option<[f64; 3]>,
    /// Directions along a row and along a column.
    pub orientation: Option<[f64; 6]>,
    /// Thickness in millimetres.
    pub thickness: Option<f64>,
    /// Unit of the values after the modality transform, as "HU"; `null` where nothing says it.
    pub unit: Option<&'static str>,
    /// Windows of the file, the one to begin with first.
    pub windows: Vec<WindowDescription>,
    /// Whether the file shows its grey by a table, which is then what to begin with where there is no window.
    pub table: bool,
}

/// Which values become black, white and what lies between.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowDescription {
    /// In values after the modality transform, as Hounsfield units.
    pub center: f64,
    /// From black to white.
    pub width: f64,
    /// "linear", "linear-exact" or "sigmoid" (PS3.3 C.11.2.1).
    pub shape: &'static str,
    /// What the file calls it, as "LUNG".
    pub name: Option<String>,
}

/// An attribute of the header in words.
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeaderEntry {
    /// Keyword of the standard, as "SliceThickness".
    pub keyword: &'static str,
    /// Group and element, as "(0018,0050)".
    pub tag: String,
    /// Its value.
    pub value: String,
}

/// Attributes of equipment and acquisition. None says who, where or when.
const TECHNICAL: [(Tag, &str); 28] = [
    (tags::MODALITY, "Modality"),
    (tags::IMAGE_TYPE, "ImageType"),
    (tags::ROWS, "Rows"),
    (tags::COLUMNS, "Columns"),
    (tags::NUMBER_OF_FRAMES, "NumberOfFrames"),
    (tags::BITS_STORED, "BitsStored"),
    (tags::PIXEL_REPRESENTATION, "PixelRepresentation"),
    (tags::PHOTOMETRIC_INTERPRETATION, "PhotometricInterpretation"),
    (tags::RESCALE_SLOPE, "RescaleSlope"),
    (tags::RESCALE_INTERCEPT, "RescaleIntercept"),
    (tags::RESCALE_TYPE, "RescaleType"),
    (tags::PIXEL_SPACING, "PixelSpacing"),
    (tags::IMAGER_PIXEL_SPACING, "ImagerPixelSpacing"),
    (tags::SLICE_THICKNESS, "SliceThickness"),
    (tags::SPACING_BETWEEN_SLICES, "SpacingBetweenSlices"),
    (tags::BODY_PART_EXAMINED, "BodyPartExamined"),
    (tags::VIEW_POSITION, "ViewPosition"),
    (tags::PATIENT_POSITION, "PatientPosition"),
    (tags::KVP, "KVP"),
    (tags::EXPOSURE_TIME, "ExposureTime"),
    (tags::X_RAY_TUBE_CURRENT, "XRayTubeCurrent"),
    (tags::CONVOLUTION_KERNEL, "ConvolutionKernel"),
    (tags::SCANNING_SEQUENCE, "ScanningSequence"),
    (tags::REPETITION_TIME, "RepetitionTime"),
    (tags::ECHO_TIME, "EchoTime"),
    (tags::FLIP_ANGLE, "FlipAngle"),
    (tags::MAGNETIC_FIELD_STRENGTH, "MagneticFieldStrength"),
    (tags::LOSSY_IMAGE_COMPRESSION, "LossyImageCompression"),
];

/// Attributes that say who, where or when.
const PERSONAL: [(Tag, &str); 16] = [
    (tags::PATIENT_NAME, "PatientName"),
    (tags::PATIENT_ID, "PatientID"),
    (tags::PATIENT_BIRTH_DATE, "PatientBirthDate"),
    (tags::PATIENT_SEX, "PatientSex"),
    (tags::PATIENT_AGE, "PatientAge"),
    (tags::STUDY_DATE, "StudyDate"),
    (tags::STUDY_TIME, "StudyTime"),
    (tags::STUDY_DESCRIPTION, "StudyDescription"),
    (tags::SERIES_DESCRIPTION, "SeriesDescription"),
    (tags::PROTOCOL_NAME, "ProtocolName"),
    (tags::ACCESSION_NUMBER, "AccessionNumber"),
    (tags::REFERRING_PHYSICIAN_NAME, "ReferringPhysicianName"),
    (tags::INSTITUTION_NAME, "InstitutionName"),
    (tags::STATION_NAME, "StationName"),
    (tags::MANUFACTURER, "Manufacturer"),
    (tags::MANUFACTURER_MODEL_NAME, "ManufacturerModelName"),
];

/// Describes what [`crate::sort_series`] has sorted; `files` are those that the slices' indices count.
///
/// # Errors
/// A file without an image.
pub fn describe_studies(
    studies: &[Study],
    files: &[DicomFile],
) -> Result<Vec<StudyDescription>, DicomError> {
    let describe = |study: &Study| {
        let series = study.series.iter().map(|series| {
            let slices = series.slices.iter().filter_map(|slice| {
                files.get(slice.source).map(|file| describe_slice(file, slice))
            });
            Ok(SeriesDescription {
                uid: series.uid.clone(),
                modality: series.modality.clone(),
                distance: series.spacing,
                problems: series.problems.iter().map(Into::into).collect(),
                slices: slices.collect::<Result<_, DicomError>>()?,
            })
        });
        let series = series.collect::<Result<_, DicomError>>()?;
        Ok(StudyDescription { uid: study.uid.clone(), series })
    };
    studies.iter().map(describe).collect()
}

fn describe_slice(file: &DicomFile, slice: &Slice) -> Result<SliceDescription, DicomError> {
    let layout = Layout::read(file)?;
    let geometry = file.geometry(slice.frame);
    Ok(SliceDescription {
        // At most as many files as a wasm memory holds.
        source: slice.source as u32,
        frame: slice.frame,
        frames: layout.frames,
        width: layout.columns,
        height: layout.rows,
        grey: layout.photometric.is_grey(),
        spacing: geometry.spacing,
        pixel_area: geometry.pixel_area(),
        position: geometry.position,
        orientation: geometry.orientation,
        thickness: geometry.thickness,
        unit: file.value_unit(),
        windows: file.windows(slice.frame).into_iter().map(Into::into).collect(),
        table: file.has_voi_table(slice.frame),
    })
}

impl From<&SeriesProblem> for ProblemDescription {
    fn from(problem: &SeriesProblem) -> Self {
        // Slices of one series are at most as many as a wasm memory holds.
        let (kind, slice, count) = match problem {
            SeriesProblem::Missing { after, count } => {
                ("missing", Some(*after as u32), Some(*count))
            }
            SeriesProblem::SamePlace { first, .. } => ("same-place", Some(*first as u32), None),
            SeriesProblem::SameInstance { .. } => ("same-instance", None, None),
            SeriesProblem::NoCommonOrientation => ("orientation", None, None),
            SeriesProblem::DifferentSizes => ("sizes", None, None),
        };
        Self { kind, slice, count, text: problem.to_string() }
    }
}

impl From<Window> for WindowDescription {
    fn from(window: Window) -> Self {
        let Window { center, width, shape, name } = window;
        let shape = match shape {
            WindowShape::Linear => "linear",
            WindowShape::LinearExact => "linear-exact",
            WindowShape::Sigmoid => "sigmoid",
        };
        Self { center, width, shape, name }
    }
}

impl DicomFile {
    /// What the header says of equipment and acquisition; nothing of it says who, where or when.
    pub fn technical_header(&self) -> Vec<HeaderEntry> {
        self.entries(&TECHNICAL)
    }

    /// What the header says of patient, place and time: for the eyes of whoever asks, never for logs.
    pub fn personal_header(&self) -> Vec<HeaderEntry> {
        self.entries(&PERSONAL)
    }

    fn entries(&self, list: &[(Tag, &'static str)]) -> Vec<HeaderEntry> {
        let attributes = self.attributes();
        let entry = |&(tag, keyword): &(Tag, &'static str)| {
            let value = attributes.text(tag)?.replace('\\', ", ");
            Some(HeaderEntry { keyword, tag: tag.to_string(), value })
        };
        list.iter().filter_map(entry).collect()
    }

    /// Name of the unit of [`DicomFile::modality_values`], where the file says so or the modality leaves no doubt.
    pub fn value_unit(&self) -> Option<&'static str> {
        let stated = self.attributes().text(tags::RESCALE_TYPE);
        match (stated.as_deref(), self.modality().as_deref()) {
            // PS3.3 C.8.2.1.1.2: values of CT are Hounsfield units unless the type says otherwise.
            (Some("HU"), _) | (None, Some("CT")) => Some("HU"),
            _ => None,
        }
    }
}
