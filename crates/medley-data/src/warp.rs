//! One affine map, and what is carried through it: a picture, a mask, boxes.

use medley_infer::IGNORE;

use crate::cache::Picture;

/// A box that is smaller than this along a side, in canvas pixels, is no example of anything.
const MIN_SIDE: f32 = 2.0;
/// A box of which less than this share of its area is left on the canvas is dropped.
const MIN_SHARE: f32 = 0.3;

/// `x' = a·x + b·y + c`, `y' = d·x + e·y + f`, in pixels; the centre of the first pixel is (0.5, 0.5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine(pub(crate) [f64; 6]);

impl Affine {
    /// Enlarges along each axis.
    pub(crate) fn scale(x: f64, y: f64) -> Self {
        Self([x, 0.0, 0.0, 0.0, y, 0.0])
    }

    /// Shifts.
    pub(crate) fn shift(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, x, 0.0, 1.0, y])
    }

    /// Turns about the origin, in radians.
    pub(crate) fn turn(angle: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self([cos, -sin, 0.0, sin, cos, 0.0])
    }

    /// Turns about the origin by so many right angles, without rounding.
    pub(crate) fn quarter_turns(count: u32) -> Self {
        let (sin, cos) = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][(count % 4) as usize];
        Self([cos, -sin, 0.0, sin, cos, 0.0])
    }

    /// This map, then another.
    pub(crate) fn then(self, next: Self) -> Self {
        let [a, b, c, d, e, f] = self.0;
        let [p, q, r, s, t, u] = next.0;
        Self([
            p * a + q * d,
            p * b + q * e,
            p * c + q * f + r,
            s * a + t * d,
            s * b + t * e,
            s * c + t * f + u,
        ])
    }

    /// The way back. The maps made here enlarge by more than zero, so there is one.
    pub(crate) fn inverse(self) -> Self {
        let [a, b, c, d, e, f] = self.0;
        let k = 1.0 / (a * e - b * d);
        Self([e * k, -b * k, (b * f - e * c) * k, -d * k, a * k, (d * c - a * f) * k])
    }

    /// Where a point goes.
    pub(crate) fn point(self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// The smallest upright box around a mapped box, `[x0, y0, x1, y1]`.
    fn hull(self, [x0, y0, x1, y1]: [f32; 4]) -> [f32; 4] {
        let mut hull = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for (x, y) in [(x0, y0), (x1, y0), (x0, y1), (x1, y1)] {
            let (x, y) = self.point(f64::from(x), f64::from(y));
            hull = [hull[0].min(x), hull[1].min(y), hull[2].max(x), hull[3].max(y)];
        }
        hull.map(|v| v as f32)
    }
}

/// How a picture's bytes become values of 0..1: one curve a channel.
pub(crate) type Tone = [[f32; 256]; 3];

/// Draws a picture onto a canvas of `[3, size, size]`, with bilinear interpolation; zero outside the picture.
///
/// `map` leads from the canvas to the picture's pixels. `noise` is asked once for each pixel and channel inside
/// the picture (for a grey picture once for each pixel: its channels stay equal).
pub(crate) fn draw_picture(
    picture: &Picture,
    map: Affine,
    tone: &Tone,
    size: usize,
    mut noise: impl FnMut() -> f32,
) -> Vec<f32> {
    let plane = size * size;
    let mut canvas = vec![0.0; 3 * plane];
    let (width, height) = (picture.width as usize, picture.height as usize);
    let (right, bottom) = (width as f32, height as f32);
    let channels = picture.channels;
    let [a, b, c, d, e, f] = map.0.map(|v| v as f32);
    for y in 0..size {
        let cy = y as f32 + 0.5;
        let (u0, v0) = (b * cy + c, e * cy + f);
        for x in 0..size {
            let cx = x as f32 + 0.5;
            let (u, v) = (a * cx + u0, d * cx + v0);
            if !(u >= 0.0 && v >= 0.0 && u < right && v < bottom) {
                continue;
            }
            let (u, v) = ((u - 0.5).clamp(0.0, right - 1.0), (v - 0.5).clamp(0.0, bottom - 1.0));
            let (x0, y0) = (u as usize, v as usize);
            let (x1, y1) = ((x0 + 1).min(width - 1), (y0 + 1).min(height - 1));
            let (fx, fy) = (u - x0 as f32, v - y0 as f32);
            let (upper, lower) = (y0 * width, y1 * width);
            for channel in 0..channels {
                let curve = &tone[channel];
                let at = |row: usize, column: usize| {
                    curve[picture.pixels[(row + column) * channels + channel] as usize]
                };
                let (p, q) = (at(upper, x0), at(lower, x0));
                let top = p + (at(upper, x1) - p) * fx;
                let low = q + (at(lower, x1) - q) * fx;
                canvas[channel * plane + y * size + x] =
                    (top + (low - top) * fy + noise()).clamp(0.0, 1.0);
            }
        }
    }
    if channels == 1 {
        let (first, rest) = canvas.split_at_mut(plane);
        rest[..plane].copy_from_slice(first);
        rest[plane..].copy_from_slice(first);
    }
    canvas
}

