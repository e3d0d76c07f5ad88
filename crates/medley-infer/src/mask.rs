//! From the segmentation logits of windows to one mask of the source picture's size.
//!
//! Logits of each window are enlarged bilinearly to the window, cut to what shows the picture,
//! blended where windows overlap, resampled to the source's size and only then compared.

use std::ops::Range;

use crate::geometry::Placement;
use crate::resample::{Tap, add_scaled, mix_columns, mix_rows, taps};

/// Collects the windows of one picture.
#[derive(Debug)]
pub(crate) struct MaskCanvas {
    classes: usize,
    source: (u32, u32),
    width: usize,
    height: usize,
    /// `[height, classes, width]` of the scaled picture: a row holds all classes, so that whole
    /// rows can be mixed at once.
    logits: Vec<f32>,
    /// `[height, width]`: how much has been added; none when one window shows everything.
    weights: Option<Vec<f32>>,
}

impl MaskCanvas {
    /// For the windows of one picture, which share their scaled size.
    pub(crate) fn new(classes: usize, all: &[Placement]) -> Self {
        let (source, scaled) = all.first().map_or(((1, 1), (1, 1)), |p| (p.source, p.scaled));
        let (width, height) = (scaled.0 as usize, scaled.1 as usize);
        Self {
            classes,
            source,
            width,
            height,
            logits: vec![0.0; width * height * classes],
            weights: (all.len() > 1).then(|| vec![0.0; width * height]),
        }
    }

    /// Adds a window. `logits`: `[classes, grid.1, grid.0]`; the grid spans the whole window.
    pub(crate) fn add(&mut self, placement: &Placement, logits: &[f32], grid: (usize, usize)) {
        let size = placement.size as usize;
        let [x0, y0, x1, y1] = placement.visible().map(|v| v as usize);
        if x0 >= x1 || y0 >= y1 {
            return;
        }
        let (columns, rows) = (taps(grid.0, size), taps(grid.1, size));
        let ramp = if self.weights.is_some() { bell(size) } else { vec![1.0; size] };
        let left = (x0 as i64 + placement.offset.0) as usize;
        let mut line = vec![0.0; grid.0];
        let mut wide = vec![0.0; size];
        for y in y0..y1 {
            let row = (y as i64 + placement.offset.1) as usize;
            for class in 0..self.classes {
                let plane = &logits[class * grid.0 * grid.1..][..grid.0 * grid.1];
                mix_rows(&mut line, plane, &rows[y]);
                mix_columns::<1>(&mut wide, &line, &columns);
                for (v, w) in wide.iter_mut().zip(&ramp) {
                    *v *= w;
                }
                let at = (row * self.classes + class) * self.width + left;
                add_scaled(&mut self.logits[at..at + x1 - x0], &wide[x0..x1], ramp[y]);
            }
            if let Some(weights) = &mut self.weights {
                let at = row * self.width + left;
                add_scaled(&mut weights[at..at + x1 - x0], &ramp[x0..x1], ramp[y]);
            }
        }
    }

    /// The class with the largest logit for each pixel of the source picture, row by row.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.normalise();
        self.subtract_first();
        let (width, height) = (self.source.0 as usize, self.source.1 as usize);
        let (columns, rows) = (taps(self.width, width), taps(self.height, height));
        let mut wide = WideRows::new(&self, &columns, &rows);
        let mut line = vec![0.0; width];
        let mut best = vec![0.0f32; width];
        let mut classes = vec![0u32; width];
        let mut indices = vec![0u8; width * height];
        for (out, tap) in indices.chunks_exact_mut(width).zip(&rows) {
            wide.reach(tap.start + tap.weights.len());
            // The first class, less itself.
            classes.fill(0);
            best.fill(0.0);
            for class in 1..self.classes {
                let row = |at: usize| wide.row(tap.start + at, class);
                if let [a, b] = tap.weights[..] {
                    let values =
                        row(0).iter().zip(row(1)).map(|(first, second)| a * first + b * second);
                    choose(class, values, &mut best, &mut classes);
                    continue;
                }
                line.fill(0.0);
                for (at, &weight) in tap.weights.iter().enumerate() {
                    add_scaled(&mut line, row(at), weight);
                }
                choose(class, line.iter().copied(), &mut best, &mut classes);
            }
            for (out, index) in out.iter_mut().zip(&classes) {
                *out = *index as u8;
            }
        }
        indices
    }

    /// Takes the first class's logits from all: which is the largest stays the same, and there is a class less to resample.
    fn subtract_first(&mut self) {
        for row in self.logits.chunks_exact_mut(self.classes * self.width) {
            let (first, others) = row.split_at_mut(self.width);
            for class in others.chunks_exact_mut(self.width) {
                for (value, first) in class.iter_mut().zip(&*first) {
                    *value -= first;
                }
            }
        }
    }

    /// Divides the sums by their weights.
    fn normalise(&mut self) {
        let Some(weights) = self.weights.take() else { return };
        for (y, weights) in weights.chunks_exact(self.width).enumerate() {
            for class in 0..self.classes {
                let at = (y * self.classes + class) * self.width;
                for (v, w) in self.logits[at..at + self.width].iter_mut().zip(weights) {
                    *v /= w.max(f32::MIN_POSITIVE);
                }
            }
        }
    }
}

