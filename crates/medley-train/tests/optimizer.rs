//! The optimizer against burn's AdamW with clipping by norm.

// The lint knows tests, but not the functions that they share.
#![allow(clippy::unwrap_used)]

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use medley_train::adamw;

#[path = "../src/alone.rs"]
mod alone;
use alone::alone;

const DECAY: f32 = 0.3;
const CLIP: f32 = 0.5;
const RATE: f64 = 0.02;

fn burns() -> ModuleOptimizer {
    AdamWConfig::new()
        .with_weight_decay(DECAY)
        .with_epsilon(1e-8)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(CLIP)))
        .init()
}

/// Gradients whose norms lie on both sides of the clip, and a bias that gets none in every third step.
fn train(model: Linear, optimizer: &mut ModuleOptimizer, steps: std::ops::Range<usize>) -> Linear {
    let device = model.weight.device();
    steps.fold(model, |model, step| {
        device.seed(step as u64);
        let input = Tensor::<2>::random([3, 17], Distribution::Normal(0.0, 1.0), &device)
            * 10f64.powi(step as i32 % 4 - 2);
        let mut layer = model.clone();
        if step % 3 == 2 {
            layer.bias = None;
        }
        let gradients = layer.forward(input).square().mean().backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        optimizer.step(RATE, model, gradients)
    })
}

fn same(ours: &Linear, theirs: &Linear) {
    // Weights near one, moved by some hundredths a step: roundings of f32, which the root of a small second moment magnifies.
    let tolerance = Tolerance::<f32>::rel_abs(1e-5, 1e-5);
    let bias = |layer: &Linear| layer.bias.as_ref().map(Param::val).unwrap().into_data();
    ours.weight.val().into_data().assert_approx_eq(&theirs.weight.val().into_data(), tolerance);
    bias(ours).assert_approx_eq(&bias(theirs), tolerance);
}

fn layer() -> Linear {
    let device = Device::flex().autodiff();
    device.seed(5);
    // Larger than a piece that one thread takes.
    let layer = LinearConfig::new(17, 1100).init(&device);
    // burn draws a weight when it is first asked for.
    let _ = (layer.weight.val(), layer.bias.as_ref().map(Param::val));
    layer
}

#[test]
fn weights_move_as_burns_adamw_with_clipping_moves_them() {
    let _alone = alone();
    let model = layer();
    let ours = train(model.clone(), &mut adamw(DECAY, CLIP), 0..12);
    let theirs = train(model.clone(), &mut burns(), 0..12);
    same(&ours, &theirs);
    let moved = (ours.weight.val() - model.weight.val()).abs().max().into_scalar::<f32>();
    assert!(moved > 0.1, "moved by {moved}");
}

#[test]
fn without_a_clip_they_move_as_burns_without_one() {
    let _alone = alone();
    let model = layer();
    let plain = AdamWConfig::new().with_weight_decay(DECAY).with_epsilon(1e-8);
    let ours = train(model.clone(), &mut adamw(DECAY, f32::INFINITY), 0..6);
    same(&ours, &train(model, &mut plain.init(), 0..6));
}

#[test]
fn a_run_goes_on_from_moments_that_burns_adamw_saved_and_from_its_own() {
    let _alone = alone();
    let model = layer();
    let mut theirs = burns();
    let half_way = train(model.clone(), &mut theirs, 0..7);
    let expected = train(half_way.clone(), &mut theirs.clone(), 7..12);
    let mut ours = adamw(DECAY, CLIP).from_bytes(theirs.into_bytes().unwrap()).unwrap();
    same(&train(half_way.clone(), &mut ours.clone(), 7..12), &expected);
    // Saved by ours and read again, bit by bit as without a stop.
    let straight = train(half_way.clone(), &mut ours.clone(), 7..12);
    ours = adamw(DECAY, CLIP).from_bytes(ours.into_bytes().unwrap()).unwrap();
    let resumed = train(half_way, &mut ours, 7..12);
    resumed.weight.val().into_data().assert_eq(&straight.weight.val().into_data(), true);
}
