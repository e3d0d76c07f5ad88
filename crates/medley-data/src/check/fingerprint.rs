//! What two pictures are compared by.
//!
//! First a perceptual hash, the difference hash (dHash) of N. Krawetz, *Kind of like that* (2013): the picture is
//! reduced to 9×8 grey values, and each of 64 bits says whether the value to the right is the brighter one. It stays
//! much the same when a picture is scaled, compressed or toned, but pictures of one organ are alike in it too: the
//! disc of a fundus, the ribs of a chest. So pairs that it finds are compared by their detail as well, which no two
//! patients share.

use medley_infer::{Image, resize};

/// Neighbours that differ by less are equal: twice the rounding of a byte.
const STEP: f32 = 2.0 / 255.0;

/// With fewer pairs of neighbours that differ, of 64, the bits say more about noise than about the picture.
const LEAST_STEPS: usize = 16;

/// Side of the picture whose detail is compared.
const SIDE: u32 = 32;

/// What a picture is known by.
pub(crate) struct Fingerprint {
    /// The difference hash.
    bits: u64,
    /// What sets each pixel of the reduced picture apart from its four neighbours, but for the pixels at the rim;
    /// of mean 0 and length 1 over the whole picture.
    detail: Vec<f32>,
}

impl Fingerprint {
    /// In how many of 64 bits the hashes differ.
    pub(crate) fn distance(&self, other: &Self) -> u32 {
        (self.bits ^ other.bits).count_ones()
    }

    /// The correlation of the detail, −1 to 1; that of a picture with its copy is near 1.
    pub(crate) fn likeness(&self, other: &Self) -> f32 {
        self.detail.iter().zip(&other.detail).map(|(a, b)| a * b).sum()
    }
}

/// The fingerprint of a picture, or none for one that is blank or nearly so: all such would look the same.
pub(crate) fn fingerprint(image: &Image) -> Option<Fingerprint> {
    let steps = |row: &[f32]| row.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    let (mut bits, mut differing) = (0u64, 0);
    for step in grey(image, 9, 8).chunks_exact(9).flat_map(steps) {
        // Where nothing changes the bit is 0, whatever the noise.
        bits = bits << 1 | u64::from(step >= STEP);
        differing += usize::from(step.abs() >= STEP);
    }
    (differing >= LEAST_STEPS).then(|| Fingerprint { bits, detail: detail(image) })
}

fn detail(image: &Image) -> Vec<f32> {
    let small = grey(image, SIDE, SIDE);
    let side = SIDE as usize;
    let inner = (1..side - 1).flat_map(|y| (1..side - 1).map(move |x| y * side + x));
    let mut detail: Vec<f32> = inner
        .map(|at| {
            4.0 * small[at] - small[at - 1] - small[at + 1] - small[at - side] - small[at + side]
        })
        .collect();
    let mean = detail.iter().sum::<f32>() / detail.len() as f32;
    // The root keeps a few strong edges, as the rim of a fundus, from outweighing everything else.
    detail
        .iter_mut()
        .for_each(|value| *value = (*value - mean).abs().sqrt().copysign(*value - mean));
    let length = detail.iter().map(|value| value * value).sum::<f32>().sqrt();
    detail.iter_mut().for_each(|value| *value /= length.max(f32::MIN_POSITIVE));
    detail
}

/// The picture reduced to so many grey values, row by row, 0..1 (Rec. 601 luma).
fn grey(image: &Image, width: u32, height: u32) -> Vec<f32> {
    let small = resize(image, width, height);
    small.pixels().map(|[r, g, b]| 0.299 * r + 0.587 * g + 0.114 * b).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::NEAR;
    use super::*;

    /// A picture of waves; `seed` decides where they lie.
    pub(crate) fn waves(width: u32, height: u32, seed: u32, gain: f32) -> Image {
        let value = |x: u32, y: u32| {
            let (x, y) = ((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
            // The golden angle: no two small seeds are nearly a full turn apart.
            let phase = 2.4 * seed as f32;
            let wave = (7.0 * x + phase).sin() * (5.0 * y + 2.0 * phase).cos()
                + (11.0 * x * y + phase).sin();
            0.5 + gain * 0.2 * wave
        };
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [value(x, y); 3]));
        Image::new(width, height, pixels.collect()).unwrap()
    }

    #[test]
    fn a_scaled_and_toned_copy_is_near_and_another_picture_is_far() {
        let print = |image: &Image| fingerprint(image).unwrap();
        let one = print(&waves(200, 160, 1, 1.0));
        for copy in [waves(120, 96, 1, 1.0), waves(200, 160, 1, 0.7), waves(333, 250, 1, 1.1)] {
            let copy = print(&copy);
            // Where the waves are flat neighbours are nearly equal and may fall to either side.
            assert!(one.distance(&copy) <= NEAR, "{}", one.distance(&copy));
            assert!(one.likeness(&copy) > 0.9, "{}", one.likeness(&copy));
        }
        for seed in 2..7 {
            let other = print(&waves(200, 160, seed, 1.0));
            assert!(one.distance(&other) > NEAR || one.likeness(&other) < 0.5, "{seed}");
        }
    }

    #[test]
    fn two_pictures_of_one_outline_differ_in_their_detail() {
        // A bright disc with its own fine pattern, as fundus photographs and slices of the head are.
        let disc = |seed: u32| {
            let value = |x: u32, y: u32| {
                let (dx, dy) = (x as f32 - 63.5, y as f32 - 63.5);
                let block =
                    (x / 4 * 31 + y / 4 * 17 + seed * 101).wrapping_mul(2_654_435_761) >> 22;
                let inside = (dx * dx + dy * dy).sqrt() < 58.0;
                if inside { 0.45 + 0.002 * dx + block as f32 * 1e-4 } else { 0.0 }
            };
            let pixels = (0..128).flat_map(|y| (0..128).flat_map(move |x| [value(x, y); 3]));
            fingerprint(&Image::new(128, 128, pixels.collect()).unwrap()).unwrap()
        };
        let (one, other) = (disc(1), disc(2));
        assert!(one.distance(&other) <= NEAR, "{}", one.distance(&other));
        assert!(one.likeness(&other) < 0.75, "{}", one.likeness(&other));
    }

    #[test]
    fn a_picture_with_nothing_in_it_has_no_fingerprint() {
        let even = |image: Image| fingerprint(&image).is_none();
        assert!(even(Image::new(40, 30, vec![0.0; 40 * 30 * 3]).unwrap()));
        // One grey level of noise.
        let noise = (0..64 * 64).flat_map(|i: u32| [0.5 + (i * 7919 % 3) as f32 / 255.0; 3]);
        assert!(even(Image::new(64, 64, noise.collect()).unwrap()));
        // A small bright dot on black: two neighbours of 64 differ.
        let mut dot = vec![0.0; 64 * 64 * 3];
        dot[(30 * 64 + 30) * 3..][..3].fill(1.0);
        assert!(even(Image::new(64, 64, dot).unwrap()));
    }
}
