//! Stronger augmentation, none of which is done unless a run asks for it.

use medley_package::TaskKind;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Changes beyond those of [`crate::Augmentation`]. The default does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExtraAugmentation {
    /// Random resized crops (Szegedy et al., *Going deeper with convolutions*, 2015) of whole pictures in
    /// classification: the least share of the picture's area that is shown, above 0; 1 for none.
    pub crop: f32,
    /// Greatest standard deviation of a Gaussian blur, in pixels of the canvas, 0 to 8; half of the images have none.
    pub blur: f32,
    /// Cut-out (DeVries and Taylor, 2017) in classification: the greatest side of a square that is filled with the
    /// picture's mean, as a share of the canvas's side, 0 to 1; half of the images have none.
    pub cutout: f32,
    /// Mixup (Zhang et al., 2018) in classification: α of the Beta distribution from which the share of another
    /// image of the same task is drawn, 0 to 1; 0 for none.
    pub mixup: f32,
    /// Enlarges and reduces pictures that are shown in tiles by up to this factor beyond the table's range, even on a
    /// logarithmic scale, 1 to 4; 1 for none. Where objects are small beside the picture, the next centre's microscope
    /// shows them at another scale; a picture that is shown whole sets its own.
    pub scale: f32,
}

impl Default for ExtraAugmentation {
    fn default() -> Self {
        Self { crop: 1.0, blur: 0.0, cutout: 0.0, mixup: 0.0, scale: 1.0 }
    }
}

/// Aspect ratio of a crop against the picture's, at most, and its inverse at least.
const ASPECT: f64 = 4.0 / 3.0;

/// Taps of the blur on each side, in standard deviations: what is beyond weighs less than 0.3 % in all.
const REACH: f32 = 3.0;

impl ExtraAugmentation {
    /// Whether all values are in their ranges.
    ///
    /// # Errors
    /// The reason, if not.
    pub fn check(&self) -> Result<(), String> {
        let Self { crop, blur, cutout, mixup, scale } = *self;
        if !(crop > 0.0 && crop <= 1.0) {
            return Err(format!("crop {crop} is not above 0 and at most 1"));
        }
        if !(0.0..=8.0).contains(&blur) {
            return Err(format!("blur {blur} is not in 0..=8"));
        }
        for (name, value) in [("cutout", cutout), ("mixup", mixup)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(format!("{name} {value} is not in 0..=1"));
            }
        }
        if !(1.0..=4.0).contains(&scale) {
            return Err(format!("scale {scale} is not in 1..=4"));
        }
        Ok(())
    }

    /// The same without what may not be done to images of that kind of task.
    pub(crate) fn of(self, kind: TaskKind) -> Self {
        if kind == TaskKind::Classification {
            self
        } else {
            Self { blur: self.blur, scale: self.scale, ..Self::default() }
        }
    }

    /// By how much a crop enlarges each axis; 1 where there is none.
    pub(crate) fn draw_crop(&self, rng: &mut ChaCha8Rng) -> [f64; 2] {
        if self.crop >= 1.0 {
            return [1.0, 1.0];
        }
        let area: f64 = rng.random_range(f64::from(self.crop)..=1.0);
        let aspect = (ASPECT.ln() * rng.random_range(-1.0..=1.0f64)).exp();
        // The window may not be wider or higher than the picture.
        [area * aspect, area / aspect].map(|square| 1.0 / square.sqrt().min(1.0))
    }

    /// Blurs and cuts out, on a canvas of `[3, size, size]`; `inside` says which pixels show the picture.
    pub(crate) fn draw(
        &self,
        canvas: &mut [f32],
        inside: &[bool],
        size: usize,
        rng: &mut ChaCha8Rng,
    ) {
        let deviation = self.blur * rng.random_range(0.0..=1.0f32);
        if rng.random_bool(0.5) && deviation > 0.1 {
            blur(canvas, inside, size, deviation);
        }
        let side = self.cutout * size as f32 * rng.random_range(0.0..=1.0f32);
        let centre = [(); 2].map(|()| rng.random_range(0.0..=1.0f32) * size as f32);
        if rng.random_bool(0.5) && side >= 1.0 {
            cut_out(canvas, inside, size, centre, side / 2.0);
        }
    }
}

