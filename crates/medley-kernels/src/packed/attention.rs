//! Scaled cosine attention within windows of a map, which is never cut: each window's tokens are read from and written to
//! their places.
//!
//! Liu et al., *Swin Transformer V2* (2022), §3.2.

use super::elementary::{LANES, exp};
use super::tile::{COLUMNS, Line, ROWS, Runs, tile};
use super::wide::wide;
use super::with_scratch;
use crate::parallel::map;

/// How a map of tokens is cut into windows of `window`² tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowGrid {
    /// Rows of the map.
    pub height: usize,
    /// Columns of the map.
    pub width: usize,
    /// Side of a window.
    pub window: usize,
    /// Rows and columns that the map is rolled towards its start before it is cut.
    pub shift: [usize; 2],
}

impl WindowGrid {
    /// Rows and columns of windows.
    pub(crate) fn windows(&self) -> [usize; 2] {
        [self.height.div_ceil(self.window), self.width.div_ceil(self.window)]
    }

    /// The places of a window's tokens in the map, none for padding.
    pub(crate) fn places(&self, window: usize) -> Vec<Option<usize>> {
        let [down, across] = self.windows();
        let [row, column] = [window / across * self.window, window % across * self.window];
        let tokens = self.window * self.window;
        (0..tokens)
            .map(|token| {
                let y = (row + token / self.window + self.shift[0]) % (down * self.window);
                let x = (column + token % self.window + self.shift[1]) % (across * self.window);
                (y < self.height && x < self.width).then_some(y * self.width + x)
            })
            .collect()
    }
}

/// What the attention of one layer needs besides the map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights<'a> {
    /// Queries, keys and values of a token outside the map, `[3 · channels]`.
    pub padding: &'a [f32],
    /// Factor of the cosines, one for each head.
    pub scale: &'a [f32],
    /// `[heads, window², window²]`, query before key.
    pub position_bias: &'a [f32],
    /// The region of each token of each window, `[windows, window²]`; empty where all see each other.
    pub regions: &'a [f32],
}

/// Added to the attention between tokens of different regions.
const MASKED: f32 = -100.0;

/// Vectors shorter than this are divided by it instead of their length.
const LEAST_LENGTH: f32 = 1e-12;

/// `[batch, height, width, 3 · channels]` to `[batch, height, width, channels]`.
pub(crate) fn forward(grid: WindowGrid, input: &[f32], weights: Weights<'_>) -> Vec<f32> {
    let channels = weights.padding.len() / 3;
    let area = grid.height * grid.width;
    let [down, across] = grid.windows();
    let windows = down * across;
    let batch = input.len() / (area * 3 * channels).max(1);
    let mut output = vec![0.0; batch * area * channels];
    // A window's tokens do not lie side by side in the output: each thread hands back its windows.
    let tokens = grid.window * grid.window;
    let done = map(batch * windows, |index| {
        let input = &input[index / windows * area * 3 * channels..][..area * 3 * channels];
        let window = index % windows;
        let places = grid.places(window);
        let regions = weights.regions.get(window * tokens..(window + 1) * tokens);
        let result = one_window(&places, input, weights, regions, channels);
        (places, result)
    });
    for (index, (places, result)) in done.into_iter().enumerate() {
        let output = &mut output[index / windows * area * channels..][..area * channels];
        for (place, token) in places.into_iter().zip(result.chunks_exact(channels)) {
            if let Some(place) = place {
                output[place * channels..][..channels].copy_from_slice(token);
            }
        }
    }
    output
}

/// `[tokens, channels]`
fn one_window(
    places: &[Option<usize>],
    input: &[f32],
    weights: Weights<'_>,
    regions: Option<&[f32]>,
    channels: usize,
) -> Vec<f32> {
    let tokens = places.len();
    let heads = weights.scale.len();
    let width = channels / heads;
    let mut output = vec![0.0; tokens * channels];
    // Whether a mask has anything to hide here.
    let regions = regions.filter(|regions| regions.iter().any(|region| *region != regions[0]));
    let sizes = [
        tokens * width,
        width * tokens.next_multiple_of(COLUMNS),
        tokens * width.next_multiple_of(COLUMNS),
        tokens * tokens,
    ];
    with_scratch(sizes.iter().sum(), |scratch| {
        let (queries, rest) = scratch.split_at_mut(sizes[0]);
        let (keys, rest) = rest.split_at_mut(sizes[1]);
        let (values, scores) = rest.split_at_mut(sizes[2]);
        for head in 0..heads {
            gather(places, input, weights, [channels, width, head], queries, keys, values);
            let keys = keys.as_chunks().0;
            let bias = &weights.position_bias[head * tokens * tokens..][..tokens * tokens];
            multiply(queries, width, keys, tokens, scores, tokens);
            for (query, scores) in scores.chunks_exact_mut(tokens).enumerate() {
                for (score, bias) in scores.iter_mut().zip(&bias[query * tokens..]) {
                    *score += bias;
                }
                if let Some(regions) = regions {
                    let own = regions[query];
                    for (score, region) in scores.iter_mut().zip(regions) {
                        *score += if *region == own { 0.0 } else { MASKED };
                    }
                }
                softmax(scores);
            }
            multiply(
                scores,
                tokens,
                values.as_chunks().0,
                width,
                &mut output[head * width..],
                channels,
            );
        }
    });
    output
}

