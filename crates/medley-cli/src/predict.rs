//! `medley predict`: answers about pictures.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use medley_infer::{AnalyzeOptions, DISPLAY_THRESHOLD, Image, InferError, Medley, Report};
use medley_package::NOTICE;

use crate::answers;
use crate::device::DeviceArgs;
use crate::exit::{self, BadInput, Exit};
use crate::model::ModelArgs;
use crate::{model, overlay, progress, say};

/// Longest file that is read: more than the largest picture that the decoder takes needs, uncompressed.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Answer tasks about images: classes with probabilities, masks, boxes
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    #[command(flatten)]
    model: ModelArgs,
    /// A task to answer; may be given several times. All of the model's without it (see `medley info`)
    #[arg(long = "task", value_name = "NAME")]
    tasks: Vec<String>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object a line and image (format 1, docs/formats.md)
    #[arg(long)]
    json: bool,
    /// Also draw masks and boxes over the image, into this PNG file; with several images the name of each is
    /// appended: out-chest.png
    #[arg(long, value_name = "OUT.png")]
    overlay: Option<PathBuf>,
    /// Leave out boxes with a lower score, 0 to 1
    #[arg(long, value_name = "X", default_value_t = DISPLAY_THRESHOLD, value_parser = probability)]
    threshold: f32,
    /// PNG or JPEG files, 8 or 16 bit
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  medley predict chest.png
  medley predict --task lungs --task pneumonia-children --overlay out.png chest.png
  medley predict --json *.png > answers.jsonl

The model answers any image, also one of another kind than it was trained on: ask for the tasks that
fit. A file that cannot be read is named on stderr, the others are answered, and the exit code is 2.";

fn probability(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|_| "expected a number from 0 to 1".to_string())?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("expected 0 to 1".into()) }
}

/// Answers for each image in turn. An image that fails does not keep the others from their answers.
///
/// # Errors
/// No model or a bad one, an unknown task, stdout that is closed.
pub fn run(options: &Options) -> Result<Exit> {
    let targets = overlay_targets(options)?;
    let medley = model::load(&options.model.folder()?, &options.device.open()?)?;
    known(&medley, &options.tasks)?;
    let request = AnalyzeOptions {
        tasks: (!options.tasks.is_empty()).then(|| options.tasks.clone()),
        score_threshold: options.threshold,
        ..AnalyzeOptions::default()
    };
    let json = options.json.then(|| options.device.name());
    let bar = progress::bar(options.images.len(), "images");
    let mut exit = Exit::Done;
    for (path, target) in options.images.iter().zip(targets) {
        bar.set_prefix(format!("{} ", path.display()));
        let answer = answer(&medley, path, &request, json.as_deref(), target.as_deref());
        let (text, legend) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let said = format!("medley: {}: {}", path.display(), exit::message(&error));
                bar.suspend(|| say::note(said));
                // Bad input is what the caller can mend, so it wins over another failure.
                if exit != Exit::BadInput {
                    exit = Exit::of(&error);
                }
                bar.inc(1);
                continue;
            }
        };
        bar.suspend(|| {
            legend.iter().for_each(say::note);
            say::print(text)
        })?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !options.json {
        say::print(NOTICE)?;
    }
    Ok(exit)
}

/// What is said of one picture, as JSON where the name of what computes is given, and the legend of its overlay.
fn answer(
    medley: &Medley,
    path: &Path,
    request: &AnalyzeOptions,
    json: Option<&str>,
    overlay: Option<&Path>,
) -> Result<(String, Vec<String>)> {
    let begin = Instant::now();
    let image = Image::decode(&read(path)?)?;
    let analysis = pollster::block_on(medley.analyze(&image, request))?;
    let file = path.display().to_string();
    let name = &medley.metadata().name;
    let text = match json {
        Some(backend) => Report::new(&file, name, backend, &analysis)?.to_json()?,
        None => answers::text(&file, name, &image, &analysis, begin.elapsed()),
    };
    let legend = match overlay {
        Some(target) => overlay::write(&image, &analysis, target)?,
        None => Vec::new(),
    };
    Ok((text, legend))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| BadInput(format!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let found = "the file is longer than 1 GiB: no picture that is read here needs as much";
        return Err(BadInput(found.into()).into());
    }
    Ok(bytes)
}

/// Whether the model has all the tasks: said once, and before any picture is looked at.
fn known(medley: &Medley, asked: &[String]) -> Result<(), InferError> {
    let existing: Vec<String> = medley.tasks().iter().map(|task| task.name.clone()).collect();
    match asked.iter().find(|name| !existing.contains(name)) {
        Some(name) => Err(InferError::UnknownTask { name: name.clone(), existing }),
        None => Ok(()),
    }
}

/// Where each image's overlay goes.
fn overlay_targets(options: &Options) -> Result<Vec<Option<PathBuf>>> {
    let images = &options.images;
    let Some(out) = &options.overlay else { return Ok(vec![None; images.len()]) };
    if out.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("png")) {
        let found = format!("--overlay {}: expected a file name ending in .png", out.display());
        return Err(BadInput(found).into());
    }
    let mut taken = HashSet::new();
    let mut targets = Vec::with_capacity(images.len());
    for image in images {
        let mut target = out.clone();
        let mut count = 1;
        if images.len() > 1 {
            target = named_after(out, image, count);
        }
        while !taken.insert(target.clone()) {
            count += 1;
            target = named_after(out, image, count);
        }
        targets.push(Some(target));
    }
    for target in targets.iter().flatten() {
        let Ok(target) = fs::canonicalize(target) else { continue };
        if images.iter().any(|image| fs::canonicalize(image).is_ok_and(|image| image == target)) {
            let found = format!(
                "--overlay would write over the input {}; choose another name",
                target.display()
            );
            return Err(BadInput(found).into());
        }
    }
    Ok(targets)
}

/// `out.png` and `a/chest.jpg` make `out-chest.png`; a second image of that name `out-chest-2.png`.
fn named_after(out: &Path, image: &Path, count: usize) -> PathBuf {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let number = if count > 1 { format!("-{count}") } else { String::new() };
    out.with_file_name(format!("{}-{}{number}.png", stem(out), stem(image)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(overlay: &str, images: &[&str]) -> Options {
        Options {
            model: clap::FromArgMatches::from_arg_matches(
                &<ModelArgs as clap::Args>::augment_args(clap::Command::new("x"))
                    .get_matches_from(["x"]),
            )
            .unwrap(),
            tasks: Vec::new(),
            device: DeviceArgs::default(),
            json: false,
            overlay: Some(overlay.into()),
            threshold: 0.3,
            images: images.iter().map(PathBuf::from).collect(),
        }
    }

    #[test]
    fn overlays_of_several_images_have_names_of_their_own() {
        let names = |images: &[&str]| -> Vec<PathBuf> {
            overlay_targets(&options("d/o.png", images)).unwrap().into_iter().flatten().collect()
        };
        assert_eq!(names(&["a.jpg"]), [Path::new("d/o.png")]);
        let three = names(&["a.jpg", "b/c.png", "d/c.jpeg"]);
        assert_eq!(three, ["d/o-a.png", "d/o-c.png", "d/o-c-2.png"].map(PathBuf::from));
        assert!(overlay_targets(&options("o.jpg", &["a.jpg"])).is_err());
    }

    #[test]
    fn thresholds_are_probabilities() {
        assert_eq!(probability("0.5"), Ok(0.5));
        assert!(["-0.1", "1.1", "NaN", "x"].iter().all(|text| probability(text).is_err()));
    }
}
