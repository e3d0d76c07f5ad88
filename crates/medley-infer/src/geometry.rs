//! Where a square window lies on a picture: from [`Presentation`] to windows, and back for boxes.
//!
//! Three frames of coordinates occur, all in pixels with the origin at the top left corner of the
//! top left pixel: the *source* picture, the *scaled* picture, and the *canvas*, one square window
//! of the scaled picture, which is what the encoder sees.

use medley_package::Presentation;

/// One square window on a scaled picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Placement {
    /// Width and height of the source picture.
    pub source: (u32, u32),
    /// Width and height after scaling.
    pub scaled: (u32, u32),
    /// Side of the window.
    pub size: u32,
    /// Top left corner of the window in scaled pixels. Negative or past the end where the window
    /// hangs over the picture's edge; what lies outside is zero.
    pub offset: (i64, i64),
}

impl Placement {
    /// Box of the canvas → box of the source picture, cut at the picture's edges.
    /// Both are `[x0, y0, x1, y1]` in pixels.
    pub fn to_source_box(&self, canvas: [f32; 4]) -> [f32; 4] {
        let (sx, sy) = self.scale();
        let (w, h) = (self.source.0 as f32, self.source.1 as f32);
        let (ox, oy) = (self.offset.0 as f32, self.offset.1 as f32);
        [
            ((canvas[0] + ox) / sx).clamp(0.0, w),
            ((canvas[1] + oy) / sy).clamp(0.0, h),
            ((canvas[2] + ox) / sx).clamp(0.0, w),
            ((canvas[3] + oy) / sy).clamp(0.0, h),
        ]
    }

    /// Box of the source picture → box of the canvas, not cut: a box outside the window has
    /// coordinates outside `0..size`. Both are `[x0, y0, x1, y1]` in pixels.
    pub fn to_canvas_box(&self, source: [f32; 4]) -> [f32; 4] {
        let (sx, sy) = self.scale();
        let (ox, oy) = (self.offset.0 as f32, self.offset.1 as f32);
        [source[0] * sx - ox, source[1] * sy - oy, source[2] * sx - ox, source[3] * sy - oy]
    }

    /// The part of the canvas that shows the picture, as `[x0, y0, x1, y1]`, whole pixels, the
    /// ends excluded; the rest is padding. Empty (`x1 <= x0`) if the window misses the picture.
    pub fn visible(&self) -> [u32; 4] {
        let size = i64::from(self.size);
        let (w, h) = (i64::from(self.scaled.0), i64::from(self.scaled.1));
        [-self.offset.0, -self.offset.1, w - self.offset.0, h - self.offset.1]
            .map(|v| v.clamp(0, size) as u32)
    }

    /// Scaled pixels per source pixel, along x and y. They differ slightly: sides are whole pixels.
    fn scale(&self) -> (f32, f32) {
        (self.scaled.0 as f32 / self.source.0 as f32, self.scaled.1 as f32 / self.source.1 as f32)
    }
}

/// The windows that show a picture of `width` × `height` pixels as the task wants it: one for
/// [`Presentation::Whole`], as many as it takes for [`Presentation::Tiles`], row by row.
///
/// All share the size after scaling. Tiles are spread evenly, so neighbours share at least
/// `overlap` pixels and none but a lone one hangs over an edge.
pub fn placements(width: u32, height: u32, presentation: &Presentation) -> Vec<Placement> {
    let source = (width.max(1), height.max(1));
    let (size, long_side, overlap) = match *presentation {
        Presentation::Whole { size } => (size, size, 0),
        Presentation::Tiles { size, long_side, overlap } => (size, long_side, overlap),
    };
    let scaled = fit(source, long_side);
    let mut all = Vec::new();
    for y in offsets(scaled.1, size, overlap) {
        for x in offsets(scaled.0, size, overlap) {
            all.push(Placement { source, scaled, size, offset: (x, y) });
        }
    }
    all
}

