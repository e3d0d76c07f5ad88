//! What classifiers of other tasks learn from.

#![allow(clippy::unwrap_used)]

use burn::tensor::{Device, Tensor, TensorData};
use medley_model::Features;

/// A map whose channel `c` alternates between `c + spread` and `c - spread`.
fn map(channels: usize, side: usize, spread: f32) -> Tensor<4> {
    let values: Vec<f32> = (0..channels * side * side)
        .map(|i| {
            let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
            (i / (side * side)) as f32 + sign * spread
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [1, channels, side, side]), &Device::flex())
}

#[test]
fn the_descriptor_is_mean_and_deviation_of_each_channel_of_three_maps() {
    let device = Device::flex();
    let features = Features {
        s1: map(2, 4, 0.5),
        s2: map(1, 2, 3.0),
        s3: map(1, 2, 0.0),
        squeezed: Tensor::ones([1, 5, 1, 1], &device),
        embedding: Tensor::ones([1, 5], &device),
    };
    let found = features.descriptor().into_data().try_into_vec::<f32>().unwrap();
    assert_eq!(found, [0.0, 1.0, 0.5, 0.5, 0.0, 3.0, 0.0, 0.0]);
}
