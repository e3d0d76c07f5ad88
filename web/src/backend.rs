//! What the tensors live on: one kind of device for each build of the crate.

use burn::tensor::Device;

use crate::error::WebError;

/// The name that reports carry.
#[cfg(feature = "webgpu")]
pub const NAME: &str = "webgpu";
/// The name that reports carry.
#[cfg(not(feature = "webgpu"))]
pub const NAME: &str = "wasm";

/// The device, started.
///
/// # Errors
/// The browser gives no WebGPU adapter or device.
#[cfg(feature = "webgpu")]
pub async fn device() -> Result<Device, WebError> {
    use std::cell::RefCell;

    // The runtime can be started once; a second model, or the parity check, shares the device.
    thread_local!(static STARTED: RefCell<Option<Device>> = const { RefCell::new(None) });
    if let Some(device) = STARTED.with_borrow(Clone::clone) {
        return Ok(device);
    }
    let device = Device::wgpu_options()
        .init_async()
        .await
        .map_err(|error| WebError::Device(error.to_string()))?;
    STARTED.set(Some(device.clone()));
    Ok(device)
}

/// The device: the CPU, in one thread.
///
/// # Errors
/// None in this build.
#[cfg(not(feature = "webgpu"))]
pub async fn device() -> Result<Device, WebError> {
    Ok(Device::flex())
}
