//! The task database of Medley: records, images, augmentation, batches.
//!
//! [`import`](mod@import) writes data sets of other formats into a database, [`check`] says what is in one and
//! what is wrong with it.
//!
//! [`Database`] reads tasks and data sets and gives every split of a task as a list of [`Example`]s. A
//! [`Loader`] turns a plan over such lists into batches, on threads that work ahead of training. What is in the
//! batch of step k depends on the plan and on k alone, so a run that was interrupted goes on with
//! [`Loader::start_at`] as if it had never stopped.
//!
//! Images never leave the place where they lie; what is decoded is kept in memory, scaled down to what the
//! task's presentation needs.

mod augment;
mod cache;
pub mod check;
mod database;
mod error;
mod extra;
mod files;
pub mod import;
mod loader;
mod modality;
mod order;
mod plan;
mod records;
mod sample;
mod warp;

pub use database::{Database, DatasetInfo, Role, TaskRecord};
pub use error::{DataError, RecordFault};
pub use extra::ExtraAugmentation;
pub use loader::Loader;
pub use medley_infer::IGNORE;
pub use modality::{Anatomy, Augmentation};
pub use plan::{DEFAULT_CACHE_BYTES, LoaderPlan, TaskPlan, Way};
pub use records::{Example, RecordPlace, SharedGroup, Split, Target};
pub use sample::{MixedBatch, Part, Sample, SampleTarget};
