//! Decoded pictures and masks, kept in memory as bytes so that epochs after the first cost little.

use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use image::codecs::png::PngDecoder;
use image::{ColorType, ImageDecoder};
use medley_infer::{IGNORE, Image, MAX_PIXELS, resize};

use crate::error::{DataError, RecordFault};
use crate::records::{Example, Target};

/// A picture as bytes, rows from the top, channels interleaved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 1 for a grey picture, else 3.
    pub(crate) channels: usize,
    pub(crate) pixels: Vec<u8>,
}

/// Where a picture and its mask lie in a [`Cache`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    picture: usize,
    mask: Option<usize>,
}

/// Something that is read when it is first asked for.
type Kept<T> = OnceLock<Arc<T>>;

/// What was decoded, shared by all threads and by all tasks that show the same file in the same size.
#[derive(Default)]
pub(crate) struct Cache {
    pictures: Vec<Kept<Picture>>,
    /// The size of each picture.
    sizes: Vec<(u32, u32)>,
    masks: Vec<Kept<Vec<u8>>>,
    bytes: AtomicU64,
    limit: u64,
}

/// Gives out slots, one for each file and size.
#[derive(Default)]
pub(crate) struct CacheBuilder {
    pictures: HashMap<(PathBuf, (u32, u32)), usize>,
    masks: HashMap<PathBuf, usize>,
    sizes: Vec<(u32, u32)>,
}

impl CacheBuilder {
    /// The slot of an example whose picture is kept in the given size.
    pub(crate) fn slot(&mut self, example: &Example, size: (u32, u32)) -> Slot {
        let next = self.sizes.len();
        let picture = *self.pictures.entry((example.image.clone(), size)).or_insert(next);
        if picture == next {
            self.sizes.push(size);
        }
        let mask = match &example.target {
            Target::Mask(path) => {
                let next = self.masks.len();
                Some(*self.masks.entry(path.clone()).or_insert(next))
            }
            Target::Class(_) | Target::Boxes(_) => None,
        };
        Slot { picture, mask }
    }

    /// The cache, empty. Beyond `limit` bytes it keeps nothing more, and what it does not keep is decoded anew.
    pub(crate) fn build(self, limit: u64) -> Cache {
        Cache {
            pictures: self.sizes.iter().map(|_| OnceLock::new()).collect(),
            sizes: self.sizes,
            masks: (0..self.masks.len()).map(|_| OnceLock::new()).collect(),
            bytes: AtomicU64::new(0),
            limit,
        }
    }
}

impl Cache {
    /// The example's picture, in the size of its slot.
    pub(crate) fn picture(&self, example: &Example, slot: Slot) -> Result<Arc<Picture>, DataError> {
        let size = self.sizes[slot.picture];
        self.get(
            &self.pictures[slot.picture],
            |picture: &Picture| picture.pixels.len(),
            || {
                let image = read_image(example)?;
                Ok(Picture::from_image(&resize(&image, size.0, size.1)))
            },
        )
    }

    /// The example's mask in the size of its image, for a task of that many classes; none if it has none.
    pub(crate) fn mask(
        &self,
        example: &Example,
        slot: Slot,
        classes: usize,
    ) -> Result<Option<Arc<Vec<u8>>>, DataError> {
        let (Some(index), Target::Mask(path)) = (slot.mask, &example.target) else {
            return Ok(None);
        };
        let read = || read_mask(example, path, classes);
        self.get(&self.masks[index], |mask: &Vec<u8>| mask.len(), read).map(Some)
    }

    fn get<T>(
        &self,
        entry: &Kept<T>,
        bytes: impl Fn(&T) -> usize,
        read: impl FnOnce() -> Result<T, DataError>,
    ) -> Result<Arc<T>, DataError> {
        if let Some(kept) = entry.get() {
            return Ok(kept.clone());
        }
        let value = Arc::new(read()?);
        let more = bytes(&value) as u64;
        if self.bytes.load(Ordering::Relaxed) + more <= self.limit
            && entry.set(value.clone()).is_ok()
        {
            self.bytes.fetch_add(more, Ordering::Relaxed);
        }
        Ok(value)
    }
}

impl Picture {
    /// Rounds to bytes, and to one channel where all are equal in every pixel.
    fn from_image(image: &Image) -> Self {
        // Truncation of v + 1/2 is rounding for values that are not negative.
        let bytes = image.values().iter().map(|v| (v * 255.0 + 0.5) as u8);
        let mut pixels: Vec<u8> = bytes.collect();
        let mut channels = image.channels();
        if channels == 3 && pixels.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]) {
            pixels = pixels.chunks_exact(3).map(|p| p[0]).collect();
            channels = 1;
        }
        Self { width: image.width(), height: image.height(), channels, pixels }
    }
}

