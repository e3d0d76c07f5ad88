//! `fresh-package FOLDER`: writes the package "medley-fresh" for the tests in the browser, where the
//! shipped model would take a software GPU too long.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: fresh-package FOLDER");
        return ExitCode::from(2);
    };
    medley_tests::write_fresh_package(Path::new(&folder));
    ExitCode::SUCCESS
}
