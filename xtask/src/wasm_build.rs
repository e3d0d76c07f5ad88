//! Compiling `web/` to wasm, once for the CPU alone and once with WebGPU.

use anyhow::Result;

use crate::command::Command;
use crate::stamp::Fingerprint;
use crate::steps::{Finish, Work};
use crate::wasm_target::{Compiler, TARGET};
use crate::workspace::Workspace;
use crate::{bindgen, wasm_dicom, wasm_target};

/// A build of `web/`.
#[derive(Clone, Copy)]
pub enum Flavour {
    /// Small; always loaded.
    Cpu,
    /// Large; fetched only where there is a WebGPU adapter. It can run on the CPU too.
    WebGpu,
}

impl Flavour {
    /// Its folder below `web/pkg/`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::WebGpu => "webgpu",
        }
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &["--no-default-features"],
            Self::WebGpu => &["--no-default-features", "--features", "webgpu"],
        }
    }
}

/// Builds one flavour and writes its bindings to `web/pkg/<folder>/`.
pub fn build(workspace: &Workspace, flavour: Flavour) -> Result<Finish> {
    let folder = workspace.path("web/pkg").join(flavour.folder());
    let stamp = folder.join(".stamp");
    let fingerprint = sources(workspace)?;
    if folder.join("medley_web_bg.wasm").is_file() && fingerprint.matches(&stamp) {
        return Ok(Finish::UpToDate);
    }
    Command::new("cargo", &workspace.root)
        .args(["build", "--package", "medley-web", "--target", TARGET, "--profile", "wasm"])
        .args(flavour.features())
        // xtask reads the product from the target folder that cargo names.
        .env("CARGO_TARGET_DIR", &workspace.target)
        .hint(
            "read the first error above; if it says that crate `std` is missing, remove \
             lib/rustlib/wasm32-unknown-unknown from the folder that `rustc --print sysroot` names, \
             and run this again",
        )
        .run()?;
    // Both flavours leave their module under this name: it is read before the other is built.
    let module = workspace.target.join(TARGET).join("wasm/medley_web.wasm");
    bindgen::write(&module, &folder)?;
    fingerprint.write(&stamp)?;
    Ok(Finish::Done)
}

/// All that the modules are made of. Cargo knows it better, but since the two flavours share one
/// file name, asking it links both anew each time.
fn sources(workspace: &Workspace) -> Result<Fingerprint> {
    let compiler = Compiler::running(&workspace.root)?;
    let mut fingerprint = Fingerprint::default().word(&compiler.version);
    for file in ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "web/Cargo.toml"] {
        fingerprint = fingerprint.file(&workspace.path(file))?;
    }
    for folder in ["crates", "web/src", "xtask/src"] {
        fingerprint = fingerprint.folder(&workspace.path(folder), &[])?;
    }
    Ok(fingerprint)
}

/// The steps that every task needs before the page can be built.
pub const STEPS: [(&str, Work); 4] = [
    ("Prepare the wasm target", wasm_target::prepare),
    ("Build wasm for the CPU", |workspace| build(workspace, Flavour::Cpu)),
    ("Build wasm for WebGPU", |workspace| build(workspace, Flavour::WebGpu)),
    ("Build wasm for DICOM", wasm_dicom::build),
];
