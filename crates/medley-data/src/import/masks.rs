//! Pictures and masks of the same name: in the folders `images` and `masks`, or side by side with a suffix.

use std::fs;
use std::path::Path;

use medley_package::TaskKind;

use super::error::{FaultReason, ImportError, SourcePlace};
use super::item::{Answer, Item, Pixels};
use super::layout::{Pair, Partners, below, pairs};
use super::named_classes;
use super::plan::MaskValues;
use super::sink::Sink;
use crate::cache::decode_grey;

/// Reads it. A mask is a grey PNG of 8 bits or one and of its picture's size; palettes and colours are refused, as
/// nothing says which class a colour is.
pub(super) fn read(sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let plan = sink.plan;
    let classes = named_classes(plan, "the background first, as background,lesion")?;
    let partners = Partners { folder: "masks", suffix: &plan.mask_suffix, ending: None };
    let found = pairs(&plan.source, &partners)?;
    let masks = found.pairs.iter().filter_map(|pair| pair.partner.as_deref());
    if plan.mask_values == MaskValues::Auto {
        sink.read_masks_as(guess(masks, classes.len()));
    }
    sink.begin(TaskKind::Segmentation, classes, found.pairs.len())?;
    for Pair { split, picture, partner } in found.pairs {
        let place = SourcePlace::file(&picture);
        sink.take(match partner {
            Some(mask) => Ok(Item {
                path: below(&plan.source, &picture),
                place,
                split,
                pixels: Pixels::File(picture),
                stated: None,
                answer: Answer::Mask(mask),
            }),
            None => Err(place.fault(FaultReason::NoAnswer("mask"))),
        })?;
    }
    for mask in found.orphans {
        let of = "of the same name".to_string();
        sink.refuse(SourcePlace::file(mask).fault(FaultReason::NoPicture(of)));
    }
    Ok(())
}

/// Binary if there are two classes and no mask holds anything but 0 and 255; a mask that cannot be read says
/// nothing here, and is a fault later.
fn guess<'a>(masks: impl Iterator<Item = &'a Path>, classes: usize) -> MaskValues {
    if classes != 2 {
        return MaskValues::Index;
    }
    let binary = |path: &Path| {
        let Ok(bytes) = fs::read(path) else { return true };
        let Ok(grey) = decode_grey(path, &bytes) else { return true };
        grey.values.iter().all(|value| matches!(value, 0 | 255))
    };
    if { masks }.all(binary) { MaskValues::Binary } else { MaskValues::Index }
}
