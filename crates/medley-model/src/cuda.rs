//! NVIDIA's cards, with CubeCL set up for training.

use burn::tensor::Device;
use cubecl::config::cache::CacheConfig;
use cubecl::config::memory::PersistentMemory;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

/// The card of this number, counted from 0. It is started when it is first used, and panics then where there is none.
///
/// CubeCL is set up by a `cubecl.toml` of the current folder or one above it, with two things changed:
///
/// - *Memory.* A training asks for memory of its weights' sizes again and again, for gradients and what the optimizer makes of
///   them. It comes from pieces of just that size, instead of by a search through pools: a third of the host's time for a step
///   of many small tensors (docs/scaling.md).
/// - *Kernels.* Compiling them takes the first step of a training half a minute, so they are kept for the next one, in the
///   user's cache folder.
pub fn cuda(index: usize) -> Device {
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    if matches!(config.memory.persistent_memory, PersistentMemory::Enabled) {
        config.memory.persistent_memory = PersistentMemory::SizeMatch;
    }
    config.compilation.cache = true;
    if matches!(config.environment.path, CacheConfig::Target) {
        config.environment.path = CacheConfig::Global;
    }
    // Whoever set it before, or used a card already, keeps what there is.
    let _ = CubeClRuntimeConfig::try_set(config);
    Device::cuda(index)
}
