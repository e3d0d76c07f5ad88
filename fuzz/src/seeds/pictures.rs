//! PNG and JPEG files of every kind that is read.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use png::{BitDepth, ColorType};

use super::Seed;

/// Width and height in pixels: no multiple of a byte's pixels, of a JPEG's blocks, or of each other.
const SIZE: (u32, u32) = (21, 13);

/// All of them.
pub(super) fn pictures() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, colour, channels, depths) in [
        ("grey", ColorType::Grayscale, 1, &[1, 2, 4, 8, 16][..]),
        ("grey-alpha", ColorType::GrayscaleAlpha, 2, &[8, 16]),
        ("palette", ColorType::Indexed, 1, &[1, 2, 4, 8]),
        ("rgb", ColorType::Rgb, 3, &[8, 16]),
        ("rgba", ColorType::Rgba, 4, &[8, 16]),
    ] {
        for &bits in depths {
            let bytes = png(colour, bits, channels);
            seeds.push(Seed::new(format!("{name}-{bits}.png"), bytes));
        }
    }
    for (name, colour, channels) in
        [("grey", ExtendedColorType::L8, 1), ("rgb", ExtendedColorType::Rgb8, 3)]
    {
        let bytes = jpeg(SIZE, colour, channels);
        seeds.push(Seed::new(format!("{name}-turned.jpg"), turned(&bytes)));
        seeds.push(Seed::new(format!("{name}.jpg"), bytes));
    }
    seeds.push(Seed::new("progressive.jpg", progressive()));
    seeds
}

/// Values of a smooth picture with an edge, row by row.
pub(super) fn values(size: (u32, u32), channels: u32) -> Vec<u8> {
    let value = |x: u32, y: u32, c: u32| {
        (x * 9 + y * 5 * (c + 1) + if x > y { 60 } else { 0 }).min(255) as u8
    };
    let rows = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
    rows.flat_map(|(x, y)| (0..channels).map(move |c| value(x, y, c))).collect()
}

/// A PNG with a palette or transparent colour where its kind has one.
fn png(colour: ColorType, bits: u32, channels: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(colour);
    encoder.set_depth(BitDepth::from_u8(bits as u8).unwrap());
    match colour {
        ColorType::Indexed => {
            let entries = 1_u32 << bits;
            encoder.set_palette((0..3 * entries).map(|v| (v * 83) as u8).collect::<Vec<u8>>());
            encoder.set_trns(vec![0, 128]);
        }
        ColorType::Grayscale => encoder.set_trns(vec![0, 1]),
        ColorType::Rgb => encoder.set_trns(vec![0, 1, 0, 2, 0, 3]),
        _ => {}
    }
    let row_bytes = (SIZE.0 * channels * bits).div_ceil(8);
    let data = values((row_bytes, SIZE.1), 1);
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
    bytes
}

/// A baseline JPEG.
pub(super) fn jpeg(size: (u32, u32), colour: ExtendedColorType, channels: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 85);
    encoder.write_image(&values(size, channels), size.0, size.1, colour).unwrap();
    bytes
}

/// The JPEG with an EXIF block that turns it by 90°: one TIFF directory with one entry, the orientation.
fn turned(bytes: &[u8]) -> Vec<u8> {
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut turned = bytes[..2].to_vec();
    turned.extend([0xFF, 0xE1, 0, exif.len() as u8 + 2]);
    turned.extend(exif);
    turned.extend(&bytes[2..]);
    turned
}

/// A progressive JPEG by hand (ITU-T T.81, annex G), as no encoder at hand writes one: grey, 16 by 16 pixels, four blocks
/// of one brightness. The first scan has the constant coefficients, the others refine and complete them.
fn progressive() -> Vec<u8> {
    let segment = |marker: u8, content: &[u8]| {
        [[0xFF, marker, 0, content.len() as u8 + 2].as_slice(), content].concat()
    };
    // First and last coefficient; the bit that they came to before, and the one that this scan leaves them at.
    let scan = |[first, last, before, after]: [u8; 4], data: &[u8]| {
        let header = [1, 1, 0x00, first, last, before << 4 | after];
        [segment(0xDA, &header).as_slice(), data].concat()
    };
    // One code of one bit and one of two.
    const LENGTHS: [u8; 16] = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    [
        vec![0xFF, 0xD8],
        segment(0xDB, &[[0].as_slice(), &[8; 64]].concat()),
        segment(0xC2, &[8, 0, 16, 0, 16, 1, 1, 0x11, 0]),
        // Constant coefficients: 0 stands for no difference, 10 for one of four bits.
        segment(0xC4, &[[0x00].as_slice(), &LENGTHS, &[0, 4]].concat()),
        // The others: 0 stands for the block's end, 10 for one of one bit.
        segment(0xC4, &[[0x10].as_slice(), &LENGTHS, &[0x00, 0x01]].concat()),
        // 10 1100, a difference of 12; then three times none.
        scan([0, 0, 0, 1], &[0b1011_0000, 0b0111_1111]),
        // 10 1 0, a coefficient of 1 and the block's end; then three times the end.
        scan([1, 63, 0, 0], &[0b1010_0001]),
        // The last bit of each constant coefficient.
        scan([0, 0, 1, 0], &[0b1010_1111]),
        vec![0xFF, 0xD9],
    ]
    .concat()
}