/// Takes `class` where its value is larger than the best so far. Of equal ones the first class stays: no answer leans to a
/// finding.
fn choose(class: usize, values: impl Iterator<Item = f32>, best: &mut [f32], classes: &mut [u32]) {
    for ((index, best), value) in classes.iter_mut().zip(best).zip(values) {
        // As masks, for the compiler leaves a choice between floats scalar in WebAssembly.
        let other = if value > *best { u32::MAX } else { 0 };
        *best = f32::from_bits(value.to_bits() & other | best.to_bits() & !other);
        *index = class as u32 & other | *index & !other;
    }
}

/// Rows of logits, resampled along x to the source's width once each, of which as many are kept as one row of the source mixes:
/// a picture that is much larger than what the encoder saw has many rows for each of them.
struct WideRows<'a> {
    canvas: &'a MaskCanvas,
    columns: &'a [Tap],
    /// Rows that are kept, each in the place that is its number modulo this.
    kept: usize,
    /// Rows that were resampled.
    done: usize,
    /// `[kept, classes, width]`
    values: Vec<f32>,
}

impl<'a> WideRows<'a> {
    fn new(canvas: &'a MaskCanvas, columns: &'a [Tap], rows: &[Tap]) -> Self {
        let kept = rows.iter().map(|tap| tap.weights.len()).max().unwrap_or(0);
        let values = vec![0.0; kept * canvas.classes * columns.len()];
        Self { canvas, columns, kept, done: 0, values }
    }

    /// Resamples the rows before `end` that were not before, but for the first class.
    fn reach(&mut self, end: usize) {
        let (classes, width) = (self.canvas.classes, self.canvas.width);
        for row in self.done..end {
            for class in 1..classes {
                let from = &self.canvas.logits[(row * classes + class) * width..][..width];
                let place = self.place(row, class);
                mix_columns::<1>(&mut self.values[place], from, self.columns);
            }
        }
        self.done = self.done.max(end);
    }

    /// One class's logits of a row among the last that were resampled.
    fn row(&self, row: usize, class: usize) -> &[f32] {
        &self.values[self.place(row, class)]
    }

    fn place(&self, row: usize, class: usize) -> Range<usize> {
        let width = self.columns.len();
        let start = (row % self.kept * self.canvas.classes + class) * width;
        start..start + width
    }
}