/// Which pixels of a canvas of `[size, size]` show a picture of `width` × `height`; `map` as in [`draw_picture`].
pub(crate) fn shown((width, height): (u32, u32), map: Affine, size: usize) -> Vec<bool> {
    let (right, bottom) = (f64::from(width), f64::from(height));
    let inside = |at: usize| {
        let (u, v) = map.point((at % size) as f64 + 0.5, (at / size) as f64 + 0.5);
        u >= 0.0 && v >= 0.0 && u < right && v < bottom
    };
    (0..size * size).map(inside).collect()
}

/// Draws a mask of `width` × `height` class numbers onto a canvas of `[size, size]` by its nearest pixels;
/// [`IGNORE`] outside. `map` leads from the canvas to the mask's pixels.
pub(crate) fn draw_mask(
    mask: &[u8],
    (width, height): (u32, u32),
    map: Affine,
    size: usize,
) -> Vec<u8> {
    let mut canvas = vec![IGNORE; size * size];
    let (right, bottom) = (f64::from(width), f64::from(height));
    for (y, row) in canvas.chunks_exact_mut(size).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let (u, v) = map.point(x as f64 + 0.5, y as f64 + 0.5);
            if u >= 0.0 && v >= 0.0 && u < right && v < bottom {
                *value = mask[v as usize * width as usize + u as usize];
            }
        }
    }
    canvas
}

/// Boxes of the source, `[x0, y0, x1, y1, class]`, on the canvas: the upright box around each mapped one, cut at
/// the canvas's edges.
///
/// Dropped are boxes of which too little is left, and, where the canvas is one tile of many, those whose centre
/// lies on another tile.
pub(crate) fn map_boxes(boxes: &[[f32; 5]], map: Affine, size: f32, tile: bool) -> Vec<[f32; 5]> {
    let mut kept = Vec::with_capacity(boxes.len());
    for &[x0, y0, x1, y1, class] in boxes {
        let [x0, y0, x1, y1] = map.hull([x0, y0, x1, y1]);
        let cut = [x0, y0, x1, y1].map(|v| v.clamp(0.0, size));
        let (width, height) = (cut[2] - cut[0], cut[3] - cut[1]);
        let stays = if tile {
            let (x, y) = ((x0 + x1) / 2.0, (y0 + y1) / 2.0);
            (0.0..size).contains(&x) && (0.0..size).contains(&y)
        } else {
            width * height >= MIN_SHARE * (x1 - x0) * (y1 - y0)
        };
        if stays && width >= MIN_SIDE && height >= MIN_SIDE {
            kept.push([cut[0], cut[1], cut[2], cut[3], class]);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_and_its_inverse_undo_each_other() {
        let map = Affine::scale(1.3, 0.7)
            .then(Affine::quarter_turns(3))
            .then(Affine::turn(0.2))
            .then(Affine::shift(-7.0, 12.5));
        let (x, y) = map.point(31.0, -4.0);
        let (x, y) = map.inverse().point(x, y);
        // f64 with a handful of operations on numbers below 100.
        assert!((x - 31.0).abs() < 1e-9 && (y + 4.0).abs() < 1e-9, "({x}, {y})");
    }

    #[test]
    fn a_box_mostly_outside_is_dropped_and_one_partly_outside_is_cut() {
        let none = Affine::scale(1.0, 1.0);
        let boxes = [[-8.0, 0.0, 2.0, 10.0, 0.0], [-5.0, 0.0, 5.0, 10.0, 1.0]];
        assert_eq!(map_boxes(&boxes, none, 32.0, false), [[0.0, 0.0, 5.0, 10.0, 1.0]]);
    }

    #[test]
    fn on_a_tile_a_box_belongs_where_its_centre_lies() {
        let none = Affine::scale(1.0, 1.0);
        let boxes = [[-6.0, 0.0, 4.0, 10.0, 0.0], [28.0, 4.0, 34.0, 10.0, 0.0]];
        assert_eq!(map_boxes(&boxes, none, 32.0, true), [[28.0, 4.0, 32.0, 10.0, 0.0]]);
    }

    #[test]
    fn a_picture_of_its_own_size_is_drawn_as_it_is() {
        let picture = Picture { width: 2, height: 2, channels: 1, pixels: vec![0, 51, 102, 255] };
        let tone: Tone = [std::array::from_fn(|v| v as f32 / 255.0); 3];
        let canvas = draw_picture(&picture, Affine::scale(1.0, 1.0), &tone, 3, || 0.0);
        let plane = [0.0, 0.2, 0.0, 0.4, 1.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(canvas, [plane, plane, plane].concat());
    }
}
