//! The one picture type: RGB, 32-bit floats in 0..1, whatever the file or the camera had.

use crate::error::ImageError;
use crate::limits::{MAX_PIXELS, MAX_SIDE};

/// A picture: RGB, 0..1. Grey is repeated, transparency is laid over black.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    width: u32,
    height: u32,
    pixels: Vec<f32>,
}

impl Image {
    /// From RGB values, interleaved, row by row, 0..1.
    ///
    /// # Errors
    /// A size outside the limits, the wrong number of values, a value that is not finite.
    pub fn new(width: u32, height: u32, pixels: Vec<f32>) -> Result<Self, ImageError> {
        check_size(width, height)?;
        check_length(width, height, 3, pixels.len())?;
        if let Some(index) = pixels.iter().position(|v| !v.is_finite()) {
            return Err(ImageError::NotFinite { index, value: pixels[index].to_string() });
        }
        Ok(Self { width, height, pixels })
    }

    /// From 8-bit RGB, interleaved.
    ///
    /// # Errors
    /// A size outside the limits or the wrong number of values.
    pub fn from_rgb8(width: u32, height: u32, values: &[u8]) -> Result<Self, ImageError> {
        check_size(width, height)?;
        check_length(width, height, 3, values.len())?;
        let unit = unit_of_u8();
        Ok(Self::trusted(width, height, values.iter().map(|&v| unit[v as usize]).collect()))
    }

    /// From 8-bit RGB with straight (not premultiplied) alpha, interleaved, as a canvas gives it;
    /// laid over black.
    ///
    /// # Errors
    /// A size outside the limits or the wrong number of values.
    pub fn from_rgba8(width: u32, height: u32, values: &[u8]) -> Result<Self, ImageError> {
        check_size(width, height)?;
        check_length(width, height, 4, values.len())?;
        let unit = unit_of_u8();
        let mut pixels = Vec::with_capacity(values.len() / 4 * 3);
        for p in values.chunks_exact(4) {
            let alpha = unit[p[3] as usize];
            pixels.extend(p[..3].iter().map(|&v| unit[v as usize] * alpha));
        }
        Ok(Self::trusted(width, height, pixels))
    }

    /// From 8-bit grey.
    ///
    /// # Errors
    /// A size outside the limits or the wrong number of values.
    pub fn from_gray8(width: u32, height: u32, values: &[u8]) -> Result<Self, ImageError> {
        check_size(width, height)?;
        check_length(width, height, 1, values.len())?;
        let unit = unit_of_u8();
        Ok(Self::trusted(width, height, repeat(values.iter().map(|&v| unit[v as usize]))))
    }

    /// From 16-bit grey; 65535 becomes 1.
    ///
    /// # Errors
    /// A size outside the limits or the wrong number of values.
    pub fn from_gray16(width: u32, height: u32, values: &[u16]) -> Result<Self, ImageError> {
        check_size(width, height)?;
        check_length(width, height, 1, values.len())?;
        Ok(Self::trusted(width, height, repeat(values.iter().map(|&v| unit_of_u16(v)))))
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// RGB, interleaved, row by row, 0..1.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// From values that were computed from those of another picture, as scaling does: that they are as many as
    /// the size asks for and finite is not looked at again.
    pub fn trusted(width: u32, height: u32, pixels: Vec<f32>) -> Self {
        debug_assert_eq!(pixels.len(), width as usize * height as usize * 3);
        Self { width, height, pixels }
    }
}

/// Refuses empty pictures and those past the limits, from the size alone.
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Empty { width, height });
    }
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooLarge { width, height });
    }
    Ok(())
}

fn check_length(width: u32, height: u32, channels: usize, found: usize) -> Result<(), ImageError> {
    // No overflow: the size was checked to be at most MAX_PIXELS.
    let expected = width as usize * height as usize * channels;
    if found == expected {
        Ok(())
    } else {
        Err(ImageError::WrongLength { width, height, expected, found })
    }
}

/// The 256 values of a byte in 0..1.
pub(crate) fn unit_of_u8() -> [f32; 256] {
    std::array::from_fn(|v| v as f32 / 255.0)
}

pub(crate) fn unit_of_u16(value: u16) -> f32 {
    f32::from(value) / 65_535.0
}

fn repeat(grey: impl ExactSizeIterator<Item = f32>) -> Vec<f32> {
    let mut pixels = Vec::with_capacity(grey.len() * 3);
    for v in grey {
        pixels.extend([v; 3]);
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_lengths_are_checked() {
        assert_eq!(Image::from_rgb8(0, 3, &[]), Err(ImageError::Empty { width: 0, height: 3 }));
        assert_eq!(
            Image::from_gray8(20_000, 2, &[0; 40_000]),
            Err(ImageError::TooLarge { width: 20_000, height: 2 })
        );
        assert_eq!(
            Image::from_rgba8(2, 2, &[0; 15]),
            Err(ImageError::WrongLength { width: 2, height: 2, expected: 16, found: 15 })
        );
        assert!(matches!(
            Image::new(1, 1, vec![0.0, f32::NAN, 0.0]),
            Err(ImageError::NotFinite { index: 1, .. })
        ));
    }

    #[test]
    fn alpha_lies_over_black_and_grey_is_repeated() {
        let image = Image::from_rgba8(2, 1, &[255, 255, 255, 0, 255, 0, 51, 255]).unwrap();
        assert_eq!(image.pixels(), [0.0, 0.0, 0.0, 1.0, 0.0, 0.2]);
        let image = Image::from_gray16(2, 1, &[65_535, 257]).unwrap();
        // 257/65535 is exactly 1/255 in the reals; both divisions round to the nearest float.
        assert_eq!(image.pixels(), [1.0, 1.0, 1.0, 1.0 / 255.0, 1.0 / 255.0, 1.0 / 255.0]);
    }
}
