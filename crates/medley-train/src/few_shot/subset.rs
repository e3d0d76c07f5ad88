//! Drawing a part of the training split.

use std::collections::{BTreeMap, BTreeSet};

use medley_data::Example;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// An order of a training split's groups, by seed: a fraction is a beginning of it, so that a larger fraction
/// holds every smaller one of the same seed.
///
/// First come the groups without which a class would be missing: those of one image that shows every class that
/// occurs, if there is one and `one_image` allows it, else for each class the first group in drawn order that
/// shows it. The others follow as drawn.
pub(crate) struct GroupOrder {
    /// The examples of each group.
    groups: Vec<Vec<usize>>,
    /// How many groups at the beginning no fraction goes without.
    core: usize,
}

impl GroupOrder {
    /// `shown[i]`: the classes that example i shows (its class, or its foreground classes).
    pub(crate) fn draw(
        examples: &[Example],
        shown: &[BTreeSet<usize>],
        one_image: bool,
        seed: u64,
    ) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, example) in examples.iter().enumerate() {
            by_name.entry(&example.group).or_default().push(index);
        }
        // Sorted by name before they are shuffled: the order of the file changes nothing.
        let mut groups: Vec<Vec<usize>> = by_name.into_values().collect();
        groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));

        let all: BTreeSet<usize> = shown.iter().flatten().copied().collect();
        let core = Self::core(&groups, shown, &all, one_image);
        let mut rest = Vec::new();
        let mut first = Vec::new();
        for (index, group) in groups.into_iter().enumerate() {
            if core.contains(&index) { first.push(group) } else { rest.push(group) }
        }
        let core = first.len();
        first.extend(rest);
        Self { groups: first, core }
    }

    fn core(
        groups: &[Vec<usize>],
        shown: &[BTreeSet<usize>],
        all: &BTreeSet<usize>,
        one_image: bool,
    ) -> BTreeSet<usize> {
        let complete = |group: &Vec<usize>| group.iter().any(|&example| shown[example] == *all);
        if let Some(found) = groups.iter().position(complete).filter(|_| one_image) {
            return BTreeSet::from([found]);
        }
        let mut core = BTreeSet::new();
        let mut missing = all.clone();
        for (index, group) in groups.iter().enumerate() {
            let before = missing.len();
            missing.retain(|class| !group.iter().any(|&example| shown[example].contains(class)));
            if missing.len() < before {
                core.insert(index);
            }
        }
        core
    }

    /// The examples of a fraction, in per cent of the groups, in the order of the file: at least one group.
    pub(crate) fn take(&self, fraction: f64) -> Vec<usize> {
        let wanted = (fraction / 100.0 * self.groups.len() as f64).round() as usize;
        let count = wanted.max(self.core).max(1).min(self.groups.len());
        let mut examples: Vec<usize> = self.groups[..count].iter().flatten().copied().collect();
        examples.sort_unstable();
        examples
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use medley_data::{RecordPlace, Target};

    use super::*;

    /// 40 groups of two images; the classes 0 and 1 in turn, and class 2 in one group alone.
    fn examples() -> (Vec<Example>, Vec<BTreeSet<usize>>) {
        (0..80usize)
            .map(|index| {
                let group = index / 2;
                let class = if group == 17 { 2 } else { group % 2 };
                let example = Example {
                    id: index.to_string(),
                    image: PathBuf::new(),
                    group: format!("g{group}"),
                    width: 1,
                    height: 1,
                    target: Target::Class(class),
                    place: RecordPlace { file: PathBuf::new(), line: index },
                };
                (example, BTreeSet::from([class]))
            })
            .unzip()
    }

    #[test]
    fn a_larger_fraction_of_a_seed_holds_the_smaller_one_and_seeds_differ() {
        let (examples, shown) = examples();
        let mut first = BTreeSet::new();
        for seed in 1..=5 {
            let order = GroupOrder::draw(&examples, &shown, false, seed);
            let mut smaller = order.take(1.0);
            first.insert(smaller.clone());
            for fraction in [5.0, 10.0, 25.0, 50.0, 100.0] {
                let larger = order.take(fraction);
                assert!(smaller.iter().all(|index| larger.contains(index)), "{fraction}");
                let groups = (fraction / 100.0 * 40.0) as usize;
                // Three classes need three groups.
                assert_eq!(larger.len(), 2 * groups.max(3), "{fraction}");
                smaller = larger;
            }
            assert_eq!(smaller.len(), 80);
        }
        assert!(first.len() > 1);
    }

    #[test]
    fn the_smallest_fraction_has_every_class_and_whole_groups() {
        let (examples, shown) = examples();
        for seed in 1..=20 {
            let taken = GroupOrder::draw(&examples, &shown, false, seed).take(0.1);
            let classes: BTreeSet<usize> =
                taken.iter().flat_map(|&index| shown[index].clone()).collect();
            assert_eq!(classes.len(), 3);
            assert!(taken.iter().all(|&index| taken.contains(&(index ^ 1))), "{taken:?}");
        }
    }

    #[test]
    fn one_image_that_shows_everything_is_enough_for_masks_and_boxes() {
        let (examples, mut shown) = examples();
        shown[51] = BTreeSet::from([0, 1, 2]);
        for seed in 1..=20 {
            assert_eq!(GroupOrder::draw(&examples, &shown, true, seed).take(1.0), [50, 51]);
        }
    }

    #[test]
    fn the_order_of_the_file_does_not_matter() {
        let (mut examples, mut shown) = examples();
        let names = |examples: &[Example], taken: Vec<usize>| -> BTreeSet<String> {
            taken.into_iter().map(|index| examples[index].group.clone()).collect()
        };
        let one = GroupOrder::draw(&examples, &shown, false, 3).take(20.0);
        let one = names(&examples, one);
        examples.reverse();
        shown.reverse();
        let other = GroupOrder::draw(&examples, &shown, false, 3).take(20.0);
        assert_eq!(names(&examples, other), one);
    }
}
