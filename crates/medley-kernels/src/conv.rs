//! The convolution on slices: forward, and the gradients of input, weights and bias.
//!
//! Pictures are taken in pieces of a few output rows whose patches fit the processor's second cache; each piece is one
//! matrix product. Chellapilla et al., *High performance convolutional neural networks for document processing* (2006).

use std::cell::RefCell;
use std::ops::Range;

use crate::matmul::{Matrix, matmul};
use crate::parallel::{for_each_piece, map, threads};
use crate::patches::Geometry;

/// Values of a piece's patches: 512 KiB, half of a usual second cache.
const PIECE: usize = 128 * 1024;

/// Parts of a batch whose weight gradients are added up apart. A fixed number, so that the order of additions, hence
/// the result, does not depend on how many threads there are.
const PARTS: usize = 4;

thread_local! {
    static PATCHES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Calls `body` with a piece of scratch memory, whose content is arbitrary.
fn with_patches<R>(size: usize, body: impl FnOnce(&mut [f32]) -> R) -> R {
    PATCHES.with_borrow_mut(|buffer| {
        if buffer.len() < size {
            buffer.resize(size, 0.0);
        }
        body(&mut buffer[..size])
    })
}

/// Output rows, a few at a time.
fn pieces(geometry: &Geometry) -> impl Iterator<Item = Range<usize>> {
    let height = geometry.out_height();
    let rows = (PIECE / (geometry.patch() * geometry.out_width()).max(1)).clamp(1, height.max(1));
    // Pieces of nearly equal size.
    let count = height.div_ceil(rows).max(1);
    (0..count).map(move |piece| piece * height / count..(piece + 1) * height / count)
}

/// `[batch, channels_out, out_height, out_width]`.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`, weight: `[channels_out, channels, kernel, kernel]`
pub(crate) fn forward(
    geometry: &Geometry,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    channels_out: usize,
) -> Vec<f32> {
    let image = geometry.channels * geometry.height * geometry.width;
    let area = geometry.out_height() * geometry.out_width();
    let batch = input.len() / image.max(1);
    let mut output = vec![0.0; batch * channels_out * area];
    if output.is_empty() {
        return output;
    }
    let one = |index: usize, output: &mut [f32], threads: usize| {
        let input = &input[index * image..(index + 1) * image];
        if let Some(bias) = bias {
            for (plane, &bias) in output.chunks_exact_mut(area).zip(bias) {
                plane.fill(bias);
            }
        }
        products(geometry, input, weight, output, channels_out, bias.is_some(), threads);
    };
    if batch < threads() {
        for (index, output) in output.chunks_exact_mut(channels_out * area).enumerate() {
            one(index, output, threads());
        }
    } else {
        for_each_piece(&mut output, channels_out * area, |index, output| one(index, output, 1));
    }
    output
}

/// One image's matrix products.
fn products(
    geometry: &Geometry,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    channels_out: usize,
    add: bool,
    threads: usize,
) {
    let patch = geometry.patch();
    let width = geometry.out_width();
    let area = geometry.out_height() * width;
    let weight = Matrix::rows(weight, patch);
    if geometry.is_pointwise() {
        let input = Matrix::rows(input, area);
        matmul([channels_out, patch, area], weight, input, output, area, add, threads);
        return;
    }
    for rows in pieces(geometry) {
        let size = rows.len() * width;
        with_patches(patch * size, |patches| {
            geometry.gather(input, rows.clone(), patches);
            let patches = Matrix::rows(patches, size);
            let output = &mut output[rows.start * width..];
            matmul([channels_out, patch, size], weight, patches, output, area, add, threads);
        });
    }
}

/// The gradient of the input, given that of the output.
pub(crate) fn input_gradient(
    geometry: &Geometry,
    weight: &[f32],
    gradient: &[f32],
    channels_out: usize,
) -> Vec<f32> {
    let Geometry { channels, height, width, kernel, stride } = *geometry;
    if stride == 1 {
        // A convolution with the kernel turned by 180 degrees and its channels swapped.
        let turned = turn(weight, channels_out, channels, kernel);
        let geometry = Geometry { channels: channels_out, ..*geometry };
        return forward(&geometry, gradient, &turned, None, channels);
    }
    let image = channels * height * width;
    let patch = geometry.patch();
    let out_width = geometry.out_width();
    let area = geometry.out_height() * out_width;
    let batch = gradient.len() / (channels_out * area).max(1);
    let mut result = vec![0.0; batch * image];
    if result.is_empty() {
        return result;
    }
    for_each_piece(&mut result, image, |index, result| {
        let gradient = &gradient[index * channels_out * area..(index + 1) * channels_out * area];
        for rows in pieces(geometry) {
            let size = rows.len() * out_width;
            with_patches(patch * size, |patches| {
                let gradient = Matrix::rows(&gradient[rows.start * out_width..], area);
                let weight = Matrix::rows(weight, patch).transposed();
                matmul([patch, channels_out, size], weight, gradient, patches, size, false, 1);
                geometry.scatter(patches, rows.clone(), result);
            });
        }
    });
    result
}

/// `[channels_out, channels, kernel, kernel]` to `[channels, channels_out, kernel, kernel]`, each kernel turned by 180
/// degrees.
fn turn(weight: &[f32], channels_out: usize, channels: usize, kernel: usize) -> Vec<f32> {
    let area = kernel * kernel;
    let mut turned = vec![0.0; weight.len()];
    for (out, filter) in weight.chunks_exact(channels * area).enumerate() {
        for (channel, plane) in filter.chunks_exact(area).enumerate() {
            let place = (channel * channels_out + out) * area;
            for (target, &value) in turned[place..place + area].iter_mut().zip(plane.iter().rev()) {
                *target = value;
            }
        }
    }
    turned
}

/// The gradient of the weights, `[channels_out, channels, kernel, kernel]`.
pub(crate) fn weight_gradient(
    geometry: &Geometry,
    input: &[f32],
    gradient: &[f32],
    channels_out: usize,
) -> Vec<f32> {
    let image = geometry.channels * geometry.height * geometry.width;
    let patch = geometry.patch();
    let width = geometry.out_width();
    let area = geometry.out_height() * width;
    let batch = input.len() / image.max(1);
    let parts = map(PARTS, |part| {
        let mut sum = vec![0.0; channels_out * patch];
        for index in part * batch / PARTS..(part + 1) * batch / PARTS {
            let input = &input[index * image..(index + 1) * image];
            let gradient =
                &gradient[index * channels_out * area..(index + 1) * channels_out * area];
            if geometry.is_pointwise() {
                let gradient = Matrix::rows(gradient, area);
                let input = Matrix::rows(input, area).transposed();
                matmul([channels_out, area, patch], gradient, input, &mut sum, patch, true, 1);
                continue;
            }
            for rows in pieces(geometry) {
                let size = rows.len() * width;
                with_patches(patch * size, |patches| {
                    geometry.gather(input, rows.clone(), patches);
                    let gradient = Matrix::rows(&gradient[rows.start * width..], area);
                    let patches = Matrix::rows(patches, size).transposed();
                    matmul(
                        [channels_out, size, patch],
                        gradient,
                        patches,
                        &mut sum,
                        patch,
                        true,
                        1,
                    );
                });
            }
        }
        sum
    });
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_default();
    for part in parts {
        for (total, value) in total.iter_mut().zip(part) {
            *total += value;
        }
    }
    total
}

/// The gradient of the bias: the sum over each plane of all images.
pub(crate) fn bias_gradient(gradient: &[f32], channels_out: usize, area: usize) -> Vec<f32> {
    let mut total = vec![0.0; channels_out];
    for image in gradient.chunks_exact((channels_out * area).max(1)) {
        for (total, plane) in total.iter_mut().zip(image.chunks_exact(area)) {
            *total += plane.iter().sum::<f32>();
        }
    }
    total
}
