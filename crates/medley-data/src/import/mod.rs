//! Data sets of other formats, written into the task database.
//!
//! Each format's reader lists what its source has and hands one record after the other to a sink, which checks
//! and writes it. The data set grows in a hidden folder of the database, is read back as training would read it,
//! and only then gets its name: an import that fails or is stopped leaves everything as it was.

mod coco;
mod error;
mod folders;
mod item;
mod layout;
mod masks;
mod medmnist;
mod plan;
mod publish;
mod sink;
mod splits;
mod voc;
mod yolo;

use medley_package::TaskKind;

pub use error::{Fault, FaultReason, ImportError, SourcePlace};
pub use plan::{Format, Grouping, ImportPlan, MaskValues, Shares};
pub use sink::Progress;

use crate::records::Split;
use publish::Staging;
use sink::Sink;

/// What an import wrote.
#[derive(Debug)]
pub struct Imported {
    /// What the task asks for.
    pub kind: TaskKind,
    /// The classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// How many records each split has.
    pub counts: Vec<(Split, usize)>,
    /// The shares by which the splits were drawn; none where the source has splits.
    pub drawn: Option<Shares>,
    /// What was left out.
    pub skipped: Vec<Fault>,
}

/// Writes a source into the task database, as a data set with one task. `progress` is called after every record;
/// when it answers false the import stops.
///
/// # Errors
///
/// [`ImportError`]; the database is then as it was before.
pub fn import(
    plan: &ImportPlan,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Imported, ImportError> {
    plan.check()?;
    let staging = Staging::new(plan)?;
    let folder = staging.folder();
    let mut sink = Sink::new(plan, &folder, progress);
    match plan.format {
        Format::Folders => folders::read(&mut sink)?,
        Format::Masks => masks::read(&mut sink)?,
        Format::Coco => coco::read(&mut sink)?,
        Format::Voc => voc::read(&mut sink)?,
        Format::Yolo => yolo::read(&mut sink)?,
        Format::Medmnist => medmnist::read(&mut sink)?,
    }
    let taken = sink.finish()?;
    staging.publish(&taken)?;
    let count = |split: Split| {
        (split, taken.records.iter().filter(|record| record.split == split.name()).count())
    };
    Ok(Imported {
        kind: taken.kind,
        counts: Split::ALL.map(count).into(),
        classes: taken.classes,
        drawn: taken.drawn,
        skipped: taken.faults,
    })
}

/// The number of the class of that name.
fn class_of(name: &str, classes: &[String]) -> Result<usize, FaultReason> {
    classes.iter().position(|class| class == name).ok_or_else(|| FaultReason::UnknownClass {
        name: name.to_string(),
        known: classes.to_vec(),
    })
}

/// The classes of a format whose sources have numbers alone.
fn named_classes(plan: &ImportPlan, hint: &str) -> Result<Vec<String>, ImportError> {
    plan.classes.clone().ok_or_else(|| {
        let name = plan.format.name();
        ImportError::Options(format!("{name} has numbers and no names: give --classes, {hint}"))
    })
}
