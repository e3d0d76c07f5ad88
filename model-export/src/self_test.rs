//! The self-test's picture, and how exactly its answers must be met.

use medley_package::PackedTensor;

/// The largest difference allowed on any output, which are logits or logarithms. Backends differ
/// by their order of summation: about 1e-4 of a logit, and logits stay below 50. A logit off by
/// this much moves a probability by 0.005 at most, while a wrong kernel is off by whole units.
pub(crate) const TOLERANCE: f64 = 0.02;

/// Side of the self-test's picture, in pixels: two of the encoder's coarsest cells, so that every
/// stage has neighbours to look at, and small enough to be answered in no time on any device.
const SIDE: usize = 64;

/// Shape of the self-test's picture: one RGB image.
const SHAPE: [usize; 4] = [1, 3, SIDE, SIDE];

/// The picture as a package stores it.
pub(crate) fn input() -> PackedTensor {
    PackedTensor::Float { shape: SHAPE.to_vec(), data: picture() }
}

/// A smooth pattern in 0..1, `[1, 3, SIDE, SIDE]`: a slow wave in each colour with another
/// direction, and a faster one on top, so that no two places and no two channels look alike and a
/// backend that confuses axes or borders is found out.
fn picture() -> Vec<f32> {
    // Waves across and down the picture, slow and fast, for red, green and blue.
    const WAVES: [[f32; 4]; 3] =
        [[1.0, 0.5, 3.0, -2.0], [-0.5, 1.0, 2.0, 5.0], [0.75, -1.25, -4.0, 1.0]];
    let at = |i: usize| i as f32 / SIDE as f32 * std::f32::consts::TAU;
    let mut values = Vec::with_capacity(SHAPE.iter().product());
    for [across, down, fast_across, fast_down] in WAVES {
        for y in 0..SIDE {
            for x in 0..SIDE {
                let slow = (across * at(x) + down * at(y)).sin();
                let fast = (fast_across * at(x) + fast_down * at(y)).cos();
                values.push(0.5 + 0.3 * slow + 0.2 * fast);
            }
        }
    }
    // 0.5 ± 0.5 by construction; rounding may leave it by the last bit.
    values.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_an_image_and_smooth_and_its_channels_differ() {
        let picture = picture();
        assert_eq!(picture.len(), SHAPE.iter().product::<usize>());
        assert!(picture.iter().all(|value| (0.0..=1.0).contains(value)));
        for row in picture.chunks(SIDE) {
            // Steeper than the steepest wave allows: 0.3·1 + 0.2·4 per 2π/64 is 0.11.
            assert!(row.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.12));
        }
        let (red, rest) = picture.split_at(SIDE * SIDE);
        let (green, blue) = rest.split_at(SIDE * SIDE);
        for (a, b) in [(red, green), (green, blue), (blue, red)] {
            let mean = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32;
            // Two independent waves of this amplitude are about 0.3 apart.
            assert!(mean > 0.2, "{mean}");
        }
    }
}
