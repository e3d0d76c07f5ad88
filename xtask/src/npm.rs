//! The TypeScript side: one npm workspace rooted at the checkout, with one lock file.

use anyhow::{Context, Result, bail};

use crate::command::Command;
use crate::stamp::Fingerprint;
use crate::steps::Finish;
use crate::workspace::Workspace;

/// Folders that hold products or foreign code, not sources.
const PRODUCTS: [&str; 3] = ["node_modules", "dist", "target"];
/// Vite's needs: 20.19 is the first 20 that can `require` modules.
const NODE: (u32, u32) = (20, 19);

/// Installs exactly what the lock file says, unless that is what is installed.
pub fn install(workspace: &Workspace) -> Result<Finish> {
    check_node(workspace)?;
    let stamp = workspace.path("node_modules/.medley-stamp");
    let fingerprint = Fingerprint::default().file(&workspace.path("package-lock.json"))?;
    if fingerprint.matches(&stamp) {
        return Ok(Finish::UpToDate);
    }
    npm(workspace, &["ci", "--no-audit", "--no-fund"])
        .hint("npm's registry (`npm config get registry`) must be reachable")
        .run()?;
    fingerprint.write(&stamp)?;
    Ok(Finish::Done)
}

/// Builds `web/` and `www/` into their `dist/`.
pub fn build(workspace: &Workspace) -> Result<Finish> {
    let (page, stamp) =
        (workspace.path("www/dist/index.html"), workspace.path("node_modules/.medley-page-stamp"));
    let fingerprint = Fingerprint::default()
        .file(&workspace.path("package-lock.json"))?
        .file(&workspace.path("package.json"))?
        .folder(&workspace.path("web"), &PRODUCTS)?
        .folder(&workspace.path("www"), &PRODUCTS)?;
    if page.is_file() && fingerprint.matches(&stamp) {
        return Ok(Finish::UpToDate);
    }
    npm(workspace, &["run", "build"]).run()?;
    if !page.is_file() {
        bail!("`npm run build` was expected to make www/dist/index.html, and did not");
    }
    fingerprint.write(&stamp)?;
    Ok(Finish::Done)
}

/// Type checks.
pub fn check(workspace: &Workspace) -> Result<Finish> {
    npm(workspace, &["run", "check"]).run()?;
    Ok(Finish::Done)
}

/// The tests of the TypeScript that need no browser.
pub fn test(workspace: &Workspace) -> Result<Finish> {
    let (tally, result) = npm(workspace, &["test"]).run_tests()?;
    Ok(Finish::Tests(tally, result))
}

/// npm with `arguments`, at the root of its workspace.
pub fn npm(workspace: &Workspace, arguments: &[&str]) -> Command {
    Command::new("npm", &workspace.root).args(arguments)
}

fn check_node(workspace: &Workspace) -> Result<()> {
    const HINT: &str = "install Node 20 or later, for instance from nodesource.com";
    let version = Command::new("node", &workspace.root).args(["--version"]).hint(HINT).output()?;
    let version = version.trim();
    let found = major_minor(version)
        .with_context(|| format!("`node --version` printed \"{version}\", not vX.Y.Z"))?;
    if found < NODE {
        bail!(
            "Node {}.{} or later is needed, found {version}\n  what to do: {HINT}",
            NODE.0,
            NODE.1
        );
    }
    Ok(())
}

/// `(20, 19)` of `v20.19.4`.
fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_compared_as_numbers() {
        assert_eq!(major_minor("v20.19.4"), Some((20, 19)));
        assert!(major_minor("v20.9.0").unwrap() < NODE);
        assert!(major_minor("v22.1.0").unwrap() > NODE);
        assert_eq!(major_minor("20"), None);
    }
}