/// The size with the same aspect whose longer side is `long_side`; no side falls below one pixel.
pub fn fit((width, height): (u32, u32), long_side: u32) -> (u32, u32) {
    // Integers throughout: the size must not hang on how a machine rounds a quotient.
    let longest = u64::from(width.max(height)).max(1);
    let side = |v: u32| {
        let scaled = (u64::from(v) * u64::from(long_side) * 2 + longest) / (2 * longest);
        scaled.clamp(1, u64::from(long_side).max(1)) as u32
    };
    (side(width), side(height))
}

/// Offsets of windows of `size` along an axis of `length`.
fn offsets(length: u32, size: u32, overlap: u32) -> Vec<i64> {
    if length <= size {
        return vec![0];
    }
    let span = u64::from(length - size);
    let step = u64::from(size.saturating_sub(overlap).max(1));
    let gaps = span.div_ceil(step);
    (0..=gaps).map(|i| ((i * span * 2 + gaps) / (2 * gaps)) as i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_fills_the_longer_side_and_keeps_the_aspect() {
        let p = placements(400, 300, &Presentation::Whole { size: 256 });
        assert_eq!(
            p,
            [Placement { source: (400, 300), scaled: (256, 192), size: 256, offset: (0, 0) }]
        );
        assert_eq!(p[0].visible(), [0, 0, 256, 192]);
        assert_eq!(placements(1, 1, &Presentation::Whole { size: 64 })[0].scaled, (64, 64));
        assert_eq!(placements(9000, 3, &Presentation::Whole { size: 64 })[0].scaled, (64, 1));
    }

    #[test]
    fn tiles_cover_every_pixel_and_share_at_least_the_overlap() {
        for length in [31, 64, 65, 100, 127, 128, 301, 640] {
            let all = offsets(length, 64, 16);
            assert_eq!(all[0], 0);
            assert_eq!(*all.last().unwrap(), i64::from(length.saturating_sub(64)));
            for pair in all.windows(2) {
                assert!(pair[1] > pair[0] && pair[1] - pair[0] <= 64 - 16, "{length}: {all:?}");
            }
        }
        let p =
            placements(500, 333, &Presentation::Tiles { size: 64, long_side: 160, overlap: 16 });
        assert_eq!(p[0].scaled, (160, 107));
        assert_eq!(p.len(), 3 * 2);
        assert!(p.iter().all(|p| p.visible() == [0, 0, 64, 64]));
    }

    #[test]
    fn nonsense_presentations_do_not_panic() {
        let tiles = Presentation::Tiles { size: 0, long_side: 4, overlap: 9 };
        assert!(!placements(3, 2, &tiles).is_empty());
        assert!(!placements(0, 0, &Presentation::Whole { size: 0 }).is_empty());
    }

    #[test]
    fn boxes_come_back_from_the_canvas() {
        let tiles = Presentation::Tiles { size: 64, long_side: 160, overlap: 16 };
        for p in placements(501, 333, &tiles) {
            let there = [120.5, 30.0, 400.0, 333.0];
            let back = p.to_source_box(p.to_canvas_box(there));
            for (a, b) in there.iter().zip(back) {
                // Coordinates below 1024: an ulp is 6e-5, and four roundings lie on the way.
                assert!((a - b).abs() < 1e-3, "{there:?} {back:?}");
            }
        }
        let p = placements(10, 10, &Presentation::Whole { size: 32 })[0];
        assert_eq!(p.to_source_box([-5.0, 0.0, 99.0, 16.0]), [0.0, 0.0, 10.0, 5.0]);
    }

    #[test]
    fn a_window_may_hang_over_every_edge() {
        let p = Placement { source: (20, 10), scaled: (20, 10), size: 32, offset: (-4, 3) };
        assert_eq!(p.visible(), [4, 0, 24, 7]);
        let p = Placement { offset: (40, 0), ..p };
        assert_eq!(p.visible(), [0, 0, 0, 10]);
    }
}
