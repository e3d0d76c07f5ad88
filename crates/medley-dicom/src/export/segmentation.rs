//! Segmentation objects (PS3.3 A.51): binary and fractional, of several segments.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::build::{put_decimals, put_longs, put_text, put_words, sequence, to_file};
use super::code::{Code, cut};
use super::colours;
use super::context::ExportContext;
use super::source::SourceImage;
use crate::error::DicomError;
use medley_package::NOTICE;

const SEGMENTATION_STORAGE: &str = "1.2.840.10008.5.1.4.1.1.66.4";
/// The value that stands for 1 in fractional segmentations.
const FULL: u8 = 255;

/// How pixels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentationKind {
    /// One bit: 0 outside, all else inside.
    Binary,
    /// Eight bits: a probability, where 255 stands for 1.
    Fractional,
}

/// One of the things that are segmented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its name, as "lung".
    pub label: String,
    /// The category, as Anatomical Structure.
    pub category: Code,
    /// What it is.
    pub property: Code,
}

impl Segment {
    /// The segment of a model's class, with its codes.
    pub fn of_class(name: &str) -> Self {
        Self {
            label: name.to_owned(),
            category: Code::category_of_class(name),
            property: Code::of_class(name),
        }
    }
}

/// One slice: for each segment, a value for every pixel of the image, row by row.
#[derive(Debug, Clone)]
pub struct SegmentedSlice<'a> {
    /// The image.
    pub source: SourceImage<'a>,
    /// `[segments][rows × columns]`.
    pub planes: Vec<Vec<u8>>,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub struct SegmentationInput<'a> {
    /// How pixels are stored.
    pub kind: SegmentationKind,
    /// The segments, in the order of the planes; at least one.
    pub segments: Vec<Segment>,
    /// At least one; all of one study and of one size.
    pub slices: Vec<SegmentedSlice<'a>>,
}

/// Planes of 0 and 1 from an index of the class for each pixel; class 0 is the background and gets none.
pub fn planes_of_labels(indices: &[u8], classes: usize) -> Vec<Vec<u8>> {
    (1..classes)
        .map(|class| indices.iter().map(|&index| u8::from(usize::from(index) == class)).collect())
        .collect()
}

/// Writes a segmentation object. Frames in which a segment has no pixel are left out.
///
/// # Errors
/// No slice or segment, planes of another number or size, slices of different studies or sizes.
pub fn write_segmentation(
    input: &SegmentationInput<'_>,
    context: &ExportContext,
) -> Result<Vec<u8>, DicomError> {
    let first = &check(input)?.source;
    let sources: Vec<SourceImage<'_>> =
        input.slices.iter().map(|slice| slice.source.clone()).collect();
    let place = Place::of(&sources);
    let frames = frames(input);
    let content: Vec<String> = input
        .segments
        .iter()
        .map(|segment| segment.label.clone())
        .chain(sources.iter().map(|source| format!("{}/{}", source.instance(), source.frame())))
        .collect();
    let mut object =
        context.begin(first, SEGMENTATION_STORAGE, "SEG", "Segmentation", &content.join("\n"));
    if let Some(uid) = first.frame_of_reference() {
        put_text(&mut object, tags::FRAME_OF_REFERENCE_UID, VR::UI, &context.uid(&uid));
        put_text(&mut object, tags::POSITION_REFERENCE_INDICATOR, VR::LO, "");
    }
    context.references(&mut object, &sources);
    image(&mut object, input, first, frames.len());
    sequence(&mut object, tags::SEGMENT_SEQUENCE, segments(input, context));
    if place == Place::Stack {
        put_text(&mut object, tags::PATIENT_ORIENTATION, VR::CS, "");
    }
    dimensions(&mut object, context, first, place);
    shared_groups(&mut object, first, place);
    let positions = positions(&sources, place);
    let groups = frames.iter().map(|&(slice, segment)| {
        frame_groups(&sources[slice], context, place, positions[slice], segment)
    });
    sequence(&mut object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, groups.collect());
    let pixels = pixels(input, &frames);
    let vr = if input.kind == SegmentationKind::Binary { VR::OW } else { VR::OB };
    let value = match input.kind {
        SegmentationKind::Binary => PrimitiveValue::U16(
            pixels.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(),
        ),
        SegmentationKind::Fractional => PrimitiveValue::U8(pixels.into()),
    };
    object.put(DataElement::new(tags::PIXEL_DATA, vr, value));
    to_file(object)
}

