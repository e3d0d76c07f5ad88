//! Images, decoded by the same code as on the command line.

use js_sys::{Object, Reflect, Uint8Array, Uint16Array};
use medley_infer::{Image, has_sixteen_bits, resize, wake_threads};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::WebError;
use crate::samples::{self, Range};

/// A decoded image.
#[wasm_bindgen]
pub struct WasmImage {
    pub(crate) image: Image,
    pub(crate) name: String,
    pub(crate) pixel_area: Option<f64>,
    pub(crate) frame: Option<u32>,
    /// The file's values have 16 bits.
    sixteen_bits: bool,
}

#[wasm_bindgen]
impl WasmImage {
    /// From the bytes of a PNG or JPEG file.
    ///
    /// # Errors
    /// The bytes are no image that can be read; see [`medley_infer::ImageError`].
    pub fn decode(bytes: &[u8], name: String) -> Result<WasmImage, WebError> {
        wake_threads();
        let image = Image::decode(bytes)?;
        Ok(Self { sixteen_bits: has_sixteen_bits(bytes), ..Self::new(image, name) })
    }

    /// From 8-bit RGBA pixels with straight alpha, as a canvas gives them.
    ///
    /// # Errors
    /// The size is beyond the limits or is not that of the bytes.
    #[wasm_bindgen(js_name = fromRgba)]
    pub fn from_rgba(
        bytes: &[u8],
        width: u32,
        height: u32,
        name: String,
    ) -> Result<WasmImage, WebError> {
        wake_threads();
        Ok(Self::new(Image::from_rgba8(width, height, bytes)?, name))
    }

    /// From a `Uint8Array`, `Uint16Array` or `Float32Array` of one channel (grey) or three (RGB,
    /// interleaved), row by row: `low` becomes black, `high` white.
    ///
    /// # Errors
    /// Another kind of array, a size beyond the limits or not that of the values, values that are
    /// not finite.
    #[wasm_bindgen(js_name = fromSamples)]
    pub fn from_samples(
        samples: &Object,
        width: u32,
        height: u32,
        channels: u32,
        low: f32,
        high: f32,
        name: String,
    ) -> Result<WasmImage, WebError> {
        let image = samples::image(samples, width, height, channels, Range { low, high })?;
        Ok(Self::new(image, name))
    }

    /// In pixels.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> u32 {
        self.image.width()
    }

    /// In pixels.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> u32 {
        self.image.height()
    }

    /// Says how many square millimetres a pixel has: reports then give areas in them too.
    #[wasm_bindgen(setter, js_name = pixelArea)]
    pub fn set_pixel_area(&mut self, square_millimetres: Option<f64>) {
        self.pixel_area = square_millimetres.filter(|area| area.is_finite() && *area > 0.0);
    }

    /// Says which frame of a file it is, counted from 1: reports name it.
    #[wasm_bindgen(setter)]
    pub fn set_frame(&mut self, frame: Option<u32>) {
        self.frame = frame;
    }

    /// The image as the model sees it, for a screen: `{ width, height, rgba }`, its longer side at
    /// most `max_side` pixels. Where the file's values have 16 bits they are there too:
    /// `{ …, words, channels }`, one channel for grey and three for colours, interleaved.
    ///
    /// # Errors
    /// None that JavaScript's own `Reflect.set` does not raise.
    pub fn preview(&self, max_side: u32) -> Result<JsValue, JsValue> {
        let (width, height) = fit(self.image.width(), self.image.height(), max_side.max(1));
        let scaled;
        let shown = if (width, height) == (self.image.width(), self.image.height()) {
            &self.image
        } else {
            scaled = resize(&self.image, width, height);
            &scaled
        };
        let object = Object::new();
        Reflect::set(&object, &"width".into(), &width.into())?;
        Reflect::set(&object, &"height".into(), &height.into())?;
        Reflect::set(&object, &"rgba".into(), &Uint8Array::from(&rgba(shown)[..]))?;
        if self.sixteen_bits {
            let (words, channels) = words(shown);
            Reflect::set(&object, &"words".into(), &Uint16Array::from(&words[..]))?;
            Reflect::set(&object, &"channels".into(), &JsValue::from_f64(channels as f64))?;
        }
        Ok(object.into())
    }
}

impl WasmImage {
    fn new(image: Image, name: String) -> Self {
        Self { image, name, pixel_area: None, frame: None, sixteen_bits: false }
    }
}

/// Scales a size down so that its longer side is at most `max_side`, aspect kept.
fn fit(width: u32, height: u32, max_side: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= max_side {
        return (width, height);
    }
    let scale = |side: u32| {
        let scaled =
            (u64::from(side) * u64::from(max_side) + u64::from(longer) / 2) / u64::from(longer);
        // At most `max_side`, so it fits; a very flat image keeps one row.
        u32::try_from(scaled).unwrap_or(max_side).max(1)
    };
    (scale(width), scale(height))
}

/// RGB in 0..1 as opaque 8-bit RGBA.
fn rgba(image: &Image) -> Vec<u8> {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    image.pixels().flat_map(|[r, g, b]| [byte(r), byte(g), byte(b), u8::MAX]).collect()
}

/// As 16-bit values, and how many a pixel has.
fn words(image: &Image) -> (Vec<u16>, usize) {
    let word = |value: &f32| (value.clamp(0.0, 1.0) * 65_535.0).round() as u16;
    (image.values().iter().map(word).collect(), image.channels())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_image_is_shown_as_it_is() {
        assert_eq!(fit(640, 480, 2048), (640, 480));
    }

    #[test]
    fn a_large_image_is_scaled_by_its_longer_side() {
        assert_eq!(fit(4000, 3000, 2000), (2000, 1500));
        assert_eq!(fit(3000, 4000, 2000), (1500, 2000));
    }

    #[test]
    fn a_very_flat_image_keeps_one_row() {
        assert_eq!(fit(16_384, 1, 100), (100, 1));
    }

    #[test]
    fn words_are_grey_where_all_is() -> Result<(), medley_infer::ImageError> {
        let grey = Image::from_gray16(3, 1, &[0, 4095, 65_535])?;
        assert_eq!(words(&grey), (vec![0, 4095, 65_535], 1));
        let colours = Image::new(1, 1, vec![0.0, 1.0, 0.5])?;
        assert_eq!(words(&colours), (vec![0, 65_535, 32_768], 3));
        Ok(())
    }

    #[test]
    fn pixels_become_opaque_bytes() -> Result<(), medley_infer::ImageError> {
        let image = Image::new(2, 1, vec![0.0, 0.5, 1.0, 1.0, 0.0, 0.2])?;
        assert_eq!(rgba(&image), [0, 128, 255, 255, 255, 0, 51, 255]);
        Ok(())
    }
}
