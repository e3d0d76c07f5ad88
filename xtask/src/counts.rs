//! Instruction counts of the native code, compared with committed ones: a change that makes the same answers with more work is noticed,
//! on a busy machine too. Times are never asserted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::apt;
use crate::command::Command;
use crate::steps::Finish;
use crate::workspace::Workspace;

/// What [`compare`] expects, in instructions.
const FIGURES: &str = "bench/counts.json";

/// What `bench/src/counts.rs` can do.
const WORK: [&str; 3] = ["prepare", "encode", "answer"];

/// More than so many hundredths above the figure is a failure. Allocation and hashing vary by less than one.
const MARGIN: u64 = 5;

/// What [`is_comparable`] asks.
const COMPARABLE: &str = "the figures are of x86-64 Linux with AVX2 and FMA";

/// The counts differ by the processor's vector instructions and the compiler: they hold for x86-64 with AVX2.
fn is_comparable() -> bool {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    return std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    return false;
}

/// Counts, and fails where a figure is exceeded. Needs the binaries of `cargo build --workspace --all-targets`.
pub fn compare(workspace: &Workspace) -> Result<Finish> {
    if !is_comparable() {
        return Ok(Finish::Skipped(COMPARABLE));
    }
    let figures = workspace.path(FIGURES);
    let text = fs::read_to_string(&figures).with_context(|| figures.display().to_string())?;
    let expected: BTreeMap<String, u64> =
        serde_json::from_str(&text).with_context(|| figures.display().to_string())?;
    let found = count(workspace)?;
    let mut over = Vec::new();
    for (work, &count) in &found {
        let figure = *expected.get(work).with_context(|| format!("{FIGURES} has no {work}"))?;
        let ratio = count as f64 / figure as f64;
        println!("    {work:<8} {count:>14} instructions, {ratio:.3} of the figure");
        if count * 100 > figure * (100 + MARGIN) {
            over.push(format!("{work}: expected about {figure}, found {count}"));
        } else if count * (100 + MARGIN) < figure * 100 {
            println!("    {work} is faster: `cargo xtask bench counts` writes the new figure");
        }
    }
    if !over.is_empty() {
        bail!(
            "more instructions than {FIGURES} allows ({MARGIN} % above): {}\n  what to do: find the work that was \
             added, or accept it by `cargo xtask bench counts`",
            over.join("; ")
        );
    }
    Ok(Finish::Done)
}

/// Counts, and writes the figures.
pub fn update(workspace: &Workspace) -> Result<()> {
    ensure!(is_comparable(), "{COMPARABLE}; count on such a machine");
    Command::new("cargo", &workspace.root).args(["build", "--workspace", "--all-targets"]).run()?;
    let found = count(workspace)?;
    let text = serde_json::to_string_pretty(&found)?;
    println!("{text}");
    fs::write(workspace.path(FIGURES), text + "\n").with_context(|| FIGURES.to_owned())
}

/// Instructions of each work, done once, without what makes it ready.
fn count(workspace: &Workspace) -> Result<BTreeMap<String, u64>> {
    if !apt::succeeds(&workspace.root, "valgrind", &["--version"]) {
        let advice = "install valgrind (Debian: `apt-get install valgrind`)";
        apt::install(workspace, "valgrind", &["valgrind"], advice)?;
    }
    let ready = instructions(workspace, WORK[0], 0)?;
    let mut counts = BTreeMap::new();
    for work in WORK {
        let all = instructions(workspace, work, 1)?;
        let own =
            all.checked_sub(ready).with_context(|| format!("{work} took less than nothing"))?;
        counts.insert(work.to_owned(), own);
    }
    Ok(counts)
}

/// Of the whole process.
fn instructions(workspace: &Workspace, work: &str, times: u32) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let profile = folder.path().join("counts");
    let program = workspace.target.join("debug/counts");
    Command::new("valgrind", &workspace.root)
        .args(["--quiet", "--tool=callgrind"])
        .args([format!("--callgrind-out-file={}", profile.display())])
        .args([program])
        .args([work, &times.to_string()])
        // With more threads the work is the same, its division is not.
        .env("RAYON_NUM_THREADS", "1")
        .hint("valgrind 3.19 or newer must know the processor's instructions")
        .run()?;
    total(&profile)
}

/// The sum that callgrind writes at the end of a profile: `totals: 123`.
fn total(profile: &Path) -> Result<u64> {
    let text = fs::read_to_string(profile)?;
    let sum = text.lines().rev().find_map(|line| line.strip_prefix("totals:"));
    let sum = sum.context("valgrind wrote no `totals:`")?;
    sum.trim().parse().with_context(|| format!("totals: {sum}"))
}
