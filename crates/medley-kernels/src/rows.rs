//! Linear layers and layer normalisation over the rows of a map in training: their parameters' gradients without long sums.
//!
//! burn 0.22 finds the gradient of a linear layer's weights as one small product for each leading index of its input (a
//! window, or a row of a map) and adds up the thousands of results, and that of a bias or of a norm's γ and β in one sum
//! over all rows, which keeps no more of a GPU's threads busy than there are channels (docs/known-issues.md). Here the rows
//! are laid out as a few hundred parts at most: enough products to fill a GPU, and sums in two stages.
//!
//! On CUDA the rows of a map begin at multiples of 512 bytes; where its channels do not fill them, as those of the first two
//! stages of Swin do not, laying it out in other parts copies it. Layers after one another whose input comes from [`in_parts`]
//! share one copy.

use burn::tensor::{Tensor, activation};

/// `input · weight + bias` for training, where the device is one with gradients.
///
/// # Shapes
/// - input: `[…, channels]`
/// - weight: `[channels, channels_out]`
/// - bias: `[channels_out]`
/// - output: `[…, channels_out]`
///
/// # Panics
/// Shapes that do not fit each other, an input of less than two dimensions: mistakes of the program.
pub fn linear_over_rows<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let mut shape = input.dims();
    let [channels, channels_out] = weight.dims();
    let rows: usize = shape[..D - 1].iter().product();
    // With fewer rows, the parts' products would be larger than what they are products of.
    let parts =
        parts_of(rows, (channels * channels_out).div_ceil((channels + channels_out).max(1)));
    let output = input.reshape([parts, rows / parts, channels]).matmul(weight.unsqueeze());
    let output = match bias {
        Some(bias) => output + spread(bias, parts),
        None => output,
    };
    shape[D - 1] = channels_out;
    output.reshape(shape)
}

/// Layer normalisation over the last axis for training, where the device is one with gradients.
///
/// Ba, Kiros and Hinton, *Layer normalization* (2016), equation 4.
///
/// # Shapes
/// - input and output: `[…, channels]`
/// - gamma, beta: `[channels]`
///
/// # Panics
/// Shapes that do not fit each other.
pub fn layer_norm_over_rows<const D: usize>(
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let shape = input.dims();
    let [channels] = gamma.dims();
    let rows: usize = shape[..D - 1].iter().product();
    let parts = parts_of(rows, 1);
    let input = input.reshape([parts, rows / parts, channels]);
    let scaled = normal_rows(input, epsilon) * spread(gamma, parts);
    let output = match beta {
        Some(beta) => scaled + spread(beta, parts),
        None => scaled,
    };
    output.reshape(shape)
}

/// Group normalisation for training, where the device is one with gradients.
///
/// Wu and He, *Group normalization* (2018), equations 1 to 6.
///
/// # Shapes
/// - input and output: `[batch, channels, …]`
/// - gamma, beta: `[channels]`
///
/// # Panics
/// Channels that are no multiple of `groups`, shapes that do not fit each other.
pub fn group_norm_in_groups<const D: usize>(
    input: Tensor<D>,
    [gamma, beta]: [Tensor<1>; 2],
    groups: usize,
    epsilon: f64,
) -> Tensor<D> {
    let shape = input.dims();
    let [batch, channels] = [shape[0], shape[1]];
    let area: usize = shape[2..].iter().product();
    assert!(channels.is_multiple_of(groups), "{channels} channels in {groups} groups");
    let normal = normal_rows(input.reshape([batch, groups, channels / groups * area]), epsilon);
    let normal = normal.reshape([batch, channels, area]);
    let output = normal * gamma.reshape([1, channels, 1]) + beta.reshape([1, channels, 1]);
    output.reshape(shape)
}

/// x Φ(x), with Φ the normal distribution's function: Hendrycks and Gimpel, *Gaussian error linear units* (2016).
pub fn gelu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "train")]
    if let Some(output) = crate::row_ops::gelu(&input) {
        return output;
    }
    activation::gelu(input)
}

/// Every row of the last axis at mean 0 and variance 1, up to `epsilon` beside the variance.
fn normal_rows(input: Tensor<3>, epsilon: f64) -> Tensor<3> {
    #[cfg(feature = "train")]
    if let Some(output) = crate::row_ops::normal_rows(&input, epsilon) {
        return output;
    }
    let centred = input.clone() - input.mean_dim(2);
    let variance = centred.clone().square().mean_dim(2);
    centred * (variance + epsilon).sqrt().recip()
}

/// The rows of a map as the layers here lay them out: `[…, channels]` to `[parts, rows of a part, channels]`.
pub fn in_parts<const D: usize>(map: Tensor<D>) -> Tensor<3> {
    let shape = map.dims();
    let rows: usize = shape[..D - 1].iter().product();
    let parts = parts_of(rows, 1);
    map.reshape([parts, rows / parts, shape[D - 1]])
}

/// One parameter a channel for each part, `[parts, 1, channels]`: its gradient is summed over the rows of a part, then over
/// the parts.
fn spread(values: Tensor<1>, parts: usize) -> Tensor<3> {
    let [channels] = values.dims();
    values.reshape([1, 1, channels]).expand([parts, 1, channels])
}

/// Into how many equal parts of `least` rows or more they are cut: a sum over the rows of one is then about as long as one over
/// the parts.
fn parts_of(rows: usize, least: usize) -> usize {
    divisor_up_to(rows, rows.isqrt().min(rows / least.max(1)))
}

/// The largest divisor of `number` that is not above `most`, at least 1.
pub(crate) fn divisor_up_to(number: usize, most: usize) -> usize {
    (2..=most).rev().find(|divisor| number.is_multiple_of(*divisor)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_equal_and_no_larger_than_what_they_are_of() {
        // Swin V2 tiny at 256², batch 64, first stage, 64² tokens a picture: the same parts for norms and both layers of an MLP.
        let rows = 64 * 64 * 64;
        assert_eq!((parts_of(rows, 1), parts_of(rows, 77)), (512, 512));
        // Its last stage, 8² tokens a picture, 768 to 3072 channels.
        assert_eq!(parts_of(64 * 64, 615), 4);
        for rows in [0, 1, 7, 126 * 7 * 7, 50_625] {
            for least in [0, 1, 100] {
                let parts = parts_of(rows, least);
                assert!(parts > 0 && rows % parts == 0, "{rows} rows in {parts} parts");
            }
        }
    }
}
