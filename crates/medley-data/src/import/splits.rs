//! Drawing the splits: whole groups, at random from a seed, in shares that hold for every class.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use super::plan::Shares;
use super::sink::Draft;
use crate::order::{Purpose, stream};
use crate::records::Split;

/// Gives every record a split.
///
/// The groups of each class are shuffled and dealt out one by one, each to the split that is furthest behind its
/// share of all records dealt so far; the count goes on from class to class, so that many small classes do not
/// all lose their rest to the same split. A group counts for the class that most of its records have.
pub(crate) fn draw(drafts: &mut [Draft], shares: Shares, seed: u64) {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        groups.entry(&draft.raw.group).or_default().push(index);
    }
    let mut classes: BTreeMap<Option<i64>, Vec<Vec<usize>>> = BTreeMap::new();
    for records in groups.into_values() {
        let class = most_common(records.iter().map(|index| drafts[*index].raw.label));
        classes.entry(class).or_default().push(records);
    }
    let mut dealt = [0usize; 3];
    for (number, mut groups) in classes.into_values().enumerate() {
        groups.shuffle(&mut stream(seed, Purpose::Split, number as u64, 0));
        for records in groups {
            let after = (dealt.iter().sum::<usize>() + records.len()) as f64;
            let behind = |split: usize| shares.values()[split] * after - dealt[split] as f64;
            // Of equals the first: training.
            let split =
                (1..3).fold(0, |best, next| if behind(next) > behind(best) { next } else { best });
            dealt[split] += records.len();
            for index in records {
                drafts[index].split = Some(Split::ALL[split]);
            }
        }
    }
}

/// The most common one, the smallest of equals.
fn most_common(labels: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    let mut counts: BTreeMap<Option<i64>, usize> = BTreeMap::new();
    for label in labels {
        *counts.entry(label).or_default() += 1;
    }
    let best = counts.into_iter().max_by(|(a, n), (b, m)| n.cmp(m).then(b.cmp(a)));
    best.and_then(|(label, _)| label)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::error::SourcePlace;
    use super::*;
    use crate::records::RawRecord;

    /// `count` records; `group` and `label` follow from the number of each.
    fn drafts(
        count: usize,
        group: impl Fn(usize) -> usize,
        label: impl Fn(usize) -> i64,
    ) -> Vec<Draft> {
        let draft = |index| Draft {
            place: SourcePlace::file(""),
            split: None,
            raw: RawRecord {
                group: format!("g{}", group(index)),
                label: Some(label(index)),
                ..RawRecord::default()
            },
        };
        (0..count).map(draft).collect()
    }

    fn splits(drafts: &[Draft]) -> Vec<Split> {
        drafts.iter().map(|draft| draft.split.unwrap()).collect()
    }

    #[test]
    fn no_group_is_torn_and_the_shares_hold() {
        let mut all = drafts(1000, |index| index / 4, |_| 0);
        draw(&mut all, Shares::default(), 1);
        let mut seen: HashMap<&str, Split> = HashMap::new();
        for draft in &all {
            let split = draft.split.unwrap();
            assert_eq!(*seen.entry(&draft.raw.group).or_insert(split), split);
        }
        for (split, want) in Split::ALL.into_iter().zip([700, 150, 150]) {
            let found = splits(&all).iter().filter(|found| **found == split).count();
            // A group has 4 records, so no split can be expected to be closer than that.
            assert!(found.abs_diff(want) <= 4, "{split}: {found}");
        }
    }

    #[test]
    fn every_class_has_its_share_also_when_it_is_rare() {
        // Twenty classes of five: each alone would give its rest to the same split.
        let mut all = drafts(100, |index| index, |index| (index % 20) as i64);
        draw(&mut all, Shares::default(), 5);
        let of = |split| splits(&all).iter().filter(|found| **found == split).count();
        assert_eq!(Split::ALL.map(of), [70, 15, 15]);
        for class in 0..20 {
            let train = all.iter().filter(|draft| {
                draft.raw.label == Some(class) && draft.split == Some(Split::Train)
            });
            // 3.5 on average; dealt in turn, none is off by more than one and a half.
            assert!((2..=5).contains(&train.count()), "class {class}");
        }
    }

    #[test]
    fn the_seed_decides_and_nothing_else() {
        let with = |seed| {
            let mut all = drafts(60, |index| index, |index| (index % 2) as i64);
            draw(&mut all, Shares::default(), seed);
            splits(&all)
        };
        assert_eq!(with(3), with(3));
        assert_ne!(with(3), with(4));
        let mut without = drafts(60, |index| index, |_| 0);
        draw(&mut without, Shares::percent([80.0, 0.0, 20.0]).unwrap(), 3);
        assert!(!splits(&without).contains(&Split::Val));
    }
}
