//! The colours that viewers are asked to show segments in.

/// sRGB colours that people with any colour vision tell apart (Okabe and Ito, *Color universal design*, 2008), in the order in
/// which segments take them.
const COLOURS: [[u8; 3]; 7] = [
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [0, 114, 178],
    [213, 94, 0],
    [204, 121, 167],
];

/// The colour of the segment with this index, from 0, as RecommendedDisplayCIELabValue has it.
pub(crate) fn of_segment(index: usize) -> [u16; 3] {
    cielab(COLOURS[index % COLOURS.len()])
}

/// From sRGB to L\*a\*b\*, as integers: 0..=65535 is 0..=100 for L\* and -128..=127 for a\* and b\* (DICOM PS3.3, C.10.7.1.1). White
/// is that of sRGB, D65: the standard names the profile space of ICC, whose white is D50, but what reads it (pixelmed, highdicom,
/// dcmjs) turns it back without adaptation.
fn cielab(rgb: [u8; 3]) -> [u16; 3] {
    // IEC 61966-2-1.
    let [r, g, b] = rgb.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    // The primaries of sRGB, each row by the white's coordinate.
    let [x, y, z] = [
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.0889,
    ]
    .map(|value| {
        // CIE 15: the cube root, continued by its tangent near black.
        let end = (6.0f64 / 29.0).powi(3);
        if value > end { value.cbrt() } else { value * (29.0f64 / 6.0).powi(2) / 3.0 + 4.0 / 29.0 }
    });
    let lightness = (116.0 * y - 16.0) / 100.0;
    let opponents = [500.0 * (x - y), 200.0 * (y - z)].map(|value| (value + 128.0) / 255.0);
    [lightness, opponents[0], opponents[1]]
        .map(|share| (share.clamp(0.0, 1.0) * 65_535.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greys_have_no_hue_and_colours_that_of_their_name() {
        // 128 of 255 is where a* and b* are 0.
        let neutral = 32_896;
        for (rgb, lightness) in [([0; 3], 0), ([119; 3], 32_768), ([255; 3], 65_535)] {
            let [l, a, b] = cielab(rgb);
            assert!(
                l.abs_diff(lightness) < 330 && a.abs_diff(neutral) < 20 && b.abs_diff(neutral) < 20
            );
        }
        // Red is L* 53.24, a* 80.09, b* 67.20 there (Lindbloom's calculator).
        let red = [(53.24, 100.0, 0.0), (80.09, 255.0, 128.0), (67.20, 255.0, 128.0)];
        for (found, (value, range, zero)) in cielab([255, 0, 0]).into_iter().zip(red) {
            let found = f64::from(found) / 65_535.0 * range - zero;
            assert!((found - value).abs() < 0.2, "{found} for {value}");
        }
    }
}
