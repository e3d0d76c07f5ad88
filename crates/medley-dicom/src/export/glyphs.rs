//! The sentence of every export, drawn into pixels: capitals of five by seven.

use medley_package::NOTICE;

/// Columns and rows that a letter takes, with the space beside and below it.
const ADVANCE: usize = 6;
const LINE: usize = 9;
const ROWS: usize = 7;
/// Largest factor by which letters are enlarged.
const MAX_SCALE: usize = 4;
const GREY: u8 = 230;

/// Five bits a row, the highest on the left; the letters that the sentence has.
const GLYPHS: [(char, [u8; ROWS]); 18] = [
    (' ', [0; ROWS]),
    ('.', [0, 0, 0, 0, 0, 0b01100, 0b01100]),
    ('A', [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001]),
    ('C', [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110]),
    ('D', [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110]),
    ('E', [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111]),
    ('F', [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000]),
    ('G', [0b01110, 0b10001, 0b10000, 0b10111, 0b10001, 0b10001, 0b01111]),
    ('H', [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001]),
    ('I', [0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110]),
    ('L', [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111]),
    ('N', [0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001, 0b10001]),
    ('O', [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110]),
    ('R', [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001]),
    ('S', [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110]),
    ('T', [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100]),
    ('U', [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110]),
    ('Y', [0b10001, 0b10001, 0b01010, 0b00100, 0b00100, 0b00100, 0b00100]),
];

/// A strip of RGB rows, `width` pixels wide, with the sentence in it; broken into lines where it must be.
pub(super) fn notice_strip(width: usize) -> Vec<u8> {
    let text = NOTICE.to_uppercase();
    let scale = (width / (text.len() * ADVANCE)).clamp(1, MAX_SCALE);
    let lines = wrap(&text, width / (ADVANCE * scale));
    let height = lines.len() * LINE * scale + 2 * scale;
    let mut rgb = vec![0; width * height * 3];
    for (number, line) in lines.iter().enumerate() {
        for (place, letter) in line.chars().enumerate() {
            let glyph =
                GLYPHS.iter().find(|(known, _)| *known == letter).map_or([0; ROWS], |(_, g)| *g);
            for (row, bits) in glyph.iter().enumerate() {
                for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                    let left = (place * ADVANCE + column + 1) * scale;
                    let top = (number * LINE + row + 1) * scale;
                    fill(&mut rgb, width, left, top, scale);
                }
            }
        }
    }
    rgb
}

fn fill(rgb: &mut [u8], width: usize, left: usize, top: usize, side: usize) {
    for y in top..top + side {
        for x in left..(left + side).min(width) {
            rgb[(y * width + x) * 3..][..3].fill(GREY);
        }
    }
}

/// Words in lines of at most so many characters; a longer word has a line of its own.
fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_the_sentence_has_a_glyph() {
        for letter in NOTICE.to_uppercase().chars() {
            assert!(GLYPHS.iter().any(|(known, _)| *known == letter), "{letter}");
        }
    }

    #[test]
    fn the_strip_fits_narrow_and_wide_images() {
        for width in [1, 20, 64, 300, 2048] {
            let strip = notice_strip(width);
            assert_eq!(strip.len() % (width * 3), 0, "{width}");
            assert!(strip.contains(&GREY) || width < ADVANCE, "{width}");
        }
        assert_eq!(wrap("RESEARCH USE ONLY.", 12), ["RESEARCH USE", "ONLY."]);
    }
}
