//! Pictures and masks.

use image::{Rgb, RgbImage};
use medley_data::import::{Format, ImportPlan, MaskValues};
use medley_data::{IGNORE, Split};

use super::place::{Place, SIZE, assert_faults, names, run};

/// A mask with a bright rectangle.
fn rectangle(value: u8) -> impl Fn(u32, u32) -> u8 {
    move |x, y| if (10..20).contains(&x) && (5..9).contains(&y) { value } else { 0 }
}

fn plan(place: &Place, classes: &[&str]) -> ImportPlan {
    ImportPlan { classes: names(classes), ..place.plan(Format::Masks) }
}

/// How many pixels of each value the masks of all examples have.
fn pixels(place: &Place, classes: usize) -> Vec<(u8, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for example in place.all() {
        for value in example.read_mask(classes).unwrap().unwrap() {
            *counts.entry(value).or_insert(0) += 1;
        }
    }
    counts.into_iter().collect()
}

#[test]
fn binary_masks_become_class_numbers() {
    let place = Place::new();
    for number in 0..5 {
        place.picture(&format!("images/{number}.jpg"), number);
        place.mask(&format!("masks/{number}.png"), rectangle(if number == 0 { 0 } else { 255 }));
    }
    let imported = run(&plan(&place, &["background", "lesion"])).unwrap();
    assert_eq!(imported.classes, ["background", "lesion"]);
    let area = (SIZE.0 * SIZE.1) as usize;
    assert_eq!(pixels(&place, 2), [(0, 5 * area - 160), (1, 160)]);
}

#[test]
fn class_numbers_stay_and_255_is_ignored_where_a_mask_of_the_set_has_another_value() {
    let place = Place::new();
    place.picture("images/a.png", 1);
    place.mask("masks/a.png", rectangle(255));
    place.picture("images/b.png", 2);
    place.mask("masks/b.png", rectangle(1));
    let two = plan(&place, &["background", "lesion"]);
    run(&two).unwrap();
    let area = (SIZE.0 * SIZE.1) as usize;
    assert_eq!(pixels(&place, 2), [(0, 2 * area - 80), (1, 40), (IGNORE, 40)]);
    // Said to be binary, the 1 is wrong.
    let binary = ImportPlan { mask_values: MaskValues::Binary, force: true, ..two };
    let error = run(&binary).unwrap_err().to_string();
    assert!(error.contains("b.png") && error.contains("the value 1 at (10, 5)"), "{error}");
}

#[test]
fn said_to_be_class_numbers_255_is_ignored() {
    let place = Place::new();
    place.picture("images/a.png", 1);
    place.mask("masks/a.png", rectangle(255));
    let plan = plan(&place, &["background", "lesion"]);
    run(&ImportPlan { mask_values: MaskValues::Index, ..plan }).unwrap();
    assert_eq!(pixels(&place, 2)[1], (IGNORE, 40));
}

#[test]
fn masks_of_one_bit_hold_the_two_classes_whatever_they_are_said_to_be() {
    for mask_values in [MaskValues::Auto, MaskValues::Index, MaskValues::Binary] {
        let place = Place::new();
        place.picture("images/a.png", 1);
        place.write("masks/a.png", png(1, 0, &[0xFF, 0, 0, 0, 0]));
        let plan = plan(&place, &["background", "lesion"]);
        run(&ImportPlan { mask_values, ..plan }).unwrap();
        // The first byte of a row is eight pixels.
        assert_eq!(pixels(&place, 2), [(0, 32 * 30), (1, 8 * 30)], "{mask_values:?}");
    }
}

#[test]
fn in_a_database_a_mask_of_fewer_bits_is_a_fault() {
    let place = Place::new();
    place.picture("images/a.png", 1);
    place.mask("masks/a.png", rectangle(1));
    run(&plan(&place, &["background", "lesion"])).unwrap();
    // Widened to a byte, one bit would be "ignore", and two bits no classes.
    for (bits, row) in [(1, vec![0xFF; 5]), (2, vec![0x55; 10]), (4, vec![0x11; 20])] {
        std::fs::write(place.path("db/mine/masks/00000.png"), png(bits, 0, &row)).unwrap();
        let error = place.all()[0].read_mask(2).unwrap_err().to_string();
        assert!(error.contains(&format!("a grey PNG of {bits} bit")), "{error}");
    }
}

