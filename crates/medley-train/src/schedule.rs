//! Learning rates over the steps: linear warm-up, then half a cosine.

use std::f64::consts::PI;
use std::ops::Range;

/// The rate that the cosine ends near, as a share of the highest.
const LAST: f64 = 0.01;

/// The rate of a step below `warmup`.
pub(crate) fn warm_up(highest: f64, warmup: u64, step: u64) -> f64 {
    highest * (step + 1) as f64 / warmup as f64
}

/// The rate of a step in `span`: the highest at its beginning, a hundredth of it at its end.
pub(crate) fn cosine(highest: f64, span: Range<u64>, step: u64) -> f64 {
    let length = span.end.saturating_sub(span.start).max(1) as f64;
    let progress = (step.saturating_sub(span.start) as f64 / length).min(1.0);
    highest * (LAST + (1.0 - LAST) * 0.5 * (1.0 + (PI * progress).cos()))
}
