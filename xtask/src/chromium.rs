//! The browser that the browser tests drive.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::command::Command;
use crate::workspace::Workspace;

/// Names the browser where none of the usual places has it.
pub const VARIABLE: &str = "MEDLEY_CHROMIUM";

/// A Chromium on this machine; installed with apt where there is none and this user may.
pub fn find_or_install(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        let path = PathBuf::from(named);
        if !path.is_file() {
            bail!("{VARIABLE} names {}, and there is no such file", path.display());
        }
        return Ok(path);
    }
    if let Some(found) = installed() {
        return Ok(found);
    }
    install(workspace)?;
    installed().ok_or_else(|| anyhow::anyhow!("apt installed chromium, but it is not on the PATH"))
}

/// The first known browser on the PATH.
fn installed() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        .iter()
        .flat_map(|name| std::env::split_paths(&folders).map(move |folder| folder.join(name)))
        .chain([PathBuf::from("/usr/bin/chromium")])
        .find(|path| path.is_file())
}

fn install(workspace: &Workspace) -> Result<()> {
    const ADVICE: &str = "install Chromium (Debian: `apt-get install chromium`), or name one with \
                          MEDLEY_CHROMIUM=/path/to/chromium";
    let Some(prefix) = privilege(workspace) else {
        bail!("no Chromium, and this user may not install one\n  what to do: {ADVICE}");
    };
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> =
            prefix.iter().chain(&["apt-get"]).chain(arguments).copied().collect();
        Command::new(words[0], &workspace.root)
            .args(&words[1..])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .hint(ADVICE)
            .run()
    };
    apt(&["update", "--quiet"])?;
    apt(&["install", "--yes", "--no-install-recommends", "chromium"])
}

/// The words before `apt-get` that let this user run it: none for root, sudo where it asks for no
/// password. `None` where neither holds or there is no apt.
fn privilege(workspace: &Workspace) -> Option<&'static [&'static str]> {
    let root = &workspace.root;
    if !succeeds(root, "apt-get", &["--version"]) {
        return None;
    }
    let user = Command::new("id", root).args(["-u"]).output().ok()?;
    if user.trim() == "0" {
        return Some(&[]);
    }
    succeeds(root, "sudo", &["-n", "true"]).then_some(&["sudo", "-n"])
}

fn succeeds(folder: &Path, program: &str, arguments: &[&str]) -> bool {
    Command::new(program, folder).args(arguments).succeeds()
}
