//! 3×3 convolutions of stride 1 with fewer multiplications.
//!
//! Lavin and Gray, *Fast algorithms for convolutional neural networks* (2016): a tile of the map, `P`² values of each
//! channel, is transformed so that `O`² = (P − 2)² outputs take P² products a pair of channels instead of 9 O². What mixes
//! the channels is then P² matrix products over all tiles.

use super::product::{Finish, Panels, product};
use super::tile::{COLUMNS, Line, Runs};
use super::with_scratch;
use crate::team::for_each_piece;

/// Tiles that are transformed at a time: enough rows for the matrix product, few enough for the second cache.
const TILES: usize = 24;

/// Channels that go through the transforms side by side: as many as leave a tile's values in registers.
const LANES: usize = if cfg!(target_arch = "wasm32") { 4 } else { 8 };

type Lanes<const L: usize> = [f32; L];

/// Tiles of P² values for O² outputs.
pub(crate) trait Tiles<const P: usize, const O: usize> {
    /// Rows of G: from a kernel's three values to the P points.
    const KERNEL: [[f32; 3]; P];
    /// Bᵀ · d
    fn input<const L: usize>(values: [Lanes<L>; P]) -> [Lanes<L>; P];
    /// Aᵀ · m
    fn output<const L: usize>(points: [Lanes<L>; P]) -> [Lanes<L>; O];
}

/// F(2×2, 3×3): 16 products for 4 outputs.
pub(crate) struct Two;
/// F(4×4, 3×3): 36 products for 16 outputs.
pub(crate) struct Four;

/// a + factor · b in every lane.
#[inline(always)]
fn add<const L: usize>(a: Lanes<L>, factor: f32, b: Lanes<L>) -> Lanes<L> {
    std::array::from_fn(|lane| a[lane] + factor * b[lane])
}

