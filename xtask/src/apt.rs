//! Installing packages of Debian where this user may.

use std::path::Path;

use anyhow::{Result, bail};

use crate::command::Command;
use crate::workspace::Workspace;

/// Installs `packages`, which bring `what`; `advice` says what else the user can do.
pub fn install(workspace: &Workspace, what: &str, packages: &[&str], advice: &str) -> Result<()> {
    let Some(prefix) = privilege(workspace) else {
        bail!("no {what}, and this user may not install it\n  what to do: {advice}");
    };
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> =
            prefix.iter().chain(&["apt-get"]).chain(arguments).copied().collect();
        Command::new(words[0], &workspace.root)
            .args(&words[1..])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .hint(advice)
            .run()
    };
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
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

/// Whether a program is there and answers without an error; nothing is printed.
pub fn succeeds(folder: &Path, program: &str, arguments: &[&str]) -> bool {
    Command::new(program, folder).args(arguments).succeeds()
}
