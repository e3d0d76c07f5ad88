//! From a picture to what the encoder sees: scale, then cut a window; the same for index masks.

use medley_image::Image;

use crate::geometry::Placement;
use crate::resample::{mix_columns, mix_rows, taps};

/// Class index in a placed mask for pixels that are padding or that the annotator left out.
pub const IGNORE: u8 = 255;

/// Scales a picture to `width` × `height` pixels with an antialiased triangle filter.
/// The same bits on every machine. A side of zero counts as one.
pub fn resize(image: &Image, width: u32, height: u32) -> Image {
    let (width, height) = (width.max(1), height.max(1));
    if (width, height) == (image.width(), image.height()) {
        return image.clone();
    }
    let values = match image.channels() {
        1 => scale::<1, { BAND }>(image, width as usize, height as usize),
        _ => scale::<3, { 3 * BAND }>(image, width as usize, height as usize),
    };
    Image::trusted(width, height, image.channels(), values)
}

/// Rows whose values lie side by side while they are mixed along x: each is a sum of its own, and one sum after the other
/// would leave the processor waiting.
const BAND: usize = 4;

/// `C` channels; `N` = `C` · [`BAND`]
fn scale<const C: usize, const N: usize>(image: &Image, width: usize, height: usize) -> Vec<f32> {
    let columns = taps(image.width() as usize, width);
    let rows = taps(image.height() as usize, height);
    let length = image.width() as usize * C;
    let mut line = vec![0.0; length];
    let mut beside = vec![0.0; image.width() as usize * N];
    let mut mixed = vec![0.0; width * N];
    let mut values = vec![0.0; width * height * C];
    // Rows first: they are mixed as whole vectors, which processors do fastest, and after that
    // only the wanted rows are left to be mixed along x.
    for (out, taps) in values.chunks_mut(BAND * width * C).zip(rows.chunks(BAND)) {
        for (row, tap) in taps.iter().enumerate() {
            mix_rows(&mut line, &image.values()[tap.start * length..], &tap.weights);
            let pixels = line.as_chunks::<C>().0;
            for (beside, pixel) in beside.as_chunks_mut::<N>().0.iter_mut().zip(pixels) {
                beside[row * C..][..C].copy_from_slice(pixel);
            }
        }
        mix_columns::<N>(&mut mixed, &beside, &columns);
        for (row, out) in out.chunks_exact_mut(width * C).enumerate() {
            let mixed = mixed.as_chunks::<N>().0;
            for (out, mixed) in out.as_chunks_mut::<C>().0.iter_mut().zip(mixed) {
                out.copy_from_slice(&mixed[row * C..][..C]);
            }
        }
    }
    values
}

/// Cuts a window out of a picture that already has the placement's scaled size.
/// Returns `[3, size, size]`, RGB, 0..1, zero outside the picture.
pub fn window(scaled: &Image, placement: &Placement) -> Vec<f32> {
    let size = placement.size as usize;
    let mut out = vec![0.0; 3 * size * size];
    let [x0, y0, x1, y1] = shown(placement, scaled.width(), scaled.height());
    let (width, channels) = (scaled.width() as usize, scaled.channels());
    for y in y0..y1 {
        let from = (y as i64 + placement.offset.1) as usize * width
            + (x0 as i64 + placement.offset.0) as usize;
        let row = &scaled.values()[from * channels..(from + x1 - x0) * channels];
        let at = y * size + x0;
        for (channel, plane) in out.chunks_exact_mut(size * size).enumerate() {
            // Grey is the same in all planes.
            let values = row[channel.min(channels - 1)..].iter().step_by(channels);
            for (out, value) in plane[at..at + x1 - x0].iter_mut().zip(values) {
                *out = *value;
            }
        }
    }
    out
}

/// Scales an index mask to `width` × `height` by its nearest pixels.
/// `mask` holds `source.0 · source.1` values, row by row.
pub fn resize_mask(mask: &[u8], source: (u32, u32), width: u32, height: u32) -> Vec<u8> {
    let columns = nearest(source.0, width);
    let rows = nearest(source.1, height);
    let mut out = Vec::with_capacity(columns.len() * rows.len());
    for y in rows {
        let row = &mask[y * source.0 as usize..];
        out.extend(columns.iter().map(|&x| row[x]));
    }
    out
}

/// Places an index mask of the source picture as [`window`] places the picture:
/// `size · size` values, [`IGNORE`] outside the picture.
pub fn place_mask(mask: &[u8], placement: &Placement) -> Vec<u8> {
    let size = placement.size as usize;
    let mut out = vec![IGNORE; size * size];
    let (columns, rows) = (
        nearest(placement.source.0, placement.scaled.0),
        nearest(placement.source.1, placement.scaled.1),
    );
    let [x0, y0, x1, y1] = shown(placement, placement.scaled.0, placement.scaled.1);
    for y in y0..y1 {
        let row = rows[(y as i64 + placement.offset.1) as usize] * placement.source.0 as usize;
        for x in x0..x1 {
            out[y * size + x] = mask[row + columns[(x as i64 + placement.offset.0) as usize]];
        }
    }
    out
}

/// For each of `to` samples, the one of `from` whose cell holds its centre.
fn nearest(from: u32, to: u32) -> Vec<usize> {
    let (from, to) = (u64::from(from), u64::from(to));
    (0..to).map(|i| ((2 * i + 1) * from / (2 * to)) as usize).collect()
}

