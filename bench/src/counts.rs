//! Work whose instructions `cargo xtask test` has valgrind count. Does the named work so many times; what is made ready for it is the
//! same for every number of times, so that a difference is the work alone.

use std::hint::black_box;
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::{Parser, ValueEnum};
use medley_infer::{AnalyzeOptions, Image, Medley, placements, resize, window};
use medley_package::{Presentation, TaskKind, read_dir};
use pollster::block_on;

/// A radiograph's sides, in pixels.
const RADIOGRAPH: u32 = 2048;

/// A picture of odd sides for the answers, in pixels.
const PICTURE: (u32, u32) = (511, 383);

#[derive(Parser)]
#[command(about = "Does some work a number of times, for a counter of instructions")]
struct Arguments {
    work: Work,
    times: usize,
    #[arg(long, default_value = "www/models/medley-nano")]
    model: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Work {
    /// A 16-bit radiograph of 2048×2048 pixels becomes the encoder's input
    Prepare,
    /// One pass of the encoder, with the embedding
    Encode,
    /// From a picture to the answers of the first task of each kind
    Answer,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let medley = block_on(Medley::load(read_dir(&arguments.model)?, &Device::flex()))?;
    let presentation = medley.embedding_presentation();
    let Presentation::Whole { size } = presentation else { unreachable!("of whole pictures") };
    let samples = noise(RADIOGRAPH * RADIOGRAPH, |value| (value >> 16) as u16);
    let square =
        Image::from_rgb8(size, size, &noise(3 * size * size, |value| (value >> 24) as u8))?;
    let (width, height) = PICTURE;
    let picture = noise(3 * width * height, |value| (value >> 24) as u8);
    let picture = Image::from_rgb8(width, height, &picture)?;
    let kinds = [TaskKind::Classification, TaskKind::Segmentation, TaskKind::Detection];
    let first = |kind| medley.tasks().iter().find(|task| task.kind == kind);
    let tasks = kinds.into_iter().filter_map(first).map(|task| task.name.clone()).collect();
    let options = AnalyzeOptions { tasks: Some(tasks), ..AnalyzeOptions::default() };
    for _ in 0..arguments.times {
        match arguments.work {
            Work::Prepare => {
                let image = Image::from_gray16(RADIOGRAPH, RADIOGRAPH, &samples)?;
                let all = placements(RADIOGRAPH, RADIOGRAPH, &presentation);
                let place = all.first().context("no window")?;
                let scaled = resize(&image, place.scaled.0, place.scaled.1);
                black_box(window(&scaled, place));
            }
            Work::Encode => {
                black_box(block_on(medley.embed(&square, &AnalyzeOptions::default()))?);
            }
            Work::Answer => {
                black_box(block_on(medley.analyze(&picture, &options))?);
            }
        }
    }
    Ok(())
}

/// The same values each time, without a pattern that branches could learn.
fn noise<T>(length: u32, of: impl Fn(u32) -> T) -> Vec<T> {
    (0..length).map(|i| of(i.wrapping_mul(2_654_435_761))).collect()
}
