//! Changes of the kinds that break readers, the same ones for the same seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Bytes from the start where most formats have their sizes and counts: half of the changes go there.
const HEADER: usize = 1024;
/// Most changes of one file.
const CHANGES: usize = 6;
/// Longest piece that is cut out, repeated or brought in, in bytes.
const PIECE: usize = 64;

/// Spoils files.
pub struct Damage(ChaCha8Rng);

impl Damage {
    /// The same seed gives the same damage on every machine.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `below`, which is at least 1.
    pub fn pick(&mut self, below: usize) -> usize {
        self.0.random_range(0..below)
    }

    /// A spoiled copy of `whole`: bytes set, bits flipped, numbers made extreme, pieces cut out, repeated or brought in
    /// from `other`, the end cut off.
    pub fn spoil(&mut self, whole: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        // Few changes more often than many: what is broken in one place gets past the first check.
        let most = 1 + self.pick(CHANGES);
        for _ in 0..1 + self.pick(most) {
            if bytes.is_empty() {
                break;
            }
            let reach = if self.pick(2) == 0 { bytes.len().min(HEADER) } else { bytes.len() };
            let at = self.pick(reach);
            match self.pick(8) {
                0 => bytes[at] = self.pick(256) as u8,
                1 => bytes[at] ^= 1 << self.pick(8),
                2 | 3 => self.make_extreme(&mut bytes[at..]),
                4 => bytes.truncate(at),
                5 => {
                    let end = at + self.length(bytes.len() - at);
                    bytes.drain(at..end);
                }
                6 => {
                    let end = at + self.length(bytes.len() - at);
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ if other.is_empty() => {}
                _ => {
                    let from = self.pick(other.len());
                    let to = from + self.length(other.len() - from);
                    let over = if self.pick(2) == 0 { at } else { bytes.len().min(at + to - from) };
                    bytes.splice(at..over, other[from..to].iter().copied());
                }
            }
        }
        bytes
    }

    /// Sets a number of one, two or four bytes to one of those that arithmetic gets wrong: the least, the greatest, and
    /// those beside a sign's change, in either order of bytes.
    fn make_extreme(&mut self, bytes: &mut [u8]) {
        let width = [1, 2, 4][self.pick(3)].min(bytes.len());
        let (first, rest) = [(0x00, 0x00), (0xFF, 0xFF), (0x7F, 0xFF), (0x80, 0x00)][self.pick(4)];
        let number = &mut bytes[..width];
        number.fill(rest);
        number[0] = first;
        if self.pick(2) == 0 {
            number.reverse();
        }
    }

    /// From 1 to the longest piece, but no more than there is.
    fn length(&mut self, there: usize) -> usize {
        1 + self.pick(there.min(PIECE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_does_the_same_damage() {
        let whole: Vec<u8> = (0..=255).collect();
        let spoiled = |seed| {
            let mut damage = Damage::new(seed);
            (0..100).map(|_| damage.spoil(&whole, b"other")).collect::<Vec<_>>()
        };
        assert_eq!(spoiled(1), spoiled(1));
        assert_ne!(spoiled(1), spoiled(2));
        // A change may by chance set what is there already.
        let unchanged = spoiled(1).iter().filter(|bytes| **bytes == whole).count();
        assert!(unchanged < 10, "{unchanged} of 100 are as they were");
    }

    #[test]
    fn nothing_and_one_byte_can_be_spoiled() {
        let mut damage = Damage::new(3);
        for _ in 0..1000 {
            assert!(damage.spoil(b"", b"other").is_empty());
            damage.spoil(b"x", b"");
        }
    }
}
