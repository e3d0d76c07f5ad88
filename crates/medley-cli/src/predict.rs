//! `medley predict`: answers about pictures.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use medley_dicom::SliceHeader;
use medley_infer::{
    Analysis, AnalyzeOptions, DISPLAY_THRESHOLD, Image, InferError, Medley, Report,
};
use medley_package::{NOTICE, TaskSpec};

use crate::device::DeviceArgs;
use crate::dicom_args::DicomArgs;
use crate::dicom_results::DicomResults;
use crate::exit::{self, BadInput, Exit, Fatal};
use crate::inputs::Input;
use crate::model::ModelArgs;
use crate::picture::Pictures;
use crate::rows::{Subject, Tables};
use crate::shares::Shard;
use crate::{answers, inputs, model, overlay, picture, progress, say, survey, table_file};

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
    #[command(flatten)]
    dicom: DicomArgs,
    /// Write the answers as a table too: one row for each class, mask and box, and for each class of a series
    #[arg(long, value_name = "OUT.csv|OUT.parquet", value_parser = table_file::path)]
    table: Option<PathBuf>,
    /// Write the embeddings as a table: one row for each picture, and for each DICOM series their mean
    #[arg(long, value_name = "OUT.csv|OUT.parquet", value_parser = table_file::path)]
    embeddings: Option<PathBuf>,
    /// Answer only the I-th of N shares of the files, for N machines that see the same files. With --table, --embeddings or
    /// --dicom-* a DICOM series is never divided; objects and overlays of all shares have the names that one run would give
    /// them, tables those that you give
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// PNG or JPEG files, 8 or 16 bit; DICOM files, known by their content; folders, of which all such files below are
    /// answered
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  medley predict chest.png
  medley predict --task lungs --task pneumonia-children --overlay out.png chest.png
  medley predict --json *.png > answers.jsonl
  medley predict --task lung-ct --dicom-sr report.dcm study/
  medley predict --table answers.parquet --embeddings embeddings.parquet --shard 2/5 archive/

The model answers any image, also one of another kind than it was trained on: ask for the tasks that
fit. A file that cannot be read is named on stderr, the others are answered, and the exit code is 2.";

fn probability(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|_| "expected a number from 0 to 1".to_string())?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("expected 0 to 1".into()) }
}

/// Answers for each image in turn. An image that fails does not keep the others from their answers.
///
/// # Errors
/// No model or a bad one, an unknown task, a table or object that cannot be written, stdout that is closed.
pub fn run(options: &Options) -> Result<Exit> {
    let inputs = inputs::find(&options.images)?;
    let targets = overlay_targets(options.overlay.as_deref(), &inputs)?;
    let folder = options.model.folder()?;
    let (medley, report) = model::load_with_report(&folder, &options.device.open()?)?;
    options.dicom.check(&asked(&medley, &options.tasks)?)?;
    let headers =
        if options.by_series() { survey::headers(&inputs) } else { vec![None; inputs.len()] };
    let mine = options.shard.map_or(vec![true; inputs.len()], |shard| shard.of_files(&headers));
    let identity = || model::identity(&folder, &medley, &report);
    let context = options.dicom.any().then(|| identity().map(|model| options.dicom.context(model)));
    let mut prediction = Prediction {
        medley: &medley,
        options,
        request: AnalyzeOptions {
            tasks: (!options.tasks.is_empty()).then(|| options.tasks.clone()),
            score_threshold: options.threshold,
            ..AnalyzeOptions::default()
        },
        tables: Tables::create(options.table.as_deref(), options.embeddings.as_deref())?,
        dicom: DicomResults::new(headers, &options.dicom, context.transpose()?),
        bar: progress::bar(mine.iter().filter(|mine| **mine).count(), "files"),
    };
    let mut exit = Exit::Done;
    let mut passed_over = 0;
    let files = inputs.iter().zip(&targets).enumerate().zip(mine);
    for (index, (input, target)) in files.filter(|(_, mine)| *mine).map(|(file, _)| file) {
        prediction.bar.set_prefix(format!("{} ", input.path.display()));
        let answered = prediction.file(index, &input.path, target.as_deref());
        if answered.as_ref().is_err_and(|error| !input.named && picture::is_no_picture(error)) {
            passed_over += 1;
        } else {
            exit = exit.worse(prediction.noted(&input.path.display(), answered)?);
        }
        exit = exit.worse(prediction.series(index)?);
        prediction.bar.inc(1);
    }
    prediction.bar.finish_and_clear();
    // A machine's share may well be empty.
    if options.shard.is_none() && passed_over == inputs.len() {
        return Err(BadInput(nothing(&options.images)).into());
    }
    if passed_over > 0 {
        say::note(format!("medley: {passed_over} files in the folders are no pictures"));
    }
    prediction.finish()?;
    if !options.json {
        say::print(NOTICE)?;
    }
    Ok(exit)
}

