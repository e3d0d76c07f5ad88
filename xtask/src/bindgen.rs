//! The JavaScript side of the wasm modules.
//!
//! The generator is linked as a crate instead of called as a program: Cargo.lock then keeps its
//! version equal to that of the `wasm-bindgen` crate, which it requires, and there is nothing to
//! install.
//!
//! There is no wasm-opt after it: with binaryen's `-Os` the CPU module was 11 % smaller on the disk,
//! but 2 % larger when gzipped (3.82 → 3.41 MB, 976 → 993 kB), for a minute of computing.

use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

/// Writes `NAME.js`, its types and `NAME_bg.wasm` of a module `NAME.wasm` into `folder`, for module
/// workers and pages (`--target web`).
pub fn write(module: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut bindgen = Bindgen::new();
    // Names are a third of the file and only serve a debugger.
    bindgen.input_path(module).web(true)?.typescript(true).remove_name_section(true);
    bindgen.generate(folder).with_context(|| {
        format!(
            "making the bindings of {}\n  what to do: `cargo tree -i wasm-bindgen` must show the \
             version of wasm-bindgen-cli-support; both are set in the root Cargo.toml",
            module.display()
        )
    })?;
    let name = module.file_stem().unwrap_or_default().to_string_lossy();
    let wasm = folder.join(format!("{name}_bg.wasm"));
    let bytes = wasm.metadata().with_context(|| wasm.display().to_string())?.len();
    println!("    {} ({:.1} MB)", wasm.display(), bytes as f64 / 1e6);
    Ok(())
}

#[cfg(test)]
mod tests {
    /// The version of a package in Cargo.lock; all of them if there are several.
    fn versions<'a>(lock: &'a str, name: &str) -> Vec<&'a str> {
        lock.split("[[package]]")
            .filter(|package| package.contains(&format!("name = \"{name}\"\n")))
            .filter_map(|package| package.split("version = \"").nth(1)?.split('"').next())
            .collect()
    }

    #[test]
    fn the_generator_and_the_crate_are_locked_to_one_version() {
        let lock = include_str!("../../Cargo.lock");
        let crates = versions(lock, "wasm-bindgen");
        assert_eq!(crates.len(), 1);
        assert_eq!(crates, versions(lock, "wasm-bindgen-cli-support"));
    }
}
