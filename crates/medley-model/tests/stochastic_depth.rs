//! Stochastic depth: what training leaves out, and that inference leaves out nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use medley_model::{MedleyModel, ModelConfig};

fn embedding(model: &MedleyModel, device: &Device, seed: u64) -> Vec<f32> {
    device.seed(seed);
    let image =
        Tensor::<4>::ones([1, 3, 64, 64], device).slice_fill([0..1, 0..3, 0..20, 0..50], 0.2);
    model.encode(image).unwrap().embedding.into_data().try_into_vec().unwrap()
}

// One test: burn's processor device has one random generator for the whole process.
#[test]
fn training_leaves_out_branches_by_the_devices_seed_and_inference_none() {
    let device = Device::flex().autodiff();
    let plain = ModelConfig::micro(Vec::new()).init(&device).unwrap();
    // Weights are drawn when they are first used: from here on the copies have the same.
    let inner = device.clone().inner();
    let inferred = embedding(&plain.valid(), &inner, 1);
    let dropping = plain.clone().with_stochastic_depth(0.8);
    assert_eq!(embedding(&dropping.valid(), &inner, 1), inferred);

    let expected = embedding(&plain, &device, 1);
    let drawn: Vec<Vec<f32>> = (0..8).map(|seed| embedding(&dropping, &device, seed)).collect();
    assert!(drawn.iter().any(|found| *found != expected), "nothing is ever left out");
    assert!(drawn.iter().any(|found| *found != drawn[0]), "always the same is left out");
    assert_eq!(drawn[3], embedding(&dropping, &device, 3));
}