#[test]
fn folders_of_splits_lie_above_or_below_images_and_masks() {
    for layout in ["SPLIT/FOLDER", "FOLDER/SPLIT"] {
        let place = Place::new();
        for (number, split) in ["train", "val", "test"].into_iter().enumerate() {
            let path = |folder| layout.replace("SPLIT", split).replace("FOLDER", folder);
            place.picture(&format!("{}/p/x.png", path("images")), number as u8);
            place.mask(&format!("{}/p/x_seg.png", path("masks")), rectangle(1));
        }
        let plan = plan(&place, &["background", "lesion"]);
        let imported = run(&ImportPlan { mask_suffix: "_seg".into(), ..plan }).unwrap();
        assert_eq!(imported.counts, Split::ALL.map(|split| (split, 1)), "{layout}");
        assert_eq!(imported.drawn, None);
    }
}

#[test]
fn masks_beside_their_pictures_are_known_by_their_suffix() {
    let place = Place::new();
    place.picture("benign/benign (1).png", 1);
    place.mask("benign/benign (1)_mask.png", rectangle(2));
    place.picture("normal/normal (1).png", 2);
    place.mask("normal/normal (1)_mask.png", rectangle(0));
    let plan = plan(&place, &["background", "benign", "malignant"]);
    assert!(place.refusal(&plan).contains("--mask-suffix"));
    run(&ImportPlan { mask_suffix: "_mask".into(), ..plan }).unwrap();
    assert_eq!(place.all().len(), 2);
    assert_eq!(pixels(&place, 3)[1], (2, 40));
}

#[test]
fn bad_masks_are_named_with_their_reason() {
    let place = Place::new();
    let with = |name: &str| {
        place.picture(&format!("images/{name}.png"), 1);
        place.path("source/masks").join(format!("{name}.png"))
    };
    place.mask("masks/good.png", rectangle(1));
    with("good");
    place.mask("masks/value.png", |x, y| if (x, y) == (7, 3) { 2 } else { 0 });
    with("value");
    image::GrayImage::new(SIZE.1, SIZE.0).save(with("turned")).unwrap();
    RgbImage::from_pixel(SIZE.0, SIZE.1, Rgb([1; 3])).save(with("colour")).unwrap();
    std::fs::write(with("palette"), png(8, 3, &[0; 40])).unwrap();
    place.picture("masks/lossy.jpg", 1);
    with("lossy");
    with("alone");
    place.mask("masks/widow.png", rectangle(1));
    let plan = plan(&place, &["background", "lesion"]);
    assert_faults(
        &place.faults(&plan),
        &[
            &["images/value.png", "masks/value.png", "the value 2 at (7, 3)", "0 to 1 or 255"],
            &["turned.png is 30x40", "the picture is 40x30"],
            &["colour.png is a colour PNG", "8-bit grey PNG"],
            &["palette.png is a PNG with a palette", "8-bit grey PNG"],
            &["lossy.jpg cannot be decoded"],
            &["images/alone.png", "no mask"],
            &["masks/widow.png", "picture"],
        ],
    );
    let imported = run(&ImportPlan { skip_bad: true, ..plan }).unwrap();
    assert_eq!((imported.skipped.len(), place.all().len()), (7, 1));
}

#[test]
fn classes_have_to_be_named_the_background_among_them() {
    let place = Place::new();
    place.picture("images/a.png", 1);
    place.mask("masks/a.png", rectangle(1));
    assert!(place.refusal(&place.plan(Format::Masks)).contains("--classes"));
    assert!(place.refusal(&plan(&place, &["lesion"])).contains("the background"));
    assert!(place.refusal(&plan(&place, &["a", "a"])).contains("twice"));
}

/// A PNG of the size of the pictures: its bits a pixel, its colour type (0 grey, 3 palette), the bytes of every row.
fn png(bits: u8, colour: u8, row: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut bytes = (data.len() as u32).to_be_bytes().to_vec();
        let named = [&kind[..], data].concat();
        bytes.extend(&named);
        bytes.extend(crc(&named).to_be_bytes());
        bytes
    };
    let mut header = [SIZE.0.to_be_bytes(), SIZE.1.to_be_bytes()].concat();
    header.extend([bits, colour, 0, 0, 0]);
    // The rows, each after its filter's number, in one stored block of zlib.
    let rows = [&[0], row].concat().repeat(SIZE.1 as usize);
    let length = rows.len() as u16;
    let mut stored = vec![0x78, 0x01, 0x01];
    stored.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
    stored.extend(&rows);
    // Adler-32.
    let (a, b) = rows.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    stored.extend((b << 16 | a).to_be_bytes());
    let mut png = vec![137, 80, 78, 71, 13, 10, 26, 10];
    png.extend(chunk(b"IHDR", &header));
    if colour == 3 {
        png.extend(chunk(b"PLTE", &[0, 0, 0, 255, 255, 255]));
    }
    png.extend(chunk(b"IDAT", &stored));
    png.extend(chunk(b"IEND", &[]));
    png
}

/// The checksum of PNG chunks (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 }
        })
    })
}
