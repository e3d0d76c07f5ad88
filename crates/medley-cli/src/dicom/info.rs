//! `medley dicom info`: technical facts about files, with figures of the first frame.

use std::path::PathBuf;

use anyhow::Result;
use medley_dicom::{DicomError, DicomFile, Info};
use medley_package::NOTICE;
use serde::Serialize;

use crate::exit::{self, Exit};
use crate::{inputs, say};

/// Transfer syntax, size, bits, and the first frame's minimum, maximum, mean and digest
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{NOTICE}"))]
pub struct Options {
    /// Print one JSON object a line and file (docs/formats.md)
    #[arg(long)]
    json: bool,
    /// DICOM files, and folders in which all DICOM files are meant
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  medley dicom info slice.dcm
  medley dicom info --json study/

A file that is damaged, of an unsupported transfer syntax or without an image is named on stderr, the others are
described, and the exit code is 2. Objects without an image in folders are described and no fault.";

/// The JSON of `--json`.
#[derive(Serialize)]
struct Line {
    file: String,
    #[serde(flatten)]
    info: Info,
}

/// Prints the facts of each file. One that fails does not keep the others from theirs.
///
/// # Errors
/// Stdout that is closed.
pub fn run(options: &Options) -> Result<Exit> {
    let mut exit = Exit::Done;
    for input in inputs::find(&options.files)? {
        let file = input.path.display().to_string();
        let found = match inputs::read(&input.path) {
            // In a folder lies what it may; only DICOM is asked for.
            Ok(bytes) if !input.named && !DicomFile::is_dicom(&bytes) => continue,
            Ok(bytes) => medley_dicom::info(&bytes).map_err(Into::into),
            Err(error) => Err(error),
        };
        let error = match found {
            Ok(info) => {
                // Who names a file wants to know of its image; reports and plans in a folder are no fault.
                let lacks_image = input.named && info.image.is_none();
                if options.json {
                    say::print(serde_json::to_string(&Line { file: file.clone(), info })?)?;
                } else {
                    say::print(text(&file, &info))?;
                }
                if !lacks_image {
                    continue;
                }
                DicomError::NoImage { reason: "it has no pixel data" }.into()
            }
            Err(error) => error,
        };
        say::note(format!("medley: {file}: {}", exit::message(&error)));
        exit = exit.worse(Exit::of(&error));
    }
    Ok(exit)
}

fn text(file: &str, info: &Info) -> String {
    let modality = info.modality.as_deref().unwrap_or("no modality");
    let mut lines =
        vec![format!("{file}  ({} bytes, {modality}, {})", info.bytes, info.syntax_name)];
    let Some(image) = &info.image else {
        lines.push("  no image".into());
        return lines.join("\n");
    };
    let frames =
        if image.frames == 1 { String::new() } else { format!(", {} frames", image.frames) };
    let spacing = image.pixel_spacing.map(|[rows, columns]| format!(", {rows} × {columns} mm"));
    lines.push(format!(
        "  {} × {} pixels{frames}, {}, {} of {} bits{}",
        image.columns,
        image.rows,
        image.photometric,
        image.bits_stored.unwrap_or(image.bits_allocated),
        image.bits_allocated,
        spacing.unwrap_or_default()
    ));
    let first = &image.first_frame;
    lines.push(format!(
        "  first frame: {}, {} to {}, mean {:.3}, sha256 {}",
        first.dtype, first.min, first.max, first.mean, first.sha256_le
    ));
    lines.join("\n")
}