/// Gaussian blur of the picture alone: padding is neither changed nor mixed in.
fn blur(canvas: &mut [f32], inside: &[bool], size: usize, deviation: f32) {
    let reach = (REACH * deviation).ceil() as usize;
    let taps: Vec<f32> =
        (0..=reach).map(|at| (-0.5 * (at as f32 / deviation).powi(2)).exp()).collect();
    let weights: Vec<f32> = inside.iter().map(|&inside| f32::from(u8::from(inside))).collect();
    // What the taps add up to over the picture, by which each pixel is divided.
    let total = along(&along(&weights, size, &taps, 1), size, &taps, size);
    for plane in canvas.chunks_exact_mut(size * size) {
        let shown: Vec<f32> =
            plane.iter().zip(&weights).map(|(value, inside)| value * inside).collect();
        let summed = along(&along(&shown, size, &taps, 1), size, &taps, size);
        for (at, value) in plane.iter_mut().enumerate() {
            if inside[at] {
                *value = summed[at] / total[at];
            }
        }
    }
}

/// The weighted sum over neighbours along one axis: `stride` 1 for rows, the side for columns.
fn along(plane: &[f32], size: usize, taps: &[f32], stride: usize) -> Vec<f32> {
    let mut sums: Vec<f32> = plane.iter().map(|value| value * taps[0]).collect();
    for (distance, tap) in taps.iter().enumerate().skip(1) {
        for at in 0..plane.len() {
            let place = if stride == 1 { at % size } else { at / size };
            if place >= distance {
                sums[at] += tap * plane[at - distance * stride];
            }
            if place + distance < size {
                sums[at] += tap * plane[at + distance * stride];
            }
        }
    }
    sums
}

/// Fills a square about `centre` with each channel's mean over the picture.
fn cut_out(canvas: &mut [f32], inside: &[bool], size: usize, centre: [f32; 2], half: f32) {
    let count = inside.iter().filter(|inside| **inside).count().max(1) as f32;
    for plane in canvas.chunks_exact_mut(size * size) {
        let sum: f32 =
            plane.iter().zip(inside).filter(|(_, inside)| **inside).map(|(value, _)| value).sum();
        for (at, value) in plane.iter_mut().enumerate() {
            let (x, y) = ((at % size) as f32 + 0.5, (at / size) as f32 + 0.5);
            if inside[at] && (x - centre[0]).abs() <= half && (y - centre[1]).abs() <= half {
                *value = sum / count;
            }
        }
    }
}

