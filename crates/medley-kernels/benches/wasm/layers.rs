//! Layers of the nano encoder at 160² and of Swin V2 nano at 256² by each method, and the most that the innermost loop can do.
//! `run.mjs` compiles and runs it; the kernels know no burn, so that a compiler alone is enough.

#![allow(dead_code)]

#[path = "../../src/packed/mod.rs"]
mod packed;
#[path = "../../src/parallel.rs"]
mod parallel;
#[path = "../../src/team.rs"]
mod team;

use std::hint::black_box;

use packed::tile::{COLUMNS, Line, ROWS, Runs, tile};
use packed::conv::Method;
use packed::{Activation, Finish, Layer, Shape, SwinBlock, Weight, WindowGrid};

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Milliseconds.
    fn clock() -> f64;
    fn print(text: *const u8, length: usize);
}

fn say(text: &str) {
    // SAFETY: the host reads the text and keeps nothing.
    unsafe { print(text.as_ptr(), text.len()) }
}

/// Milliseconds of one call: the least of several times many, as nothing makes code faster than it is.
fn time<T>(mut body: impl FnMut() -> T) -> f64 {
    // SAFETY: the host's clock.
    let now = || unsafe { clock() };
    // A browser's clock is coarse: many calls for each reading, and some before so that it has optimised the code.
    let begin = now();
    let mut calls = 0;
    while now() - begin < 30.0 {
        black_box(body());
        calls += 1;
    }
    let calls = (calls / 8).max(1);
    let mut least = f64::MAX;
    for _ in 0..40 {
        let begin = now();
        for _ in 0..calls {
            black_box(body());
        }
        least = least.min((now() - begin) / f64::from(calls));
    }
    least
}

fn noise(count: usize) -> Vec<f32> {
    (0..count as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 8) as f32 / 8e6 - 1.0).collect()
}

/// Weights as packages keep them: integers of eight bits times a scale, `depth` for each output, of which one is the largest
/// there is.
fn weights(outputs: usize, depth: usize) -> Vec<f32> {
    let integer = |(at, value): (usize, f32)| {
        if at % depth == 0 { 127.0 } else { (value * 115.0).round() }
    };
    noise(outputs * depth).into_iter().enumerate().map(|at| integer(at) / 1024.0).collect()
}

/// The methods that a layer can be computed by.
const METHODS: [Method; 4] =
    [Method::Direct, Method::Integers, Method::Winograd2, Method::Winograd4];

/// The method that is chosen for a layer, and its weights.
fn chosen(shape: &Shape, weight: &[f32]) -> (Method, Weight) {
    let fit = |method: &Method| shape.pack(*method, weight).map(|weight| (*method, weight));
    shape.methods().iter().find_map(fit).unwrap()
}

/// Bytes that a layer's weights take.
fn size(shape: &Shape, weight: &Weight) -> usize {
    match weight {
        Weight::Direct(lines) | Weight::Winograd2(lines) | Weight::Winograd4(lines) => {
            size_of_val(lines.as_slice())
        }
        Weight::Integers(_) => shape.channels * shape.channels_out * shape.kernel.pow(2),
    }
}

/// Billion multiply-adds a second of the innermost loop, everything in the first cache.
fn peak() -> f64 {
    const DEPTH: usize = 256;
    let left = noise(ROWS * DEPTH);
    let panel: Vec<Line> = noise(DEPTH * COLUMNS).as_chunks().0.to_vec();
    let starts: [usize; ROWS] = std::array::from_fn(|row| row * DEPTH);
    let mut sums = [[0.0; COLUMNS]; ROWS];
    let took = time(|| {
        for _ in 0..1000 {
            tile(
                black_box(&left),
                &starts,
                Runs::one(DEPTH),
                &panel,
                sums.as_flattened_mut(),
                COLUMNS,
            );
        }
        sums[0][0]
    });
    (1000 * ROWS * DEPTH * COLUMNS) as f64 / took / 1e6
}

