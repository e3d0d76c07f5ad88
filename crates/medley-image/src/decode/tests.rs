use super::*;
use ::image::codecs::jpeg::JpegEncoder;
use ::image::{ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn gradient(width: u32, height: u32) -> ::image::RgbImage {
    ImageBuffer::from_fn(width, height, |x, y| Rgb([(x * 5) as u8, (y * 7) as u8, 90]))
}

fn jpg(picture: &::image::RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(picture).unwrap();
    bytes
}

/// The JPEG with an EXIF block that says to turn it right by 90°.
fn turned(bytes: &[u8]) -> Vec<u8> {
    // One TIFF directory with one entry: orientation (0x0112, SHORT) = 6.
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut turned = bytes[..2].to_vec();
    turned.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
    turned.extend(exif);
    turned.extend(&bytes[2..]);
    turned
}

/// Where the JPEG's frame header has its height and width.
fn frame_size(bytes: &[u8]) -> usize {
    bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap() + 5
}

#[test]
fn png_keeps_every_value() {
    let picture = gradient(37, 23);
    let image = Image::decode(&png(picture.clone())).unwrap();
    assert_eq!((image.width(), image.height()), (37, 23));
    for (a, b) in picture.as_raw().iter().zip(image.values()) {
        assert_eq!(f32::from(*a) / 255.0, *b);
    }
}

#[test]
fn sixteen_bits_keep_their_precision() {
    let picture = ImageBuffer::from_fn(64, 2, |x, y| Luma([30_000 + (x + 64 * y) as u16]));
    let image = Image::decode(&png(picture)).unwrap();
    for (i, p) in image.pixels().enumerate() {
        assert_eq!(p, [(30_000 + i) as f32 / 65_535.0; 3]);
    }
    let picture = ImageBuffer::from_pixel(1, 1, Rgba([65_535u16, 6_553, 0, 32_768]));
    let image = Image::decode(&png(picture)).unwrap();
    // 32768/65535 is just over one half.
    assert!((image.values()[0] - 0.500_008).abs() < 1e-6);
}

#[test]
fn every_sixteen_bit_value_can_be_told_from_its_pixel() {
    let picture = ImageBuffer::from_fn(256, 256, |x, y| Luma([(x + 256 * y) as u16]));
    let bytes = png(picture);
    assert!(has_sixteen_bits(&bytes));
    let image = Image::decode(&bytes).unwrap();
    for (value, pixel) in (0..=u16::MAX).zip(image.pixels()) {
        assert_eq!((pixel[0] * 65_535.0).round(), f32::from(value));
    }
    assert!(!has_sixteen_bits(&png(gradient(3, 3))));
    assert!(!has_sixteen_bits(&jpg(&gradient(3, 3))));
    assert!(!has_sixteen_bits(&bytes[..24]));
}

#[test]
fn alpha_lies_over_black() {
    let image =
        Image::decode(&png(ImageBuffer::from_pixel(1, 1, Rgba([255u8, 51, 0, 0])))).unwrap();
    assert!(image.pixels().eq([[0.0; 3]]));
    let image = Image::decode(&png(ImageBuffer::from_pixel(1, 1, LumaA([51u8, 255])))).unwrap();
    assert!(image.pixels().eq([[0.2; 3]]));
    let image =
        Image::decode(&png(ImageBuffer::from_pixel(1, 1, LumaA([65_535u16, 65_535])))).unwrap();
    assert!(image.pixels().eq([[1.0; 3]]));
}

#[test]
fn jpeg_is_read_and_turned_as_its_exif_says() {
    let picture = gradient(40, 24);
    let bytes = jpg(&picture);
    let image = Image::decode(&bytes).unwrap();
    assert_eq!((image.width(), image.height()), (40, 24));
    // Chroma is halved and quantized at quality 95: some per cent on a smooth gradient.
    for (a, b) in picture.as_raw().iter().zip(image.values()) {
        assert!((f32::from(*a) / 255.0 - b).abs() < 0.08);
    }
    let turned = Image::decode(&turned(&bytes)).unwrap();
    assert_eq!((turned.width(), turned.height()), (24, 40));
    // The bottom left corner came to the top left.
    assert_eq!(turned.values()[..3], image.values()[23 * 40 * 3..][..3]);
}

#[test]
fn other_files_are_named() {
    for (bytes, want) in [
        (&b""[..], "an empty file"),
        (b"hello, I am called picture.png", "text"),
        (
            "grüß Gott und alles Gute, und zwar auch jenseits von vierundsechzig ü".as_bytes(),
            "text",
        ),
        (b"GIF89a....", "GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"\x01\x02\x03\x04", "something unknown"),
    ] {
        assert_eq!(Image::decode(bytes), Err(ImageError::UnknownFormat { found: want }));
    }
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM");
    assert_eq!(Image::decode(&dicom), Err(ImageError::UnknownFormat { found: "DICOM" }));
}

#[test]
fn a_size_past_the_limits_is_refused_from_the_header() {
    let mut bytes = png(gradient(4, 4));
    bytes[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let large = Err(ImageError::TooLarge { width: 20_000, height: 20_000 });
    assert_eq!(Image::decode(&bytes), large);
    assert_eq!(Image::decode(&bytes[..24]), large);
    bytes[16..24].fill(0xff);
    assert!(matches!(Image::decode(&bytes), Err(ImageError::TooLarge { .. })));
    bytes[16..24].fill(0);
    assert_eq!(Image::decode(&bytes), Err(ImageError::Empty { width: 0, height: 0 }));
    // Sides within the limit whose product is not.
    bytes[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    assert!(matches!(Image::decode(&bytes), Err(ImageError::TooLarge { .. })));

    let mut bytes = jpg(&gradient(16, 16));
    let at = frame_size(&bytes);
    bytes[at..at + 4].copy_from_slice(&[0x4e, 0x20, 0x4e, 0x20]);
    assert_eq!(Image::decode(&bytes), large);
    bytes[at..at + 4].fill(0);
    assert_eq!(Image::decode(&bytes), Err(ImageError::Empty { width: 0, height: 0 }));
}

#[test]
fn a_file_that_is_cut_off_is_an_error_at_every_length() {
    let picture = gradient(61, 47);
    let bytes = jpg(&picture);
    for length in 3..bytes.len() {
        let error = Image::decode(&bytes[..length]).unwrap_err();
        assert!(matches!(error, ImageError::Truncated { .. }), "{length}: {error}");
    }
    let bytes = png(picture);
    // The last 12 bytes are the empty end chunk; all pixels come before it.
    for length in 8..bytes.len() - 12 {
        let error = Image::decode(&bytes[..length]).unwrap_err();
        assert!(
            matches!(error, ImageError::Truncated { .. } | ImageError::Damaged { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn damaged_bytes_do_not_panic() {
    for bytes in [jpg(&gradient(33, 29)), png(gradient(33, 29))] {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                // Some damage cannot be seen; what is answered must be a whole picture.
                if let Ok(image) = Image::decode(&damaged) {
                    let count = image.width() as usize * image.height() as usize;
                    assert_eq!(image.pixels().len(), count);
                }
            }
        }
    }
}

#[test]
fn the_stated_size_is_that_of_the_header_before_it_is_turned() {
    assert_eq!(Image::stated_size(&png(gradient(37, 23))), Ok((37, 23)));
    assert_eq!(Image::stated_size(&turned(&jpg(&gradient(40, 24)))), Ok((40, 24)));
    // Nothing behind the header is looked at.
    assert_eq!(Image::stated_size(&png(gradient(37, 23))[..24]), Ok((37, 23)));
    let cut = Image::stated_size(&png(gradient(37, 23))[..23]);
    assert!(matches!(cut, Err(ImageError::Truncated { missing: "the header", .. })), "{cut:?}");
}

#[test]
fn a_jpeg_that_states_two_sizes_is_damaged() {
    let bytes = jpg(&gradient(16, 16));
    let start = frame_size(&bytes) - 5;
    let length = usize::from(bytes[start + 3]);
    let mut second = bytes[start..start + 2 + length].to_vec();
    second[5..9].copy_from_slice(&[0, 32, 0, 32]);
    for at in [start, start + 2 + length] {
        let mut twice = bytes.clone();
        twice.splice(at..at, second.iter().copied());
        let error = Image::decode(&twice).unwrap_err();
        assert!(matches!(error, ImageError::Damaged { format: "JPEG", .. }), "{at}: {error}");
    }
}

#[test]
fn one_pixel_is_a_picture() {
    let image = Image::decode(&png(ImageBuffer::from_pixel(1, 1, Luma([255u8])))).unwrap();
    assert_eq!((image.width(), image.height()), (1, 1));
    assert!(image.pixels().eq([[1.0; 3]]));
    assert!(Image::decode(&jpg(&gradient(1, 1))).is_ok());
}
