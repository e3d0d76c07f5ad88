//! A machine's share of the files, where several machines see the same.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::str::FromStr;

use medley_dicom::SliceHeader;

/// One machine among several: `2/5` is the second of five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `of`.
    index: usize,
    of: usize,
}

impl Shard {
    /// Which files are this machine's. `headers`: of each file, where it is a slice whose series is to stay together;
    /// any other is a file by itself, so that each share has some of every folder. The shares of all machines together
    /// are all files, each once, if all see the same files.
    pub fn of_files(self, headers: &[Option<SliceHeader>]) -> Vec<bool> {
        let units = units(headers);
        let shares = balanced(&units, self.of);
        units.iter().map(|&unit| shares[unit] + 1 == self.index).collect()
    }
}

/// Units of files that are answered together: a series, or any other file.
fn units(headers: &[Option<SliceHeader>]) -> Vec<usize> {
    let mut series: HashMap<(&str, &str), usize> = HashMap::new();
    let mut count = 0;
    let mut next = || {
        count += 1;
        count - 1
    };
    headers
        .iter()
        .map(|header| match header {
            Some(header) => *series.entry(header.series_key()).or_insert_with(&mut next),
            None => next(),
        })
        .collect()
}

/// The share of each unit, from 0: in turn, each goes to the share that has the fewest files so far, the first of
/// equal ones. Every machine comes to the same.
fn balanced(units: &[usize], shares: usize) -> Vec<usize> {
    let mut sizes = vec![0_usize; units.iter().max().map_or(0, |last| last + 1)];
    units.iter().for_each(|&unit| sizes[unit] += 1);
    // More shares than units have nothing to do.
    let mut loads: BinaryHeap<Reverse<(usize, usize)>> =
        (0..shares.min(sizes.len())).map(|share| Reverse((0, share))).collect();
    let place = |size: usize| {
        let Reverse((load, share)) = loads.pop().unwrap_or_default();
        loads.push(Reverse((load + size, share)));
        share
    };
    sizes.into_iter().map(place).collect()
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected I/N with 1 ≤ I ≤ N, as 2/5".to_owned();
        let (index, of) = text.split_once('/').ok_or_else(expected)?;
        let index = index.parse().map_err(|_| expected())?;
        let of = of.parse().map_err(|_| expected())?;
        if (1..=of).contains(&index) { Ok(Self { index, of }) } else { Err(expected()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_files_are_disjoint_and_together_everything() {
        let share = |text: &str| text.parse::<Shard>().unwrap().of_files(&[const { None }; 7]);
        let all = ["1/3", "2/3", "3/3"].map(share);
        for file in 0..7 {
            assert_eq!(all.iter().filter(|mine| mine[file]).count(), 1, "file {file}");
        }
        // In turn: no share is the first third of a folder.
        assert!(all[0][0] && all[1][1] && all[0][3]);
        for text in ["0/3", "4/3", "1", "a/b", "1/0"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        let last: Shard = format!("{}/{0}", usize::MAX).parse().unwrap();
        assert_eq!(last.of_files(&[None, None]), [false, false]);
        assert!("1/2".parse::<Shard>().unwrap().of_files(&[]).is_empty());
    }

    #[test]
    fn large_units_go_where_the_least_is() {
        // Five files of the first unit, then four single ones, and two of the last.
        let units = [0, 1, 0, 0, 2, 0, 0, 3, 4, 5, 5];
        assert_eq!(balanced(&units, 2), [0, 1, 1, 1, 1, 1]);
        assert_eq!(balanced(&units, 3), [0, 1, 2, 1, 2, 1]);
    }
}
