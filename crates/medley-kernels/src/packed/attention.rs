//! Scaled cosine attention within windows of a map, which is never cut: each window's tokens are read from and written to
//! their places.
//!
//! Liu et al., *Swin Transformer V2* (2022), §3.2.

use super::elementary::exp;
use super::lanes::{LANES, Lanes};
use super::tile::{COLUMNS, Line, ROWS, Runs, tile};
use super::wide::wide;
use super::with_scratch;
use crate::team::for_each_piece;

/// Vectors shorter than this are divided by it instead of their length (torch `F.normalize`).
pub const MIN_LENGTH: f32 = 1e-12;

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

    /// The window of a place in the map, and the token there.
    fn window_of(&self, [y, x]: [usize; 2]) -> [usize; 2] {
        let [down, across] = self.windows();
        let [rows, columns] = [down * self.window, across * self.window];
        let y = (y + rows - self.shift[0]) % rows;
        let x = (x + columns - self.shift[1]) % columns;
        let window = y / self.window * across + x / self.window;
        [window, y % self.window * self.window + x % self.window]
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
pub const MASKED: f32 = -100.0;

/// What the windows of a map answer.
#[derive(Debug)]
pub(crate) struct Attended {
    grid: WindowGrid,
    heads: usize,
    /// Channels of a head.
    width: usize,
    /// Head after head of window after window, so that threads write them side by side: `[batch · windows, heads, window², width]`.
    values: Vec<f32>,
}

/// qkv: `[batch, height, width, 3 · channels]`
pub(crate) fn attend(grid: WindowGrid, qkv: &[f32], weights: Weights<'_>) -> Attended {
    let channels = weights.padding.len() / 3;
    let heads = weights.scale.len();
    let width = channels / heads;
    let image = grid.height * grid.width * 3 * channels;
    let [down, across] = grid.windows();
    let windows = down * across;
    let batch = qkv.len() / image.max(1);
    let tokens = grid.window * grid.window;
    let places: Vec<Vec<Option<usize>>> = (0..windows).map(|window| grid.places(window)).collect();
    let mut values = vec![0.0; batch * windows * tokens * channels];
    for_each_piece(&mut values, tokens * width, |index, output| {
        let (window, head) = (index / heads, index % heads);
        let (batch, window) = (window / windows, window % windows);
        let qkv = &qkv[batch * image..][..image];
        let regions = weights.regions.get(window * tokens..(window + 1) * tokens);
        one_head(&places[window], qkv, weights, regions, [channels, width, head], output);
    });
    Attended { grid, heads, width, values }
}

impl Attended {
    /// Copies tokens, counted through all maps of the batch, from `first` on, into rows of all channels.
    pub(crate) fn copy(&self, first: usize, rows: &mut [f32]) {
        let Self { grid, heads, width, .. } = *self;
        let area = grid.height * grid.width;
        let [down, across] = grid.windows();
        let tokens = grid.window * grid.window;
        for (row, output) in rows.chunks_exact_mut(heads * width).enumerate() {
            let (batch, place) = ((first + row) / area, (first + row) % area);
            let [window, token] = grid.window_of([place / grid.width, place % grid.width]);
            let from = (batch * down * across + window) * heads * tokens + token;
            for (head, output) in output.chunks_exact_mut(width).enumerate() {
                output.copy_from_slice(&self.values[(from + head * tokens) * width..][..width]);
            }
        }
    }
}

/// One head of one window, `[tokens, width]`.
fn one_head(
    places: &[Option<usize>],
    input: &[f32],
    weights: Weights<'_>,
    regions: Option<&[f32]>,
    [channels, width, head]: [usize; 3],
    output: &mut [f32],
) {
    let tokens = places.len();
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
        gather(places, input, weights, [channels, width, head], queries, keys, values);
        multiply(queries, width, keys.as_chunks().0, tokens, scores);
        let bias = &weights.position_bias[head * tokens * tokens..][..tokens * tokens];
        let rows = scores.chunks_exact_mut(tokens).zip(bias.chunks_exact(tokens));
        // The queries are done with: the rows' factors take their place.
        let factors = &mut queries[..tokens];
        for (query, ((scores, bias), factor)) in rows.zip(factors.iter_mut()).enumerate() {
            if let Some(regions) = regions {
                let own = regions[query];
                for (score, region) in scores.iter_mut().zip(regions) {
                    *score += if *region == own { 0.0 } else { MASKED };
                }
            }
            *factor = exponentials(scores, bias).recip();
        }
        multiply(scores, tokens, values.as_chunks().0, width, output);
        for (row, factor) in output.chunks_exact_mut(width).zip(factors) {
            for value in row {
                *value *= *factor;
            }
        }
    });
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
    squared.sqrt().max(MIN_LENGTH)
}

/// The product of rows of `depth` values with panels of `columns` columns.
fn multiply(left: &[f32], depth: usize, lines: &[Line], columns: usize, output: &mut [f32]) {
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
            let output = &mut output[first * columns + column..];
            if width == COLUMNS {
                tile(left, starts, Runs::one(depth), lines, output, columns);
                continue;
            }
            let mut sums = [[0.0; COLUMNS]; ROWS];
            tile(left, starts, Runs::one(depth), lines, sums.as_flattened_mut(), COLUMNS);
            for (row, sums) in sums[..count].iter().enumerate() {
                output[row * columns..][..width].copy_from_slice(&sums[..width]);
            }
        }
    }
}

wide! {
    /// Turns the scores of one query, plus a bias each, into weights that are not yet divided by their sum, and answers the sum.
    fn exponentials(scores: &mut [f32], bias: &[f32]) -> f32 {
        let (chunks, rest) = scores.as_chunks_mut::<LANES>();
        let (biases, rest_biases) = bias.as_chunks::<LANES>();
        let mut most = Lanes::splat(f32::NEG_INFINITY);
        for (chunk, bias) in chunks.iter_mut().zip(biases) {
            let sums = Lanes::load(chunk).plus(Lanes::load(bias));
            most = most.larger(sums);
            *chunk = sums.store();
        }
        let mut last = [f32::NEG_INFINITY; LANES];
        for ((last, score), bias) in last.iter_mut().zip(rest.iter()).zip(rest_biases) {
            *last = score + bias;
        }
        most = most.larger(Lanes::load(&last));
        let most = most.store().into_iter().fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
        let most = Lanes::splat(most);
        let mut sum = Lanes::splat(0.0);
        for chunk in chunks {
            let weights = exp(Lanes::load(chunk).minus(most));
            sum = sum.plus(weights);
            *chunk = weights.store();
        }
        let mut sum = sum.store().into_iter().sum::<f32>();
        let last = exp(Lanes::load(&last).minus(most)).store();
        for (score, weight) in rest.iter_mut().zip(last) {
            *score = weight;
            sum += weight;
        }
        sum
    }
}
