//! One picture of a source with its answer, and the checks that both must pass.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader};
use medley_infer::Image;

use super::error::{FaultReason, SourcePlace};
use super::plan::MaskValues;
use crate::cache::{check_mask, decode_grey};
use crate::error::RecordFault;
use crate::records::{Split, check_box, class};

/// How far a box may stick out of its picture, in pixels, before it is a fault: sources round, and count pixels
/// from 0 or from 1. What sticks out is cut off.
const OVERHANG: f64 = 1.0;

/// A picture of the source with its answer.
pub(crate) struct Item {
    /// Where the answer stands, for messages.
    pub(crate) place: SourcePlace,
    /// The picture's path below the source, with `/`; groups follow from it.
    pub(crate) path: String,
    /// The split that the source puts it into.
    pub(crate) split: Option<Split>,
    /// Its pixels.
    pub(crate) pixels: Pixels,
    /// Width and height that the source states.
    pub(crate) stated: Option<(u32, u32)>,
    /// Its answer.
    pub(crate) answer: Answer,
}

/// Where the pixels are.
pub(crate) enum Pixels {
    /// In a PNG or JPEG file.
    File(PathBuf),
    /// Here, 8 bit, row by row: grey, or RGB interleaved.
    Raw { width: u32, height: u32, colour: bool, values: Vec<u8> },
}

/// What the source says of a picture.
pub(crate) enum Answer {
    /// The number of its class, not checked yet.
    Label(i64),
    /// A mask file.
    Mask(PathBuf),
    /// Boxes `[x0, y0, x1, y1]` with their class; not checked yet.
    Boxes(Vec<([f64; 4], usize)>),
    /// The same in shares of the picture's width and height.
    Shares(Vec<([f64; 4], usize)>),
}

/// A picture that can be used, as its file will be.
pub(crate) struct Encoded {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The file's ending.
    pub(crate) ending: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// An answer that can be used.
pub(crate) enum Checked {
    Label(i64),
    /// The mask's values, row by row.
    Mask(Vec<u8>),
    Boxes(Vec<Vec<f64>>),
}

impl Pixels {
    /// The picture's file, decoded once to be sure of it; encoded anew as PNG if wanted, or if there is none.
    pub(crate) fn encode(&self, png: bool) -> Result<Encoded, FaultReason> {
        match self {
            Self::File(path) => {
                let bytes = fs::read(path)?;
                let image = Image::decode(&bytes)?;
                let (width, height) = (image.width(), image.height());
                let jpeg = bytes.starts_with(&[0xFF, 0xD8]);
                if png {
                    return Ok(Encoded { width, height, ending: "png", bytes: anew(&bytes)? });
                }
                Ok(Encoded { width, height, ending: if jpeg { "jpg" } else { "png" }, bytes })
            }
            Self::Raw { width, height, colour, values } => {
                let (width, height) = (*width, *height);
                if *colour {
                    Image::from_rgb8(width, height, values)?;
                } else {
                    Image::from_gray8(width, height, values)?;
                }
                let colour = if *colour { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
                let bytes = to_png(width, height, colour, values)?;
                Ok(Encoded { width, height, ending: "png", bytes })
            }
        }
    }
}

/// The pixels of a file that can be decoded as a PNG, upright, in the same depth and colours.
fn anew(bytes: &[u8]) -> Result<Vec<u8>, FaultReason> {
    let failed = |error: image::ImageError| FaultReason::Syntax(error.to_string());
    let mut decoder = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()?
        .into_decoder()
        .map_err(failed)?;
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = image::DynamicImage::from_decoder(decoder).map_err(failed)?;
    picture.apply_orientation(orientation);
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png).map_err(failed)?;
    Ok(out.into_inner())
}

/// Encodes values as PNG.
pub(crate) fn to_png(
    width: u32,
    height: u32,
    colour: ExtendedColorType,
    values: &[u8],
) -> Result<Vec<u8>, FaultReason> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(values, width, height, colour)
        .map_err(|error| FaultReason::Syntax(error.to_string()))?;
    Ok(bytes)
}

