//! Bilinear scaling that has a gradient on every device.

use burn::tensor::{Device, Tensor, TensorData};

/// The same as burn's `interpolate` (bilinear, corners not aligned), whose gradient is missing on GPUs: as a matrix
/// product for each axis.
///
/// # Shapes
/// - maps: `[batch, channels, height, width]`
/// - output: `[batch, channels, size, size]`
pub(crate) fn resize_bilinear(maps: Tensor<4>, size: usize) -> Tensor<4> {
    let [_, _, height, width] = maps.dims();
    if [height, width] == [size, size] {
        return maps;
    }
    let device = maps.device();
    let rows = weights(height, size, &device).unsqueeze::<4>();
    let columns = weights(width, size, &device).transpose().unsqueeze::<4>();
    rows.matmul(maps.matmul(columns))
}

/// What each of `from` values counts in each of `to` values: `[to, from]`.
fn weights(from: usize, to: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0f32; to * from];
    for (place, row) in values.chunks_exact_mut(from).enumerate() {
        let centre = (place as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        let centre = centre.clamp(0.0, (from - 1) as f64);
        let share = centre.fract();
        let first = centre as usize;
        row[first] += (1.0 - share) as f32;
        // Beyond the last value its share is 0.
        row[(first + 1).min(from - 1)] += share as f32;
    }
    Tensor::from_data(TensorData::new(values, [to, from]), device)
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::interpolate;
    use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
    use burn::tensor::{Distribution, Tolerance};

    use super::*;

    #[test]
    fn values_and_gradients_are_those_of_burns_interpolation() {
        let _alone = crate::alone::alone();
        let device = Device::flex().autodiff();
        for ([height, width], size) in [([4, 4], 8), ([5, 3], 12), ([9, 16], 7), ([1, 2], 4)] {
            let shape = [2, 3, height, width];
            let maps = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
            let factors =
                Tensor::random([2, 3, size, size], Distribution::Normal(0.0, 1.0), &device);
            let both = [resize_bilinear, |maps, size| {
                let options = InterpolateOptions::new(InterpolateMode::Bilinear)
                    .with_align_corners(false)
                    .with_output_size([size, size]);
                interpolate(maps, options)
            }]
            .map(|scale: fn(Tensor<4>, usize) -> Tensor<4>| {
                let maps = maps.clone().detach().require_grad();
                let scaled = scale(maps.clone(), size);
                let gradients = (scaled.clone() * factors.clone()).sum().backward();
                [scaled.inner(), maps.grad(&gradients).unwrap()].map(Tensor::into_data)
            });
            for (ours, burns) in both[0].iter().zip(&both[1]) {
                ours.assert_approx_eq::<f32>(burns, Tolerance::rel_abs(1e-4, 1e-4));
            }
        }
    }
}