/// A window's weight along one axis: sin², large in the middle, small but never zero at the rim,
/// where the network sees least of a pixel's surroundings.
fn bell(size: usize) -> Vec<f32> {
    (0..size)
        .map(|i| {
            let s = (std::f64::consts::PI * (i as f64 + 0.5) / size as f64).sin();
            // 1e-3: a pixel that only the rim of one window shows is still that window's answer.
            (s * s + 1e-3) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::placements;
    use crate::prepare::{resize, window};
    use medley_image::Image;
    use medley_package::Presentation;

    /// Three rings, one disc off the centre: curved edges, thin parts, all borders touched.
    fn drawing(w: u32, h: u32) -> Vec<u8> {
        let (cx, cy) = (w as f32 * 0.45, h as f32 * 0.55);
        let unit = w.min(h) as f32;
        (0..h)
            .flat_map(|y| (0..w).map(move |x| (x as f32 + 0.5 - cx, y as f32 + 0.5 - cy)))
            .map(|(x, y)| match (x * x + y * y).sqrt() / unit {
                r if r < 0.25 => 1,
                r if r < 0.40 => 2,
                r if r < 0.48 => 0,
                r if r < 0.60 => 1,
                _ => 0,
            })
            .collect()
    }

    /// What a perfect network would answer: each class's share of every cell of the stride 2 grid.
    fn answer(mask: &[u8], w: u32, h: u32, p: &Placement, classes: u8) -> Vec<f32> {
        let mut logits = Vec::new();
        for class in 0..classes {
            let one: Vec<u8> = mask.iter().map(|&v| if v == class { 255 } else { 0 }).collect();
            let plane = Image::from_gray8(w, h, &one).unwrap();
            let seen = window(&resize(&plane, p.scaled.0, p.scaled.1), p);
            let size = p.size as usize;
            for y in (0..size).step_by(2) {
                for x in (0..size).step_by(2) {
                    let at = |dx: usize, dy: usize| seen[(y + dy) * size + x + dx];
                    logits.push((at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4.0);
                }
            }
        }
        logits
    }

    fn iou(a: &[u8], b: &[u8], class: u8) -> f64 {
        let both = a.iter().zip(b).filter(|(a, b)| **a == class && **b == class).count();
        let any = a.iter().zip(b).filter(|(a, b)| **a == class || **b == class).count();
        both as f64 / any as f64
    }

    #[test]
    fn a_mask_survives_placing_and_undoing_at_odd_sizes() {
        for (w, h) in [(301, 199), (173, 211), (97, 97), (640, 133)] {
            let mask = drawing(w, h);
            for way in [
                Presentation::Whole { size: 256 },
                Presentation::Tiles { size: 96, long_side: 320, overlap: 32 },
                Presentation::Tiles { size: 128, long_side: 257, overlap: 17 },
            ] {
                // 640 wide at 256 leaves 53 rows for 133: 5 source pixels to a cell of the grid,
                // where the thinnest ring (0.08 · 133 = 10 pixels) is two cells wide.
                let least = if w == 640 { 0.90 } else { 0.97 };
                let all = placements(w, h, &way);
                let mut canvas = MaskCanvas::new(3, &all);
                for p in &all {
                    let grid = p.size as usize / 2;
                    canvas.add(p, &answer(&mask, w, h, p, 3), (grid, grid));
                }
                let back = canvas.finish();
                assert_eq!(back.len(), mask.len());
                for class in 0..3 {
                    let iou = iou(&mask, &back, class);
                    assert!(iou > least, "{w}x{h} {way:?} class {class}: {iou}");
                }
            }
        }
    }

    #[test]
    fn one_pixel_is_a_picture() {
        let all = placements(1, 1, &Presentation::Whole { size: 32 });
        let mut canvas = MaskCanvas::new(2, &all);
        let mut logits = vec![0.0; 2 * 16 * 16];
        logits[16 * 16..].fill(1.0);
        canvas.add(&all[0], &logits, (16, 16));
        assert_eq!(canvas.finish(), [1]);
    }

    #[test]
    fn blended_windows_leave_no_seam() {
        // Windows that agree on a slope must reproduce it: blending is a weighted mean.
        let way = Presentation::Tiles { size: 64, long_side: 160, overlap: 20 };
        let all = placements(160, 100, &way);
        let mut canvas = MaskCanvas::new(1, &all);
        for p in &all {
            let logits: Vec<f32> =
                (0..32 * 32).map(|i| (2 * (i % 32) + 1) as f32 + p.offset.0 as f32).collect();
            canvas.add(p, &logits, (32, 32));
        }
        canvas.normalise();
        for x in 2..158 {
            let v = canvas.logits[50 * 160 + x];
            // Bilinear enlarging holds the outermost half cell constant: at a window's own rim it
            // is off by half a pixel, with a weight of 1e-3 to 4e-3 against the neighbour's.
            assert!((v - (x as f32 + 0.5)).abs() < 0.02, "{x}: {v}");
        }
    }
}
