//! `medley data import`: a data set of another format, written into a task database.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use medley_data::Role;
use medley_data::import::{
    Format, Grouping, ImportError, ImportPlan, Imported, MaskValues, Shares, import,
};
use medley_package::NOTICE;

use crate::exit::Exit;
use crate::{interrupt, progress, say};

/// Write your own images and labels into a task database, as a data set with one task
///
/// The images are copied, or encoded anew as PNG where the source has no image files. The data set appears all at
/// once: if something is wrong, or you press Ctrl-C, nothing is written.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    /// What the source is: folders (a folder for each class), masks (images and masks of the same name), coco,
    /// voc, yolo (boxes), medmnist (.npz)
    #[arg(value_name = "FORMAT", value_parser = format_parser())]
    format: Format,
    /// Its folder or file
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// Folder of the task database; it is made if it is not there
    #[arg(long, value_name = "DATABASE")]
    out: PathBuf,
    /// Name of the data set, also of its folder
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Kind of image, in words, as "radiograph" or "MRI": augmentation follows it
    #[arg(long, value_name = "TEXT")]
    modality: String,
    /// Part of the body, in words, as "chest" or "blood smear"
    #[arg(long, value_name = "TEXT")]
    body: String,
    /// Licence of the images, as "CC BY 4.0"
    #[arg(long, value_name = "TEXT")]
    licence: String,
    /// Whom to name as the source
    #[arg(long, value_name = "TEXT", default_value = "")]
    attribution: String,
    /// Name of the task, if not the data set's
    #[arg(long, value_name = "NAME")]
    task_name: Option<String>,
    /// What the task is for: target (measures and adapts a model) or pretrain (trains it)
    #[arg(long, value_name = "ROLE", default_value = "target", value_parser = role_parser())]
    role: Role,
    /// Names of the classes in the order of their numbers, separated by commas; for masks the background first.
    /// Needed where the source has numbers alone (masks, medmnist, yolo without classes.txt)
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    classes: Option<Vec<String>>,
    /// Regular expression over an image's file name: its first capture group is the patient (or whatever must not
    /// be in two splits). Without it every image stands for itself
    #[arg(long, value_name = "REGEX", value_parser = Grouping::by_file_name)]
    group_regex: Option<Grouping>,
    /// The folder in which an image lies is the patient
    #[arg(long, conflicts_with = "group_regex")]
    group_folder: bool,
    /// Draw the splits by group, in these percents of training, validation and test, also where the source has
    /// splits of its own. Without it the source's are kept, and 70,15,15 drawn where it has none
    #[arg(long, value_name = "70,15,15")]
    split: Option<Shares>,
    /// Seed of that draw
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// coco: folder of the images, if it is not found beside the JSON file
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// masks: what follows the image's name in the mask's, as _mask in a.jpg and a_mask.png
    #[arg(long, value_name = "TEXT", default_value = "")]
    mask_suffix: String,
    /// masks: index (values are class numbers, 255 is "ignore"), binary (0 and 255 are the two classes), or auto
    /// (binary if there are two classes and no mask holds anything else)
    #[arg(long, value_name = "KIND", default_value = "auto", value_parser = mask_parser())]
    mask_values: MaskValues,
    /// Encode every image anew as PNG, without what its file says beside its pixels (EXIF, texts)
    #[arg(long)]
    png: bool,
    /// Leave bad images and labels out, and say how many, in place of stopping
    #[arg(long)]
    skip_bad: bool,
    /// Replace a data set of that name and its tasks
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  medley data import folders ~/cells --out data --name cells --modality microscopy --body blood --licence CC0 \\
    --group-regex '^(patient\\d+)_' --split 70,15,15 --seed 1
  medley data import masks ~/lesions --out data --name lesions --modality ultrasound --body breast \\
    --licence 'CC BY 4.0' --classes background,lesion --mask-suffix _mask

docs/data.md says how each format's source is laid out. Exit code 2: something is wrong with the source; each
bad image or label is named on stderr.";

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| {
        let found = Format::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or("expected a format")
    })
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(["target", "pretrain"])
        .map(|name| if name == "target" { Role::Target } else { Role::Pretrain })
}

fn mask_parser() -> impl TypedValueParser<Value = MaskValues> {
    PossibleValuesParser::new(["auto", "index", "binary"]).map(|name| match name.as_str() {
        "index" => MaskValues::Index,
        "binary" => MaskValues::Binary,
        _ => MaskValues::Auto,
    })
}

/// Imports, and says what was written and what was left out.
///
/// # Errors
/// A source that is not right, a data set that is there already, a full disk, Ctrl-C.
pub fn run(options: &Options) -> Result<Exit> {
    let plan = options.plan();
    let stop = interrupt::stop_on_ctrl_c("stopping; nothing is written")?;
    let bar = progress::bar(0, "images");
    let imported = import(&plan, &mut |at| {
        bar.set_length(at.total as u64);
        bar.set_position(at.done as u64);
        !stop.load(Ordering::SeqCst)
    });
    bar.finish_and_clear();
    match imported {
        Ok(imported) => {
            imported.skipped.iter().for_each(|fault| say::note(format_args!("left out: {fault}")));
            say::print(summary(&plan, &imported))?;
            Ok(Exit::Done)
        }
        Err(error) => {
            if let ImportError::Bad { faults, .. } | ImportError::Empty { faults, .. } = &error {
                faults.iter().for_each(say::note);
            }
            Err(error.into())
        }
    }
}

impl Options {
    fn plan(&self) -> ImportPlan {
        ImportPlan {
            task: self.task_name.clone().unwrap_or_else(|| self.name.clone()),
            role: self.role,
            modality: self.modality.clone(),
            body: self.body.clone(),
            licence: self.licence.clone(),
            attribution: self.attribution.clone(),
            classes: self.classes.clone(),
            grouping: match &self.group_regex {
                Some(rule) => rule.clone(),
                None if self.group_folder => Grouping::Folder,
                None => Grouping::Picture,
            },
            shares: self.split,
            seed: self.seed,
            mask_suffix: self.mask_suffix.clone(),
            mask_values: self.mask_values,
            images: self.images.clone(),
            png: self.png,
            skip_bad: self.skip_bad,
            force: self.force,
            ..ImportPlan::new(self.format, &self.source, &self.out, &self.name)
        }
    }
}

fn summary(plan: &ImportPlan, imported: &Imported) -> String {
    let all: usize = imported.counts.iter().map(|(_, count)| count).sum();
    let counts: Vec<String> =
        imported.counts.iter().map(|(split, count)| format!("{count} {split}")).collect();
    let splits = match imported.drawn {
        Some(shares) => format!("drawn by group as {shares} with seed {}", plan.seed),
        None => "as in the source".to_string(),
    };
    let kind = format!("{:?}", imported.kind).to_lowercase();
    let mut text = format!(
        "wrote {}: {all} images ({}; splits {splits})\ntask {}: {kind}, classes {}",
        plan.target().display(),
        counts.join(", "),
        plan.task,
        imported.classes.join(", ")
    );
    if !imported.skipped.is_empty() {
        text += &format!("\n{} bad records were left out", imported.skipped.len());
    }
    text + &format!("\nnext: medley data check {}", plan.database.display())
}
