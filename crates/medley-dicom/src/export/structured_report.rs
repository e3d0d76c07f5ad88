//! Structured reports by template TID 1500, Measurement Report (PS3.16).

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::build::{put_text, sequence, to_file};
use super::code::Code;
use super::content::{self, Relation, container};
use super::context::{ExportContext, unique};
use super::source::SourceImage;
use crate::error::DicomError;
use medley_package::NOTICE;

const COMPREHENSIVE_SR: &str = "1.2.840.10008.5.1.4.1.1.88.33";

/// Something that the model says about an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Index of the image among those of the report.
    pub image: usize,
    /// Which of the model's tasks says so; it goes into the tracking identifier.
    pub task: String,
    /// What is found.
    pub finding: Code,
    /// How probable it is, 0..=1; none where the model does not say.
    pub probability: Option<f64>,
    /// Where in the image.
    pub region: Option<Region>,
    /// What else was measured.
    pub measurements: Vec<Measurement>,
}

/// A part of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Region {
    /// `[x0, y0, x1, y1]` in pixels, from the upper left corner of the image.
    Box([f32; 4]),
}

/// A number with its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// What is measured.
    pub concept: Code,
    /// The value.
    pub value: f64,
    /// Its unit, of UCUM.
    pub unit: Code,
}

impl Measurement {
    /// An area in square millimetres.
    pub fn area(square_millimetres: f64) -> Self {
        Self {
            concept: Code::sct("42798000", "Area"),
            value: square_millimetres,
            unit: Code::new("mm2", "UCUM", "square millimeter"),
        }
    }
}

/// What is to be written.
#[derive(Debug, Clone)]
pub struct ReportInput<'a> {
    /// The images; at least one, all of one study.
    pub images: Vec<SourceImage<'a>>,
    /// What is said of them.
    pub findings: Vec<Finding>,
}

