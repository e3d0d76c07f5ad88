//! The one picture type: grey or RGB, 32-bit floats in 0..1, whatever the file or the camera had.

use crate::error::ImageError;
use crate::limits::{MAX_PIXELS, MAX_SIDE};

/// A picture: RGB, 0..1. Transparency is laid over black.
///
/// Where every pixel is grey, as in most medical pictures, one value is kept for each: a third of the memory, and of the work
/// of scaling.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    width: u32,
    height: u32,
    /// 1 or 3.
    channels: usize,
    values: Vec<f32>,
}

impl Image {
    /// From RGB values, interleaved, row by row, 0..1.
    ///
    /// # Errors
    /// A size outside the limits, the wrong number of values, a value that is not finite.
    pub fn new(width: u32, height: u32, values: Vec<f32>) -> Result<Self, ImageError> {
        checked(width, height, 3, &values)?;
        if is_grey(values.as_chunks::<3>().0.iter().copied()) {
            let grey = values.as_chunks::<3>().0.iter().map(|&[grey, ..]| grey).collect();
            return Ok(Self::trusted(width, height, 1, grey));
        }
        Ok(Self::trusted(width, height, 3, values))
    }

    /// From grey values, row by row, 0..1.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_grey(width: u32, height: u32, values: Vec<f32>) -> Result<Self, ImageError> {
        checked(width, height, 1, &values)?;
        Ok(Self::trusted(width, height, 1, values))
    }

    /// From 8-bit RGB, interleaved.
    ///
    /// # Errors
    /// A size outside the limits or the wrong number of values.
    pub fn from_rgb8(width: u32, height: u32, values: &[u8]) -> Result<Self, ImageError> {
        check_size(width, height)?;
        check_length(width, height, 3, values.len())?;
        let unit = unit_of_u8();
        let pixels = values.as_chunks::<3>().0;
        if is_grey(pixels.iter().copied()) {
            let grey = pixels.iter().map(|&[grey, ..]| unit[grey as usize]).collect();
            return Ok(Self::trusted(width, height, 1, grey));
        }
        Ok(Self::trusted(width, height, 3, values.iter().map(|&v| unit[v as usize]).collect()))
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
        let over = |value: u8, alpha: u8| unit[value as usize] * unit[alpha as usize];
        let pixels = values.as_chunks::<4>().0;
        if is_grey(pixels.iter().map(|&[r, g, b, _]| [r, g, b])) {
            let grey = pixels.iter().map(|&[grey, .., alpha]| over(grey, alpha)).collect();
            return Ok(Self::trusted(width, height, 1, grey));
        }
        let mut colours = Vec::with_capacity(pixels.len() * 3);
        for &[r, g, b, alpha] in pixels {
            colours.extend([r, g, b].map(|value| over(value, alpha)));
        }
        Ok(Self::trusted(width, height, 3, colours))
    }

    /// From 8-bit grey.
    ///
    /// # Errors
    /// A size outside the limits or the wrong number of values.
    pub fn from_gray8(width: u32, height: u32, values: &[u8]) -> Result<Self, ImageError> {
        check_size(width, height)?;
        check_length(width, height, 1, values.len())?;
        let unit = unit_of_u8();
        Ok(Self::trusted(width, height, 1, values.iter().map(|&v| unit[v as usize]).collect()))
    }

    /// From 16-bit grey; 65535 becomes 1.
    ///
    /// # Errors
    /// A size outside the limits or the wrong number of values.
    pub fn from_gray16(width: u32, height: u32, values: &[u16]) -> Result<Self, ImageError> {
        check_size(width, height)?;
        check_length(width, height, 1, values.len())?;
        Ok(Self::trusted(width, height, 1, values.iter().map(|&v| unit_of_u16(v)).collect()))
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How many of [`Self::values`] a pixel has: 1 where all are grey, else 3.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Grey or RGB, interleaved, row by row, 0..1.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// RGB of each pixel, row by row, 0..1.
    pub fn pixels(&self) -> impl ExactSizeIterator<Item = [f32; 3]> + '_ {
        self.values.chunks_exact(self.channels).map(|pixel| match *pixel {
            [r, g, b] => [r, g, b],
            _ => [pixel[0]; 3],
        })
    }

    /// From values that were computed from those of another picture, as scaling does: that they are as many as
    /// the size asks for and finite is not looked at again. `channels`: 1 or 3.
    pub fn trusted(width: u32, height: u32, channels: usize, values: Vec<f32>) -> Self {
        debug_assert!(channels == 1 || channels == 3);
        debug_assert_eq!(values.len(), width as usize * height as usize * channels);
        Self { width, height, channels, values }
    }
}

fn checked(width: u32, height: u32, channels: usize, values: &[f32]) -> Result<(), ImageError> {
    check_size(width, height)?;
    check_length(width, height, channels, values.len())?;
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(ImageError::NotFinite { index, value: values[index].to_string() }),
        None => Ok(()),
    }
}

fn is_grey<T: PartialEq>(mut pixels: impl Iterator<Item = [T; 3]>) -> bool {
    pixels.all(|[r, g, b]| r == g && g == b)
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
        assert_eq!(image.values(), [0.0, 0.0, 0.0, 1.0, 0.0, 0.2]);
        let image = Image::from_gray16(2, 1, &[65_535, 257]).unwrap();
        // 257/65535 is exactly 1/255 in the reals; both divisions round to the nearest float.
        assert!(image.pixels().eq([[1.0; 3], [1.0 / 255.0; 3]]));
    }

    #[test]
    fn what_is_grey_in_every_pixel_is_kept_once_wherever_it_comes_from() {
        let grey = Image::from_gray8(2, 1, &[51, 255]).unwrap();
        assert_eq!((grey.channels(), grey.values()), (1, &[0.2, 1.0][..]));
        let others = [
            Image::from_rgb8(2, 1, &[51, 51, 51, 255, 255, 255]),
            Image::from_rgba8(2, 1, &[51, 51, 51, 255, 255, 255, 255, 255]),
            Image::new(2, 1, vec![0.2, 0.2, 0.2, 1.0, 1.0, 1.0]),
            Image::from_grey(2, 1, vec![0.2, 1.0]),
        ];
        for other in others {
            assert_eq!(other.as_ref(), Ok(&grey));
        }
        let colours = Image::from_rgb8(2, 1, &[51, 51, 51, 255, 255, 254]).unwrap();
        assert_eq!(colours.channels(), 3);
    }
}
