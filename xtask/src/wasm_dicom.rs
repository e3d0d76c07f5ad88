//! Compiling `web/dicom/` to wasm: the reader and writer of DICOM, without a model.

use anyhow::Result;

use crate::bindgen;
use crate::command::Command;
use crate::stamp::Fingerprint;
use crate::steps::Finish;
use crate::wasm_target::{Compiler, TARGET};
use crate::workspace::Workspace;

/// Builds it and writes its bindings to `web/pkg/dicom/`.
pub fn build(workspace: &Workspace) -> Result<Finish> {
    let folder = workspace.path("web/pkg/dicom");
    let stamp = folder.join(".stamp");
    let fingerprint = sources(workspace)?;
    if folder.join("medley_web_dicom_bg.wasm").is_file() && fingerprint.matches(&stamp) {
        return Ok(Finish::UpToDate);
    }
    Command::new("cargo", &workspace.root)
        .args(["build", "--package", "medley-web-dicom", "--target", TARGET, "--profile", "wasm"])
        // xtask reads the product from the target folder that cargo names.
        .env("CARGO_TARGET_DIR", &workspace.target)
        .hint("read the first error above")
        .run()?;
    let module = workspace.target.join(TARGET).join("wasm/medley_web_dicom.wasm");
    bindgen::write(&module, &folder)?;
    fingerprint.write(&stamp)?;
    Ok(Finish::Done)
}

/// All that the module is made of.
fn sources(workspace: &Workspace) -> Result<Fingerprint> {
    let compiler = Compiler::running(&workspace.root)?;
    let mut fingerprint = Fingerprint::default().word(&compiler.version);
    for file in ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "web/dicom/Cargo.toml"] {
        fingerprint = fingerprint.file(&workspace.path(file))?;
    }
    for folder in ["crates/medley-dicom", "crates/medley-package", "web/dicom/src", "xtask/src"] {
        fingerprint = fingerprint.folder(&workspace.path(folder), &[])?;
    }
    Ok(fingerprint)
}
