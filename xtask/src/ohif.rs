//! The built OHIF viewer, in which a browser test runs our extension for it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::Command;
use crate::npm::npm;
use crate::stamp::Fingerprint;
use crate::steps::Finish;
use crate::workspace::Workspace;

/// Names the viewer's folder, which holds its `index.html`, to the test.
pub const VARIABLE: &str = "MEDLEY_OHIF_VIEWER";
/// The package alone, which holds the viewer as it is served. As a dependency it would bring what it was built of, hundreds
/// of megabytes.
const PACKAGE: &str = "@ohif/app@3.13.2";
/// Of the package's archive, as a lock file would state it.
const INTEGRITY: &str = "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==";

/// Fetches and unpacks it below the target folder, unless it is there.
pub fn prepare(workspace: &Workspace) -> Result<Finish> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(Finish::Done);
    }
    let folder = folder(workspace);
    let stamp = folder.join("medley-stamp");
    let fingerprint = Fingerprint::default().word(PACKAGE).word(INTEGRITY);
    if fingerprint.matches(&stamp) {
        return Ok(Finish::UpToDate);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // npm compares the archive with what the registry states; what the registry states is compared here.
    let said = npm(workspace, &["pack", PACKAGE, "--json", "--pack-destination"])
        .args([&folder])
        .hint("npm's registry (`npm config get registry`) must be reachable")
        .output()?;
    let archive = folder.join(archive_name(&said)?);
    Command::new("tar", &folder).args(["-xzf"]).args([&archive]).run()?;
    fingerprint.write(&stamp)?;
    Ok(Finish::Done)
}

/// The folder that holds the viewer's `index.html`.
pub fn viewer(workspace: &Workspace) -> PathBuf {
    std::env::var_os(VARIABLE).map_or_else(|| folder(workspace).join("package/dist"), PathBuf::from)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("ohif-viewer")
}

/// The archive's name in what `npm pack --json` prints, if the archive is the one that is meant.
fn archive_name(said: &str) -> Result<String> {
    let said: Value = serde_json::from_str(said).context("`npm pack --json`")?;
    let text = |key: &str| said[0][key].as_str().unwrap_or_default().to_owned();
    let (name, found) = (text("filename"), text("integrity"));
    if found != INTEGRITY || name.is_empty() {
        bail!(
            "{PACKAGE}: expected an archive of {INTEGRITY}, found {name:?} of {found:?}\n  what to do: look whether the \
             registry (`npm config get registry`) is the one you trust; versions and digest are set in {}",
            file!()
        );
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_archive_is_refused() {
        let said = |integrity: &str| {
            archive_name(&format!(r#"[{{"filename":"a.tgz","integrity":"{integrity}"}}]"#))
        };
        assert_eq!(said(INTEGRITY).unwrap(), "a.tgz");
        assert!(said("sha512-AAAA").unwrap_err().to_string().contains("sha512-AAAA"));
        assert!(archive_name("[]").is_err() && archive_name("no JSON").is_err());
    }
}