/// Said where folders hold no picture.
fn nothing(asked: &[PathBuf]) -> String {
    let asked: Vec<String> = asked.iter().map(|path| path.display().to_string()).collect();
    format!(
        "{}: no PNG, JPEG or DICOM picture was found; name files or folders that hold some",
        asked.join(", ")
    )
}

/// A run over many files.
struct Prediction<'a> {
    medley: &'a Medley,
    options: &'a Options,
    request: AnalyzeOptions,
    tables: Tables,
    dicom: DicomResults<'a>,
    bar: ProgressBar,
}

impl Options {
    /// Whether anything is asked for that is about whole series.
    fn by_series(&self) -> bool {
        self.dicom.any() || self.table.is_some() || self.embeddings.is_some()
    }
}

impl Prediction<'_> {
    /// Answers all pictures of a file, each as soon as it is known.
    fn file(&mut self, input: usize, path: &Path, overlay: Option<&Path>) -> Result<()> {
        let name = path.display().to_string();
        let pictures = Pictures::read(&inputs::read(path)?)?;
        let kept = pictures.dicom().filter(|_| self.options.by_series());
        if let Some(file) = kept {
            // What belongs to no series says so.
            SliceHeader::read(file)?;
        }
        let mut frames = 0..pictures.frames();
        let answered = frames.try_for_each(|frame| {
            let (image, analysis) = self.picture(&name, &pictures, frame, overlay)?;
            match kept {
                Some(file) => {
                    self.bar.suspend(|| self.dicom.add(input, file, frame, &image, analysis))
                }
                None => Ok(()),
            }
        });
        if let Some(file) = kept {
            self.dicom.keep(input, name, file);
        }
        answered
    }

    /// Answers one of a file's pictures.
    fn picture(
        &mut self,
        name: &str,
        pictures: &Pictures,
        index: u32,
        overlay: Option<&Path>,
    ) -> Result<(Image, Analysis)> {
        let begin = Instant::now();
        let image = pictures.image(index)?;
        let analysis = pollster::block_on(self.medley.analyze(&image, &self.request))?;
        let frame = (pictures.frames() > 1).then_some(index + 1);
        let area = pictures.pixel_area(index);
        let model = &self.medley.metadata().name;
        let legend = match overlay {
            Some(target) => overlay::write(&image, &analysis, &of_frame(target, frame))?,
            None => Vec::new(),
        };
        let text = if self.options.json {
            json(name, model, &self.options.device.name(), &analysis, frame, area)?
        } else {
            let title = frame.map_or(name.to_owned(), |frame| format!("{name} frame {frame}"));
            answers::text(&title, model, &image, &analysis, area, begin.elapsed())
        };
        self.bar
            .suspend(|| {
                legend.iter().for_each(say::note);
                say::print(text)
            })
            .context(Fatal)?;
        self.tables.add(Subject::Picture(name, frame, area), &analysis).context(Fatal)?;
        Ok((image, analysis))
    }

    /// What is known when all of a series is: the means, the objects. Nothing, if no series ends with this input.
    fn series(&mut self, input: usize) -> Result<Exit> {
        let Some(series) = self.dicom.complete(input) else { return Ok(Exit::Done) };
        let name = format!("series of {}", series.name());
        for problem in &series.problems {
            self.bar.suspend(|| say::note(format!("medley: {name}: {problem}")));
        }
        if let Some(means) = series.pooled() {
            self.tables.add(Subject::Series(series.name()), &means).context(Fatal)?;
        }
        let written = self.bar.suspend(|| self.dicom.write(&series));
        self.noted(&name, written)
    }

    /// Says what went wrong with one of many things.
    ///
    /// # Errors
    /// What keeps the others from their answers.
    fn noted(&self, what: &dyn Display, outcome: Result<()>) -> Result<Exit> {
        match outcome {
            Ok(()) => Ok(Exit::Done),
            Err(error) if error.is::<Fatal>() => Err(error),
            Err(error) => {
                let said = format!("medley: {what}: {}", exit::message(&error));
                self.bar.suspend(|| say::note(said));
                Ok(Exit::of(&error))
            }
        }
    }

    fn finish(self) -> Result<()> {
        self.tables.finish()?;
        // A machine's share may well have none.
        if self.options.dicom.any() && self.options.shard.is_none() && !self.dicom.answered() {
            let found = "no DICOM image was answered, so no DICOM object was written";
            return Err(BadInput(found.into()).into());
        }
        Ok(())
    }
}

