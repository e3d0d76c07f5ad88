//! The browser that the browser tests drive.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::apt;
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
    apt::install(workspace, "Chromium", &["chromium"], ADVICE)
}
