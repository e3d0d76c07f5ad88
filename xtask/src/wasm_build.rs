//! Compiling to wasm: `web/` three times for the CPU alone and once with WebGPU, and `web/dicom/`.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::Command;
use crate::stamp::Fingerprint;
use crate::steps::{Finish, Work};
use crate::wasm_target::{Compiler, TARGET};
use crate::workspace::Workspace;
use crate::{bindgen, rust_src, wasm_target};

/// A build, with a folder of its own below `web/pkg/`.
#[derive(Clone, Copy)]
pub enum Flavour {
    /// Small; for every browser.
    Cpu,
    /// The same with fused multiply-adds, for browsers that know relaxed SIMD. One of both is always loaded. A feature of
    /// one small crate and not a flag of the compiler's: the two then share nearly all that is compiled.
    CpuRelaxed,
    /// With threads, for pages where workers may share memory. Everything, the standard library too, is compiled with the target features
    /// that this needs.
    CpuThreads,
    /// Large; fetched only where there is a WebGPU adapter. It can run on the CPU too.
    WebGpu,
    /// The reader and writer of DICOM, without a model.
    Dicom,
}

impl Flavour {
    /// Its folder below `web/pkg/`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::CpuRelaxed => "cpu-relaxed",
            Self::CpuThreads => "cpu-threads",
            Self::WebGpu => "webgpu",
            Self::Dicom => "dicom",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Dicom => "medley-web-dicom",
            Self::Cpu | Self::CpuRelaxed | Self::CpuThreads | Self::WebGpu => "medley-web",
        }
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &["--no-default-features"],
            Self::CpuRelaxed => &["--no-default-features", "--features", "relaxed-simd"],
            Self::CpuThreads => &["--no-default-features", "--features", "threads"],
            Self::WebGpu => &["--no-default-features", "--features", "webgpu"],
            Self::Dicom => &[],
        }
    }

    /// Where cargo builds it. Threads have a folder of their own: the variable that lets the stable compiler build its standard library
    /// makes build scripts answer differently, and everything that hangs on them would be compiled anew after each change.
    fn target(self, workspace: &Workspace) -> PathBuf {
        match self {
            Self::CpuThreads => workspace.target.join("wasm-threads"),
            Self::Cpu | Self::CpuRelaxed | Self::WebGpu | Self::Dicom => workspace.target.clone(),
        }
    }

    /// All that the module is made of. Cargo knows it better, but since the flavours of a package share one file
    /// name, asking it links all anew each time.
    fn sources(self, workspace: &Workspace) -> Result<Fingerprint> {
        let compiler = Compiler::running(&workspace.root)?;
        let mut fingerprint = Fingerprint::default().word(&compiler.version);
        let (manifest, folders): (&str, &[&str]) = match self {
            Self::Dicom => (
                "web/dicom/Cargo.toml",
                &["crates/medley-dicom", "crates/medley-package", "web/dicom/src", "web/glue"],
            ),
            Self::Cpu | Self::CpuRelaxed | Self::CpuThreads | Self::WebGpu => {
                ("web/Cargo.toml", &["crates", "web/src", "web/glue"])
            }
        };
        for file in ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", manifest] {
            fingerprint = fingerprint.file(&workspace.path(file))?;
        }
        for folder in folders.iter().chain(&["xtask/src"]) {
            fingerprint = fingerprint.folder(&workspace.path(folder), &[])?;
        }
        Ok(fingerprint)
    }
}

/// Builds one flavour and writes its bindings to `web/pkg/<folder>/`.
pub fn build(workspace: &Workspace, flavour: Flavour) -> Result<Finish> {
    let folder = workspace.path("web/pkg").join(flavour.folder());
    let stamp = folder.join(".stamp");
    let fingerprint = flavour.sources(workspace)?;
    let name = flavour.package().replace('-', "_");
    if folder.join(format!("{name}_bg.wasm")).is_file() && fingerprint.matches(&stamp) {
        return Ok(Finish::UpToDate);
    }
    let target = flavour.target(workspace);
    let mut cargo = Command::new("cargo", &workspace.root)
        .args(["build", "--package", flavour.package(), "--target", TARGET, "--profile", "wasm"])
        .args(flavour.features())
        // xtask reads the product from the target folder that cargo names.
        .env("CARGO_TARGET_DIR", &target)
        .hint(
            "read the first error above; if it says that crate `std` is missing, remove \
             lib/rustlib/wasm32-unknown-unknown from the folder that `rustc --print sysroot` names, \
             and run this again",
        );
    let mut source = None;
    if let Flavour::CpuThreads = flavour {
        source = Some(rust_src::lend(&Compiler::running(&workspace.root)?)?);
        cargo = cargo
            .args(["-Z", "build-std=std,panic_abort", "--config", &shared_memory()])
            // The stable compiler takes -Z only so.
            .env("RUSTC_BOOTSTRAP", "1");
    }
    cargo.run()?;
    drop(source);
    // Flavours of a package leave their module under the same name: it is read before the next is built.
    let module = target.join(TARGET).join(format!("wasm/{name}.wasm"));
    bindgen::write(&module, &folder)?;
    fingerprint.write(&stamp)?;
    Ok(Finish::Done)
}

/// Cargo's configuration for a memory that workers share; it adds to that of `.cargo/config.toml`.
fn shared_memory() -> String {
    let link = [
        "--shared-memory",
        "--import-memory",
        &format!("--max-memory={MOST_MEMORY}"),
        // What the glue needs to give each thread its own variables.
        "--export=__wasm_init_tls",
        "--export=__tls_size",
        "--export=__tls_align",
        "--export=__tls_base",
    ]
    .map(|argument| format!("\"-Clink-arg={argument}\""));
    let features = "\"-Ctarget-feature=+atomics,+bulk-memory\"";
    format!("target.{TARGET}.rustflags=[{features}, {}]", link.join(", "))
}

/// A shared memory must say how far it may grow, in bytes, and a browser sets as many addresses aside at once: half of what wasm
/// can address, so that there is room for two models. The largest image takes 768 MiB.
const MOST_MEMORY: u64 = 2 << 30;

/// The steps that every task needs before the page can be built.
pub const STEPS: [(&str, Work); 6] = [
    ("Prepare the wasm target", wasm_target::prepare),
    ("Build wasm for the CPU", |workspace| build(workspace, Flavour::Cpu)),
    ("Build wasm for the CPU with relaxed SIMD", |workspace| build(workspace, Flavour::CpuRelaxed)),
    ("Build wasm for the CPU with threads", |workspace| build(workspace, Flavour::CpuThreads)),
    ("Build wasm for WebGPU", |workspace| build(workspace, Flavour::WebGpu)),
    ("Build wasm for DICOM", |workspace| build(workspace, Flavour::Dicom)),
];
