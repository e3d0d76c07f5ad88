//! Secondary captures (PS3.3 A.8): the image with the result drawn over it, as a picture.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::build::{put_text, put_words, sequence, to_file};
use super::code::Code;
use super::context::ExportContext;
use super::glyphs::notice_strip;
use super::source::SourceImage;
use crate::error::DicomError;
use medley_package::NOTICE;

const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";

/// What is to be written.
#[derive(Debug, Clone)]
pub struct CaptureInput<'a> {
    /// The image that was drawn over.
    pub source: SourceImage<'a>,
    /// Number of the slice in its series, from 1. The captures of a series' slices are a series too, numbered so.
    pub number: u32,
    /// Width of the drawing in pixels.
    pub width: u32,
    /// Height of the drawing in pixels.
    pub height: u32,
    /// The drawing: 8-bit RGB, interleaved, row by row.
    pub rgb: &'a [u8],
}

/// Writes a capture. Below the drawing a strip with the research-use sentence is added, so that it stays with the
/// picture wherever it is shown.
///
/// # Errors
/// A drawing that is empty, too large, or of another number of values than its size says.
pub fn write_secondary_capture(
    input: &CaptureInput<'_>,
    context: &ExportContext,
) -> Result<Vec<u8>, DicomError> {
    let wrong = |reason: String| DicomError::BadResult { reason };
    let expected = u64::from(input.width) * u64::from(input.height) * 3;
    if expected == 0 || input.rgb.len() as u64 != expected {
        let found = input.rgb.len();
        return Err(wrong(format!("a drawing of {expected} values was expected, {found} found")));
    }
    let strip = notice_strip(input.width as usize);
    let rows = u64::from(input.height) + (strip.len() / (input.width as usize * 3)) as u64;
    let (Ok(rows), Ok(columns)) = (u16::try_from(rows), u16::try_from(input.width)) else {
        return Err(wrong(
            "a drawing may have 65535 rows and columns, the sentence included".into(),
        ));
    };
    let mut pixels = [input.rgb, &strip].concat();
    if !pixels.len().is_multiple_of(2) {
        pixels.push(0);
    }

    let content = format!("capture {}", input.source.frame());
    let description = "Image with overlay";
    let modality = input.source.text(tags::MODALITY).unwrap_or_else(|| "OT".into());
    let mut object =
        context.begin(&input.source, SECONDARY_CAPTURE, &modality, description, &content);
    let series = context.derive_of_series("captures", &input.source);
    put_text(&mut object, tags::SERIES_INSTANCE_UID, VR::UI, &series);
    put_text(&mut object, tags::INSTANCE_NUMBER, VR::IS, &input.number.to_string());
    // Where the object comes from, not the image: a workstation.
    put_text(&mut object, tags::CONVERSION_TYPE, VR::CS, "WSD");
    put_text(&mut object, tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY");
    put_text(&mut object, tags::PATIENT_ORIENTATION, VR::CS, "");
    put_text(&mut object, tags::LATERALITY, VR::CS, "");
    put_text(&mut object, tags::BURNED_IN_ANNOTATION, VR::CS, "YES");
    put_text(&mut object, tags::DERIVATION_DESCRIPTION, VR::ST, &derivation(context));
    put_text(&mut object, tags::IMAGE_COMMENTS, VR::LT, NOTICE);
    let mut image = input.source.frame_reference(context);
    Code::dcm("121322", "Source image for image processing operation")
        .put(&mut image, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE);
    sequence(&mut object, tags::SOURCE_IMAGE_SEQUENCE, vec![image]);
    picture(&mut object, rows, columns, pixels);
    to_file(object)
}

fn derivation(context: &ExportContext) -> String {
    let [weights, test] = context.model.parameters();
    let (name, version) = (&context.model.name, &context.model.version);
    format!("Result of {name} {version} drawn over the image; {weights}; {test}. {NOTICE}")
}

fn picture(object: &mut InMemDicomObject, rows: u16, columns: u16, pixels: Vec<u8>) {
    put_words(object, tags::SAMPLES_PER_PIXEL, &[3]);
    put_text(object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB");
    put_words(object, tags::PLANAR_CONFIGURATION, &[0]);
    put_words(object, tags::ROWS, &[rows]);
    put_words(object, tags::COLUMNS, &[columns]);
    put_words(object, tags::BITS_ALLOCATED, &[8]);
    put_words(object, tags::BITS_STORED, &[8]);
    put_words(object, tags::HIGH_BIT, &[7]);
    put_words(object, tags::PIXEL_REPRESENTATION, &[0]);
    let value = PrimitiveValue::U8(pixels.into());
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, value));
}
