//! Floats to int8: the format of the file. Readers widen the weights once, at loading.

use std::collections::BTreeMap;

use medley_package::PackedTensor;

use crate::weights::FloatTensors;

/// Tensors with fewer values stay float: norms, biases, position tables, small heads.
const MIN_VALUES: usize = 256;

/// Tensors with fewer values for each scale stay float. A scale takes the bytes of four int8
/// values, so below this little room is won for the accuracy that is lost.
const MIN_VALUES_PER_SCALE: usize = 8;

/// The largest magnitude of a quantized value. −128 is not used: the range is symmetric.
const MAX_LEVEL: f32 = 127.0;

/// Quantizes the weights among `tensors` to int8, symmetrically, with one scale `max|w| / 127` for each index of the first axis. No value then
/// changes by more than half a scale.
///
/// The first axis is the output channel of convolutions (`[out, in, h, w]`) and the input feature
/// of burn's `Linear` (`[in, out]`: the classification heads, and Swin's attention, MLPs and patch
/// merging). One rule does for both, because the bound above holds along either axis and no
/// arithmetic is done on int8.
///
/// Tensors of fewer than 2 axes, 256 values or 8 values for each scale stay as they are. So does
/// a tensor with a value that is not finite: the package refuses it by name, where int8 would hide
/// it.
pub fn quantize(tensors: &FloatTensors) -> BTreeMap<String, PackedTensor> {
    tensors.iter().map(|(name, (shape, data))| (name.clone(), pack(shape, data))).collect()
}

fn pack(shape: &[usize], data: &[f32]) -> PackedTensor {
    let rows = shape.first().copied().unwrap_or(1).max(1);
    let row = data.len() / rows;
    let keep = shape.len() < 2
        || data.len() < MIN_VALUES
        || row < MIN_VALUES_PER_SCALE
        || !data.iter().all(|value| value.is_finite());
    if keep {
        return PackedTensor::Float { shape: shape.to_vec(), data: data.to_vec() };
    }
    let mut scales = Vec::with_capacity(rows);
    let mut quantized = Vec::with_capacity(data.len());
    for row in data.chunks(row) {
        let scale = row.iter().fold(0.0f32, |most, value| most.max(value.abs())) / MAX_LEVEL;
        scales.push(scale);
        quantized.extend(row.iter().map(|&value| level(value, scale)));
    }
    PackedTensor::Int8 { shape: shape.to_vec(), data: quantized, scale: scales }
}

/// The nearest level of `value`; 0 where the row is all zero.
fn level(value: f32, scale: f32) -> i8 {
    if scale == 0.0 {
        return 0;
    }
    // A cast of floats saturates; the clamp keeps −128 out.
    (value / scale).round().clamp(-MAX_LEVEL, MAX_LEVEL) as i8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that look like weights: every row has another spread. A linear congruential
    /// generator, so that the test needs no crate and is the same everywhere.
    fn weights(shape: &[usize]) -> Vec<f32> {
        let row: usize = shape[1..].iter().product();
        let mut state = 12345u32;
        (0..shape[0] * row)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let unit = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
                unit * 0.01 * (1 + i / row % 10) as f32
            })
            .collect()
    }

    fn one(shape: &[usize], data: Vec<f32>) -> PackedTensor {
        let tensors = BTreeMap::from([("w".to_string(), (shape.to_vec(), data))]);
        quantize(&tensors).remove("w").unwrap()
    }

    #[test]
    fn no_value_moves_by_more_than_half_a_scale() {
        // A convolution and a Linear, whose first axis is the input.
        for shape in [&[24, 8, 3, 3][..], &[256, 21]] {
            let data = weights(shape);
            let packed = one(shape, data.clone());
            let PackedTensor::Int8 { scale, data: levels, .. } = &packed else {
                panic!("{packed:?}");
            };
            assert_eq!(scale.len(), shape[0]);
            assert!(!levels.contains(&i8::MIN));
            let row = data.len() / shape[0];
            for (i, (before, after)) in data.iter().zip(packed.widen()).enumerate() {
                // One part in a thousand of a scale for the rounding of division and product.
                assert!((before - after).abs() <= scale[i / row] * 0.501, "{i}");
            }
            assert!(cosine(&data, &packed.widen()) > 0.9999);
        }
    }

    #[test]
    fn rows_along_the_input_axis_are_as_exact_as_along_the_output_axis() {
        // The decision for Linear weights: the relative error by rows of [in, out] against that
        // by rows of the transposed matrix, which would be one scale per output.
        let (inputs, outputs) = (256, 64);
        let data = weights(&[inputs, outputs]);
        let transposed: Vec<f32> =
            (0..inputs * outputs).map(|i| data[i % inputs * outputs + i / inputs]).collect();
        let error = |shape: &[usize], data: &[f32]| {
            let after = one(shape, data.to_vec()).widen();
            let square: f32 = data.iter().zip(&after).map(|(a, b)| (a - b).powi(2)).sum();
            square.sqrt() / data.iter().map(|a| a * a).sum::<f32>().sqrt()
        };
        let by_input = error(&[inputs, outputs], &data);
        let by_output = error(&[outputs, inputs], &transposed);
        // Both near 1/127/√12·√3 of the row's spread: half a percent. Neither may be twice the
        // other where the spread differs by input, as here.
        assert!(by_input < 0.006, "{by_input}");
        assert!(by_input < 2.0 * by_output, "{by_input} {by_output}");
    }

    #[test]
    fn small_tensors_and_vectors_stay_float() {
        for shape in [&[1024][..], &[15, 17], &[64, 1, 2, 2], &[512, 7]] {
            let data = weights(&[shape, &[1]].concat());
            let expected = PackedTensor::Float { shape: shape.to_vec(), data: data.clone() };
            assert_eq!(one(shape, data), expected);
        }
        let scalar = PackedTensor::Float { shape: vec![], data: vec![1.0] };
        assert_eq!(one(&[], vec![1.0]), scalar);
        assert_eq!(one(&[0, 4], vec![]).widen(), Vec::<f32>::new());
    }

    #[test]
    fn zero_rows_and_the_smallest_numbers_stay_finite() {
        let mut data = vec![0.0; 512];
        data[256..].fill(f32::MIN_POSITIVE / 1e6);
        let packed = one(&[2, 256], data);
        // What is lost is below the smallest normal number.
        assert!(packed.widen().iter().all(|value| value.abs() < f32::MIN_POSITIVE));
    }

    #[test]
    fn a_weight_that_is_no_number_is_not_hidden() {
        for wrong in [f32::NAN, f32::INFINITY] {
            let mut data = weights(&[16, 32]);
            data[100] = wrong;
            assert!(matches!(one(&[16, 32], data), PackedTensor::Float { .. }));
        }
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }
}
