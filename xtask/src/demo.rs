//! `cargo xtask demo`: from a fresh checkout to the page in a browser.

use anyhow::Result;

use crate::serve::Server;
use crate::steps::{Finish, Steps};
use crate::workspace::Workspace;
use crate::{npm, wasm_build, wasm_target};

/// Tried first; any free port is taken when it is in use.
const PORT: u16 = 8080;

/// What can be asked of the demo.
#[derive(clap::Args)]
pub struct Options {
    /// Stop after building www/dist
    #[arg(long)]
    build_only: bool,
    /// Serve on this port of localhost (default: 8080, or any free one if that is taken)
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

/// Prepares, builds and serves; each step is skipped when it is up to date.
pub fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    let mut steps = Steps::new(BUILD_STEPS + usize::from(!options.build_only));
    build(&workspace, &mut steps)?;
    if options.build_only {
        println!("\nBuilt www/dist in {}.", steps.elapsed());
        return Ok(());
    }
    let mut server = None;
    steps.must("Serve the page", || {
        server = Some(Server::new(&workspace.path("www/dist"), options.port, PORT)?);
        Ok(Finish::Done)
    })?;
    if let Some(server) = server {
        println!("\n  Medley: http://localhost:{}/  (Ctrl-C stops it)", server.address()?.port());
        server.run();
    }
    Ok(())
}

/// Steps of [`build`].
pub const BUILD_STEPS: usize = wasm_build::STEPS.len() + 2;

/// The wasm, the npm packages and the page.
pub fn build(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    for (title, work) in wasm_build::STEPS {
        steps.must(title, || work(workspace))?;
    }
    steps.must("Install the npm packages", || npm::install(workspace))?;
    steps.must("Build the page", || npm::build(workspace))
}

/// Prepares the wasm target and nothing else.
pub fn wasm_target() -> Result<()> {
    let workspace = Workspace::find()?;
    Steps::new(1).must("Prepare the wasm target", || wasm_target::prepare(&workspace))
}
