//! The standard library's source: rustup's, or Debian's where rustup cannot be reached.
//!
//! Debian's package `rust-src` is the same release's source. It is downloaded with apt, but with
//! lists, cache and sources of its own: the system's package state is neither used nor changed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::apt_sources::{self, Mirror};
use crate::command::Command;
use crate::wasm_target::Compiler;

/// Where Debian keeps newer compilers than its stable release has, in the order of trying.
const SUITES: [&str; 3] = ["trixie-backports", "trixie", "sid"];

/// The source below the sysroot for as long as this lives. What was there before stays; what was
/// put there is removed, because rustup would stumble over files that it does not know.
pub struct LentSource {
    remove: Option<PathBuf>,
}

impl Drop for LentSource {
    fn drop(&mut self) {
        if let Some(folder) = &self.remove
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            eprintln!("    could not remove {}: {error}", folder.display());
        }
    }
}

/// Puts the source of `compiler`'s release where cargo's `build-std` looks for it.
pub fn lend(compiler: &Compiler) -> Result<LentSource> {
    let source = compiler.sysroot.join("lib/rustlib/src");
    let library = source.join("rust/library");
    if library.join("std/Cargo.toml").is_file() {
        println!("    using the source in {}", library.display());
        return Ok(LentSource { remove: None });
    }
    let rustup = ["component", "add", "rust-src"];
    if Command::new("rustup", &compiler.sysroot).args(rustup).succeeds()
        && library.join("std/Cargo.toml").is_file()
    {
        return Ok(LentSource { remove: None });
    }
    let scratch = tempfile::tempdir().context("temporary folder")?;
    let package = download(scratch.path(), &compiler.release)?;
    let unpacked = scratch.path().join("unpacked");
    Command::new("dpkg-deb", scratch.path())
        .args(["--extract".as_ref(), package.as_os_str(), unpacked.as_os_str()])
        .run()?;
    let from = unpacked.join(format!("usr/src/rustc-{}/library", compiler.release));
    if !from.join("std/Cargo.toml").is_file() {
        bail!("rust-src was expected to hold {}, and does not", from.display());
    }
    let lent = LentSource { remove: Some(source) };
    let parent = library.parent().unwrap_or(&library);
    std::fs::create_dir_all(parent).with_context(|| format!("writing {}", parent.display()))?;
    // `cp`, because the temporary folder may be on another file system.
    Command::new("cp", scratch.path())
        .args(["-r".as_ref(), from.as_os_str(), library.as_os_str()])
        .run()?;
    Ok(lent)
}

/// Downloads the `rust-src` package of `release` into `scratch`.
fn download(scratch: &Path, release: &str) -> Result<PathBuf> {
    let mirror = apt_sources::read_mirror(Path::new("/etc/apt"));
    println!("    Debian mirror: {}", mirror.uri);
    for suite in SUITES {
        println!("    looking for rust-src {release} in {suite}");
        match download_from(scratch, &mirror, suite, release) {
            Ok(Some(package)) => return Ok(package),
            Ok(None) => println!("    {suite} has no rust-src {release}"),
            Err(error) => println!("    {suite}: {error:#}"),
        }
    }
    bail!("no rust-src {release} was found in {} of {}", SUITES.join(", "), mirror.uri)
}

/// Downloads from one suite; `None` if it has another release.
fn download_from(
    scratch: &Path,
    mirror: &Mirror,
    suite: &str,
    release: &str,
) -> Result<Option<PathBuf>> {
    let apt = Apt::new(scratch, mirror, suite)?;
    apt.command("apt-get").args(["update", "--quiet"]).run()?;
    let versions = apt.command("apt-cache").args(["madison", "rust-src"]).output()?;
    let Some(version) = version_of(&versions, release) else { return Ok(None) };
    apt.command("apt-get").args(["download", &format!("rust-src={version}")]).run()?;
    let entries = std::fs::read_dir(apt.folder.path())?;
    let package = entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    // The folder must outlive this call: `scratch` holds it, and `scratch` is temporary.
    let _ = apt.folder.keep();
    package.context("apt-get download left no package").map(Some)
}

/// apt with state of its own in a folder of its own.
struct Apt {
    folder: TempDir,
    options: Vec<String>,
}

impl Apt {
    fn new(scratch: &Path, mirror: &Mirror, suite: &str) -> Result<Self> {
        let folder = TempDir::new_in(scratch)?;
        for needed in ["sources", "lists/partial", "cache/archives/partial"] {
            std::fs::create_dir_all(folder.path().join(needed))?;
        }
        let sources = folder.path().join("sources/medley.sources");
        std::fs::write(&sources, mirror.sources(suite))?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        let options = [
            "Dir::Etc::SourceList=/dev/null".to_owned(),
            format!("Dir::Etc::SourceParts={}", at("sources")),
            format!("Dir::State::Lists={}", at("lists")),
            format!("Dir::Cache={}", at("cache")),
            "Acquire::Languages=none".to_owned(),
            // A list that cannot be fetched is an error, not a warning.
            "APT::Update::Error-Mode=any".to_owned(),
            // The user `_apt` cannot enter a temporary folder of the calling user's.
            format!("APT::Sandbox::User={}", std::env::var("USER").unwrap_or("root".to_owned())),
        ];
        let options = options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect();
        Ok(Self { folder, options })
    }

    fn command(&self, program: &str) -> Command {
        Command::new(program, self.folder.path()).args(&self.options)
    }
}

/// The first version of `release` in what `apt-cache madison` prints
/// (`rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://… Packages`).
fn version_of<'a>(madison: &'a str, release: &str) -> Option<&'a str> {
    madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim).find(|version| {
        version.strip_prefix(release).is_some_and(|rest| rest.starts_with(['+', '-', '~']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_exactly_the_running_release_is_found() {
        let madison = " rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://deb.debian.org/debian\n \
                       rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://deb.debian.org/debian\n";
        assert_eq!(version_of(madison, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(version_of(madison, "1.9"), None);
        assert_eq!(version_of(madison, "1.97.0-nightly"), None);
        assert_eq!(version_of("", "1.95.0"), None);
    }

    #[test]
    fn lent_source_is_removed_and_present_source_stays() {
        let sysroot = tempfile::tempdir().unwrap();
        let source = sysroot.path().join("lib/rustlib/src");
        let std = source.join("rust/library/std");
        std::fs::create_dir_all(&std).unwrap();
        std::fs::write(std.join("Cargo.toml"), "").unwrap();
        let compiler = Compiler {
            release: "1.95.0".to_owned(),
            version: String::new(),
            sysroot: sysroot.path().to_path_buf(),
        };
        drop(lend(&compiler).unwrap());
        assert!(source.exists());
        drop(LentSource { remove: Some(source.clone()) });
        assert!(!source.exists());
    }
}