/// [`Placement::visible`] for the size that the picture really has.
/// All zero if nothing of it is seen.
fn shown(placement: &Placement, width: u32, height: u32) -> [usize; 4] {
    let seen = Placement { scaled: (width, height), ..*placement }.visible().map(|v| v as usize);
    if seen[0] < seen[2] && seen[1] < seen[3] { seen } else { [0; 4] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::placements;
    use medley_package::Presentation;

    fn ramp(width: u32, height: u32) -> Image {
        let values: Vec<f32> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| [x as f32 / width as f32, y as f32 / height as f32, 0.5])
            .collect();
        Image::new(width, height, values).unwrap()
    }

    #[test]
    fn a_constant_stays_constant_at_odd_sizes() {
        let image = Image::new(37, 11, vec![0.3; 37 * 11 * 3]).unwrap();
        for (w, h) in [(1, 1), (5, 3), (64, 19), (37, 40), (200, 1)] {
            for v in resize(&image, w, h).values() {
                // Weights rounded to f32 add up to 1 within a few ulps (6e-8 each).
                assert!((v - 0.3).abs() < 1e-6, "{w}x{h}: {v}");
            }
        }
    }

    #[test]
    fn reducing_averages_instead_of_skipping() {
        // Stripes one pixel wide become even grey; a filter that skips would keep black or white.
        let stripes: Vec<u8> = (0..64 * 8).map(|i| if i % 2 == 0 { 255 } else { 0 }).collect();
        let small = resize(&Image::from_gray8(64, 8, &stripes).unwrap(), 8, 1);
        // The triangle's weights on even and odd pixels are equal but for the cut at the edges.
        assert!(small.values()[1..7].iter().all(|v| (v - 0.5).abs() < 1e-6));
        assert!(small.values().iter().all(|v| (v - 0.5).abs() < 0.05));
    }

    #[test]
    fn positions_do_not_drift() {
        // A linear ramp stays one away from the edges, where the filter is cut off.
        let image = ramp(101, 77);
        for (w, h) in [(50, 38), (33, 26), (202, 150)] {
            let out = resize(&image, w, h);
            for y in h / 4..3 * h / 4 {
                for x in w / 4..3 * w / 4 {
                    let p = &out.values()[(y * w + x) as usize * 3..][..3];
                    // Centre of the output pixel in source pixels, minus the half pixel by which
                    // the ramp's value belongs to the pixel's centre.
                    let want = (x as f32 + 0.5) / w as f32 - 0.5 / 101.0;
                    assert!((p[0] - want).abs() < 1e-3, "{w}x{h} at {x},{y}: {} {want}", p[0]);
                    let want = (y as f32 + 0.5) / h as f32 - 0.5 / 77.0;
                    assert!((p[1] - want).abs() < 1e-3, "{w}x{h} at {x},{y}: {} {want}", p[1]);
                }
            }
        }
    }

    #[test]
    fn a_window_is_planar_and_zero_outside() {
        let image = Image::from_rgb8(2, 1, &[255, 0, 51, 0, 255, 102]).unwrap();
        let p = Placement { source: (2, 1), scaled: (2, 1), size: 3, offset: (-1, -1) };
        let w = window(&image, &p);
        let mut want = [0.0; 27];
        want[4] = 1.0;
        want[9 + 5] = 1.0;
        want[18 + 4] = 0.2;
        want[18 + 5] = 0.4;
        assert_eq!(w, want);
        let p = Placement { offset: (7, 0), ..p };
        assert!(window(&image, &p).iter().all(|v| *v == 0.0));
    }

    #[test]
    fn masks_lie_where_the_picture_lies() {
        // A white rectangle in picture and mask: after placing, the mask's edge is where the
        // picture passes one half.
        let (w, h) = (91u32, 57u32);
        let mask: Vec<u8> = (0..h)
            .flat_map(|y| {
                (0..w).map(move |x| u8::from((20..70).contains(&x) && (10..41).contains(&y)))
            })
            .collect();
        let picture: Vec<u8> = mask.iter().map(|v| v * 255).collect();
        let image = Image::from_gray8(w, h, &picture).unwrap();
        for way in [
            Presentation::Whole { size: 64 },
            Presentation::Whole { size: 160 },
            Presentation::Tiles { size: 64, long_side: 150, overlap: 16 },
        ] {
            for p in placements(w, h, &way) {
                let seen = window(&resize(&image, p.scaled.0, p.scaled.1), &p);
                let placed = place_mask(&mask, &p);
                let [x0, y0, x1, y1] = p.visible();
                for y in 0..p.size {
                    for x in 0..p.size {
                        let at = (y * p.size + x) as usize;
                        if (x0..x1).contains(&x) && (y0..y1).contains(&y) {
                            // 0.3 and 0.7: on the edge itself the two filters may round apart.
                            assert!(seen[at] < 0.7 || placed[at] == 1, "{p:?} {x},{y}");
                            assert!(seen[at] > 0.3 || placed[at] == 0, "{p:?} {x},{y}");
                        } else {
                            assert_eq!(placed[at], IGNORE);
                        }
                    }
                }
            }
        }
        assert_eq!(resize_mask(&[1, 2, 3, 4], (2, 2), 4, 1), [3, 3, 4, 4]);
    }
}
