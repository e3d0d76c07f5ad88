//! The layers for inference against burn's own operations.

// The lint knows tests, but not the functions that they share.
#![allow(clippy::expect_used)]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::module::{attention, avg_pool2d, conv2d, interpolate, layer_norm, linear};
use burn::tensor::ops::{
    AttentionModuleOptions, AvgPoolOptions, ConvOptions, InterpolateMode, InterpolateOptions,
};
use burn::tensor::{Device, Distribution, Tensor, Tolerance, activation};
use medley_kernels::{
    Activation, PackedConv, PackedLinear, PackedSwinBlock, SwinBlockParts, WindowGrid, double,
    halve,
};

/// burn's CPU device has one random generator for the whole process: tests beside each other would draw from it in turn, and
/// each time something else.
static GENERATOR: Mutex<()> = Mutex::new(());

/// Every test holds this.
fn alone() -> MutexGuard<'static, ()> {
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn device(seed: u64) -> Device {
    let device = Device::flex();
    device.seed(seed);
    device
}

/// Of values around `size`, in f32, whose sums run in another order: Winograd's transforms multiply by up to 8 and back.
fn same<const D: usize>(ours: Tensor<D>, theirs: Tensor<D>, size: f32, what: &str) {
    println!("{what}");
    let tolerance = Tolerance::<f32>::rel_abs(1e-4, 6e-5 * size);
    ours.into_data().assert_approx_eq(&theirs.into_data(), tolerance);
}

struct Case {
    input: [usize; 4],
    out: usize,
    kernel: usize,
    stride: usize,
    pad: usize,
}

fn compare(case: &Case, activation: Activation, bias: bool, residual: bool) {
    let Case { input: shape, out, kernel, stride, pad } = *case;
    let what = format!(
        "{shape:?} to {out}, kernel {kernel}, stride {stride}, pad {pad}, {activation:?}, bias {bias}, \
         residual {residual}"
    );
    let device = device(3);
    let input = random(shape, &device);
    let weight = random([out, shape[1], kernel, kernel], &device);
    let bias = bias.then(|| random([out], &device));
    let options = ConvOptions::new([stride; 2], [pad; 2], [1; 2], 1);
    let mut theirs = conv2d(input.clone(), weight.clone(), bias.clone(), options);
    let residual = residual.then(|| random(theirs.dims(), &device));
    if let Some(residual) = &residual {
        theirs = theirs + residual.clone();
    }
    let theirs = match activation {
        Activation::None => theirs,
        Activation::Relu => activation::relu(theirs),
        Activation::Gelu => activation::gelu(theirs),
    };
    let layer = PackedConv::new(weight, bias, stride, pad).expect("weights on the CPU");
    let ours = layer.forward(input, residual, activation);
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    let size = ((shape[1] * kernel * kernel) as f32).sqrt();
    same(ours, theirs, size, &what);
}

#[test]
fn a_convolution_equals_burns() {
    let _alone = alone();
    let case = |input, out, kernel, stride, pad| Case { input, out, kernel, stride, pad };
    for case in [
        // Few channels: directly.
        case([1, 3, 32, 32], 16, 3, 2, 1),
        case([2, 3, 7, 9], 5, 3, 1, 1),
        case([1, 5, 9, 7], 3, 5, 2, 2),
        case([1, 1, 1, 1], 1, 3, 2, 1),
        // Patches that do not overlap, with pixels left over.
        case([2, 3, 10, 13], 5, 4, 4, 0),
        case([3, 6, 7, 4], 18, 2, 2, 0),
        // Winograd's tiles, whole and cut off, with channels that fill vectors and that do not.
        case([1, 32, 16, 16], 32, 3, 1, 1),
        case([1, 32, 40, 40], 16, 3, 1, 1),
        case([3, 17, 13, 6], 23, 3, 1, 1),
        case([1, 16, 1, 1], 16, 3, 1, 1),
        case([1, 16, 5, 1], 33, 3, 1, 1),
        case([1, 16, 3, 98], 18, 3, 1, 1),
        case([1, 192, 5, 5], 180, 3, 1, 1),
        case([2, 160, 6, 7], 192, 3, 1, 1),
        // Strides, other kernels, no padding.
        case([2, 24, 11, 10], 18, 3, 2, 1),
        case([1, 40, 12, 9], 24, 5, 1, 2),
        case([2, 33, 5, 4], 40, 1, 1, 0),
        case([1, 6, 10, 10], 20, 1, 3, 0),
        case([1, 3, 17, 16], 24, 4, 4, 0),
        case([1, 8, 6, 6], 16, 2, 2, 0),
        case([1, 20, 6, 6], 20, 3, 1, 0),
    ] {
        compare(&case, Activation::None, false, false);
        compare(&case, Activation::Relu, true, false);
        compare(&case, Activation::Relu, true, true);
        compare(&case, Activation::Gelu, false, true);
    }
}

