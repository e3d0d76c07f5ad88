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
                let seen = &plane[rows[y].start * grid.0..];
                mix_rows(&mut line, seen, &rows[y].weights);
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
    ///
    /// A pixel mixes a few logits with weights that are not negative. Where all of them have the same class largest, so has
    /// the pixel, and nothing is mixed: in a picture that is much larger than what the encoder saw that is nearly everywhere.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.normalise();
        self.subtract_first();
        let largest = self.largest();
        let (width, height) = (self.source.0 as usize, self.source.1 as usize);
        let (columns, rows) = (taps(self.width, width), taps(self.height, height));
        let (cells, bands) = (same_inputs(&columns), same_inputs(&rows));
        let mut seam = Seam::new(&self, &columns, &rows, &bands);
        let mut indices = Vec::with_capacity(width * height);
        for band in bands {
            let seen = rows[band.start].inputs();
            let down: Vec<Option<u8>> = (0..self.width)
                .map(|x| common(seen.clone().map(|y| Some(largest[y * self.width + x]))))
                .collect();
            let across = cells.iter().map(|cell| {
                let seen = columns[cell.start].inputs();
                (cell.clone(), common(down[seen].iter().copied()))
            });
            let runs = joined(across);
            let first = indices.len();
            for (run, class) in &runs {
                indices.resize(first + run.end, class.unwrap_or(0));
            }
            for _ in 1..band.len() {
                indices.extend_from_within(first..first + width);
            }
            for (run, _) in runs.iter().filter(|(_, class)| class.is_none()) {
                let band = indices[first..].chunks_exact_mut(width).zip(&rows[band.clone()]);
                seam.decide(run, band.map(|(row, tap)| (&mut row[run.clone()], tap)));
            }
        }
        indices
    }

    /// `[height, width]`: the class with the largest logit. The first class's have been subtracted.
    fn largest(&self) -> Vec<u8> {
        let mut best = vec![0.0f32; self.width];
        let mut classes = vec![0u32; self.width];
        let mut largest = Vec::with_capacity(self.width * self.height);
        for row in self.logits.chunks_exact(self.classes * self.width) {
            best.fill(0.0);
            classes.fill(0);
            for (class, logits) in row.chunks_exact(self.width).enumerate().skip(1) {
                choose(class, logits.iter().copied(), &mut best, &mut classes);
            }
            largest.extend(classes.iter().map(|&class| class as u8));
        }
        largest
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

/// Neighbouring outputs that mix the same inputs.
fn same_inputs(taps: &[Tap]) -> Vec<Range<usize>> {
    let mut end = 0;
    let same = taps.chunk_by(|a, b| a.inputs() == b.inputs()).map(|same| {
        let start = end;
        end += same.len();
        start..end
    });
    same.collect()
}

/// The class that all agree on; none where one has none.
fn common(mut classes: impl Iterator<Item = Option<u8>>) -> Option<u8> {
    let first = classes.next().flatten()?;
    classes.all(|class| class == Some(first)).then_some(first)
}

/// Joins neighbours of the same class, and neighbours without one.
fn joined(
    cells: impl Iterator<Item = (Range<usize>, Option<u8>)>,
) -> Vec<(Range<usize>, Option<u8>)> {
    let mut runs: Vec<(Range<usize>, Option<u8>)> = Vec::new();
    for (cell, class) in cells {
        match runs.last_mut() {
            Some((run, before)) if *before == class => run.end = cell.end,
            _ => runs.push((cell, class)),
        }
    }
    runs
}

/// Where classes meet: logits are mixed for each pixel.
struct Seam<'a> {
    canvas: &'a MaskCanvas,
    columns: &'a [Tap],
    /// `[rows that one output mixes, width]`: one class's logits, mixed along x.
    wide: Vec<f32>,
    /// `[outputs that mix the same rows, width]` each: the largest logit so far and its class.
    best: Vec<f32>,
    classes: Vec<u32>,
    line: Vec<f32>,
}

