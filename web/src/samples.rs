//! Pixels as a caller holds them: typed arrays of one or three channels, of any range.

use js_sys::{Float32Array, Object, Uint8Array, Uint16Array};
use medley_infer::{Image, ImageError};
use wasm_bindgen::JsCast;

use crate::error::WebError;

/// The values that become black and white; what lies outside is cut off.
#[derive(Clone, Copy)]
pub struct Range {
    /// Becomes 0.
    pub low: f32,
    /// Becomes 1; larger than `low`.
    pub high: f32,
}

/// A `Uint8Array`, `Uint16Array` or `Float32Array` as an image; only here, where the range is
/// applied, do sixteen bits become what the model sees.
///
/// # Errors
/// Another kind of array, a size beyond the limits or not that of the values, values that are not
/// finite.
pub fn image(
    samples: &Object,
    width: u32,
    height: u32,
    channels: u32,
    range: Range,
) -> Result<Image, WebError> {
    let size = [width, height, channels];
    let spread = if let Some(bytes) = samples.dyn_ref::<Uint8Array>() {
        spread(bytes.to_vec().into_iter().map(f32::from), size, range)
    } else if let Some(words) = samples.dyn_ref::<Uint16Array>() {
        spread(words.to_vec().into_iter().map(f32::from), size, range)
    } else if let Some(floats) = samples.dyn_ref::<Float32Array>() {
        spread(floats.to_vec().into_iter(), size, range)
    } else {
        return Err(WebError::Argument {
            argument: "data",
            expected: "a Uint8Array, Uint16Array or Float32Array",
        });
    };
    Ok(spread?)
}

fn spread(
    values: impl Iterator<Item = f32>,
    [width, height, channels]: [u32; 3],
    range: Range,
) -> Result<Image, ImageError> {
    let scale = range.high - range.low;
    // What is no number stays none, and the image refuses it.
    let values = values.map(|value| ((value - range.low) / scale).clamp(0.0, 1.0)).collect();
    match channels {
        1 => Image::from_grey(width, height, values),
        _ => Image::new(width, height, values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_of_grey_are_what_a_png_of_them_is() {
        let values = [0_u16, 1, 257, 65_535];
        let range = Range { low: 0.0, high: 65_535.0 };
        let spread = spread(values.map(f32::from).into_iter(), [4, 1, 1], range).unwrap();
        assert_eq!(spread, Image::from_gray16(4, 1, &values).unwrap());
    }

    #[test]
    fn a_window_spreads_its_values_and_cuts_the_others() {
        let range = Range { low: -160.0, high: 240.0 };
        let image = spread([-1000.0, -160.0, 40.0, 3000.0].into_iter(), [2, 2, 1], range).unwrap();
        assert_eq!(image.values(), [0.0, 0.0, 0.5, 1.0]);
    }

    #[test]
    fn colours_keep_their_order_and_what_is_no_number_is_refused() {
        let range = Range { low: 0.0, high: 255.0 };
        let image = spread([255.0, 0.0, 51.0].into_iter(), [1, 1, 3], range).unwrap();
        assert_eq!(image.values(), [1.0, 0.0, 0.2]);
        assert!(matches!(
            spread([0.0, f32::NAN, 0.0].into_iter(), [1, 1, 3], range),
            Err(ImageError::NotFinite { index: 1, .. })
        ));
    }
}
