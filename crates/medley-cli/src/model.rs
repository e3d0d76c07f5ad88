//! Which package is used, and loading it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use medley_dicom::export::{ModelIdentity, SelfTestOutcome};
use medley_infer::{Medley, SelfTestReport};
use medley_package::{MANIFEST_FILE, Manifest, read_dir};

use crate::exit::BadInput;
use crate::progress;

/// Names the folder of the package to use where no option does.
const VARIABLE: &str = "MEDLEY_MODEL";

/// The package that comes with the program, below the checkout.
const SHIPPED: &str = "www/models/medley-nano";

/// The same beside an installed program.
const INSTALLED: &str = "models/medley-nano";

/// `--model`, for the commands that use one.
#[derive(clap::Args)]
pub struct ModelArgs {
    /// Folder of the weight package (with manifest.json)
    ///
    /// Without it: the folder that the variable MEDLEY_MODEL names, else models/medley-nano beside this
    /// program, else www/models/medley-nano below the current folder, else that of the checkout this program
    /// was built from.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

impl ModelArgs {
    /// The folder asked for, or the first that there is.
    ///
    /// # Errors
    /// None was asked for and none is there.
    pub fn folder(&self) -> Result<PathBuf> {
        folder(self.model.clone())
    }
}

/// The folder `asked` for, or the first of the usual ones that holds a package.
///
/// # Errors
/// None was asked for and none is there.
pub fn folder(asked: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(folder) = asked.or_else(|| env::var_os(VARIABLE).map(PathBuf::from)) {
        return Ok(folder);
    }
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(INSTALLED)));
    let checkout =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(|c| c.join(SHIPPED));
    let places: Vec<PathBuf> =
        [beside, Some(PathBuf::from(SHIPPED)), checkout].into_iter().flatten().collect();
    let found = places.iter().find(|place| place.join(MANIFEST_FILE).is_file());
    found.cloned().ok_or_else(|| {
        let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        let places = places.join(", ");
        BadInput(format!("no model: none lies in {places}; name one with --model or {VARIABLE}"))
            .into()
    })
}

/// Loads the package in `folder` onto a device and runs its self-test.
///
/// # Errors
/// A package that cannot be read, is damaged, does not load, or does not answer as it should.
pub fn load(folder: &Path, device: &Device) -> Result<Medley> {
    load_with_report(folder, device).map(|(medley, _)| medley)
}

/// As [`load`], with how the self-test went.
///
/// # Errors
/// As [`load`].
pub fn load_with_report(folder: &Path, device: &Device) -> Result<(Medley, SelfTestReport)> {
    let _busy = progress::busy("Loading the model");
    let place = || folder.display().to_string();
    let package = read_dir(folder).with_context(place)?;
    let medley = pollster::block_on(Medley::load(package, device)).with_context(place)?;
    let report = pollster::block_on(medley.self_test()).with_context(place)?;
    if !report.passed {
        let (head, worst, tolerance) = (&report.head, report.worst, report.tolerance);
        return Err(BadInput(format!(
            "{}: the self-test failed: expected the answers of {head:?} within {tolerance}, found {worst} off; \
             weights and self-test do not belong together, or this processor computes otherwise: fetch or \
             export the package again",
            folder.display()
        ))
        .into());
    }
    Ok((medley, report))
}

/// Which model makes a result, for objects that name it.
///
/// # Errors
/// A manifest that cannot be read any more.
pub fn identity(folder: &Path, medley: &Medley, report: &SelfTestReport) -> Result<ModelIdentity> {
    let path = folder.join(MANIFEST_FILE);
    let place = || path.display().to_string();
    let manifest =
        Manifest::from_json(&fs::read(&path).with_context(place)?).with_context(place)?;
    let metadata = medley.metadata();
    Ok(ModelIdentity {
        name: metadata.name.clone(),
        version: match metadata.provenance.code_version.as_str() {
            "" => env!("CARGO_PKG_VERSION").to_owned(),
            version => version.to_owned(),
        },
        weights_sha256: manifest.sha256,
        self_test: Some(SelfTestOutcome {
            passed: report.passed,
            worst: report.worst,
            tolerance: report.tolerance,
        }),
    })
}
