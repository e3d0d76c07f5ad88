//! `--device`: what computes.

use std::fmt;
use std::str::FromStr;

use anyhow::Result;
use burn::tensor::Device;

use crate::exit::BadInput;

/// A device, as it is named on the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceName {
    /// The processor.
    #[default]
    Cpu,
    /// A card of NVIDIA's, counted from 0.
    Cuda(usize),
    /// A card by Vulkan, counted from 0; a software renderer if there is no other.
    Vulkan(usize),
}

#[derive(Debug, Default, clap::Args)]
pub struct DeviceArgs {
    /// What computes: cpu, cuda or vulkan, the latter two with a number for one of several cards (cuda:1)
    #[arg(long, value_name = "DEVICE", default_value = "cpu", env = "MEDLEY_DEVICE")]
    device: DeviceName,
}

impl DeviceArgs {
    /// The device, without automatic differentiation.
    ///
    /// # Errors
    /// One that this build does not have, or that the machine does not.
    pub fn open(&self) -> Result<Device> {
        self.device.open()
    }

    /// Its name, as it stands in reports.
    pub fn name(&self) -> String {
        self.device.to_string()
    }
}

/// The same for a command that can use several at once.
#[derive(Debug, Default, clap::Args)]
pub struct DevicesArgs {
    /// What computes: cpu, cuda or vulkan, the latter two with a number for one of several cards (cuda:1); several cards train
    /// together, with commas between them (cuda:0,cuda:1)
    #[arg(
        long = "device",
        value_name = "DEVICE",
        default_value = "cpu",
        env = "MEDLEY_DEVICE",
        value_delimiter = ','
    )]
    devices: Vec<DeviceName>,
}

impl DevicesArgs {
    /// The devices, without automatic differentiation.
    ///
    /// # Errors
    /// One that this build does not have, or that the machine does not.
    pub fn open(&self) -> Result<Vec<Device>> {
        self.devices.iter().map(|device| device.open()).collect()
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, index) = text.split_once(':').map_or((text, None), |(name, i)| (name, Some(i)));
        let number = |text: Option<&str>| match text.map(str::parse) {
            None => Ok(0),
            Some(Ok(index)) => Ok(index),
            Some(Err(_)) => {
                Err(format!("expected a card's number after the colon, as in {name}:0"))
            }
        };
        match (name, index) {
            ("cpu", None) => Ok(Self::Cpu),
            ("cuda", index) => number(index).map(Self::Cuda),
            ("vulkan", index) => number(index).map(Self::Vulkan),
            _ => Err("expected cpu, cuda, cuda:N, vulkan or vulkan:N".into()),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Vulkan(index) => write!(f, "vulkan:{index}"),
        }
    }
}

impl DeviceName {
    fn open(self) -> Result<Device> {
        match self {
            Self::Cpu => {
                #[cfg(any(feature = "cuda", feature = "vulkan"))]
                prefer_the_processor();
                Ok(Device::flex())
            }
            Self::Cuda(index) => cuda(index),
            Self::Vulkan(index) => vulkan(index),
        }
    }

    /// burn starts a device when it is first used, and panics where there is none: that is asked for here instead.
    #[cfg(any(feature = "cuda", feature = "vulkan"))]
    fn started(self, device: Device) -> Result<Device> {
        use burn::tensor::Tensor;

        let tried = medley_train::quietly(|| {
            Tensor::<1>::ones([2], &device).sum().try_into_scalar::<f32>().ok()
        });
        match tried {
            Ok(Some(2.0)) => Ok(device),
            Ok(found) => Err(BadInput(format!(
                "{self}: expected 1 + 1 to be 2, found {found:?}; this device computes wrongly, use another --device"
            ))
            .into()),
            Err(reason) => Err(BadInput(format!(
                "{self}: no such device on this machine ({reason}); use another --device"
            ))
            .into()),
        }
    }
}

/// Makes the processor burn's default device too, unless the user named another: burn reads an optimizer's state to its default
/// (docs/known-issues.md), which would be a card in this build, whether there is one or not.
#[cfg(any(feature = "cuda", feature = "vulkan"))]
fn prefer_the_processor() {
    const VARIABLE: &str = "BURN_DEVICE";
    if std::env::var_os(VARIABLE).is_none() {
        // SAFETY: commands open their device before they start threads that could read the environment.
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var(VARIABLE, "flex");
        }
    }
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<Device> {
    DeviceName::Cuda(index).started(medley_model::cuda(index))
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize) -> Result<Device> {
    Err(not_built("cuda"))
}

#[cfg(feature = "vulkan")]
fn vulkan(index: usize) -> Result<Device> {
    use burn::tensor::DeviceKind;

    let start = |kind| DeviceName::Vulkan(index).started(Device::vulkan(kind));
    // Cards first, in the order in which Vulkan lists them; a renderer in software only where there is no card.
    start(DeviceKind::DiscreteGpu(index))
        .or_else(|_| start(DeviceKind::IntegratedGpu(index)))
        .or_else(|_| start(DeviceKind::DefaultDevice))
}

#[cfg(not(feature = "vulkan"))]
fn vulkan(_: usize) -> Result<Device> {
    Err(not_built("vulkan"))
}

#[cfg(not(all(feature = "cuda", feature = "vulkan")))]
fn not_built(feature: &str) -> anyhow::Error {
    BadInput(format!(
        "--device {feature}: this build does not have it; build with: \
         cargo build --release --package medley-cli --features {feature}"
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for (text, name) in [
            ("cpu", DeviceName::Cpu),
            ("cuda", DeviceName::Cuda(0)),
            ("cuda:3", DeviceName::Cuda(3)),
            ("vulkan:1", DeviceName::Vulkan(1)),
        ] {
            assert_eq!(text.parse::<DeviceName>(), Ok(name));
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for text in ["gpu", "cpu:0", "cuda:", "cuda:x", "CUDA"] {
            assert!(text.parse::<DeviceName>().is_err(), "{text}");
        }
    }
}
