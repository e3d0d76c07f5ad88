//! What a head that answers for pixels sees of a picture.

use std::collections::HashSet;

use medley_head::{Head, Stroke};
use medley_image::Image;

use crate::analysis::Mask;
use crate::error::InferError;
use crate::geometry::Placement;
use crate::mask::MaskCanvas;

/// A pixel's features are those of its cell and of the eight around it, as in the heads of segmentation tasks.
const AROUND: i64 = 1;

/// Cells that one pixel's features come from.
const CELLS: usize = 9;

/// The segmentation decoder's maps of all windows of one picture.
#[derive(Debug, Clone)]
pub struct PixelFeatures {
    source: (u32, u32),
    windows: Vec<Window>,
}

#[derive(Debug, Clone)]
struct Window {
    placement: Placement,
    /// Columns and rows of the map, which spans the whole window.
    grid: (usize, usize),
    channels: usize,
    /// `[channels, grid.1, grid.0]`
    values: Vec<f32>,
}

impl PixelFeatures {
    pub(crate) fn new(image: &Image) -> Self {
        Self { source: (image.width(), image.height()), windows: Vec::new() }
    }

    /// `values`: `[windows, channels, grid.1, grid.0]`
    pub(crate) fn add(&mut self, placements: &[Placement], values: &[f32], grid: (usize, usize)) {
        let each = values.len() / placements.len().max(1);
        let channels = each / (grid.0 * grid.1).max(1);
        for (&placement, values) in placements.iter().zip(values.chunks_exact(each.max(1))) {
            self.windows.push(Window { placement, grid, channels, values: values.to_vec() });
        }
    }

    /// Width of the picture in pixels.
    pub fn width(&self) -> u32 {
        self.source.0
    }

    /// Height of the picture in pixels.
    pub fn height(&self) -> u32 {
        self.source.1
    }

    /// The examples that a brush gives which went over `pixels`, `[x, y]` each. Pixels outside the picture count
    /// nothing, and those of one cell of the map count once: they look the same.
    pub fn stroke(&self, class: usize, pixels: &[[u32; 2]]) -> Stroke {
        let mut seen = HashSet::new();
        let inside = pixels.iter().filter(|[x, y]| *x < self.source.0 && *y < self.source.1);
        let rows = inside
            .filter_map(|&pixel| self.cell(pixel))
            .filter(|cell| seen.insert(*cell))
            .map(|(window, column, row)| self.windows[window].features(column, row))
            .collect();
        Stroke { class, rows }
    }

    /// The head's answer for every pixel of the picture.
    ///
    /// # Errors
    /// A head for features of another length.
    pub(crate) fn mask(&self, head: &Head) -> Result<Mask, InferError> {
        let classes = head.lesson.classes.len();
        let placements: Vec<Placement> = self.windows.iter().map(|w| w.placement).collect();
        let mut canvas = MaskCanvas::new(classes, &placements);
        for window in &self.windows {
            let cells = window.grid.0 * window.grid.1;
            let mut logits = vec![0.0; classes * cells];
            for cell in 0..cells {
                let (column, row) = (cell % window.grid.0, cell / window.grid.0);
                let own = head.logits(&window.features(column, row))?;
                for (class, logit) in own.into_iter().enumerate() {
                    logits[class * cells + cell] = logit;
                }
            }
            canvas.add(&window.placement, &logits, window.grid);
        }
        Ok(Mask {
            width: self.source.0,
            height: self.source.1,
            classes: head.lesson.classes.clone(),
            indices: canvas.finish(),
        })
    }

    /// The window that shows a pixel nearest to its middle, and the cell there.
    fn cell(&self, [x, y]: [u32; 2]) -> Option<(usize, usize, usize)> {
        let middle = [x as f32 + 0.5, y as f32 + 0.5];
        let source = [middle[0], middle[1], middle[0], middle[1]];
        let off = |window: &Window| {
            let [cx, cy, ..] = window.placement.to_canvas_box(source);
            let half = window.placement.size as f32 / 2.0;
            (cx - half).abs().max((cy - half).abs())
        };
        let nearest = (0..self.windows.len())
            .min_by(|&a, &b| off(&self.windows[a]).total_cmp(&off(&self.windows[b])))?;
        let window = &self.windows[nearest];
        let [cx, cy, ..] = window.placement.to_canvas_box(source);
        let size = window.placement.size as f32;
        let index =
            |at: f32, cells: usize| ((at / size * cells as f32).max(0.0) as usize).min(cells - 1);
        Some((nearest, index(cx, window.grid.0), index(cy, window.grid.1)))
    }
}

