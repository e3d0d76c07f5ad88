//! Pictures of different splits that look the same.

use rayon::prelude::*;
use serde::Serialize;

use super::fingerprint::Fingerprint;
use crate::records::Split;

/// The least correlation of the detail of near-duplicates. Over the project's own 18 data sets, pairs of different
/// people that are near by their hashes reach 0.70 (fundus photographs, axial slices of the head); copies that were
/// scaled or compressed anew lie above 0.9, neighbouring slices and frames from 0.7 on.
const ALIKE: f32 = 0.75;

/// Two pictures of different splits whose fingerprints are near.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Twins {
    /// In how many of 64 bits the fingerprints differ.
    pub distance: u32,
    /// The correlation of their detail, up to 1.
    pub likeness: f32,
    /// The one whose line comes first.
    pub first: Twin,
    /// The other.
    pub second: Twin,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Twin {
    /// Its split.
    pub split: Split,
    /// Its image, as the record names it.
    pub image: String,
}

/// A picture with its fingerprint.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) split: Split,
    pub(crate) image: &'a str,
    pub(crate) print: &'a Fingerprint,
}

/// All pairs of different splits at no more than that distance, the nearest first. Every pair is compared.
pub(crate) fn twins(shown: &[Shown<'_>], near: u32) -> Vec<Twins> {
    let twin = |shown: &Shown<'_>| Twin { split: shown.split, image: shown.image.to_string() };
    let mut found: Vec<Twins> = shown
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, first)| {
            shown[index + 1..].iter().filter_map(move |second| {
                let distance = first.print.distance(second.print);
                if first.split == second.split || distance > near {
                    return None;
                }
                let likeness = first.print.likeness(second.print);
                (likeness >= ALIKE).then(|| Twins {
                    distance,
                    likeness,
                    first: twin(first),
                    second: twin(second),
                })
            })
        })
        .collect();
    // Stable: pairs of a distance stay in the order of the file.
    found.sort_by_key(|twins| twins.distance);
    found
}

#[cfg(test)]
mod tests {
    use super::super::fingerprint::fingerprint;
    use super::super::fingerprint::tests::waves;
    use super::*;

    #[test]
    fn only_pictures_of_different_splits_are_compared_and_the_nearest_come_first() {
        let print = |seed, gain| fingerprint(&waves(120, 90, seed, gain)).unwrap();
        let prints = [print(1, 1.0), print(1, 1.0), print(1, 0.8), print(2, 1.0)];
        let splits = [Split::Train, Split::Train, Split::Test, Split::Val];
        let shown: Vec<Shown<'_>> = prints
            .iter()
            .zip(splits)
            .zip(["a", "b", "c", "d"])
            .map(|((print, split), image)| Shown { split, image, print })
            .collect();
        let found = twins(&shown, 10);
        let names: Vec<String> =
            found.iter().map(|twins| twins.first.image.clone() + &twins.second.image).collect();
        assert_eq!(names, ["ac", "bc"]);
        assert!(found.iter().all(|twins| twins.likeness > 0.9), "{found:?}");
    }
}
