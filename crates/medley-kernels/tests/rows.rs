//! Linear layers and norms over rows: values and gradients against those of burn's own operations.

// The lint knows tests, but not the functions that they share.
#![allow(clippy::unwrap_used)]

use burn::tensor::module::{layer_norm, linear};
use burn::tensor::{Device, Distribution, Gradients, Tensor, Tolerance};
use medley_kernels::{layer_norm_over_rows, linear_over_rows};

/// Sums over 8192 rows of products around one, which reach 90, in f32, in another order.
const TOLERANCE: f32 = 2e-3;

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device).require_grad()
}

fn same<const D: usize>(ours: Tensor<D>, theirs: Tensor<D>) {
    let tolerance = Tolerance::rel_abs(TOLERANCE, TOLERANCE);
    ours.into_data().assert_approx_eq::<f32>(&theirs.into_data(), tolerance);
}

/// The gradients behind two outputs that have to be equal.
fn gradients<const D: usize>(ours: Tensor<D>, theirs: Tensor<D>) -> [Gradients; 2] {
    same(ours.clone(), theirs.clone());
    // Uneven weights of the outputs, so that a gradient in the wrong place shows.
    let factor = random(ours.dims(), &ours.device()).detach();
    [ours, theirs].map(|output| (output * factor.clone()).sum().backward())
}

fn same_gradient<const D: usize>(of: &Tensor<D>, [ours, theirs]: &[Gradients; 2]) {
    same(of.grad(ours).unwrap(), of.grad(theirs).unwrap());
}

/// Of windows, of maps, of rows in no order that divides evenly: with several parts of a product and sum, and with one.
const LEADING: [[usize; 3]; 4] = [[128, 8, 8], [2, 64, 64], [3, 5, 7], [1, 1, 13]];

#[test]
fn a_linear_layer_over_rows_is_burns() {
    let device = Device::flex().autodiff();
    device.seed(3);
    for [a, b, c] in LEADING {
        for with_bias in [true, false] {
            let input = random([a, b, c, 6], &device);
            let weight = random([6, 10], &device);
            let bias = with_bias.then(|| random([10], &device));
            let ours = linear_over_rows(input.clone(), weight.clone(), bias.clone());
            let theirs = linear(input.clone(), weight.clone(), bias.clone());
            let both = gradients(ours, theirs);
            same_gradient(&input, &both);
            same_gradient(&weight, &both);
            if let Some(bias) = &bias {
                same_gradient(bias, &both);
            }
        }
    }
}

#[test]
fn a_norm_over_rows_is_burns() {
    let device = Device::flex().autodiff();
    device.seed(4);
    for [a, b, c] in LEADING {
        for with_beta in [true, false] {
            let input = random([a, b, c, 6], &device);
            let gamma = random([6], &device);
            let beta = with_beta.then(|| random([6], &device));
            let ours = layer_norm_over_rows(input.clone(), gamma.clone(), beta.clone(), 1e-5);
            let theirs = layer_norm(input.clone(), gamma.clone(), beta.clone(), 1e-5);
            let both = gradients(ours, theirs);
            same_gradient(&input, &both);
            same_gradient(&gamma, &both);
            if let Some(beta) = &beta {
                same_gradient(beta, &both);
            }
        }
    }
}
