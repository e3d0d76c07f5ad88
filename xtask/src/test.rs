//! `cargo xtask test`: every check there is. A failed one does not keep the others from running.

use anyhow::{Result, bail};

use crate::command::Command;
use crate::steps::{Finish, Steps, Work};
use crate::workspace::Workspace;
use crate::{chromium, npm, wasm_build};

/// What can be asked of the tests.
#[derive(clap::Args)]
pub struct Options {
    /// Formatting, lints and Rust tests only: no wasm, no npm, no browser
    #[arg(long)]
    quick: bool,
}

/// Runs the checks and prints a table of them; the last line sums the tests.
pub fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    let browser_steps = if options.quick { 0 } else { wasm_build::STEPS.len() + 5 };
    let mut steps = Steps::new(4 + browser_steps);
    steps.attempt("Formatting", || {
        cargo(&workspace, &["fmt", "--all", "--check"], "run `cargo fmt --all`")
    });
    steps.attempt("Lints", || {
        let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        cargo(&workspace, &arguments, "mend what is listed above")
    });
    // All targets at once give the binary and the tests one set of features: nothing is built
    // twice, and target/debug/medley is there for the browser tests.
    let built = steps.attempt("Build the Rust code", || {
        cargo(&workspace, &["build", "--workspace", "--all-targets"], "mend what is listed above")
    });
    if built {
        steps.attempt("Rust tests", || rust_tests(&workspace));
    } else {
        steps.blocked("Rust tests", "the build");
    }
    if !options.quick {
        browser(&workspace, &mut steps, built);
    }
    if !steps.summary() {
        bail!("some checks failed; each is marked in the table above");
    }
    Ok(())
}

/// The steps that need wasm, npm and Chromium.
fn browser(workspace: &Workspace, steps: &mut Steps, medley_built: bool) {
    let mut ready = true;
    for (title, work) in wasm_build::STEPS {
        if ready {
            ready = steps.attempt(title, || work(workspace));
        } else {
            steps.blocked(title, "an earlier wasm step");
        }
    }
    let installed = steps.attempt("Install the npm packages", || npm::install(workspace));
    // The checks read the types that the wasm build writes, and the page is made of both.
    let typescript: [(&str, Work); 3] = [
        ("Build the page", npm::build),
        ("TypeScript checks", npm::check),
        ("TypeScript tests", npm::test),
    ];
    let mut page = ready && installed;
    for (number, (title, work)) in typescript.into_iter().enumerate() {
        if !(ready && installed) {
            steps.blocked(title, "an earlier wasm or npm step");
        } else if !steps.attempt(title, || work(workspace)) && number == 0 {
            page = false;
        }
    }
    if page && medley_built {
        steps.attempt("Browser tests", || browser_tests(workspace));
    } else {
        steps.blocked("Browser tests", "building the page or the command line");
    }
}

fn cargo(workspace: &Workspace, arguments: &[&str], hint: &str) -> Result<Finish> {
    Command::new("cargo", &workspace.root).args(arguments).hint(hint).run()?;
    Ok(Finish::Done)
}

fn rust_tests(workspace: &Workspace) -> Result<Finish> {
    let (tally, result) = Command::new("cargo", &workspace.root)
        .args(["test", "--workspace", "--no-fail-fast"])
        .run_tests()?;
    Ok(Finish::Tests(tally, result))
}

/// The page in a real browser, compared with the command line. What the tests are told:
/// `MEDLEY_CHROMIUM`, the browser; `MEDLEY_BIN`, the command line; `MEDLEY_DATA`, the task
/// database with real images, if it is there.
fn browser_tests(workspace: &Workspace) -> Result<Finish> {
    let browser = chromium::find_or_install(workspace)?;
    println!("    browser: {}", browser.display());
    let mut npm = npm::npm(workspace, &["run", "test:browser"])
        .env(chromium::VARIABLE, &browser)
        .env("MEDLEY_BIN", workspace.target.join("debug/medley"))
        .hint("the first failed test above says what the page did; `npm run test:browser` repeats");
    if std::env::var_os("MEDLEY_DATA").is_none() {
        let data = workspace.path("../shared/data");
        if data.join("tasks.json").is_file() {
            npm = npm.env("MEDLEY_DATA", data);
        } else {
            println!("    no ../shared/data: generated samples take the place of real images");
        }
    }
    let (tally, result) = npm.run_tests()?;
    Ok(Finish::Tests(tally, result))
}