impl Window {
    /// `[channels · 9]`; at the rim the outermost cells are repeated.
    fn features(&self, column: usize, row: usize) -> Vec<f32> {
        let (width, height) = (self.grid.0 as i64, self.grid.1 as i64);
        let mut features = Vec::with_capacity(self.channels * CELLS);
        for channel in self.values.chunks_exact(self.grid.0 * self.grid.1) {
            for dy in -AROUND..=AROUND {
                for dx in -AROUND..=AROUND {
                    let x = (column as i64 + dx).clamp(0, width - 1);
                    let y = (row as i64 + dy).clamp(0, height - 1);
                    features.push(channel[(y * width + x) as usize]);
                }
            }
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use medley_head::{Lesson, Scope, fit_strokes};
    use medley_package::Presentation;

    use super::*;
    use crate::geometry::placements;
    use crate::prepare::{resize, window};

    /// Bright from column 70 on, with a grain.
    fn picture(width: u32, height: u32) -> Image {
        let value =
            |x: u32, y: u32| if x >= 70 { 0.7 } else { 0.2 } + 0.01 * ((x * 7 + y * 3) % 11) as f32;
        let rows = (0..height).flat_map(|y| (0..width).flat_map(move |x| [value(x, y); 3]));
        Image::new(width, height, rows.collect()).unwrap()
    }

    /// As a decoder would answer whose one channel is the brightness, at stride 2.
    fn seen(picture: &Image, way: &Presentation) -> PixelFeatures {
        let mut features = PixelFeatures::new(picture);
        for place in placements(picture.width(), picture.height(), way) {
            let planes = window(&resize(picture, place.scaled.0, place.scaled.1), &place);
            let size = place.size as usize;
            let cells = size / 2;
            let map: Vec<f32> = (0..cells * cells)
                .map(|i| planes[(i / cells * 2) * size + i % cells * 2])
                .collect();
            features.add(&[place], &map, (cells, cells));
        }
        features
    }

    #[test]
    fn strokes_and_masks_lie_where_the_picture_has_them() {
        for way in [
            Presentation::Whole { size: 64 },
            Presentation::Tiles { size: 64, long_side: 150, overlap: 16 },
        ] {
            let features = seen(&picture(131, 97), &way);
            let line = |class: usize, from: u32, y: u32| {
                let pixels: Vec<[u32; 2]> = (from..from + 45).map(|x| [x, y]).collect();
                features.stroke(class, &pixels)
            };
            // The last pixels of the right strokes lie outside the picture.
            let strokes: Vec<Stroke> =
                [5, 50, 90].into_iter().flat_map(|y| [line(0, 10, y), line(1, 90, y)]).collect();
            let fitted = fit_strokes(&strokes, 2).unwrap();
            assert_eq!(fitted.estimate.unwrap().accuracy, 1.0);
            let lesson = Lesson {
                scope: Scope::Pixel,
                name: "bright".into(),
                classes: vec!["dark".into(), "bright".into()],
                encoder: String::new(),
                presentation: way,
            };
            let mask = features.mask(&Head::new(lesson, fitted).unwrap()).unwrap();
            let wrong =
                (0..131 * 97).filter(|i| (mask.indices[*i] == 1) != (i % 131 >= 70)).count();
            // Whole, a cell is four pixels wide: the border is right to within one.
            assert!(wrong <= 4 * 97, "{way:?}: {wrong}");
        }
    }

    #[test]
    fn a_brush_counts_each_cell_once_and_nothing_outside() {
        let features = seen(&picture(128, 128), &Presentation::Whole { size: 64 });
        // Four pixels make one cell.
        let dot: Vec<[u32; 2]> =
            (0..4).flat_map(|y| (0..4).map(move |x| [40 + x, 80 + y])).collect();
        assert_eq!(features.stroke(0, &dot).rows.len(), 1);
        assert_eq!(features.stroke(0, &[[128, 5], [5, 128], [u32::MAX, 0]]).rows.len(), 0);
    }
}