/// Decodes an example's image and compares its size with the record.
pub(crate) fn read_image(example: &Example) -> Result<Image, DataError> {
    let bytes = read(&example.image)?;
    decode_image(&example.image, &bytes, (example.width, example.height))
        .map_err(|fault| example.place.fault(fault))
}

/// Decodes an image of the stated size.
pub(crate) fn decode_image(
    path: &Path,
    bytes: &[u8],
    size: (u32, u32),
) -> Result<Image, RecordFault> {
    let image = Image::decode(bytes).map_err(|error| RecordFault::Decode {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })?;
    compare_sizes(path, (image.width(), image.height()), size)?;
    Ok(image)
}

/// Decodes a mask and checks its format, its size and every value: a class, or [`IGNORE`].
pub(crate) fn read_mask(
    example: &Example,
    path: &Path,
    classes: usize,
) -> Result<Vec<u8>, DataError> {
    let bytes = read(path)?;
    let decode = || {
        let grey = decode_grey(path, &bytes)?;
        if grey.bits != 8 {
            let found = format!("a grey PNG of {} bit", grey.bits);
            return Err(RecordFault::MaskFormat { path: path.to_path_buf(), found });
        }
        compare_sizes(path, (grey.width, grey.height), (example.width, example.height))?;
        check_mask(path, &grey.values, grey.width, classes)?;
        Ok(grey.values)
    };
    decode().map_err(|fault| example.place.fault(fault))
}

/// A grey PNG as it is stored.
pub(crate) struct Grey {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bits of a stored value: 8, or 1, whose values are 0 and 255.
    pub(crate) bits: u8,
    /// Row by row.
    pub(crate) values: Vec<u8>,
}

/// Decodes a grey PNG of 8 bits or one, and nothing that the decoder would change the values of.
pub(crate) fn decode_grey(path: &Path, bytes: &[u8]) -> Result<Grey, RecordFault> {
    let damaged = |error: image::ImageError| RecordFault::Decode {
        path: path.to_path_buf(),
        reason: error.to_string(),
    };
    let decoder = PngDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    // The decoder widens palettes and fewer bits and does not say so: the values would be no class numbers. What
    // is stored stands in the header that it has just read (PNG specification, 11.2.1).
    let (bits, colour) = match bytes.get(24..26) {
        Some(&[bits, colour]) => (bits, colour),
        _ => (0, 0),
    };
    let found = match (colour, bits, decoder.color_type()) {
        (0, 1 | 8, ColorType::L8) => None,
        (0, _, ColorType::L8 | ColorType::L16) => Some(format!("a grey PNG of {bits} bits")),
        (3, ..) => Some("a PNG with a palette".to_string()),
        (0 | 4, ..) => Some("a grey PNG with transparency".to_string()),
        _ => Some("a colour PNG".to_string()),
    };
    if let Some(found) = found {
        return Err(RecordFault::MaskFormat { path: path.to_path_buf(), found });
    }
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let reason = format!("{width}x{height} pixels are more than {MAX_PIXELS}");
        return Err(RecordFault::Decode { path: path.to_path_buf(), reason });
    }
    let mut values = vec![0; width as usize * height as usize];
    decoder.read_image(&mut values).map_err(damaged)?;
    Ok(Grey { width, height, bits, values })
}

/// Every value is a class or [`IGNORE`].
pub(crate) fn check_mask(
    path: &Path,
    mask: &[u8],
    width: u32,
    classes: usize,
) -> Result<(), RecordFault> {
    let wrong = |value: &u8| usize::from(*value) >= classes && *value != IGNORE;
    let Some(at) = mask.iter().position(wrong) else { return Ok(()) };
    let (x, y) = (at as u32 % width, at as u32 / width);
    let path = path.to_path_buf();
    Err(RecordFault::MaskValue { path, value: mask[at], x, y, classes })
}

/// The size of a file, and the one that it should have.
pub(crate) fn compare_sizes(
    path: &Path,
    found: (u32, u32),
    expected: (u32, u32),
) -> Result<(), RecordFault> {
    if found == expected {
        return Ok(());
    }
    Err(RecordFault::SizeMismatch { path: path.to_path_buf(), found, expected })
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    fs::read(path).map_err(|source| DataError::Io { path: path.to_path_buf(), source })
}
