//! One test at a time with the random numbers of burn's CPU device.

use std::sync::{Mutex, MutexGuard};

/// burn's CPU device has one random generator for the whole process; tests beside each other would draw from it in turn and
/// lose their reproducibility.
static GENERATOR: Mutex<()> = Mutex::new(());

/// Whoever draws, or makes or trains a model, holds this.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