/// One head's queries as rows, keys as panels of columns and values as panels of rows; queries and keys of length 1, the
/// queries' times the scale.
fn gather(
    places: &[Option<usize>],
    input: &[f32],
    weights: Weights<'_>,
    [channels, width, head]: [usize; 3],
    queries: &mut [f32],
    keys: &mut [f32],
    values: &mut [f32],
) {
    let tokens = places.len();
    for (token, place) in places.iter().enumerate() {
        let all = match place {
            Some(place) => &input[place * 3 * channels..][..3 * channels],
            None => weights.padding,
        };
        let query = &all[head * width..][..width];
        let key = &all[channels + head * width..][..width];
        let value = &all[2 * channels + head * width..][..width];
        let factor = weights.scale[head] / length(query);
        for (out, value) in queries[token * width..][..width].iter_mut().zip(query) {
            *out = value * factor;
        }
        let factor = 1.0 / length(key);
        let panel = token / COLUMNS * COLUMNS * width + token % COLUMNS;
        for (out, value) in keys[panel..].iter_mut().step_by(COLUMNS).zip(key) {
            *out = value * factor;
        }
        for (panel, value) in value.chunks(COLUMNS).enumerate() {
            let line = &mut values[(panel * tokens + token) * COLUMNS..][..COLUMNS];
            line[..value.len()].copy_from_slice(value);
            line[value.len()..].fill(0.0);
        }
    }
}

fn length(vector: &[f32]) -> f32 {
    let (chunks, rest) = vector.as_chunks::<4>();
    let mut lanes = [0.0f32; 4];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value * value;
        }
    }
    let squared = lanes.iter().sum::<f32>() + rest.iter().map(|value| value * value).sum::<f32>();
    squared.sqrt().max(LEAST_LENGTH)
}

/// The product of rows of `depth` values with panels of `columns` columns; the output's rows lie `stride` apart.
fn multiply(
    left: &[f32],
    depth: usize,
    lines: &[Line],
    columns: usize,
    output: &mut [f32],
    stride: usize,
) {
    let rows = left.len() / depth;
    let mut starts = [0; ROWS];
    for (panel, lines) in lines.chunks_exact(depth).enumerate() {
        let column = panel * COLUMNS;
        let width = COLUMNS.min(columns - column);
        for first in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - first);
            for (row, start) in starts[..count].iter_mut().enumerate() {
                *start = (first + row) * depth;
            }
            let starts = &starts[..count];
            let output = &mut output[first * stride + column..];
            if width == COLUMNS {
                tile(left, starts, Runs::one(depth), lines, output, stride);
                continue;
            }
            let mut sums = [[0.0; COLUMNS]; ROWS];
            tile(left, starts, Runs::one(depth), lines, sums.as_flattened_mut(), COLUMNS);
            for (row, sums) in sums[..count].iter().enumerate() {
                output[row * stride..][..width].copy_from_slice(&sums[..width]);
            }
        }
    }
}

wide! {
    /// Weights of sum 1 from the scores of one query.
    #[allow(clippy::needless_range_loop, reason = "lanes of two arrays side by side")]
    fn softmax(scores: &mut [f32]) {
        let (chunks, rest) = scores.as_chunks_mut::<LANES>();
        let larger = |a: f32, b: f32| if b > a { b } else { a };
        let mut most = [f32::NEG_INFINITY; LANES];
        for chunk in chunks.iter() {
            for lane in 0..LANES {
                most[lane] = larger(most[lane], chunk[lane]);
            }
        }
        let most = most.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, larger);
        let mut sums = [0.0f32; LANES];
        for chunk in chunks.iter_mut() {
            *chunk = exp(chunk.map(|score| score - most));
            for lane in 0..LANES {
                sums[lane] += chunk[lane];
            }
        }
        let mut sum = sums.iter().sum::<f32>();
        for score in rest {
            [*score] = exp([*score - most]);
            sum += *score;
        }
        let factor = 1.0 / sum;
        for score in scores {
            *score *= factor;
        }
    }
}