fn convolutions() {
    say("| layer | times | multiply-adds, M | direct | integers | Winograd 2×2 | Winograd 4×4 |");
    say("|---|---:|---:|---:|---:|---:|---:|");
    let (mut best, mut direct, mut work) = (0.0, 0.0, 0.0);
    for (channels, channels_out, side, kernel, stride, times) in [
        (3, 16, 160, 3, 2, 1),
        (16, 32, 80, 3, 2, 1),
        (32, 32, 40, 3, 1, 2),
        (32, 64, 40, 3, 2, 1),
        (32, 64, 20, 1, 1, 1),
        (64, 64, 20, 3, 1, 3),
        (64, 128, 20, 3, 2, 1),
        (64, 128, 10, 1, 1, 1),
        (128, 128, 10, 3, 1, 3),
        (128, 256, 10, 3, 2, 1),
        (128, 256, 5, 1, 1, 1),
        (256, 256, 5, 3, 1, 3),
        // The segmentation decoder.
        (384, 96, 10, 3, 1, 0),
        (160, 64, 20, 3, 1, 0),
        (96, 32, 40, 3, 1, 0),
        (32, 16, 80, 3, 1, 0),
    ] {
        let shape = Shape { channels, channels_out, kernel, stride, pad: kernel / 2 };
        let input = noise(side * side * channels);
        let weight = weights(channels_out, channels * kernel * kernel);
        let (chosen, _) = chosen(&shape, &weight);
        let bias = noise(channels_out);
        let finish = Finish { bias: Some(&bias), residual: None, activation: Activation::Relu };
        let products =
            (channels * channels_out * kernel * kernel * shape.out(side).pow(2)) as f64 / 1e6;
        let cells = METHODS.map(|method| {
            let winograd = matches!(method, Method::Winograd2 | Method::Winograd4);
            if winograd && (kernel, stride) != (3, 1) {
                return String::new();
            }
            let Some(weight) = shape.pack(method, &weight) else { return String::new() };
            let took = time(|| shape.forward([side, side], &input, &weight, finish));
            let mark = if method == chosen { "**" } else { "" };
            if method == chosen {
                best += took * f64::from(times);
            }
            if method == Method::Direct {
                direct += took * f64::from(times);
                work += products * f64::from(times);
            }
            format!("{mark}{took:.3} ms{mark}, {:.1} G/s", products / took)
        });
        let [a, b, c, d] = cells;
        say(&format!(
            "| {kernel}×{kernel}, {channels} → {channels_out}, {side}², stride {stride} | {times} | {products:.1} | {a} | {b} | {c} | {d} |"
        ));
    }
    say(&format!(
        "encoder: {work:.0} M multiply-adds, {direct:.2} ms all direct, {best:.2} ms as chosen\n"
    ));
}

/// The nano encoder's convolutions one after the other, each with weights of its own: what the caches hold between two
/// passes counts here, and does not above. `methods` are those of the four stages' layers of stride 1, and `other` the one of the
/// rest; where one does not fit, the layer is computed as is chosen for it.
fn encoder([a, b, c, d]: [Method; 4], other: Method) {
    let mut layers = Vec::new();
    for (channels, channels_out, side, kernel, stride, times, method) in [
        (3, 16, 160, 3, 2, 1, other),
        (16, 32, 80, 3, 2, 1, other),
        (32, 32, 40, 3, 1, 2, a),
        (32, 64, 40, 3, 2, 1, other),
        (32, 64, 20, 1, 1, 1, other),
        (64, 64, 20, 3, 1, 3, b),
        (64, 128, 20, 3, 2, 1, other),
        (64, 128, 10, 1, 1, 1, other),
        (128, 128, 10, 3, 1, 3, c),
        (128, 256, 10, 3, 2, 1, other),
        (128, 256, 5, 1, 1, 1, other),
        (256, 256, 5, 3, 1, 3, d),
    ] {
        let shape = Shape { channels, channels_out, kernel, stride, pad: kernel / 2 };
        for _ in 0..times {
            let weight = weights(channels_out, channels * kernel * kernel);
            let packed = shape.pack(method, &weight).unwrap_or_else(|| chosen(&shape, &weight).1);
            layers.push((shape, side, packed, noise(side * side * channels)));
        }
    }
    let finish = Finish { bias: None, residual: None, activation: Activation::Relu };
    let bytes: usize = layers.iter().map(|(shape, _, weight, _)| size(shape, weight)).sum();
    let took = time(|| {
        for (shape, side, weight, input) in &layers {
            black_box(shape.forward([*side; 2], input, weight, finish));
        }
    });
    let methods = [a, b, c, d];
    say(&format!(
        "{methods:?}, else {other:?}: {:.1} MB of weights, {took:.2} ms",
        bytes as f64 / 1e6
    ));
}

