//! The wasm target of the running compiler: rustup's where it can be had, else built from source.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::Command;
use crate::steps::Finish;
use crate::workspace::Workspace;
use crate::{rust_src, wasm_std};

/// The target that browsers run.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The running compiler.
pub struct Compiler {
    /// Its release, such as `1.95.0` or `1.97.0-nightly`.
    pub release: String,
    /// All that it says of itself, down to the commit.
    pub version: String,
    /// The folder that holds its libraries.
    pub sysroot: PathBuf,
}

impl Compiler {
    /// Asks `rustc`, which must be the one that cargo uses.
    pub fn running(folder: &Path) -> Result<Self> {
        let version = Command::new("rustc", folder).args(["-vV"]).output()?;
        let release = release(&version).context("`rustc -vV` prints no release")?.to_owned();
        let sysroot = Command::new("rustc", folder).args(["--print", "sysroot"]).output()?;
        Ok(Self { release, version, sysroot: PathBuf::from(sysroot.trim()) })
    }

    /// The folder of the wasm target's libraries.
    pub fn target_libraries(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(TARGET).join("lib")
    }

    /// Whether the standard library is there for the wasm target.
    pub fn has_target(&self) -> bool {
        let Ok(entries) = std::fs::read_dir(self.target_libraries()) else { return false };
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    }
}

/// Makes sure that the running compiler can compile for wasm.
pub fn prepare(workspace: &Workspace) -> Result<Finish> {
    let compiler = Compiler::running(&workspace.root)?;
    if compiler.has_target() {
        return Ok(Finish::UpToDate);
    }
    println!("    rustc {} has no {TARGET}; asking rustup", compiler.release);
    let rustup = Command::new("rustup", &workspace.root).args(["target", "add", TARGET]).run();
    match rustup {
        Ok(()) if compiler.has_target() => return Ok(Finish::Done),
        Ok(()) => println!("    rustup serves another compiler than the running one"),
        Err(error) => println!("    {error:#}"),
    }
    println!("    building the target's standard library from its source");
    from_source(&compiler).with_context(|| {
        format!(
            "no {TARGET} for rustc {release}: rustup could not add it (see above), and it could \
             not be built from source either\n  what to do: give this machine a way to \
             static.rust-lang.org and run `rustup target add {TARGET}`; or a Debian mirror that \
             has rust-src {release}; or, with Debian's own rustc, `apt-get install \
             libstd-rust-dev-wasm32`",
            release = compiler.release
        )
    })?;
    Ok(Finish::Done)
}

/// The library's source is rustup's component if it is there, else Debian's; the running compiler
/// compiles it, and the result goes where rustup would put it.
fn from_source(compiler: &Compiler) -> Result<()> {
    let borrowed = rust_src::lend(compiler)?;
    wasm_std::build(compiler)?;
    drop(borrowed);
    if !compiler.has_target() {
        bail!("{} holds no libstd after the build", compiler.target_libraries().display());
    }
    Ok(())
}

/// The release in what `rustc -vV` prints.
fn release(verbose: &str) -> Option<&str> {
    verbose.lines().find_map(|line| line.strip_prefix("release: ")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_the_verbose_version() {
        let text = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nrelease: 1.95.0\n\
                    LLVM version: 22.1.2\n";
        assert_eq!(release(text), Some("1.95.0"));
        assert_eq!(release("rustc 1.95.0\n"), None);
    }
}