impl<'a> Seam<'a> {
    /// `bands`: those of `rows` that mix the same inputs.
    fn new(
        canvas: &'a MaskCanvas,
        columns: &'a [Tap],
        rows: &[Tap],
        bands: &[Range<usize>],
    ) -> Self {
        let inputs = rows.iter().map(|tap| tap.weights.len()).max().unwrap_or(0);
        let outputs = bands.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        let width = columns.len();
        Self {
            canvas,
            columns,
            wide: vec![0.0; inputs * width],
            best: vec![0.0; outputs * width],
            classes: vec![0; outputs * width],
            line: vec![0.0; width],
        }
    }

    /// `run`: columns of the output; `outputs`: these columns of rows that mix the same inputs.
    fn decide<'b>(
        &mut self,
        run: &Range<usize>,
        outputs: impl Iterator<Item = (&'b mut [u8], &'b Tap)>,
    ) {
        let outputs: Vec<(&mut [u8], &Tap)> = outputs.collect();
        let Some((_, first)) = outputs.first() else { return };
        let (inputs, length) = (first.inputs(), run.len());
        let all = outputs.len() * length;
        // The first class, less itself.
        self.best[..all].fill(0.0);
        self.classes[..all].fill(0);
        let (classes, width) = (self.canvas.classes, self.canvas.width);
        let wide = &mut self.wide[..inputs.len() * length];
        for class in 1..classes {
            for (wide, row) in wide.chunks_exact_mut(length).zip(inputs.clone()) {
                let from = &self.canvas.logits[(row * classes + class) * width..][..width];
                mix_columns::<1>(wide, from, &self.columns[run.clone()]);
            }
            let best = self.best.chunks_exact_mut(length);
            let found = best.zip(self.classes.chunks_exact_mut(length));
            for ((_, tap), (best, classes)) in outputs.iter().zip(found) {
                let line = &mut self.line[..length];
                mix_rows(line, wide, &tap.weights);
                choose(class, line.iter().copied(), best, classes);
            }
        }
        for ((out, _), classes) in outputs.into_iter().zip(self.classes.chunks_exact(length)) {
            for (out, class) in out.iter_mut().zip(classes) {
                *out = *class as u8;
            }
        }
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

    /// Every pixel's logits, mixed without a short cut.
    fn mixed(canvas: &MaskCanvas) -> Vec<u8> {
        let (width, height) = (canvas.source.0 as usize, canvas.source.1 as usize);
        let (columns, rows) = (taps(canvas.width, width), taps(canvas.height, height));
        let mut wide = vec![0.0; canvas.height * width];
        let mut best = vec![f32::NEG_INFINITY; width * height];
        let mut classes = vec![0u32; width * height];
        let mut line = vec![0.0; width];
        for class in 0..canvas.classes {
            for (row, wide) in wide.chunks_exact_mut(width).enumerate() {
                let at = (row * canvas.classes + class) * canvas.width;
                mix_columns::<1>(wide, &canvas.logits[at..at + canvas.width], &columns);
            }
            for (y, tap) in rows.iter().enumerate() {
                mix_rows(&mut line, &wide[tap.start * width..], &tap.weights);
                let at = y * width..(y + 1) * width;
                let values = line.iter().copied();
                choose(class, values, &mut best[at.clone()], &mut classes[at]);
            }
        }
        classes.into_iter().map(|class| class as u8).collect()
    }

    #[test]
    fn where_neighbours_agree_mixing_changes_nothing() {
        // Larger, much larger, as large as and smaller than the canvas; blobs of a few cells, so that there are seams and
        // places without one.
        for (w, h) in [(64, 64), (301, 199), (37, 211), (20, 9), (700, 5)] {
            for classes in [1, 2, 4] {
                let all = placements(w, h, &Presentation::Whole { size: 64 });
                let mut canvas = MaskCanvas::new(classes, &all);
                let logits: Vec<f32> = (0..classes * 32 * 32)
                    .map(|i| {
                        let (class, y, x) = (i / 1024, i / 32 % 32, i % 32);
                        let turn = class as f32 * 2.1;
                        (x as f32 * 0.61 + turn).sin() + (y as f32 * 0.43 + turn).cos()
                    })
                    .collect();
                canvas.add(&all[0], &logits, (32, 32));
                let wanted = mixed(&canvas);
                assert_eq!(canvas.finish(), wanted, "{w}x{h}, {classes} classes");
                let seen: std::collections::BTreeSet<u8> = wanted.into_iter().collect();
                assert_eq!(seen.len(), classes);
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