fn check<'a, 'b>(input: &'a SegmentationInput<'b>) -> Result<&'a SegmentedSlice<'b>, DicomError> {
    let wrong = |reason: String| DicomError::BadResult { reason };
    let first = input.slices.first().ok_or_else(|| wrong("there is no slice".into()))?;
    if input.segments.is_empty() || input.segments.len() > usize::from(u16::MAX) {
        return Err(wrong("expected 1 to 65535 segments".into()));
    }
    for (index, slice) in input.slices.iter().enumerate() {
        let source = &slice.source;
        if (source.rows(), source.columns()) != (first.source.rows(), first.source.columns()) {
            return Err(wrong(format!("slice {index} differs in size from the first")));
        }
        if source.study() != first.source.study() {
            return Err(wrong(format!("slice {index} is of another study than the first")));
        }
        let pixels = source.rows() as usize * source.columns() as usize;
        if slice.planes.len() != input.segments.len()
            || slice.planes.iter().any(|plane| plane.len() != pixels)
        {
            return Err(wrong(format!(
                "slice {index} should have {} planes of {pixels} values",
                input.segments.len()
            )));
        }
    }
    Ok(first)
}

/// What tells frames of a segment apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The position in the patient.
    Patient,
    /// The number in the stack: the images do not say where they lie.
    Stack,
}

impl Place {
    fn of(sources: &[SourceImage<'_>]) -> Self {
        let known = |source: &SourceImage<'_>| {
            let geometry = source.geometry();
            source.frame_of_reference().is_some()
                && geometry.position.is_some()
                && geometry.orientation.is_some()
                && geometry.spacing.is_some()
        };
        if sources.iter().all(known) { Self::Patient } else { Self::Stack }
    }
}

/// Slice and segment of each frame; one empty frame where all are.
fn frames(input: &SegmentationInput<'_>) -> Vec<(usize, usize)> {
    let all = (0..input.segments.len())
        .flat_map(|segment| (0..input.slices.len()).map(move |slice| (slice, segment)));
    let kept: Vec<(usize, usize)> = all
        .filter(|&(slice, segment)| input.slices[slice].planes[segment].iter().any(|&v| v != 0))
        .collect();
    if kept.is_empty() { vec![(0, 0)] } else { kept }
}

