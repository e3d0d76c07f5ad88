//! Swin V2 tiny at 256²: forward, backward and AdamW, images a second. `bench/training/pytorch.py` measures the same in PyTorch,
//! `bench/training/run.sh` both in turn.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Distribution, FloatDType, Tensor};
use clap::Parser;
use medley_model::SwinConfig;
use serde_json::json;

/// Side of the images, in pixels.
const SIDE: usize = 256;

/// Steps before the clock runs: kernels are compiled and chosen in them.
const WARM_UP: usize = 10;

#[derive(Parser)]
#[command(about = "Images a second of one training step of Swin V2 tiny")]
struct Arguments {
    /// cpu, cuda or vulkan, as this program was built
    #[arg(long, default_value = "cpu")]
    device: String,
    /// f32 or bf16: type of weights and activations
    #[arg(long, default_value = "f32")]
    precision: String,
    #[arg(long, default_value_t = 64)]
    batch: usize,
    #[arg(long, default_value_t = 50)]
    steps: usize,
    /// Append the row to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut device = device(&arguments.device)?;
    match arguments.precision.as_str() {
        "f32" => {}
        "bf16" => device.configure(FloatDType::BF16).context("bf16 on this device")?,
        other => bail!("expected f32 or bf16, found {other}"),
    }
    let device = device.autodiff();
    let mut encoder = SwinConfig::tiny().init(&device);
    let mut optimizer = medley_train::adamw(0.05, f32::INFINITY);
    let batch = arguments.batch;
    let images =
        Tensor::<4>::random([batch, 3, SIDE, SIDE], Distribution::Uniform(0.0, 1.0), &device);
    let mut times = Vec::with_capacity(arguments.steps);
    for step in 0..WARM_UP + arguments.steps {
        let begin = Instant::now();
        let [.., output] = encoder.forward(images.clone());
        let loss = output.cast(DType::F32).square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &encoder);
        encoder = optimizer.step(1e-4, encoder, gradients);
        device.sync().context("the device stopped")?;
        if step >= WARM_UP {
            times.push(begin.elapsed().as_secs_f64());
        }
    }
    // The step of an optimizer is lazy where kernels are fused: the weights must be there in the end.
    drop(encoder.valid());
    times.sort_by(f64::total_cmp);
    let rate = |seconds: f64| batch as f64 / seconds;
    let peak = device.memory_pool_usage().map(|usage| format!("{usage:?}"));
    let row = json!({
        "engine": "medley (burn 0.22.1)",
        "way": way(),
        "precision": arguments.precision,
        "batch": batch,
        "images_per_second": rate(times[times.len() / 2]),
        "low": rate(times[times.len() - 1]),
        "high": rate(times[0]),
        "memory": peak,
        "device": arguments.device,
    });
    println!("{row}");
    if let Some(path) = arguments.json {
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        writeln!(file, "{row}")?;
    }
    Ok(())
}

/// How this program was built.
fn way() -> &'static str {
    match (cfg!(feature = "fusion"), cfg!(feature = "autotune")) {
        (false, false) => "plain",
        (true, false) => "fusion",
        (false, true) => "autotune",
        (true, true) => "fusion, autotune",
    }
}

fn device(name: &str) -> Result<Device> {
    match name {
        "cpu" => Ok(Device::flex()),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(medley_model::cuda(0)),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
        other => bail!(
            "{other}: not in this build; expected cpu, or build with --features cuda or vulkan"
        ),
    }
}
