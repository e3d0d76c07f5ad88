//! `cargo xtask test`: every check there is. A failed one does not keep the others from running.

use anyhow::Result;

use crate::command::Command;
use crate::steps::{Finish, Steps};
use crate::workspace::Workspace;
use crate::{chromium, counts, npm, ohif, readers, wasm_build, wasm_target};

const MEND: &str = "mend what is listed above";

/// What can be asked of the tests.
#[derive(clap::Args)]
pub struct Options {
    /// Formatting, lints and Rust tests only: no wasm, no npm, no browser
    #[arg(long)]
    quick: bool,
}

/// Runs the checks and prints a table of them, whose last line sums the tests; whether all is well.
pub fn run(options: &Options) -> Result<bool> {
    let workspace = Workspace::find()?;
    let browser_steps = wasm_build::STEPS.len() + 7;
    let mut steps = Steps::new(if options.quick { 5 } else { 7 + browser_steps });
    steps.attempt("Formatting", || {
        cargo(&workspace, &["fmt", "--all", "--check"], "run `cargo fmt --all`")
    });
    steps.attempt("Lints", || {
        let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        cargo(&workspace, &arguments, MEND)
    });
    // All targets at once give the binary and the tests one set of features: nothing is built
    // twice, and target/debug/medley is there for the browser tests.
    let built = steps.attempt("Build the Rust code", || {
        cargo(&workspace, &["build", "--workspace", "--all-targets"], MEND)
    });
    steps.attempt("Readers of others", || readers::prepare(&workspace));
    steps.after(built, "Rust tests", || rust_tests(&workspace));
    if !options.quick {
        steps.after(built, "Instruction counts", || counts::compare(&workspace));
        // Machines without a card have no other way to notice that the code for one does not compile.
        steps.attempt("Type-check the GPU code", || {
            let what = ["check", "--package", "medley-cli", "--package", "medley-bench"];
            let with = ["--features", "medley-cli/cuda,medley-cli/vulkan,medley-bench/cuda"];
            cargo(&workspace, &[what.as_slice(), with.as_slice()].concat(), MEND)
        });
        browser(&workspace, &mut steps, built);
    }
    Ok(steps.summary())
}

/// The steps that need wasm, npm and Chromium.
fn browser(workspace: &Workspace, steps: &mut Steps, medley: bool) {
    let mut wasm = true;
    for (title, work) in wasm_build::STEPS {
        wasm = steps.after(wasm, title, || work(workspace));
    }
    // What is compiled for wasm alone the lints above never see. The profile is that of the builds,
    // so that their macros and build scripts are used again.
    steps.after(wasm, "Lints of the wasm code", || {
        let what = [
            "clippy",
            "--package",
            "medley-web",
            "--features",
            "webgpu,threads",
            "--profile",
            "wasm",
        ];
        let how = ["--target", wasm_target::TARGET, "--", "-D", "warnings"];
        cargo(workspace, &[what.as_slice(), how.as_slice()].concat(), MEND)
    });
    let packages = steps.attempt("Install the npm packages", || npm::install(workspace));
    // TypeScript reads the types that the wasm build writes, and the page is made of both.
    let ready = wasm && packages;
    let page = steps.after(ready, "Build the page", || npm::build(workspace));
    steps.after(ready, "TypeScript checks", || npm::check(workspace));
    steps.after(ready, "TypeScript tests", || npm::test(workspace));
    steps.attempt("The OHIF viewer", || ohif::prepare(workspace));
    steps.after(page && medley, "Browser tests", || browser_tests(workspace));
}

fn cargo(workspace: &Workspace, arguments: &[&str], hint: &str) -> Result<Finish> {
    Command::new("cargo", &workspace.root).args(arguments).hint(hint).run()?;
    Ok(Finish::Done)
}

/// What the tests are told: `MEDLEY_PYTHON`, a Python with the packages that read what they write. Where it could
/// not be made, the step before has failed, and they say what they leave out.
fn rust_tests(workspace: &Workspace) -> Result<Finish> {
    let mut cargo =
        Command::new("cargo", &workspace.root).args(["test", "--workspace", "--no-fail-fast"]);
    let python = readers::python(workspace);
    if python.is_file() {
        cargo = cargo.env(readers::VARIABLE, python);
    }
    let (tally, result) = cargo.run_tests()?;
    Ok(Finish::Tests(tally, result))
}

/// The page in a real browser, compared with the command line. What the tests are told:
/// `MEDLEY_CHROMIUM`, the browser; `MEDLEY_BIN`, the command line; `MEDLEY_OHIF_VIEWER`,
/// the built OHIF viewer; `MEDLEY_DATA`, the task database with real images, if it is there.
fn browser_tests(workspace: &Workspace) -> Result<Finish> {
    let browser = chromium::find_or_install(workspace)?;
    println!("    browser: {}", browser.display());
    let mut npm = npm::npm(workspace, &["run", "test:browser"])
        .env(chromium::VARIABLE, &browser)
        .env("MEDLEY_BIN", workspace.target.join("debug/medley"))
        .env(ohif::VARIABLE, ohif::viewer(workspace))
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
