//! In place of burn's linear algebra: README.md in this folder.
//!
//! The signatures are those that burn-nn 0.22.1 calls.

#![no_std]

use burn_core::tensor::{AsIndex, Tensor};

/// Ends the program: orthogonal first weights need a matrix product, which this crate is here to leave out.
///
/// # Panics
/// Always.
pub fn qr<const D: usize>(_: Tensor<D>, _: bool) -> (Tensor<D>, Tensor<D>) {
    panic!("orthogonal first weights are left out of this build; see patches/burn-linalg/README.md");
}

/// The p-norm along an axis, which stays with length 1; p is finite and above 0.
///
/// # Panics
/// An axis that the tensor does not have.
pub fn lp_norm<const D: usize>(x: Tensor<D>, p: f64, dim: impl AsIndex) -> Tensor<D> {
    x.abs().powf_scalar(p).sum_dim(axis::<D>(dim)).powf_scalar(1.0 / p)
}

/// The cosine of the angle between vectors along an axis, which stays with length 1. Lengths are at least `eps`, 1e-8 without it.
///
/// # Panics
/// An axis that the tensors do not have, tensors of shapes that do not fit each other.
pub fn cosine_similarity<const D: usize>(
    x1: Tensor<D>,
    x2: Tensor<D>,
    dim: impl AsIndex,
    eps: Option<f64>,
) -> Tensor<D> {
    let dim = axis::<D>(dim);
    let least = eps.unwrap_or(1e-8);
    let length = |x: &Tensor<D>| x.clone().powi_scalar(2).sum_dim(dim).sqrt().clamp_min(least);
    let lengths = length(&x1) * length(&x2);
    (x1 * x2).sum_dim(dim) / lengths
}

/// Counted from the front.
fn axis<const D: usize>(dim: impl AsIndex) -> usize {
    dim.try_dim_index(D).unwrap_or_else(|_| panic!("an axis of a tensor of {D} axes"))
}