/// Rank of each slice along the normal, from 1 on, for the dimension index.
fn positions(sources: &[SourceImage<'_>], place: Place) -> Vec<u32> {
    let mut order: Vec<usize> = (0..sources.len()).collect();
    if place == Place::Patient {
        let distances: Vec<f64> =
            sources.iter().map(|source| source.geometry().distance().unwrap_or_default()).collect();
        order.sort_by(|&a, &b| distances[a].total_cmp(&distances[b]));
    }
    let mut ranks = vec![0; sources.len()];
    for (rank, &slice) in order.iter().enumerate() {
        ranks[slice] = rank as u32 + 1;
    }
    ranks
}

fn image(
    object: &mut InMemDicomObject,
    input: &SegmentationInput<'_>,
    first: &SourceImage<'_>,
    frames: usize,
) {
    put_text(object, tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY");
    put_text(object, tags::CONTENT_LABEL, VR::CS, "SEGMENTATION");
    put_text(object, tags::CONTENT_DESCRIPTION, VR::LO, NOTICE);
    put_text(object, tags::CONTENT_CREATOR_NAME, VR::PN, "Medley^Model");
    put_text(object, tags::LOSSY_IMAGE_COMPRESSION, VR::CS, lossy(first));
    put_words(object, tags::SAMPLES_PER_PIXEL, &[1]);
    put_text(object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    put_text(object, tags::NUMBER_OF_FRAMES, VR::IS, &frames.to_string());
    put_words(object, tags::ROWS, &[first.rows() as u16]);
    put_words(object, tags::COLUMNS, &[first.columns() as u16]);
    let bits = if input.kind == SegmentationKind::Binary { 1 } else { 8 };
    put_words(object, tags::BITS_ALLOCATED, &[bits]);
    put_words(object, tags::BITS_STORED, &[bits]);
    put_words(object, tags::HIGH_BIT, &[bits - 1]);
    put_words(object, tags::PIXEL_REPRESENTATION, &[0]);
    match input.kind {
        SegmentationKind::Binary => put_text(object, tags::SEGMENTATION_TYPE, VR::CS, "BINARY"),
        SegmentationKind::Fractional => {
            put_text(object, tags::SEGMENTATION_TYPE, VR::CS, "FRACTIONAL");
            put_text(object, tags::SEGMENTATION_FRACTIONAL_TYPE, VR::CS, "PROBABILITY");
            put_words(object, tags::MAXIMUM_FRACTIONAL_VALUE, &[u16::from(FULL)]);
        }
    }
}

/// Whether the images were ever compressed with loss: the result inherits it.
fn lossy(source: &SourceImage<'_>) -> &'static str {
    match source.text(tags::LOSSY_IMAGE_COMPRESSION).as_deref() {
        Some("01") => "01",
        _ => "00",
    }
}

fn segments(input: &SegmentationInput<'_>, context: &ExportContext) -> Vec<InMemDicomObject> {
    let items = input.segments.iter().enumerate().map(|(index, segment)| {
        let mut item = InMemDicomObject::new_empty();
        put_words(&mut item, tags::SEGMENT_NUMBER, &[index as u16 + 1]);
        put_text(&mut item, tags::SEGMENT_LABEL, VR::LO, &cut(&segment.label, 64));
        put_text(&mut item, tags::SEGMENT_DESCRIPTION, VR::ST, NOTICE);
        let colour = colours::of_segment(index);
        put_words(&mut item, tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE, &colour);
        put_text(&mut item, tags::SEGMENT_ALGORITHM_TYPE, VR::CS, "AUTOMATIC");
        put_text(&mut item, tags::SEGMENT_ALGORITHM_NAME, VR::LO, &cut(&context.model.name, 64));
        segment.category.put(&mut item, tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE);
        segment.property.put(&mut item, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE);
        let algorithm = vec![context.algorithm()];
        sequence(&mut item, tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE, algorithm);
        let identifier = cut(&segment.label, 64);
        let source = &input.slices[0].source;
        let uid = context.derive("segment", source, &[&segment.label]);
        put_text(&mut item, tags::TRACKING_ID, VR::UT, &identifier);
        put_text(&mut item, tags::TRACKING_UID, VR::UI, &uid);
        item
    });
    items.collect()
}

/// By which attributes frames are told apart (PS3.3 C.7.6.17).
fn dimensions(
    object: &mut InMemDicomObject,
    context: &ExportContext,
    first: &SourceImage<'_>,
    place: Place,
) {
    let uid = context.derive("dimensions", first, &[]);
    let mut organization = InMemDicomObject::new_empty();
    put_text(&mut organization, tags::DIMENSION_ORGANIZATION_UID, VR::UI, &uid);
    sequence(object, tags::DIMENSION_ORGANIZATION_SEQUENCE, vec![organization]);
    let second = match place {
        Place::Patient => (tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE, "Position"),
        Place::Stack => {
            (tags::IN_STACK_POSITION_NUMBER, tags::FRAME_CONTENT_SEQUENCE, "Number in the stack")
        }
    };
    let segment =
        (tags::REFERENCED_SEGMENT_NUMBER, tags::SEGMENT_IDENTIFICATION_SEQUENCE, "Segment");
    let items = [segment, second].map(|(attribute, group, label)| {
        let mut item = InMemDicomObject::new_empty();
        put_text(&mut item, tags::DIMENSION_ORGANIZATION_UID, VR::UI, &uid);
        for (tag, value) in
            [(tags::DIMENSION_INDEX_POINTER, attribute), (tags::FUNCTIONAL_GROUP_POINTER, group)]
        {
            item.put(DataElement::new(
                tag,
                VR::AT,
                PrimitiveValue::Tags([value].as_slice().into()),
            ));
        }
        put_text(&mut item, tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, label);
        item
    });
    sequence(object, tags::DIMENSION_INDEX_SEQUENCE, items.into());
}

fn shared_groups(object: &mut InMemDicomObject, first: &SourceImage<'_>, place: Place) {
    let mut groups = InMemDicomObject::new_empty();
    let geometry = first.geometry();
    if let Some(spacing) = geometry.spacing {
        let mut item = InMemDicomObject::new_empty();
        put_decimals(&mut item, tags::PIXEL_SPACING, &spacing);
        if let Some(thickness) = geometry.thickness {
            put_decimals(&mut item, tags::SLICE_THICKNESS, &[thickness]);
        } else if place == Place::Patient {
            // The standard wants one in a volume; that of the pixels is the least wrong.
            put_decimals(&mut item, tags::SLICE_THICKNESS, &[spacing[0]]);
        }
        sequence(&mut groups, tags::PIXEL_MEASURES_SEQUENCE, vec![item]);
    }
    if let (Place::Patient, Some(orientation)) = (place, geometry.orientation) {
        let mut item = InMemDicomObject::new_empty();
        put_decimals(&mut item, tags::IMAGE_ORIENTATION_PATIENT, &orientation);
        sequence(&mut groups, tags::PLANE_ORIENTATION_SEQUENCE, vec![item]);
    }
    sequence(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![groups]);
}

fn frame_groups(
    source: &SourceImage<'_>,
    context: &ExportContext,
    place: Place,
    position: u32,
    segment: usize,
) -> InMemDicomObject {
    let number = segment as u16 + 1;
    let mut groups = InMemDicomObject::new_empty();

    let mut content = InMemDicomObject::new_empty();
    put_longs(&mut content, tags::DIMENSION_INDEX_VALUES, &[u32::from(number), position]);
    if place == Place::Stack {
        put_text(&mut content, tags::STACK_ID, VR::SH, "1");
        put_longs(&mut content, tags::IN_STACK_POSITION_NUMBER, &[position]);
    }
    sequence(&mut groups, tags::FRAME_CONTENT_SEQUENCE, vec![content]);

    if let (Place::Patient, Some(at)) = (place, source.geometry().position) {
        let mut item = InMemDicomObject::new_empty();
        put_decimals(&mut item, tags::IMAGE_POSITION_PATIENT, &at);
        sequence(&mut groups, tags::PLANE_POSITION_SEQUENCE, vec![item]);
    }

    let mut identification = InMemDicomObject::new_empty();
    put_words(&mut identification, tags::REFERENCED_SEGMENT_NUMBER, &[number]);
    sequence(&mut groups, tags::SEGMENT_IDENTIFICATION_SEQUENCE, vec![identification]);

    let mut image = source.frame_reference(context);
    put_text(&mut image, tags::SPATIAL_LOCATIONS_PRESERVED, VR::CS, "YES");
    Code::dcm("121322", "Source image for image processing operation")
        .put(&mut image, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE);
    let mut derivation = InMemDicomObject::new_empty();
    sequence(&mut derivation, tags::SOURCE_IMAGE_SEQUENCE, vec![image]);
    Code::dcm("113076", "Segmentation").put(&mut derivation, tags::DERIVATION_CODE_SEQUENCE);
    sequence(&mut groups, tags::DERIVATION_IMAGE_SEQUENCE, vec![derivation]);
    groups
}

/// Bits from the lowest of each byte on, frames without gaps; padded to an even length.
fn pixels(input: &SegmentationInput<'_>, frames: &[(usize, usize)]) -> Vec<u8> {
    let planes = frames.iter().map(|&(slice, segment)| &input.slices[slice].planes[segment]);
    let mut bytes: Vec<u8> = match input.kind {
        SegmentationKind::Fractional => planes.flatten().copied().collect(),
        SegmentationKind::Binary => {
            let total: usize = planes.clone().map(Vec::len).sum();
            let mut bytes = vec![0; total.div_ceil(8)];
            for (at, _) in planes.flatten().enumerate().filter(|(_, value)| **value != 0) {
                bytes[at / 8] |= 1 << (at % 8);
            }
            bytes
        }
    };
    if !bytes.len().is_multiple_of(2) {
        bytes.push(0);
    }
    bytes
}