#[test]
fn no_rows_make_no_rows() {
    let _alone = alone();
    let device = device(1);
    let layer = PackedConv::new(random([4, 3, 3, 3], &device), None, 1, 1).expect("on the CPU");
    let output = layer.forward(Tensor::zeros([0, 3, 8, 8], &device), None, Activation::None);
    assert_eq!(output.dims(), [0, 4, 8, 8]);
}

#[test]
fn layers_take_each_others_maps_and_burns_operations_do_too() {
    let _alone = alone();
    let device = device(5);
    let input = random([2, 16, 9, 9], &device);
    let weights = [random([16, 16, 3, 3], &device), random([8, 16, 3, 3], &device)];
    let [first, second] = weights
        .clone()
        .map(|weight| PackedConv::new(weight, None, 1, 1).expect("weights on the CPU"));
    let map = first.forward(input.clone(), None, Activation::Relu);
    let ours = second.forward(map.clone() * 2.0 + map, None, Activation::None).sum_dim(3);
    let same_padding = || ConvOptions::new([1; 2], [1; 2], [1; 2], 1);
    let [first, second] = weights;
    let map = activation::relu(conv2d(input, first, None, same_padding())) * 3.0;
    same(ours, conv2d(map, second, None, same_padding()).sum_dim(3), 1e3, "two layers");
}

#[test]
fn weights_that_may_need_gradients_are_not_packed() {
    let _alone = alone();
    let device = Device::flex().autodiff();
    assert!(PackedConv::new(random([4, 3, 3, 3], &device), None, 1, 1).is_none());
}

#[test]
fn halving_and_doubling_equal_burns() {
    let _alone = alone();
    let device = device(7);
    for shape in [[2, 5, 8, 6], [1, 16, 5, 7], [1, 3, 2, 2]] {
        let input = random(shape, &device);
        let theirs = avg_pool2d(input.clone(), AvgPoolOptions::new([2; 2]));
        same(halve(input.clone()), theirs, 1.0, &format!("half of {shape:?}"));
        let sides = [2 * shape[2], 2 * shape[3]];
        let options = InterpolateOptions::new(InterpolateMode::Nearest)
            .with_align_corners(false)
            .with_output_size(sides);
        let doubled = interpolate(input.clone(), options);
        let what = format!("twice {shape:?}");
        same(double(input.clone(), None), doubled.clone(), 1.0, &what);
        let skip = random([shape[0], 3, sides[0], sides[1]], &device);
        let theirs = Tensor::cat(vec![doubled, skip.clone()], 1);
        same(double(input, Some(skip)), theirs, 1.0, &what);
    }
}

