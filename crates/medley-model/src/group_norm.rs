//! Group normalisation and GELU, as the squeezer and the towers of detection have them after a convolution.

use burn::nn::GroupNorm;
use burn::tensor::Tensor;

/// GELU of the normalised map.
pub(crate) fn norm_gelu<const D: usize>(norm: &GroupNorm, map: Tensor<D>) -> Tensor<D> {
    let normalised = match (&norm.gamma, &norm.beta) {
        (Some(gamma), Some(beta)) if map.device().is_autodiff() => {
            let parameters = [gamma.val(), beta.val()];
            medley_kernels::group_norm_in_groups(map, parameters, norm.num_groups, norm.epsilon)
        }
        _ => norm.forward(map),
    };
    medley_kernels::gelu(normalised)
}