/// Writes a report.
///
/// # Errors
/// No image, images of different studies, a finding about an image that is not there, a number that is not
/// finite or no probability.
pub fn write_structured_report(
    input: &ReportInput<'_>,
    context: &ExportContext,
) -> Result<Vec<u8>, DicomError> {
    let first = check(input)?;
    let summary = format!("{:?}", input.findings);
    let description = "Measurement report";
    let mut object = context.begin(first, COMPREHENSIVE_SR, "SR", description, &summary);
    sequence(&mut object, tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, Vec::new());
    sequence(&mut object, tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, Vec::new());
    put_text(&mut object, tags::COMPLETION_FLAG, VR::CS, "COMPLETE");
    put_text(&mut object, tags::COMPLETION_FLAG_DESCRIPTION, VR::LO, NOTICE);
    put_text(&mut object, tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED");
    evidence(&mut object, input, context);

    put_text(&mut object, tags::VALUE_TYPE, VR::CS, "CONTAINER");
    Code::dcm("126000", "Imaging Measurement Report")
        .put(&mut object, tags::CONCEPT_NAME_CODE_SEQUENCE);
    put_text(&mut object, tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
    let mut template = InMemDicomObject::new_empty();
    put_text(&mut template, tags::MAPPING_RESOURCE, VR::CS, "DCMR");
    put_text(&mut template, tags::TEMPLATE_IDENTIFIER, VR::CS, "1500");
    sequence(&mut object, tags::CONTENT_TEMPLATE_SEQUENCE, vec![template]);
    sequence(&mut object, tags::CONTENT_SEQUENCE, report(input, context));
    to_file(object)
}

fn check<'a, 'b>(input: &'a ReportInput<'b>) -> Result<&'a SourceImage<'b>, DicomError> {
    let wrong = |reason: String| DicomError::BadResult { reason };
    let first = input.images.first().ok_or_else(|| wrong("there is no image".into()))?;
    if input.images.iter().any(|image| image.study() != first.study()) {
        return Err(wrong("its images are of different studies".into()));
    }
    for (index, finding) in input.findings.iter().enumerate() {
        if finding.image >= input.images.len() {
            let (found, images) = (finding.image, input.images.len());
            return Err(wrong(format!("finding {index} is about image {found} of {images}")));
        }
        if finding.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err(wrong(format!("the probability of finding {index} is not within 0 to 1")));
        }
        let Some(Region::Box(corners)) = finding.region else { continue };
        if corners.iter().any(|corner| !corner.is_finite()) {
            return Err(wrong(format!("the box of finding {index} is not finite")));
        }
    }
    let measured = input.findings.iter().flat_map(|finding| &finding.measurements);
    if measured.into_iter().any(|measurement| !measurement.value.is_finite()) {
        return Err(wrong("a measurement is not finite".into()));
    }
    Ok(first)
}

/// The images that the report is about, by study and series.
fn evidence(object: &mut InMemDicomObject, input: &ReportInput<'_>, context: &ExportContext) {
    let mut series: Vec<(String, Vec<InMemDicomObject>)> = Vec::new();
    for image in unique(&input.images) {
        let uid = context.uid(image.series());
        let item = image.reference(context);
        match series.iter_mut().find(|(known, _)| *known == uid) {
            Some((_, items)) => items.push(item),
            None => series.push((uid, vec![item])),
        }
    }
    let series = series.into_iter().map(|(uid, items)| {
        let mut item = InMemDicomObject::new_empty();
        put_text(&mut item, tags::SERIES_INSTANCE_UID, VR::UI, &uid);
        sequence(&mut item, tags::REFERENCED_SOP_SEQUENCE, items);
        item
    });
    let mut study = InMemDicomObject::new_empty();
    let uid = context.uid(input.images[0].study());
    put_text(&mut study, tags::STUDY_INSTANCE_UID, VR::UI, &uid);
    sequence(&mut study, tags::REFERENCED_SERIES_SEQUENCE, series.collect());
    sequence(object, tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![study]);
}

fn report(input: &ReportInput<'_>, context: &ExportContext) -> Vec<InMemDicomObject> {
    let model = &context.model;
    let english = Code::new("en", "RFC5646", "English");
    let observer = context.derive("observer", &input.images[0], &[]);
    let mut items = vec![
        content::code(
            Relation::HasModifier,
            &Code::dcm("121049", "Language of Content Item and Descendants"),
            &english,
        ),
        content::code(
            Relation::HasContext,
            &Code::dcm("121005", "Observer Type"),
            &Code::dcm("121007", "Device"),
        ),
        content::uid(Relation::HasContext, &Code::dcm("121012", "Device Observer UID"), &observer),
        content::text(
            Relation::HasContext,
            &Code::dcm("121013", "Device Observer Name"),
            &format!("{} {}", model.name, model.version),
        ),
        content::text(
            Relation::HasContext,
            &Code::dcm("121014", "Device Observer Manufacturer"),
            "Medley",
        ),
        content::text(
            Relation::HasContext,
            &Code::dcm("121015", "Device Observer Model Name"),
            &model.name,
        ),
        content::text(
            Relation::HasContext,
            &Code::dcm("121016", "Device Observer Serial Number"),
            &model.weights_sha256,
        ),
        content::code(
            Relation::HasModifier,
            &Code::dcm("121058", "Procedure reported"),
            &Code::sct("363679005", "Imaging procedure"),
        ),
    ];
    let library = unique(&input.images)
        .into_iter()
        .map(|source| content::image(Relation::Contains, None, source, context));
    let group = container(
        Relation::Contains,
        &Code::dcm("126200", "Image Library Group"),
        library.collect(),
    );
    let library = Code::dcm("111028", "Image Library");
    items.push(container(Relation::Contains, &library, vec![group]));
    let groups = input
        .findings
        .iter()
        .enumerate()
        .map(|(index, finding)| measurement_group(input, finding, index, context));
    let measurements = Code::dcm("126010", "Imaging Measurements");
    items.push(container(Relation::Contains, &measurements, groups.collect()));
    // Readers show the content tree and not the header, so the sentence is an item of it.
    let notice = content::text(Relation::Contains, &Code::dcm("121106", "Comment"), NOTICE);
    let evaluations = Code::new("C0034375", "UMLS", "Qualitative Evaluations");
    items.push(container(Relation::Contains, &evaluations, vec![notice]));
    items
}

/// TID 1501, or TID 1410 where the finding has a region.
fn measurement_group(
    input: &ReportInput<'_>,
    finding: &Finding,
    index: usize,
    context: &ExportContext,
) -> InMemDicomObject {
    let source = &input.images[finding.image];
    let tracking = format!("{} {}", finding.task, index + 1);
    let mut items = tracked(&tracking, source, context);
    items.push(content::code(
        Relation::Contains,
        &Code::dcm("121071", "Finding"),
        &finding.finding,
    ));
    items.extend(algorithm(context));
    match finding.region {
        Some(Region::Box([x0, y0, x1, y1])) => items.push(content::polygon(
            Relation::Contains,
            &Code::dcm("111030", "Image Region"),
            &[x0, y0, x1, y0, x1, y1, x0, y1, x0, y0],
            source,
            context,
        )),
        None => items.push(content::image(
            Relation::Contains,
            Some(&Code::dcm("121112", "Source of Measurement")),
            source,
            context,
        )),
    }
    if let Some(probability) = finding.probability {
        items.push(content::number(
            Relation::Contains,
            &Code::dcm("122157", "Probability"),
            probability,
            &Code::new("1", "UCUM", "no units"),
        ));
    }
    for Measurement { concept, value, unit } in &finding.measurements {
        items.push(content::number(Relation::Contains, concept, *value, unit));
    }
    container(Relation::Contains, &Code::dcm("125007", "Measurement Group"), items)
}

fn tracked(
    identifier: &str,
    source: &SourceImage<'_>,
    context: &ExportContext,
) -> Vec<InMemDicomObject> {
    let uid = context.derive("tracking", source, &[identifier]);
    let relation = Relation::HasContext;
    vec![
        content::text(relation, &Code::dcm("112039", "Tracking Identifier"), identifier),
        content::uid(relation, &Code::dcm("112040", "Tracking Unique Identifier"), &uid),
    ]
}

/// TID 4019: which algorithm, which weights, how its self-test went.
fn algorithm(context: &ExportContext) -> Vec<InMemDicomObject> {
    let model = &context.model;
    let relation = Relation::HasModifier;
    let mut items = vec![
        content::text(relation, &Code::dcm("111001", "Algorithm Name"), &model.name),
        content::text(relation, &Code::dcm("111003", "Algorithm Version"), &model.version),
    ];
    let parameters = Code::dcm("111002", "Algorithm Parameters");
    let texts = model.parameters();
    items.extend(texts.iter().map(|value| content::text(relation, &parameters, value)));
    items
}
