//! Training that nobody watches.

use medley_train::{Observer, Score, StepReport};

/// Hears of a run's progress and says nothing.
pub struct Silent;

impl Observer for Silent {
    fn step(&mut self, _: &StepReport) {}

    fn validated(&mut self, _: u64, _: &[Score]) {}

    fn saved(&mut self, _: u64) {}
}