fn transformer() {
    say("| Swin V2 nano | times | multiply-adds, M | ms | G/s |\n|---|---:|---:|---:|---:|");
    let mut total = 0.0;
    for (stage, (side, channels, blocks)) in
        [(64, 48, 2), (32, 96, 2), (16, 192, 4), (8, 384, 2)].into_iter().enumerate()
    {
        let heads = channels / 16;
        let linear = |channels: usize, channels_out: usize| {
            let shape = Shape { channels, channels_out, kernel: 1, stride: 1, pad: 0 };
            let weight = weights(channels_out, channels);
            Layer::pack(shape, &weight, Some(noise(channels_out))).unwrap()
        };
        let block = SwinBlock {
            qkv: linear(channels, 3 * channels),
            padding: noise(3 * channels),
            scale: noise(heads),
            position_bias: noise(heads * 4096),
            proj: linear(channels, channels),
            norms: [(); 2].map(|()| [(); 2].map(|()| noise(channels))),
            perceptron: [linear(channels, 4 * channels), linear(4 * channels, channels)],
            epsilon: 1e-5,
        };
        let input = noise(side * side * channels);
        let grid = WindowGrid { height: side, width: side, window: 8, shift: [0, 0] };
        let qkv = || block.qkv.forward([side, side], &input, None, Activation::None);
        let of_input = qkv();
        let (tokens, pairs) = (side * side * channels, side * side * channels * channels);
        for (name, products, took) in [
            ("queries, keys, values", 3 * pairs, time(qkv)),
            ("attention", 2 * 64 * tokens, time(|| block.attend(grid, &of_input, &[]))),
            ("block", 12 * pairs + 2 * 64 * tokens, time(|| block.forward(grid, &input, &[]))),
        ] {
            let products = products as f64 / 1e6;
            say(&format!(
                "| {name} {} | {blocks} | {products:.1} | {took:.2} | {:.1} |",
                stage + 1,
                products / took
            ));
            if name == "block" {
                total += took * f64::from(blocks);
            }
        }
    }
    say(&format!("blocks together {total:.1} ms"));
}

#[unsafe(no_mangle)]
extern "C" fn run() {
    say(&format!("innermost loop: {:.1} G multiply-adds a second\n", peak()));
    use Method::{Direct, Integers, Winograd2, Winograd4};
    for (methods, other) in [
        ([Direct; 4], Direct),
        ([Integers; 4], Integers),
        ([Winograd4; 4], Direct),
        ([Winograd4, Winograd4, Winograd2, Winograd2], Direct),
        ([Winograd4, Winograd4, Winograd2, Winograd2], Integers),
        ([Winograd4, Winograd4, Winograd2, Integers], Integers),
        ([Winograd4, Winograd4, Winograd4, Integers], Integers),
        ([Winograd4, Winograd4, Integers, Integers], Integers),
        ([Winograd4, Integers, Integers, Integers], Integers),
    ] {
        encoder(methods, other);
    }
    convolutions();
    transformer();
}
