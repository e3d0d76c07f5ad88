//! Batch normalisation folded into the convolutions answers as before.

// The lint knows tests, but not the functions that they share.
#![allow(clippy::unwrap_used)]

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor, Tolerance};
use medley_model::{BlockKind, EncoderConfig, Features, ModelConfig, NanoConfig};

#[test]
fn folding_changes_no_answer_of_either_kind_of_block() {
    for kind in [BlockKind::Residual, BlockKind::Inverted] {
        let nano = NanoConfig { depths: [2; 4], blocks: [kind; 4], ..NanoConfig::micro() };
        let encoder = EncoderConfig::Nano(nano);
        let config = ModelConfig { encoder, ..ModelConfig::micro(Vec::new()) };
        let device = Device::flex().autodiff();
        device.seed(5);
        let model = config.init(&device).unwrap();
        for _ in 0..3 {
            // Moves the statistics away from those of a fresh model.
            let images = Tensor::random([4, 3, 64, 64], Distribution::Uniform(0.0, 1.0), &device);
            let features = model.encode(images).unwrap();
            model.pixel_embedding(&features);
        }
        let model = model.valid();
        let (folded, _) = model.fold(&config);
        let shape = [2, 3, 64, 96];
        let images = Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &Device::flex());
        let (before, after) =
            (model.encode(images.clone()).unwrap(), folded.encode(images).unwrap());
        // The same products in another order, through twenty layers.
        let tolerance = Tolerance::<f32>::rel_abs(1e-3, 1e-4);
        after
            .embedding
            .clone()
            .into_data()
            .assert_approx_eq(&before.embedding.clone().into_data(), tolerance);
        let (after, before) = (folded.pixel_embedding(&after), model.pixel_embedding(&before));
        after.into_data().assert_approx_eq(&before.into_data(), tolerance);
    }
}

#[test]
fn a_folded_model_that_is_unfolded_answers_as_before_also_in_training() {
    let config = ModelConfig::micro(Vec::new());
    let cpu = Device::flex();
    cpu.seed(6);
    let (folded, folded_config) = config.init(&cpu).unwrap().fold(&config);
    let images = Tensor::random([6, 3, 64, 64], Distribution::Uniform(0.0, 1.0), &cpu);
    let segmented = [0..2, 4..6];
    let (model, unfolded_config) =
        folded.unfold(&folded_config, images.clone(), &segmented).unwrap();
    assert_eq!(unfolded_config, config);

    let before = folded.encode(images.clone()).unwrap();
    let tolerance = Tolerance::<f32>::rel_abs(1e-3, 1e-4);
    let alike = |after: Tensor<2>, before: &Tensor<2>| {
        after.into_data().assert_approx_eq(&before.clone().into_data(), tolerance);
    };
    alike(model.encode(images.clone()).unwrap().embedding, &before.embedding);

    // In training the batch's own statistics count: those that were listened to.
    let device = cpu.autodiff();
    let training = config.init(&device).unwrap();
    let training = training.try_load_record(model.into_record()).unwrap();
    let images = Tensor::from_data(images.into_data(), &device);
    let after = training.encode(images).unwrap();
    alike(after.embedding.clone().inner(), &before.embedding);
    let of_decoder = |features: &Features| {
        Features::cat(segmented.iter().map(|range| features.slice(range.clone())).collect())
    };
    let after = training.pixel_embedding(&of_decoder(&after)).inner().into_data();
    let before = folded.pixel_embedding(&of_decoder(&before)).into_data();
    after.assert_approx_eq(&before, tolerance);
}