/// The share of the other image in mixup: the smaller part of a draw from Beta(α, α), by Jöhnk's way, 0..=0.5.
pub(crate) fn draw_share(alpha: f32, rng: &mut ChaCha8Rng) -> f32 {
    let power = 1.0 / f64::from(alpha);
    loop {
        let [x, y] = [(); 2].map(|()| rng.random_range(0.0..1.0f64).powf(power));
        let sum = x + y;
        if sum > 0.0 && sum <= 1.0 {
            return (x.min(y) / sum) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Purpose, stream};

    const SIZE: usize = 24;

    /// A bright dot in the middle of a picture that fills the left three quarters.
    fn drawn() -> (Vec<f32>, Vec<bool>) {
        let inside: Vec<bool> = (0..SIZE * SIZE).map(|at| at % SIZE < 18).collect();
        let plane: Vec<f32> = (0..SIZE * SIZE)
            .map(|at| match (at % SIZE, at / SIZE) {
                (9, 12) => 1.0,
                (x, _) if x < 18 => 0.2,
                _ => 0.0,
            })
            .collect();
        ([&plane[..], &plane[..], &plane[..]].concat(), inside)
    }

    #[test]
    fn a_blur_keeps_even_ground_and_spreads_a_dot_but_not_into_the_padding() {
        let (mut canvas, inside) = drawn();
        blur(&mut canvas, &inside, SIZE, 1.5);
        let at = |x: usize, y: usize| canvas[y * SIZE + x];
        assert!(at(9, 12) < 0.5 && at(10, 12) > 0.22, "{} {}", at(9, 12), at(10, 12));
        // At the picture's edge as in its middle: sums of f32.
        assert!((at(17, 2) - 0.2).abs() < 1e-6 && (at(0, 0) - 0.2).abs() < 1e-6);
        assert!((0..SIZE).all(|y| (18..SIZE).all(|x| at(x, y) == 0.0)));
        let sum: f32 = canvas[..SIZE * SIZE].iter().sum();
        // The dot lies far from every edge, so nothing of it is lost.
        assert!((sum - (18.0 * 24.0 * 0.2 + 0.8)).abs() < 1e-2, "{sum}");
    }

    #[test]
    fn a_cut_out_square_holds_the_mean_and_nothing_else_changes() {
        let (mut canvas, inside) = drawn();
        let before = canvas.clone();
        cut_out(&mut canvas, &inside, SIZE, [16.0, 12.0], 4.0);
        let mean = (18.0 * 24.0 * 0.2 + 0.8) / (18.0 * 24.0);
        for at in 0..SIZE * SIZE {
            let (x, y) = (at % SIZE, at / SIZE);
            if (12..18).contains(&x) && (8..16).contains(&y) {
                // A sum of some hundred f32.
                assert!((canvas[at] - mean).abs() < 1e-5, "{x} {y}");
            } else {
                assert_eq!(canvas[at], before[at], "{x} {y}");
            }
        }
    }

    #[test]
    fn crops_show_at_least_their_share_and_never_more_than_the_picture() {
        let extra = ExtraAugmentation { crop: 0.3, ..ExtraAugmentation::default() };
        let mut rng = stream(1, Purpose::Augment, 0, 0);
        let mut least = 1.0f64;
        for _ in 0..1000 {
            let [x, y] = extra.draw_crop(&mut rng);
            assert!(x >= 1.0 && y >= 1.0);
            least = least.min(1.0 / (x * y));
        }
        // A side that would be longer than the picture is cut to it: then a little less is shown.
        assert!((0.22..0.4).contains(&least), "{least}");
        assert_eq!(ExtraAugmentation::default().draw_crop(&mut rng), [1.0, 1.0]);
    }

    #[test]
    fn shares_of_mixup_are_small_for_a_small_alpha_and_even_for_one() {
        let mean = |alpha: f32| {
            let mut rng = stream(1, Purpose::Mixup, 0, 0);
            let shares: Vec<f32> = (0..4000).map(|_| draw_share(alpha, &mut rng)).collect();
            assert!(shares.iter().all(|share| (0.0..=0.5).contains(share)));
            shares.iter().sum::<f32>() / 4000.0
        };
        // Beta(1, 1) is even: its smaller part is 0.25 on average, with a deviation of 0.144 / √4000.
        assert!((mean(1.0) - 0.25).abs() < 0.01, "{}", mean(1.0));
        // 0.101 is the mean of 400 000 draws of Python's random.betavariate(0.2, 0.2).
        assert!((mean(0.2) - 0.101).abs() < 0.01, "{}", mean(0.2));
    }

    #[test]
    fn masks_and_boxes_are_blurred_and_rescaled_only() {
        let all = ExtraAugmentation { crop: 0.5, blur: 1.0, cutout: 0.3, mixup: 0.2, scale: 1.5 };
        assert_eq!(all.of(TaskKind::Classification), all);
        let left = ExtraAugmentation { blur: 1.0, scale: 1.5, ..ExtraAugmentation::default() };
        assert_eq!(all.of(TaskKind::Segmentation), left);
        assert_eq!(all.of(TaskKind::Detection), left);
    }

    #[test]
    fn values_out_of_range_are_told() {
        let zero = ExtraAugmentation { crop: 0.0, ..ExtraAugmentation::default() };
        assert!(zero.check().unwrap_err().contains("crop 0"));
        let nan = ExtraAugmentation { mixup: f32::NAN, ..ExtraAugmentation::default() };
        assert!(nan.check().unwrap_err().contains("mixup"));
        let shrinks = ExtraAugmentation { scale: 0.5, ..ExtraAugmentation::default() };
        assert!(shrinks.check().unwrap_err().contains("scale 0.5"));
    }
}