#[test]
fn pictures_are_standardised_as_with_gradients() {
    let _alone = alone();
    let device = device(15);
    let images = random([3, 3, 5, 7], &device) * 0.2 + 0.4;
    let tracked = Tensor::from_data(images.clone().into_data(), &device.clone().autodiff());
    let theirs = medley_kernels::standardize(tracked, 1e-4).inner();
    same(medley_kernels::standardize(images, 1e-4), theirs.clone(), 1.0, "pictures");
    let [mean, square] = [theirs.clone(), theirs.square()].map(|values| {
        values.reshape([3, 105]).mean_dim(1).into_data().try_into_vec::<f32>().expect("f32")
    });
    assert!(mean.iter().all(|mean| mean.abs() < 1e-5), "{mean:?}");
    assert!(square.iter().all(|square| (square - 1.0).abs() < 0.01), "{square:?}");
}

#[test]
fn a_layer_norm_equals_burns() {
    let _alone = alone();
    let device = device(9);
    for channels in [3, 24, 97] {
        let input = random([2, 5, 7, channels], &device) * 3.0 + 10.0;
        let [gamma, beta] = [(); 2].map(|()| random([channels], &device));
        let theirs = layer_norm(input.clone(), gamma.clone(), Some(beta.clone()), 1e-5);
        let ours = medley_kernels::layer_norm(input, gamma, beta, 1e-5);
        same(ours, theirs, 10.0, &format!("{channels} channels"));
    }
}

/// Attention within one window, by burn's operations.
fn burns_attention(
    qkv: Tensor<2>,
    scale: &Tensor<1>,
    bias: &Tensor<3>,
    regions: Option<&[f32]>,
) -> Tensor<2> {
    let [tokens, triple] = qkv.dims();
    let [heads] = scale.dims();
    let width = triple / 3 / heads;
    let parts = qkv.reshape([tokens, 3, heads, width]).permute([1, 2, 0, 3]);
    let part = |index: usize| parts.clone().slice(index..index + 1);
    let unit = |vectors: Tensor<4>| {
        let length = vectors.clone().square().sum_dim(3).sqrt().clamp_min(1e-12);
        vectors / length
    };
    let mut bias = bias.clone().unsqueeze::<4>();
    if let Some(regions) = regions {
        let own = Tensor::<1>::from_floats(regions, &bias.device()).reshape([1, 1, tokens, 1]);
        bias = bias + (own.clone().swap_dims(2, 3) - own).abs().clamp_max(1.0) * -100.0;
    }
    let attended = attention(
        unit(part(0)) * scale.clone().reshape([1, heads, 1, 1]),
        unit(part(1)),
        part(2),
        None,
        Some(bias),
        AttentionModuleOptions { scale: Some(1.0), ..Default::default() },
    );
    attended.swap_dims(1, 2).reshape([tokens, triple / 3])
}

/// Weights as int8 packages keep them: integers times a scale for each output.
fn on_a_grid(weight: Tensor<2>) -> Tensor<2> {
    let scale = weight.clone().abs().max_dim(0) / 127.0;
    (weight / scale.clone()).round() * scale
}

/// A linear layer's weights and bias.
struct Linear {
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
}

impl Linear {
    fn packed(&self) -> PackedLinear {
        PackedLinear::new(self.weight.clone(), self.bias.clone()).expect("weights on the CPU")
    }
}

fn random_linear(channels: usize, channels_out: usize, device: &Device) -> Linear {
    let weight = random([channels, channels_out], device) / (channels as f32).sqrt();
    Linear { weight: on_a_grid(weight), bias: Some(random([channels_out], device) * 0.1) }
}

/// A linear layer by burn's operations.
fn burns_linear(layer: &Linear, rows: Tensor<2>) -> Tensor<2> {
    linear(rows, layer.weight.clone(), layer.bias.clone())
}

