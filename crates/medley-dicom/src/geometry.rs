//! Where a frame lies in the patient: spacing, position, orientation; of plain and of enhanced objects.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::attributes::Attributes;
use crate::read::DicomFile;

/// Where a frame lies. What the file does not say, or says so that it is of no use, is none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Geometry {
    /// Millimetres between the centres of rows, and of columns; above 0.
    pub spacing: Option<[f64; 2]>,
    /// Centre of the first pixel in the patient, in millimetres: x to the left, y to the back, z to the head.
    pub position: Option<[f64; 3]>,
    /// Directions along a row and along a column, each of length 1.
    pub orientation: Option<[f64; 6]>,
    /// Thickness of the slice in millimetres.
    pub thickness: Option<f64>,
}

impl Geometry {
    /// Direction across the slices: the cross product of row and column direction.
    pub fn normal(&self) -> Option<[f64; 3]> {
        let [rx, ry, rz, cx, cy, cz] = self.orientation?;
        Some([ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx])
    }

    /// Distance along the normal, in millimetres.
    pub fn distance(&self) -> Option<f64> {
        let (normal, position) = (self.normal()?, self.position?);
        Some(normal.iter().zip(position).map(|(n, p)| n * p).sum())
    }

    /// Area of a pixel in square millimetres.
    pub fn pixel_area(&self) -> Option<f64> {
        self.spacing.map(|[rows, columns]| rows * columns)
    }
}

/// The places where an attribute of a frame may be: its own functional groups, the shared ones, the object.
pub(crate) struct FrameScope<'a> {
    own: Option<Attributes<'a>>,
    shared: Option<Attributes<'a>>,
    root: Attributes<'a>,
}

impl<'a> FrameScope<'a> {
    /// The item of a functional group that applies to the frame; the object itself where it has none.
    pub(crate) fn group(&self, group: Tag) -> Attributes<'a> {
        let mut places = [self.own, self.shared].into_iter().flatten();
        places.find_map(|place| place.item(group)).unwrap_or(self.root)
    }
}

impl DicomFile {
    pub(crate) fn scope(&self, frame: u32) -> FrameScope<'_> {
        let root = self.attributes();
        let own = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).get(frame as usize);
        FrameScope {
            own: own.map(Attributes::new),
            shared: root.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE),
            root,
        }
    }

    /// Where a frame lies.
    pub fn geometry(&self, frame: u32) -> Geometry {
        let scope = self.scope(frame);
        let measures = scope.group(tags::PIXEL_MEASURES_SEQUENCE);
        let root = self.attributes();
        // Radiographs state the spacing at the detector.
        let spacing = measures
            .decimals(tags::PIXEL_SPACING)
            .or_else(|| root.decimals(tags::IMAGER_PIXEL_SPACING))
            .or_else(|| root.decimals(tags::NOMINAL_SCANNED_PIXEL_SPACING));
        let spacing = spacing.and_then(|values| <[f64; 2]>::try_from(values).ok());
        let position = scope.group(tags::PLANE_POSITION_SEQUENCE);
        let orientation = scope.group(tags::PLANE_ORIENTATION_SEQUENCE);
        let orientation = orientation.decimals(tags::IMAGE_ORIENTATION_PATIENT);
        Geometry {
            spacing: spacing.filter(|spacing| spacing.iter().all(|&v| v > 0.0)),
            position: position
                .decimals(tags::IMAGE_POSITION_PATIENT)
                .and_then(|values| values.try_into().ok()),
            orientation: orientation
                .and_then(|values| <[f64; 6]>::try_from(values).ok())
                .filter(is_orthonormal),
            thickness: measures.decimal(tags::SLICE_THICKNESS).filter(|&thickness| thickness > 0.0),
        }
    }
}

/// Both directions of length 1 and at right angles, as far as rounded decimals allow.
fn is_orthonormal(values: &[f64; 6]) -> bool {
    const TOLERANCE: f64 = 1e-2;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (row, column) = values.split_at(3);
    (dot(row, row) - 1.0).abs() < TOLERANCE
        && (dot(column, column) - 1.0).abs() < TOLERANCE
        && dot(row, column).abs() < TOLERANCE
}