impl Answer {
    /// The answer in the form of a record, for a picture of that size and a task of that many classes.
    pub(crate) fn check(
        &self,
        size: (u32, u32),
        classes: usize,
        masks: MaskValues,
    ) -> Result<Checked, FaultReason> {
        Ok(match self {
            Self::Label(label) => {
                class(*label, classes)?;
                Checked::Label(*label)
            }
            Self::Mask(path) => Checked::Mask(check_mask_file(path, size, classes, masks)?),
            Self::Boxes(boxes) => {
                let fitted = boxes.iter().map(|(corners, class)| (*corners, *class));
                Checked::Boxes(fit(fitted, size, classes)?)
            }
            Self::Shares(boxes) => {
                let (width, height) = (f64::from(size.0), f64::from(size.1));
                let scaled = boxes.iter().map(|([x0, y0, x1, y1], class)| {
                    ([x0 * width, y0 * height, x1 * width, y1 * height], *class)
                });
                Checked::Boxes(fit(scaled, size, classes)?)
            }
        })
    }
}

fn check_mask_file(
    path: &Path,
    size: (u32, u32),
    classes: usize,
    values: MaskValues,
) -> Result<Vec<u8>, FaultReason> {
    let mut grey = decode_grey(path, &fs::read(path)?)?;
    let found = (grey.width, grey.height);
    if found != size {
        let what = format!("the mask {}", path.display());
        return Err(FaultReason::Size { what, found, picture: size });
    }
    if values == MaskValues::Binary {
        let wrong = grey.values.iter().position(|value| !matches!(value, 0 | 255));
        if let Some(at) = wrong {
            return Err(FaultReason::Syntax(format!(
                "the mask {} holds the value {} at ({}, {}); expected 0 and 255 alone",
                path.display(),
                grey.values[at],
                at as u32 % grey.width,
                at as u32 / grey.width,
            )));
        }
        grey.values.iter_mut().for_each(|value| *value /= 255);
    } else if grey.bits == 1 {
        // What is stored as 0 and 1 are class numbers; the decoder makes 255 of 1.
        grey.values.iter_mut().for_each(|value| *value /= 255);
    }
    check_mask(path, &grey.values, grey.width, classes)?;
    Ok(grey.values)
}

/// Boxes as a record has them: in hundredths of a pixel, what sticks out by a little cut off, all of them good.
fn fit(
    boxes: impl Iterator<Item = ([f64; 4], usize)>,
    size: (u32, u32),
    classes: usize,
) -> Result<Vec<Vec<f64>>, RecordFault> {
    let inside = |value: f64, end: u32| {
        let end = f64::from(end);
        let cut = value.clamp(0.0, end);
        if (value - cut).abs() <= OVERHANG { (cut * 100.0).round() / 100.0 } else { value }
    };
    boxes
        .enumerate()
        .map(|(index, ([x0, y0, x1, y1], class))| {
            let (x0, x1) = (inside(x0, size.0), inside(x1, size.0));
            let (y0, y1) = (inside(y0, size.1), inside(y1, size.1));
            let found = vec![x0, y0, x1, y1, class as f64];
            check_box(index, &found, size, classes)?;
            Ok(found)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_may_stick_out_by_a_pixel_and_no_more() {
        let fitted = |corners| fit([(corners, 0)].into_iter(), (10, 8), 1);
        let found = fitted([-1.0, -0.4, 10.6, 8.0]).unwrap();
        assert_eq!(found, [[0.0, 0.0, 10.0, 8.0, 0.0]]);
        assert_eq!(fitted([1.23456, 2.0, 3.0, 4.0]).unwrap()[0][0], 1.23);
        for corners in [
            [-1.1, 0.0, 5.0, 5.0],
            [0.0, 0.0, 11.5, 5.0],
            [0.0, 0.0, 5.0, 9.5],
            [5.0, 0.0, 5.001, 5.0],
            [10.5, 0.0, 10.9, 5.0],
            [6.0, 0.0, 5.0, 5.0],
            [f64::NAN, 0.0, 5.0, 5.0],
        ] {
            assert!(fitted(corners).is_err(), "{corners:?}");
        }
        assert!(fit([([0.0, 0.0, 1.0, 1.0], 1)].into_iter(), (10, 8), 1).is_err());
    }
}
