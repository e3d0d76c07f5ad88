//! Between the stages of an analysis: progress, a turn for others, cancellation.

use crate::analysis::AnalyzeOptions;
use crate::error::InferError;

/// Counts the stages of one analysis.
pub(crate) struct Stages<'a> {
    options: &'a AnalyzeOptions,
    done: usize,
    total: usize,
}

impl<'a> Stages<'a> {
    pub(crate) fn new(options: &'a AnalyzeOptions, total: usize) -> Self {
        Self { options, done: 0, total }
    }

    /// Lets the next stage begin, unless the caller has ended the analysis.
    pub(crate) async fn next(&mut self) -> Result<(), InferError> {
        if let Some(between) = &self.options.between {
            between(self.done as f32 / self.total.max(1) as f32).await;
        }
        self.done += 1;
        self.check()
    }

    /// Ends the analysis where the caller has asked for it.
    pub(crate) fn check(&self) -> Result<(), InferError> {
        match &self.options.cancelled {
            Some(cancelled) if cancelled() => Err(InferError::Cancelled),
            _ => Ok(()),
        }
    }
}
