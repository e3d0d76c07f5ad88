//! Compiling the standard library for wasm with the running compiler.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::Command;
use crate::wasm_target::{Compiler, TARGET};

/// A crate with nothing in it: building it builds the standard library.
const EMPTY: &str = "medley_empty";

/// Builds the library from the source below the sysroot and puts it where rustup would.
pub fn build(compiler: &Compiler) -> Result<()> {
    let scratch = tempfile::tempdir().context("temporary folder")?;
    let root = scratch.path();
    std::fs::create_dir(root.join("src"))?;
    std::fs::write(root.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"{EMPTY}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n"
    );
    std::fs::write(root.join("Cargo.toml"), manifest)?;
    let target = root.join("target");
    Command::new("cargo", root)
        .args(["build", "--release", "-Z", "build-std=std,panic_abort", "--target", TARGET])
        // The stable compiler takes -Z only so; the flags are the ones its own release was built
        // with, hence safe for the library of the same release.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", &target)
        // Another toolchain's wrapper, flags or environment must not leak into the library.
        .env("CARGO_ENCODED_RUSTFLAGS", "")
        .without_env("RUSTFLAGS")
        .hint("the standard library's own dependencies come from crates.io: is it reachable?")
        .run()?;
    let built = target.join(TARGET).join("release/deps");
    install(&built, &compiler.target_libraries())
}

/// Copies the `.rlib` files; the standard library last, because its presence means "complete".
fn install(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| {
        format!("writing {}: the compiler's folder must be writable", to.display())
    })?;
    // Two builds of one library side by side make it ambiguous: clear what a broken try left.
    for entry in std::fs::read_dir(to).with_context(|| to.display().to_string())?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "rlib") {
            std::fs::remove_file(entry.path())?;
        }
    }
    let mut libraries = Vec::new();
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.contains(EMPTY) {
            libraries.push(name);
        }
    }
    libraries.sort_by_key(|name| name.to_string_lossy().starts_with("libstd-"));
    if libraries.is_empty() {
        bail!("cargo built no library into {}", from.display());
    }
    for name in libraries {
        let target = to.join(&name);
        std::fs::copy(from.join(&name), &target)
            .with_context(|| format!("writing {}", target.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_library_is_installed_and_not_the_empty_crate() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to/lib"));
        std::fs::create_dir(&from).unwrap();
        std::fs::create_dir_all(&to).unwrap();
        std::fs::write(to.join("libcore-0.rlib"), "left by a broken try").unwrap();
        for name in ["libstd-1.rlib", "libcore-1.rlib", "libmedley_empty-1.rlib", "core.d"] {
            std::fs::write(from.join(name), "x").unwrap();
        }
        install(&from, &to).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&to)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["libcore-1.rlib", "libstd-1.rlib"]);
    }
}
