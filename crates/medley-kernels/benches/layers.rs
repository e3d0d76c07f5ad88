//! Layers of the nano encoder, by these kernels and by burn's own operations, in turn: billion multiply-adds a second for
//! convolutions, milliseconds for batch normalisation, forward and forward with backward.
//!
//! `cargo bench -p medley-kernels`

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::module::{batch_norm_train, conv2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor, activation};

/// Pairs of runs; the median is shown.
const RUNS: usize = 9;

const BATCH: usize = 16;

fn main() {
    let device = Device::flex().autodiff();
    println!("batch {BATCH}; ours / burn's, median of {RUNS} pairs\n");
    println!("{:<28} {:>22} {:>22}", "convolution, G/s", "forward", "with backward");
    for (name, channels, out, side, kernel, stride) in [
        ("3×3, 3→16, 160², stride 2", 3, 16, 160, 3, 2),
        ("3×3, 32→32, 40²", 32, 32, 40, 3, 1),
        ("3×3, 64→64, 20²", 64, 64, 20, 3, 1),
        ("3×3, 64→128, 20², stride 2", 64, 128, 20, 3, 2),
        ("3×3, 256→256, 5²", 256, 256, 5, 3, 1),
        ("1×1, 64→256, 20²", 64, 256, 20, 1, 1),
    ] {
        let input = random([BATCH, channels, side, side], &device);
        let weight = random([out, channels, kernel, kernel], &device);
        let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1; 2], 1);
        let ours = || medley_kernels::conv2d(input.clone(), weight.clone(), None, stride);
        let burns = || conv2d(input.clone(), weight.clone(), None, options.clone());
        let side = side.div_ceil(stride);
        let work = (BATCH * out * channels * kernel * kernel * side * side) as f64 / 1e9;
        let cells = [false, true].map(|backward| {
            let times = compare(&ours, &burns, backward);
            // A backward pass is two more products of the same size.
            let work = if backward { 3.0 * work } else { work };
            cell(times.map(|seconds| work / seconds), times)
        });
        println!("{name:<28} {:>22} {:>22}", cells[0], cells[1]);
    }
    println!("\n{:<28} {:>22} {:>22}", "norm and rectifier, ms", "forward", "with backward");
    for (name, channels, side) in [("16 × 80²", 16, 80), ("64 × 20²", 64, 20)] {
        let input = random([BATCH, channels, side, side], &device);
        let gamma = random([channels], &device);
        let beta = random([channels], &device);
        let ours = || {
            medley_kernels::batch_norm(input.clone(), gamma.clone(), beta.clone(), 1e-5, true)
                .output
        };
        let burns = || {
            let normal = batch_norm_train(input.clone(), gamma.clone(), beta.clone(), 1e-5);
            activation::relu(normal.output)
        };
        let cells = [false, true].map(|backward| {
            let times = compare(&ours, &burns, backward);
            cell(times.map(|seconds| seconds * 1e3), times)
        });
        println!("{name:<28} {:>22} {:>22}", cells[0], cells[1]);
    }
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device).require_grad()
}

/// Both figures and how many times faster ours is.
fn cell(figures: [f64; 2], times: [f64; 2]) -> String {
    format!("{:.1} / {:.1} (×{:.1})", figures[0], figures[1], times[1] / times[0])
}

/// Median seconds of both, in turn.
fn compare(
    ours: &impl Fn() -> Tensor<4>,
    burns: &impl Fn() -> Tensor<4>,
    backward: bool,
) -> [f64; 2] {
    let time = |run: &dyn Fn() -> Tensor<4>| {
        let begin = Instant::now();
        let output = run();
        if backward {
            black_box(output.sum().backward());
        } else {
            black_box(output);
        }
        begin.elapsed().as_secs_f64()
    };
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..=RUNS {
        times[0].push(time(ours));
        times[1].push(time(burns));
    }
    times.map(|mut times| {
        // The first pair warms up.
        times.remove(0);
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}
