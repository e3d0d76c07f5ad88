//! Drawing one augmentation: a single affine map, a tone curve for each channel, noise.

use medley_infer::{fit, placements};
use medley_package::Presentation;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::modality::Augmentation;
use crate::warp::{Affine, Tone};

/// How much larger than at scale 1 a picture is kept: enough for the greatest enlargement, and not so large that
/// bilinear interpolation would skip pixels at the smallest (1.25 / 0.8 is less than two).
const KEPT_SCALE: f64 = 1.25;

/// The size in which a picture is kept for augmentation: what the presentation needs at its largest, never more
/// than the picture has.
pub(crate) fn kept_size(width: u32, height: u32, presentation: &Presentation) -> (u32, u32) {
    let long_side = match *presentation {
        Presentation::Whole { size } => size,
        Presentation::Tiles { long_side, .. } => long_side,
    };
    let wanted = (f64::from(long_side) * KEPT_SCALE).ceil() as u32;
    if wanted >= width.max(height) { (width, height) } else { fit((width, height), wanted) }
}

/// The map from a picture's own pixels to the canvas, drawn at random.
///
/// *Whole*: about the place where inference puts the picture, top left. *Tiles*: the window lies anywhere on the
/// picture; along a side that is shorter than the window, as for *whole*. `crop` enlarges each axis of a *whole* picture,
/// of which then any part lies where the picture would.
pub(crate) fn draw_map(
    limits: &Augmentation,
    (width, height): (u32, u32),
    presentation: &Presentation,
    crop: [f64; 2],
    rng: &mut ChaCha8Rng,
) -> Affine {
    let size = f64::from(presentation.size());
    let scaled = placements(width, height, presentation)
        .first()
        .map_or((width, height), |placement| placement.scaled);
    let scaled = (f64::from(scaled.0), f64::from(scaled.1));
    // All values are drawn in the same order whatever the limits, so that one limit does not shift the others.
    let flip_x = rng.random_bool(0.5) && limits.flip_x;
    let flip_y = rng.random_bool(0.5) && limits.flip_y;
    let quarters = rng.random_range(0..4u32) * u32::from(limits.quarter_turns);
    let angle = f64::from(limits.degrees).to_radians() * rng.random_range(-1.0..=1.0);
    let zoom = log_even(limits.scale, rng);
    let shift = [(); 2].map(|()| f64::from(limits.shift) * size * rng.random_range(-1.0..=1.0));
    let window = [(); 2].map(|()| rng.random_range(0.0..=1.0));

    let upright = if quarters % 2 == 0 { [scaled.0, scaled.1] } else { [scaled.1, scaled.0] };
    let tiles = matches!(presentation, Presentation::Tiles { .. });
    let centre = |axis: usize| {
        let length = upright[axis] * zoom * crop[axis];
        if crop != [1.0, 1.0] {
            return length / 2.0 - (length - upright[axis]) * window[axis];
        }
        if tiles && length > size {
            length / 2.0 - (length - size) * window[axis]
        } else {
            upright[axis] / 2.0 + shift[axis]
        }
    };
    let mirror = |flip: bool| if flip { -zoom } else { zoom };
    Affine::scale(scaled.0 / f64::from(width), scaled.1 / f64::from(height))
        .then(Affine::shift(-scaled.0 / 2.0, -scaled.1 / 2.0))
        .then(Affine::scale(mirror(flip_x), mirror(flip_y)))
        .then(Affine::quarter_turns(quarters))
        .then(Affine::scale(crop[0], crop[1]))
        .then(Affine::turn(angle))
        .then(Affine::shift(centre(0), centre(1)))
}

/// Brightness, contrast, gamma and, for a colour picture, each channel's own gain and offset, as curves over bytes.
pub(crate) fn draw_tone(limits: &Augmentation, colour: bool, rng: &mut ChaCha8Rng) -> Tone {
    let brightness = limits.brightness * rng.random_range(-1.0..=1.0f32);
    let contrast = log_even(limits.contrast, rng) as f32;
    let gamma = log_even(limits.gamma, rng) as f32;
    let strength = if colour { limits.colour } else { 0.0 };
    std::array::from_fn(|_| {
        let gain = 1.0 + strength * rng.random_range(-1.0..=1.0f32);
        let offset = strength / 2.0 * rng.random_range(-1.0..=1.0f32);
        std::array::from_fn(|byte| {
            let value = byte as f32 / 255.0 * gain + offset;
            ((value - 0.5) * contrast + 0.5 + brightness).clamp(0.0, 1.0).powf(gamma)
        })
    })
}

/// A source of noise for one picture; half of the pictures have none.
pub(crate) fn draw_noise(limits: &Augmentation, rng: &mut ChaCha8Rng) -> impl FnMut() -> f32 {
    // The sum of four even bytes has the mean 510 and the standard deviation sqrt(4 · (256² − 1) / 12) = 147.8.
    // That is close enough to a Gaussian for noise, and an eighth of the cost.
    let deviation = limits.noise * rng.random_range(0.0..=1.0f32);
    let factor = if rng.random_bool(0.5) { deviation / 147.8 } else { 0.0 };
    move || {
        if factor == 0.0 {
            return 0.0;
        }
        let sum: u32 = rng.next_u32().to_le_bytes().into_iter().map(u32::from).sum();
        (sum as f32 - 510.0) * factor
    }
}

/// A number between two, even on a logarithmic scale.
fn log_even((from, to): (f32, f32), rng: &mut ChaCha8Rng) -> f64 {
    let (from, to) = (f64::from(from).ln(), f64::from(to).ln());
    (from + (to - from) * rng.random_range(0.0..=1.0)).exp()
}
