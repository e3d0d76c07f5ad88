//! What kernels of CubeCL share, on cards and in browsers.

use burn::tensor::Shape;
use burn_cubecl::ops::numeric::empty_device_dtype;
use burn_cubecl::tensor::CubeTensor;

/// Below every score of attention.
pub(crate) const LEAST: f32 = -1e30;

/// Room for values of this shape, on the same device and of the same type.
pub(crate) fn of_shape(tensor: &CubeTensor, shape: Shape) -> CubeTensor {
    let (client, device) = (tensor.client.clone(), tensor.device.clone());
    empty_device_dtype(client, device, shape, tensor.dtype)
}