impl Tiles<4, 2> for Two {
    const KERNEL: [[f32; 3]; 4] =
        [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

    #[inline(always)]
    fn input<const L: usize>([a, b, c, d]: [Lanes<L>; 4]) -> [Lanes<L>; 4] {
        [add(a, -1.0, c), add(b, 1.0, c), add(c, -1.0, b), add(b, -1.0, d)]
    }

    #[inline(always)]
    fn output<const L: usize>([a, b, c, d]: [Lanes<L>; 4]) -> [Lanes<L>; 2] {
        [add(add(a, 1.0, b), 1.0, c), add(add(b, -1.0, c), -1.0, d)]
    }
}

impl Tiles<6, 4> for Four {
    const KERNEL: [[f32; 3]; 6] = [
        [0.25, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn input<const L: usize>([a, b, c, d, e, f]: [Lanes<L>; 6]) -> [Lanes<L>; 6] {
        // Sums and differences that two points share.
        let (even, odd) = (add(e, -4.0, c), add(d, -4.0, b));
        let (near, far) = (add(e, -1.0, c), add(d, -1.0, b));
        [
            add(add(e, -5.0, c), 4.0, a),
            add(even, 1.0, odd),
            add(even, -1.0, odd),
            add(near, 2.0, far),
            add(near, -2.0, far),
            add(add(f, -5.0, d), 4.0, b),
        ]
    }

    #[inline(always)]
    fn output<const L: usize>([a, b, c, d, e, f]: [Lanes<L>; 6]) -> [Lanes<L>; 4] {
        let (sum, difference) = (add(b, 1.0, c), add(b, -1.0, c));
        let (sum2, difference2) = (add(d, 1.0, e), add(d, -1.0, e));
        [
            add(add(a, 1.0, sum), 1.0, sum2),
            add(difference, 2.0, difference2),
            add(sum, 4.0, sum2),
            add(add(difference, 8.0, difference2), 1.0, f),
        ]
    }
}

/// The transformed kernels, G · g · Gᵀ: panels of `[channels, channels_out]` for each point.
///
/// weight: `[channels_out, channels, 3, 3]`
pub(crate) fn pack<const P: usize, const O: usize, T: Tiles<P, O>>(
    weight: &[f32],
    [channels, channels_out]: [usize; 2],
) -> Vec<Line> {
    let panels = channels_out.div_ceil(COLUMNS);
    let mut packed = vec![[0.0; COLUMNS]; P * P * panels * channels];
    for panel in 0..panels {
        for channel in 0..channels {
            let first = panel * COLUMNS;
            // The kernels of a panel's output channels, side by side; none beyond the last.
            let mut kernel = [[0.0; COLUMNS]; 9];
            for lane in 0..COLUMNS.min(channels_out - first) {
                let values = &weight[((first + lane) * channels + channel) * 9..][..9];
                for (tap, value) in kernel.iter_mut().zip(values) {
                    tap[lane] = *value;
                }
            }
            for (row, factors) in T::KERNEL.iter().enumerate() {
                let of_row: [Line; 3] = std::array::from_fn(|x| {
                    combine(factors, [kernel[x], kernel[3 + x], kernel[6 + x]])
                });
                for (column, factors) in T::KERNEL.iter().enumerate() {
                    let point = (row * P + column) * panels + panel;
                    packed[point * channels + channel] = combine(factors, of_row);
                }
            }
        }
    }
    packed
}

fn combine(factors: &[f32; 3], [a, b, c]: [Line; 3]) -> Line {
    std::array::from_fn(|at| factors[0] * a[at] + factors[1] * b[at] + factors[2] * c[at])
}

/// One image whose channels lie side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Map {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

/// The convolution of one image: `[height, width, channels]` to `[height, width, channels_out]`.
///
/// lines: of [`pack`]
pub(crate) fn forward<const P: usize, const O: usize, T: Tiles<P, O>>(
    map: Map,
    input: &[f32],
    lines: &[Line],
    channels_out: usize,
    finish: Finish<'_>,
    output: &mut [f32],
) {
    let across = map.width.div_ceil(O);
    // Whole rows of tiles, so that a piece of the output is a piece of memory.
    let down = TILES.div_ceil(across).min(map.height.div_ceil(O)).max(1);
    let piece = down * O * map.width * channels_out;
    let panel_lines = map.channels * channels_out.div_ceil(COLUMNS);
    for_each_piece(output, piece, |index, output| {
        let rows = output.len() / (map.width * channels_out);
        let tiles = rows.div_ceil(O) * across;
        let (inputs, outputs) = (tiles * map.channels, tiles * channels_out);
        with_scratch(P * P * (inputs + outputs), |scratch| {
            let (transformed, products) = scratch.split_at_mut(P * P * inputs);
            for tile in 0..tiles {
                let place = [index * down + tile / across, tile % across];
                transform_input::<P, O, T>(map, input, place, tile, inputs, transformed);
            }
            let starts: Vec<usize> = (0..tiles).map(|tile| tile * map.channels).collect();
            for (point, products) in products.chunks_exact_mut(outputs).enumerate() {
                product(
                    &transformed[point * inputs..(point + 1) * inputs],
                    &starts,
                    Runs::one(map.channels),
                    Panels {
                        lines: &lines[point * panel_lines..(point + 1) * panel_lines],
                        columns: channels_out,
                    },
                    Finish::NOTHING,
                    products,
                );
            }
            let finish = finish.from(index * piece);
            for tile in 0..tiles {
                let place = [tile / across, tile % across];
                let size = [rows, map.width, channels_out];
                transform_output::<P, O, T>(products, tile, outputs, place, size, finish, output);
            }
            finish.complete(output);
        });
    });
}

/// Writes one tile's points, `stride` values apart, all channels.
#[inline(always)]
fn transform_input<const P: usize, const O: usize, T: Tiles<P, O>>(
    map: Map,
    input: &[f32],
    [row, column]: [usize; 2],
    tile: usize,
    stride: usize,
    points: &mut [f32],
) {
    let whole = map.channels / LANES * LANES;
    for channel in (0..whole).step_by(LANES) {
        lanes_input::<P, O, T, LANES>(
            map,
            input,
            [row, column],
            channel,
            &mut points[tile * map.channels + channel..],
            stride,
        );
    }
    for channel in whole..map.channels {
        lanes_input::<P, O, T, 1>(
            map,
            input,
            [row, column],
            channel,
            &mut points[tile * map.channels + channel..],
            stride,
        );
    }
}

#[inline(always)]
fn lanes_input<const P: usize, const O: usize, T: Tiles<P, O>, const L: usize>(
    map: Map,
    input: &[f32],
    [row, column]: [usize; 2],
    channel: usize,
    points: &mut [f32],
    stride: usize,
) {
    // The tile begins one value above and to the left of its outputs.
    let inside = |index: usize, at: usize, length: usize| {
        (index * O + at).checked_sub(1).filter(|&at| at < length)
    };
    let mut columns = [[[0.0; L]; P]; P];
    for (x, column_points) in columns.iter_mut().enumerate() {
        let Some(x) = inside(column, x, map.width) else { continue };
        let values: [Lanes<L>; P] = std::array::from_fn(|y| match inside(row, y, map.height) {
            Some(y) => lanes(&input[(y * map.width + x) * map.channels + channel..]),
            None => [0.0; L],
        });
        *column_points = T::input(values);
    }
    for y in 0..P {
        let values = T::input(std::array::from_fn(|x| columns[x][y]));
        for (x, values) in values.iter().enumerate() {
            points[(y * P + x) * stride..][..L].copy_from_slice(values);
        }
    }
}

#[inline(always)]
fn lanes<const L: usize>(values: &[f32]) -> Lanes<L> {
    values.first_chunk().copied().unwrap_or([0.0; L])
}

/// Turns one tile's points, `stride` values apart, into finished outputs.
#[inline(always)]
fn transform_output<const P: usize, const O: usize, T: Tiles<P, O>>(
    points: &[f32],
    tile: usize,
    stride: usize,
    place: [usize; 2],
    size: [usize; 3],
    finish: Finish<'_>,
    output: &mut [f32],
) {
    let channels = size[2];
    let whole = channels / LANES * LANES;
    for channel in (0..whole).step_by(LANES) {
        lanes_output::<P, O, T, LANES>(
            &points[tile * channels + channel..],
            stride,
            place,
            size,
            channel,
            finish,
            output,
        );
    }
    for channel in whole..channels {
        lanes_output::<P, O, T, 1>(
            &points[tile * channels + channel..],
            stride,
            place,
            size,
            channel,
            finish,
            output,
        );
    }
}

#[inline(always)]
fn lanes_output<const P: usize, const O: usize, T: Tiles<P, O>, const L: usize>(
    points: &[f32],
    stride: usize,
    [row, column]: [usize; 2],
    [height, width, channels]: [usize; 3],
    channel: usize,
    finish: Finish<'_>,
    output: &mut [f32],
) {
    let columns: [[Lanes<L>; O]; P] = std::array::from_fn(|x| {
        T::output(std::array::from_fn(|y| lanes(&points[(y * P + x) * stride..])))
    });
    let rows: [[Lanes<L>; P]; O] = std::array::from_fn(|y| std::array::from_fn(|x| columns[x][y]));
    for (y, points) in rows.into_iter().enumerate().take(height - row * O) {
        let values = T::output(points);
        for (x, mut values) in values.into_iter().enumerate().take(width - (column * O).min(width))
        {
            let start = ((row * O + y) * width + column * O + x) * channels + channel;
            finish.apply(&mut values, channel, start);
            output[start..start + L].copy_from_slice(&values);
        }
    }
}
