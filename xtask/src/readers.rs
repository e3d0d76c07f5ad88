//! The programs of others that read what the tests write: pydicom, highdicom and ONNX Runtime in a Python
//! environment of their own, dciodvfy, DCMTK and OpenJPH from Debian; and the DICOMweb server Orthanc.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::apt;
use crate::command::Command;
use crate::stamp::Fingerprint;
use crate::steps::Finish;
use crate::workspace::Workspace;

/// Names a Python that has the packages of `REQUIREMENTS`.
pub const VARIABLE: &str = "MEDLEY_PYTHON";
/// The packages of each kind of test, with their versions.
const REQUIREMENTS: [&str; 2] = [
    "crates/medley-dicom/tests/readers/requirements.txt",
    "model-export/tests/onnx/requirements.txt",
];
/// Program and the Debian package that has it.
const PROGRAMS: [(&str, &str); 3] =
    [("dciodvfy", "dicom3tools"), ("dsrdump", "dcmtk"), ("ojph_compress", "openjph-tools")];

/// A file and the Debian package that has it; it need not be on the PATH.
const SERVER: [(&str, &str); 2] = [
    ("/usr/sbin/Orthanc", "orthanc"),
    ("/usr/share/orthanc/plugins/libOrthancDicomWeb.so", "orthanc-dicomweb"),
];

/// Makes all of them ready.
pub fn prepare(workspace: &Workspace) -> Result<Finish> {
    let programs = PROGRAMS.into_iter().filter(|(program, _)| !is_on_path(program));
    let server = SERVER.into_iter().filter(|(file, _)| !Path::new(file).is_file());
    let missing: Vec<&str> = programs.chain(server).map(|(_, package)| package).collect();
    if !missing.is_empty() {
        let advice = format!("install them (Debian: `apt-get install {}`)", missing.join(" "));
        apt::install(workspace, "dciodvfy, dsrdump, ojph_compress or Orthanc", &missing, &advice)?;
    }
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(Finish::Done);
    }
    let mut fingerprint = Fingerprint::default();
    for file in REQUIREMENTS {
        fingerprint = fingerprint.file(&workspace.path(file))?;
    }
    let stamp = folder(workspace).join("medley-stamp");
    if fingerprint.matches(&stamp) {
        return Ok(if missing.is_empty() { Finish::UpToDate } else { Finish::Done });
    }
    make_environment(workspace)?;
    fingerprint.write(&stamp)?;
    Ok(Finish::Done)
}

/// The Python that has the packages.
pub fn python(workspace: &Workspace) -> PathBuf {
    std::env::var_os(VARIABLE).map_or_else(|| folder(workspace).join("bin/python"), PathBuf::from)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("readers")
}

fn make_environment(workspace: &Workspace) -> Result<()> {
    const ADVICE: &str = "install Python 3.10 or newer with venv (Debian: `apt-get install \
                          python3-venv`), or name a Python that has the packages with \
                          MEDLEY_PYTHON=/path/to/python";
    let root = &workspace.root;
    // Debian's Python has `venv` without `ensurepip` where python3-venv is missing.
    if !apt::succeeds(root, "python3", &["-c", "import venv, ensurepip"]) {
        apt::install(workspace, "Python with venv", &["python3", "python3-venv"], ADVICE)?;
    }
    let folder = folder(workspace);
    let make = ["-m", "venv", "--clear"];
    Command::new("python3", root).args(make).args([&folder]).hint(ADVICE).run()?;
    let python = folder.join("bin/python");
    if !python.is_file() {
        bail!("`python3 -m venv` was expected to make {}, and did not", python.display());
    }
    Command::new(python, root)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(REQUIREMENTS.iter().flat_map(|file| ["-r".into(), workspace.path(file)]))
        .hint("PyPI (`pip config list`) must be reachable")
        .run()
}

fn is_on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}
