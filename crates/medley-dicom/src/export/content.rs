//! Content items of structured reports (PS3.3 C.17.3).

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::build::{decimal, put_text, sequence};
use super::code::Code;
use super::context::ExportContext;
use super::source::SourceImage;

/// How an item belongs to the one above it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Relation {
    Contains,
    HasContext,
    HasModifier,
    SelectedFrom,
}

impl Relation {
    fn name(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasContext => "HAS OBS CONTEXT",
            Self::HasModifier => "HAS CONCEPT MOD",
            Self::SelectedFrom => "SELECTED FROM",
        }
    }
}

fn item(relation: Relation, kind: &str, concept: Option<&Code>) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    put_text(&mut item, tags::RELATIONSHIP_TYPE, VR::CS, relation.name());
    put_text(&mut item, tags::VALUE_TYPE, VR::CS, kind);
    if let Some(concept) = concept {
        concept.put(&mut item, tags::CONCEPT_NAME_CODE_SEQUENCE);
    }
    item
}

pub(super) fn text(relation: Relation, concept: &Code, value: &str) -> InMemDicomObject {
    let mut item = item(relation, "TEXT", Some(concept));
    put_text(&mut item, tags::TEXT_VALUE, VR::UT, value);
    item
}

pub(super) fn code(relation: Relation, concept: &Code, value: &Code) -> InMemDicomObject {
    let mut item = item(relation, "CODE", Some(concept));
    value.put(&mut item, tags::CONCEPT_CODE_SEQUENCE);
    item
}

pub(super) fn uid(relation: Relation, concept: &Code, value: &str) -> InMemDicomObject {
    let mut item = item(relation, "UIDREF", Some(concept));
    put_text(&mut item, tags::UID, VR::UI, value);
    item
}

/// A number with its unit (UCUM).
pub(super) fn number(
    relation: Relation,
    concept: &Code,
    value: f64,
    unit: &Code,
) -> InMemDicomObject {
    let mut measured = InMemDicomObject::new_empty();
    put_text(&mut measured, tags::NUMERIC_VALUE, VR::DS, &decimal(value));
    measured.put(DataElement::new(tags::FLOATING_POINT_VALUE, VR::FD, PrimitiveValue::from(value)));
    unit.put(&mut measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE);
    let mut item = item(relation, "NUM", Some(concept));
    sequence(&mut item, tags::MEASURED_VALUE_SEQUENCE, vec![measured]);
    item
}

pub(super) fn image(
    relation: Relation,
    concept: Option<&Code>,
    source: &SourceImage<'_>,
    context: &ExportContext,
) -> InMemDicomObject {
    let mut item = item(relation, "IMAGE", concept);
    let reference = vec![source.frame_reference(context)];
    sequence(&mut item, tags::REFERENCED_SOP_SEQUENCE, reference);
    item
}

/// A closed line in an image: columns and rows of its corners.
pub(super) fn polygon(
    relation: Relation,
    concept: &Code,
    points: &[f32],
    source: &SourceImage<'_>,
    context: &ExportContext,
) -> InMemDicomObject {
    let mut item = item(relation, "SCOORD", Some(concept));
    let points = PrimitiveValue::F32(points.into());
    item.put(DataElement::new(tags::GRAPHIC_DATA, VR::FL, points));
    put_text(&mut item, tags::GRAPHIC_TYPE, VR::CS, "POLYLINE");
    let image = image(Relation::SelectedFrom, None, source, context);
    sequence(&mut item, tags::CONTENT_SEQUENCE, vec![image]);
    item
}

pub(super) fn container(
    relation: Relation,
    concept: &Code,
    items: Vec<InMemDicomObject>,
) -> InMemDicomObject {
    let mut item = item(relation, "CONTAINER", Some(concept));
    put_text(&mut item, tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
    sequence(&mut item, tags::CONTENT_SEQUENCE, items);
    item
}
