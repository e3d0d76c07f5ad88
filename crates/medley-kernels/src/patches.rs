//! From a map to the patches under a convolution's kernel, and back.

use std::ops::Range;

/// The shape of a convolution of one image with "same" padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Side of the square kernel, odd.
    pub kernel: usize,
    pub stride: usize,
}

impl Geometry {
    pub(crate) fn out_height(&self) -> usize {
        self.height.div_ceil(self.stride)
    }

    pub(crate) fn out_width(&self) -> usize {
        self.width.div_ceil(self.stride)
    }

    /// Values of one patch.
    pub(crate) fn patch(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// Whether patches are the map itself.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1
    }

    /// Output columns whose patch column `kx` lies inside the map: `(first, after the last)`.
    fn inside(&self, kx: usize) -> (usize, usize) {
        let pad = self.kernel / 2;
        let first = pad.saturating_sub(kx).div_ceil(self.stride);
        // x · stride + kx − pad ≤ width − 1
        let end = (self.width + pad).checked_sub(kx + 1).map_or(0, |room| room / self.stride + 1);
        (first.min(self.out_width()), end.min(self.out_width()).max(first.min(self.out_width())))
    }

    /// The map's row under kernel row `ky` of output row `y`, if it lies inside.
    fn row(&self, y: usize, ky: usize) -> Option<usize> {
        (y * self.stride + ky).checked_sub(self.kernel / 2).filter(|&row| row < self.height)
    }

    /// For one plane and some output rows: calls `body` with each of the kernel's values, and each piece of an input row
    /// that it meets with the piece of an output row, counted from the first of `rows`. The input's values lie `stride`
    /// apart.
    pub(crate) fn for_each_line(
        &self,
        rows: Range<usize>,
        mut body: impl FnMut(usize, Range<usize>, Range<usize>),
    ) {
        let out_width = self.out_width();
        let pad = self.kernel / 2;
        for ky in 0..self.kernel {
            for kx in 0..self.kernel {
                let (first, end) = self.inside(kx);
                if first == end {
                    continue;
                }
                for (line, y) in rows.clone().enumerate() {
                    let Some(row) = self.row(y, ky) else { continue };
                    let from = row * self.width + first * self.stride + kx - pad;
                    let length = (end - first - 1) * self.stride + 1;
                    let to = line * out_width + first..line * out_width + end;
                    body(ky * self.kernel + kx, from..from + length, to);
                }
            }
        }
    }

    /// Writes the patches of some output rows: `[patch, rows.len() · out_width]`, zero outside the map.
    pub(crate) fn gather(&self, map: &[f32], rows: Range<usize>, patches: &mut [f32]) {
        let (width, out_width) = (self.width, self.out_width());
        let pad = self.kernel / 2;
        let mut lines = patches.chunks_exact_mut(rows.len() * out_width);
        for plane in map.chunks_exact(self.height * width) {
            for ky in 0..self.kernel {
                for kx in 0..self.kernel {
                    let Some(line) = lines.next() else { return };
                    let (first, end) = self.inside(kx);
                    for (y, out) in rows.clone().zip(line.chunks_exact_mut(out_width)) {
                        let Some(row) = self.row(y, ky) else {
                            out.fill(0.0);
                            continue;
                        };
                        let row = &plane[row * width..(row + 1) * width];
                        out[..first].fill(0.0);
                        out[end..].fill(0.0);
                        if first == end {
                            continue;
                        }
                        let begin = first * self.stride + kx - pad;
                        if self.stride == 1 {
                            out[first..end].copy_from_slice(&row[begin..begin + end - first]);
                        } else {
                            let source = row[begin..].iter().step_by(self.stride);
                            for (value, &source) in out[first..end].iter_mut().zip(source) {
                                *value = source;
                            }
                        }
                    }
                }
            }
        }
    }

    /// Adds each value of the patches to the place of the map that it came from: what [`Self::gather`] does, backwards.
    pub(crate) fn scatter(&self, patches: &[f32], rows: Range<usize>, map: &mut [f32]) {
        let area = rows.len() * self.out_width();
        let planes = map.chunks_exact_mut(self.height * self.width);
        for (plane, patches) in planes.zip(patches.chunks_exact(self.kernel * self.kernel * area)) {
            self.for_each_line(rows.clone(), |tap, from, to| {
                let target = plane[from].iter_mut().step_by(self.stride);
                for (target, &value) in target.zip(&patches[tap * area..][to]) {
                    *target += value;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `⟨gather(x), p⟩ = ⟨x, scatter(p)⟩`: each is the other's transpose, which is what a gradient needs.
    #[test]
    fn scattering_is_the_transpose_of_gathering() {
        for (height, width, kernel, stride) in
            [(5, 7, 3, 1), (6, 6, 3, 2), (5, 5, 3, 2), (1, 1, 3, 2), (4, 3, 1, 2), (3, 2, 5, 1)]
        {
            let geometry = Geometry { channels: 2, height, width, kernel, stride };
            let rows = 0..geometry.out_height();
            let area = rows.len() * geometry.out_width();
            let value = |at: usize| ((at * 37 + 11) % 29) as f32 - 14.0;
            let map: Vec<f32> = (0..2 * height * width).map(value).collect();
            let weights: Vec<f32> = (0..geometry.patch() * area).map(|at| value(at + 5)).collect();
            let mut patches = vec![f32::NAN; geometry.patch() * area];
            geometry.gather(&map, rows.clone(), &mut patches);
            let mut back = vec![0.0; map.len()];
            geometry.scatter(&weights, rows, &mut back);
            let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            // Small integers: exact in f32.
            assert_eq!(dot(&patches, &weights), dot(&map, &back), "{geometry:?}");
        }
    }
}
