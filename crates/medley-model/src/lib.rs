//! Architecture of the Medley models: encoder, squeezer, decoders, heads.
//!
//! An encoder turns an image into a pyramid at strides 4, 8, 16 and 32; the squeezer turns its
//! deepest map into the image's embedding; two decoders, shared by all tasks, serve segmentation
//! and detection; each task adds a small head. No file is read or written here, and everything
//! compiles for the browser.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use medley_model::{HeadConfig, HeadKind, ModelConfig};
//!
//! let device = Device::flex();
//! let lungs = HeadConfig { name: "lungs".into(), kind: HeadKind::Segmentation, classes: 2 };
//! let model = ModelConfig::micro(vec![lungs]).init(&device)?;
//! let features = model.encode(Tensor::zeros([1, 3, 64, 96], &device))?;
//! let logits = model.segment("lungs", model.pixel_embedding(&features))?;
//! assert_eq!(logits.dims(), [1, 2, 32, 48]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod conv_norm;
#[cfg(feature = "cuda")]
mod cuda;
mod encoder;
mod error;
mod fcos;
mod group_norm;
mod head_start;
mod heads;
mod model;
mod nano;
mod pointwise;
mod squeezer;
mod swin;
mod unet;

pub use conv_norm::NormKind;
#[cfg(feature = "cuda")]
pub use cuda::cuda;
pub use encoder::{Encoder, EncoderConfig};
pub use error::{ConfigError, ModelError};
pub use fcos::{LevelOutput, MAX_EXPONENT, STRIDES, TOWER_GROUPS, TowerOutput};
pub use head_start::{ClassOf, HeadStart};
pub use heads::{HeadConfig, HeadKind};
pub use medley_kernels::wake_threads;
pub use model::{Features, MedleyModel, ModelConfig};
pub use nano::{BlockKind, LEAST_VARIANCE, NanoConfig, NanoEncoder};
pub use swin::{SwinConfig, SwinConfigError, SwinEncoder, torchvision_name};
pub use unet::PIXEL_CHANNELS;
