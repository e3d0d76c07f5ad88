//! k nearest neighbours by cosine, on the same scaled features as the probe's.

use medley_head::Scaling;

use super::probe::TrainingPart;
use crate::metrics::macro_f1;

/// How many neighbours may be asked.
const COUNTS: [usize; 5] = [1, 3, 5, 10, 20];

/// The training part, ready to be asked.
pub(crate) struct Neighbours<'a> {
    scaling: Scaling,
    /// Of unit length.
    rows: Vec<Vec<f64>>,
    part: TrainingPart<'a>,
    /// How many are asked.
    pub(crate) k: usize,
}

impl<'a> Neighbours<'a> {
    /// Chooses k by leave-one-out: the macro-F1 of each training example's neighbours outside its own group. Of
    /// equal ones the smallest k is taken.
    pub(crate) fn fit(part: TrainingPart<'a>) -> Self {
        let scaling = Scaling::of(part.rows.iter().copied());
        let rows = part.rows.iter().map(|row| unit(scaling.apply(row))).collect();
        let mut found = Self { scaling, rows, part, k: COUNTS[0] };
        let nearest: Vec<Vec<usize>> = (0..part.labels.len())
            .map(|own| found.nearest(&found.rows[own], Some(part.groups[own])))
            .collect();
        let mut best = f64::NEG_INFINITY;
        for k in COUNTS.into_iter().filter(|k| *k == COUNTS[0] || *k < part.labels.len()) {
            let pairs: Vec<(usize, usize)> = nearest
                .iter()
                .zip(part.labels)
                .map(|(nearest, &label)| (label, found.vote(nearest, k)))
                .collect();
            let value = macro_f1(&pairs, part.classes);
            if value > best {
                (best, found.k) = (value, k);
            }
        }
        found
    }

    /// The class of most of the k nearest, of equal ones that of the nearest.
    pub(crate) fn answer(&self, row: &[f32]) -> usize {
        self.vote(&self.nearest(&unit(self.scaling.apply(row)), None), self.k)
    }

    /// The labels of the nearest training examples, nearest first, without those of a group.
    fn nearest(&self, row: &[f64], without: Option<&str>) -> Vec<usize> {
        let mut all: Vec<(f64, usize)> = self
            .rows
            .iter()
            .enumerate()
            .filter(|(index, _)| without != Some(self.part.groups[*index]))
            .map(|(index, other)| (row.iter().zip(other).map(|(a, b)| a * b).sum(), index))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        all.truncate(COUNTS[COUNTS.len() - 1]);
        all.into_iter().map(|(_, index)| self.part.labels[index]).collect()
    }

    fn vote(&self, nearest: &[usize], k: usize) -> usize {
        let nearest = &nearest[..k.min(nearest.len())];
        let mut votes = vec![0usize; self.part.classes];
        nearest.iter().for_each(|&label| votes[label] += 1);
        let most = votes.iter().copied().max().unwrap_or(0);
        nearest.iter().copied().find(|&label| votes[label] == most).unwrap_or(0)
    }
}

fn unit(mut row: Vec<f64>) -> Vec<f64> {
    let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|value| *value /= length);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two directions; each tenth example of the first class lies among the second's.
    fn drawn() -> (Vec<[f32; 2]>, Vec<usize>, Vec<String>) {
        (0..60)
            .map(|i| {
                let label = i % 2;
                let side = if label == 0 && i % 20 == 10 { 1 } else { label };
                let wobble = ((i * 37 % 60) as f32 - 30.0) / 300.0;
                let row = if side == 0 { [1.0, wobble] } else { [wobble, 1.0] };
                (row, label, i.to_string())
            })
            .fold((vec![], vec![], vec![]), |mut all, (row, label, name)| {
                all.0.push(row);
                all.1.push(label);
                all.2.push(name);
                all
            })
    }

    #[test]
    fn a_few_wrong_neighbours_are_outvoted() {
        let (rows, labels, names) = drawn();
        let rows: Vec<&[f32]> = rows.iter().map(<[f32; 2]>::as_slice).collect();
        let groups: Vec<&str> = names.iter().map(String::as_str).collect();
        let part = TrainingPart { rows: &rows, labels: &labels, groups: &groups, classes: 2 };
        let found = Neighbours::fit(part);
        assert!(found.k > 1, "{}", found.k);
        assert_eq!((found.answer(&[5.0, 0.2]), found.answer(&[0.1, 0.3])), (0, 1));
    }

    #[test]
    fn neighbours_of_the_own_group_do_not_choose_k() {
        // Each picture twice: with its twin as neighbour k = 1 would be right for all of them.
        let (rows, labels, names) = drawn();
        let twice = |i: usize| i / 2;
        let rows: Vec<&[f32]> = (0..120).map(|i| rows[twice(i)].as_slice()).collect();
        let labels: Vec<usize> = (0..120).map(|i| labels[twice(i)]).collect();
        let groups: Vec<&str> = (0..120).map(|i| names[twice(i)].as_str()).collect();
        let part = TrainingPart { rows: &rows, labels: &labels, groups: &groups, classes: 2 };
        assert!(Neighbours::fit(part).k > 1);
    }
}
