//! Cross-validation inside the training part: no group is on both sides.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Folds where there are groups enough.
const FOLDS: usize = 5;

/// With a class of fewer groups than folds, each group is a fold of its own, up to so many groups.
const MOST_SINGLE: usize = 25;

/// The examples that each fold holds out; none where nothing can be held out without losing a class.
///
/// Groups are dealt out class by class, so that every fold has about the same classes. A class that lies in one
/// group only is never held out: without it the probe could not answer it.
///
/// `labels`, `groups`: of each example.
pub(crate) fn folds(labels: &[usize], groups: &[&str], seed: u64) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        members.entry(group).or_default().push(index);
    }
    // A group counts for the class of its first example; most groups have one class.
    let mut of_class: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    for group in members.into_values() {
        of_class.entry(labels[group[0]]).or_default().push(group);
    }
    of_class.retain(|_, groups| groups.len() > 1);
    if of_class.len() < 2 {
        return Vec::new();
    }
    let least = of_class.values().map(Vec::len).min().unwrap_or(0);
    let total: usize = of_class.values().map(Vec::len).sum();
    let count = if least < FOLDS && total <= MOST_SINGLE { total } else { FOLDS };

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut folds = vec![Vec::new(); count];
    let mut next = 0;
    for groups in of_class.values_mut() {
        groups.shuffle(&mut rng);
        for group in groups {
            folds[next % count].append(group);
            next += 1;
        }
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_held_out_whole_and_every_class_stays_in_training() {
        let labels: Vec<usize> = (0..120).map(|i| usize::from(i / 2 % 10 == 0)).collect();
        let names: Vec<String> = (0..120).map(|i| format!("g{}", i / 2)).collect();
        let groups: Vec<&str> = names.iter().map(String::as_str).collect();
        let folds = folds(&labels, &groups, 1);
        assert_eq!(folds.len(), 5);
        assert_eq!(folds.iter().map(Vec::len).sum::<usize>(), 120);
        for held in &folds {
            for &index in held {
                assert!(held.contains(&(index ^ 1)));
            }
            for class in 0..2 {
                assert!((0..120).any(|i| labels[i] == class && !held.contains(&i)));
                assert!(held.iter().any(|&i| labels[i] == class));
            }
        }
    }

    #[test]
    fn few_groups_are_left_out_one_by_one_and_a_lone_one_never() {
        let labels = [0, 0, 0, 1, 1, 2];
        let groups = ["a", "b", "c", "d", "e", "f"];
        let folds = folds(&labels, &groups, 1);
        assert_eq!(folds.len(), 5);
        assert!(folds.iter().all(|fold| fold.len() == 1 && fold[0] != 5));
    }

    #[test]
    fn one_group_a_class_leaves_nothing_to_hold_out() {
        assert!(folds(&[0, 1, 1], &["a", "b", "b"], 1).is_empty());
    }
}
