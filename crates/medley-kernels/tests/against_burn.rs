//! Values and gradients against those of burn's own operations.

// The lint knows tests, but not the functions that they share.
#![allow(clippy::expect_used)]

use burn::tensor::module::{batch_norm_train, conv2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Gradients, Tensor, Tolerance, activation};

/// Sums of up to a thousand products of numbers around one, in f32, in another order.
fn tolerance() -> Tolerance<f32> {
    Tolerance::rel_abs(1e-3, 2e-4)
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device).require_grad()
}

fn same<const D: usize>(ours: Tensor<D>, theirs: Tensor<D>, what: &str) {
    println!("{what}");
    ours.into_data().assert_approx_eq::<f32>(&theirs.into_data(), tolerance());
}

/// The gradients of everything that two outputs came from, ours and burn's.
struct Both {
    ours: Gradients,
    theirs: Gradients,
}

impl Both {
    fn of(ours: Tensor<4>, theirs: Tensor<4>) -> Self {
        // Uneven weights of the outputs, so that a gradient in the wrong place shows.
        let factor = random(ours.dims(), &ours.device()).detach();
        let ours = (ours * factor.clone()).sum().backward();
        Self { ours, theirs: (theirs * factor).sum().backward() }
    }

    fn same<const D: usize>(&self, of: &Tensor<D>, what: &str) {
        let missing = "a gradient is missing";
        let (ours, theirs) = (of.grad(&self.ours), of.grad(&self.theirs));
        same(ours.expect(missing), theirs.expect(missing), what);
    }
}

fn compare_conv(shape: [usize; 4], channels_out: usize, kernel: usize, stride: usize, bias: bool) {
    let device = Device::flex().autodiff();
    device.seed(7);
    let what =
        format!("{shape:?} to {channels_out}, kernel {kernel}, stride {stride}, bias {bias}");
    let input = random(shape, &device);
    let weight = random([channels_out, shape[1], kernel, kernel], &device);
    let bias = bias.then(|| random([channels_out], &device));
    let ours = medley_kernels::conv2d(input.clone(), weight.clone(), bias.clone(), stride);
    let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1; 2], 1);
    let theirs = conv2d(input.clone(), weight.clone(), bias.clone(), options);
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    same(ours.clone(), theirs.clone(), &what);
    let gradients = Both::of(ours, theirs);
    gradients.same(&input, &what);
    gradients.same(&weight, &what);
    if let Some(bias) = bias {
        gradients.same(&bias, &what);
    }
}

#[test]
fn a_convolution_and_its_gradients_equal_burns() {
    compare_conv([2, 3, 16, 16], 8, 3, 2, false);
    compare_conv([5, 8, 7, 9], 4, 3, 1, true);
    compare_conv([1, 8, 9, 7], 4, 3, 2, true);
    compare_conv([3, 16, 5, 5], 8, 1, 1, false);
    compare_conv([3, 16, 6, 6], 8, 1, 1, true);
    compare_conv([2, 4, 1, 1], 4, 3, 2, true);
    // Several pieces an image: 9 · 64 channels · 50 columns are 28 800 values a row.
    compare_conv([2, 64, 30, 50], 8, 3, 1, false);
    compare_conv([2, 64, 60, 50], 8, 3, 2, false);
}

#[test]
fn a_depthwise_convolution_and_its_gradients_equal_burns() {
    for (shape, kernel, stride) in
        [([3, 5, 9, 11], 3, 1), ([2, 4, 10, 10], 3, 2), ([2, 4, 9, 7], 5, 2), ([1, 2, 1, 1], 3, 2)]
    {
        let device = Device::flex().autodiff();
        device.seed(11);
        let what = format!("{shape:?}, kernel {kernel}, stride {stride}");
        let input = random(shape, &device);
        let weight = random([shape[1], 1, kernel, kernel], &device);
        let ours = medley_kernels::depthwise_conv2d(input.clone(), weight.clone(), stride);
        let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1; 2], shape[1]);
        let theirs = conv2d(input.clone(), weight.clone(), None, options);
        same(ours.clone(), theirs.clone(), &what);
        let gradients = Both::of(ours, theirs);
        gradients.same(&input, &what);
        gradients.same(&weight, &what);
    }
}

#[test]
fn a_weight_alone_gets_its_gradient() {
    let device = Device::flex().autodiff();
    let input = Tensor::<4>::random([2, 3, 8, 8], Distribution::Default, &device);
    let weight = random([4, 3, 3, 3], &device);
    let gradients = medley_kernels::conv2d(input.clone(), weight.clone(), None, 1).sum().backward();
    assert!(input.grad(&gradients).is_none());
    assert!(weight.grad(&gradients).is_some());
}

#[test]
fn batch_normalisation_and_its_gradients_equal_burns() {
    for (shape, relu) in [([4, 6, 5, 7], false), ([4, 6, 5, 7], true), ([1, 3, 40, 40], true)] {
        let device = Device::flex().autodiff();
        device.seed(3);
        let what = format!("{shape:?}, relu {relu}");
        let input = (random(shape, &device) * 2.0 + 5.0).detach().require_grad();
        let gamma = random([shape[1]], &device);
        let beta = random([shape[1]], &device);
        let ours =
            medley_kernels::batch_norm(input.clone(), gamma.clone(), beta.clone(), 1e-5, relu);
        let theirs = batch_norm_train(input.clone(), gamma.clone(), beta.clone(), 1e-5);
        let output = if relu { activation::relu(theirs.output) } else { theirs.output };
        same(ours.output.clone(), output.clone(), &what);
        same(ours.mean, theirs.mean, &what);
        same(ours.variance, theirs.variance, &what);
        let gradients = Both::of(ours.output, output);
        gradients.same(&input, &what);
        gradients.same(&gamma, &what);
        gradients.same(&beta, &what);
    }
}

#[test]
fn inference_equals_training() {
    let device = Device::flex();
    let input = Tensor::<4>::random([1, 16, 12, 20], Distribution::Normal(0.0, 1.0), &device);
    let weight = Tensor::<4>::random([8, 16, 3, 3], Distribution::Normal(0.0, 1.0), &device);
    let plain = medley_kernels::conv2d(input.clone(), weight.clone(), None, 1);
    let tracked = device.autodiff();
    let with = medley_kernels::conv2d(
        Tensor::from_data(input.into_data(), &tracked),
        Tensor::from_data(weight.into_data(), &tracked),
        None,
        1,
    );
    // The same code on the same numbers.
    plain.into_data().assert_eq(&with.into_data(), true);
}
