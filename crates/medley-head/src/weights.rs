//! Labels of the training part, and what each example weighs.

use crate::error::HeadError;

/// Counts and weights by class.
pub(crate) struct Weights {
    /// Examples of each class.
    pub(crate) counts: Vec<usize>,
    /// Of each example; they add up to 1, and every class that has examples weighs the same.
    pub(crate) of: Vec<f64>,
}

impl Weights {
    /// # Errors
    /// A class that does not exist, or fewer than two classes with an example.
    pub(crate) fn new(labels: &[usize], classes: usize) -> Result<Self, HeadError> {
        let mut counts = vec![0usize; classes];
        for &label in labels {
            let last = classes.saturating_sub(1);
            *counts.get_mut(label).ok_or(HeadError::Class { last, found: label })? += 1;
        }
        let present = counts.iter().filter(|count| **count > 0).count();
        if present < 2 {
            return Err(HeadError::FewClasses { found: present });
        }
        let of = labels.iter().map(|&l| 1.0 / (present * counts[l]) as f64).collect();
        Ok(Self { counts, of })
    }
}

/// All rows of one length and finite.
pub(crate) fn check_rows<'a>(rows: impl Iterator<Item = &'a [f32]>) -> Result<(), HeadError> {
    let mut expected = None;
    for (index, row) in rows.enumerate() {
        let width = *expected.get_or_insert(row.len());
        if row.len() != width || width == 0 {
            return Err(HeadError::Width { expected: width, found: row.len() });
        }
        if !row.iter().all(|value| value.is_finite()) {
            return Err(HeadError::NotFinite { index });
        }
    }
    Ok(())
}