#[test]
fn a_swin_block_equals_burns_window_by_window() {
    let _alone = alone();
    let device = device(13);
    for (heads, width, window, height, columns, shift) in [
        (2, 8, 4, 8, 12, [0, 0]),
        (3, 6, 4, 8, 8, [2, 2]),
        (1, 16, 8, 16, 8, [4, 0]),
        // Padded on both axes.
        (2, 6, 3, 5, 7, [1, 1]),
        (2, 4, 4, 3, 2, [0, 0]),
        // No integers: odd channels.
        (3, 5, 4, 8, 8, [2, 2]),
    ] {
        let what =
            format!("{heads} × {width} channels, windows of {window} on {height} × {columns}");
        let channels = heads * width;
        let tokens = window * window;
        let map = random([2, height, columns, channels], &device);
        let qkv = random_linear(channels, 3 * channels, &device);
        let proj = random_linear(channels, channels, &device);
        let widen = random_linear(channels, 4 * channels, &device);
        let narrow = random_linear(4 * channels, channels, &device);
        let scale = Tensor::random([heads], Distribution::Uniform(5.0, 20.0), &device);
        let position_bias = random([heads, tokens, tokens], &device);
        let norms = [(); 2].map(|()| [(); 2].map(|()| random([channels], &device)));
        let [down, across] = [height, columns].map(|side: usize| side.div_ceil(window));
        let shifted = shift != [0, 0];
        // Regions as uneven as can be.
        let count = if shifted { down * across * tokens } else { 0 };
        let regions: Vec<f32> = (0..count).map(|at| (at * 7 / 5 % 3) as f32).collect();
        let grid = WindowGrid { height, width: columns, window, shift };
        let block = PackedSwinBlock::new(SwinBlockParts {
            qkv: qkv.packed(),
            scale: scale.clone(),
            position_bias: position_bias.clone(),
            proj: proj.packed(),
            norms: norms.clone(),
            perceptron: [widen.packed(), narrow.packed()],
            epsilon: 1e-5,
        })
        .expect("weights on the CPU");
        let ours = block.forward(map.clone(), grid, Arc::new(regions.clone()));
        let padding = qkv.bias.clone().expect("a bias").reshape([1, 3 * channels]);
        let norm = |rows: Tensor<2>, [gamma, beta]: &[Tensor<1>; 2]| {
            layer_norm(rows, gamma.clone(), Some(beta.clone()), 1e-5)
        };
        let mut seen = 0;
        for image in 0..2 {
            for index in 0..down * across {
                let token = |at: usize| {
                    let y = (index / across * window + at / window + shift[0]) % (down * window);
                    let x = (index % across * window + at % window + shift[1]) % (across * window);
                    (y, x, y < height && x < columns)
                };
                let row = |y: usize, x: usize| {
                    map.clone().slice([image..image + 1, y..y + 1, x..x + 1]).reshape([1, channels])
                };
                let rows = (0..tokens).map(|at| match token(at) {
                    (y, x, true) => burns_linear(&qkv, row(y, x)),
                    _ => padding.clone(),
                });
                let own = shifted.then(|| &regions[index * tokens..(index + 1) * tokens]);
                let rows = Tensor::cat(rows.collect(), 0);
                let attended = burns_attention(rows, &scale, &position_bias, own);
                for at in 0..tokens {
                    let (y, x, inside) = token(at);
                    if !inside {
                        continue;
                    }
                    seen += 1;
                    let attended = attended.clone().slice(at..at + 1);
                    let branch = burns_linear(&proj, attended);
                    let sum = row(y, x) + norm(branch, &norms[0]);
                    let hidden = burns_linear(&widen, sum.clone());
                    let branch = burns_linear(&narrow, activation::gelu(hidden));
                    let expected = sum + norm(branch, &norms[1]);
                    let found = ours.clone().slice([image..image + 1, y..y + 1, x..x + 1]);
                    // Where the integers are used, maps are rounded to a 30 000th of their largest value, and the norms divide
                    // by what may be small.
                    same(found.reshape([1, channels]), expected, 30.0, &what);
                }
            }
        }
        assert_eq!(seen, 2 * height * columns, "{what}: every token once");
    }
}