fn json(
    name: &str,
    model: &str,
    backend: &str,
    analysis: &Analysis,
    frame: Option<u32>,
    area: Option<f64>,
) -> Result<String> {
    let mut report = Report::new(name, model, backend, analysis)?;
    if let Some(frame) = frame {
        report = report.with_frame(frame);
    }
    if let Some(area) = area {
        report = report.with_pixel_area(area);
    }
    Ok(report.to_json()?)
}

/// `out.png`, and `out-f3.png` of the third of several frames.
fn of_frame(target: &Path, frame: Option<u32>) -> PathBuf {
    let Some(frame) = frame else { return target.to_path_buf() };
    let stem = target.file_stem().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!("{stem}-f{frame}.png"))
}

/// The tasks that are asked for: said once if one is unknown, and before any picture is looked at.
fn asked<'a>(medley: &'a Medley, names: &[String]) -> Result<Vec<&'a TaskSpec>, InferError> {
    if names.is_empty() {
        return Ok(medley.tasks().iter().collect());
    }
    names.iter().map(|name| medley.task(name)).collect()
}

/// Where each image's overlay goes.
fn overlay_targets(out: Option<&Path>, inputs: &[Input]) -> Result<Vec<Option<PathBuf>>> {
    let images: Vec<&Path> = inputs.iter().map(|input| input.path.as_path()).collect();
    let Some(out) = out else { return Ok(vec![None; images.len()]) };
    if out.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("png")) {
        let found = format!("--overlay {}: expected a file name ending in .png", out.display());
        return Err(BadInput(found).into());
    }
    let mut taken = HashSet::new();
    let mut targets = Vec::with_capacity(images.len());
    for image in &images {
        let mut target = out.to_path_buf();
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

    fn targets(overlay: &str, images: &[&str]) -> Result<Vec<Option<PathBuf>>> {
        let input = |path: &&str| Input { path: path.into(), named: true };
        overlay_targets(Some(Path::new(overlay)), &images.iter().map(input).collect::<Vec<_>>())
    }

    #[test]
    fn overlays_of_several_images_have_names_of_their_own() {
        let names = |images: &[&str]| -> Vec<PathBuf> {
            targets("d/o.png", images).unwrap().into_iter().flatten().collect()
        };
        assert_eq!(names(&["a.jpg"]), [Path::new("d/o.png")]);
        let three = names(&["a.jpg", "b/c.png", "d/c.jpeg"]);
        assert_eq!(three, ["d/o-a.png", "d/o-c.png", "d/o-c-2.png"].map(PathBuf::from));
        assert!(targets("o.jpg", &["a.jpg"]).is_err());
    }

    #[test]
    fn thresholds_are_probabilities() {
        assert_eq!(probability("0.5"), Ok(0.5));
        assert!(["-0.1", "1.1", "NaN", "x"].iter().all(|text| probability(text).is_err()));
    }
}
